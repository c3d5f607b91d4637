//! Paths of the project.
use std::fs::DirBuilder;
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    // Cargo sets it at run time, so a moved checkout is found, too.
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let xtask = manifest.unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    xtask.parent().map(Path::to_path_buf).unwrap_or(xtask)
}

/// Cargo, in the workspace's root, without the variables that the running cargo sets for this
/// package: some build scripts would read them and rebuild.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(root());
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    command
}

/// The git-ignored folder for what `dev` installs and stores.
pub(crate) fn local() -> Result<PathBuf> {
    let local = root().join(".local");
    std::fs::create_dir_all(&local).with_context(|| format!("cannot make {}", local.display()))?;
    Ok(local)
}

/// A folder that another user's database server can reach: [`local`], or a folder of this checkout
/// under `/var/tmp` if a parent of [`local`] is closed to others.
pub(crate) fn local_for_server() -> Result<PathBuf> {
    let local = local()?;
    if !rustix::process::geteuid().is_root() || is_open_to_all(&local) {
        return Ok(local);
    }
    let name = local.to_string_lossy().replace('/', "-");
    let elsewhere = var_tmp()?.join(format!("task-api{name}"));
    make_private(&elsewhere)?;
    Ok(elsewhere)
}

/// The temporary folder that survives a reboot; its usual path may contain a link.
pub(crate) fn var_tmp() -> Result<PathBuf> {
    Path::new("/var/tmp").canonicalize().context("there is no /var/tmp")
}

/// Creates a folder that others may only traverse, or checks that it is one: in a world-writable
/// place, somebody else may have created it first.
pub(crate) fn make_private(folder: &Path) -> Result<()> {
    match DirBuilder::new().mode(0o711).create(folder) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            return Err(error).with_context(|| format!("cannot make {}", folder.display()));
        }
        _ => {}
    }
    let found = folder.symlink_metadata()?;
    let (us, mode) = (rustix::process::geteuid().as_raw(), found.mode() & 0o7777);
    let fault = if folder.canonicalize()? != folder || !found.is_dir() {
        "it is not a folder, or its path contains a symbolic link".to_owned()
    } else if found.uid() != us {
        format!("it belongs to user {}, not to {us}", found.uid())
    } else if ![0o700, 0o711].contains(&mode) {
        format!("its mode is {mode:o}, not 700 or 711")
    } else {
        return Ok(());
    };
    bail!(
        "{} is not used, because {fault}: remove it, or correct it if you know who made it",
        folder.display()
    )
}

fn is_open_to_all(path: &Path) -> bool {
    path.ancestors().all(|folder| {
        folder.metadata().is_ok_and(|metadata| metadata.permissions().mode() & 0o001 != 0)
    })
}

#[cfg(test)]
mod tests {
    use std::fs::{Permissions, create_dir, set_permissions};
    use std::os::unix::fs::{chown, symlink};

    use super::*;

    #[test]
    fn a_folder_that_others_could_have_prepared_is_refused() {
        let parent = tempfile::tempdir().unwrap();
        let parent = parent.path().canonicalize().unwrap();
        let refusal = |name: &str| make_private(&parent.join(name)).unwrap_err().to_string();

        make_private(&parent.join("ours")).unwrap();
        make_private(&parent.join("ours")).unwrap();
        let open = parent.join("open");
        create_dir(&open).unwrap();
        for mode in [0o755, 0o777, 0o1711, 0o710] {
            set_permissions(&open, Permissions::from_mode(mode)).unwrap();
            assert!(refusal("open").contains(&format!("{mode:o}")));
        }
        symlink(parent.join("ours"), parent.join("link")).unwrap();
        assert!(refusal("link").contains("link"));
        create_dir(parent.join("ours/inner")).unwrap();
        assert!(refusal("link/inner").contains("link"));
        std::fs::write(parent.join("file"), "").unwrap();
        assert!(make_private(&parent.join("file")).is_err());
        if rustix::process::geteuid().is_root() {
            make_private(&parent.join("theirs")).unwrap();
            chown(parent.join("theirs"), Some(65534), None).unwrap();
            assert!(refusal("theirs").contains("65534"));
        }
    }
}
