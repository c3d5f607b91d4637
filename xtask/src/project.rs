//! Where things are.
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

/// The workspace's folder.
pub(crate) fn root() -> PathBuf {
    // Set by cargo at run time, so that a moved checkout is found, too.
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let xtask = manifest.unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    xtask.parent().map(Path::to_path_buf).unwrap_or(xtask)
}

/// Cargo, in the workspace's folder, and without what the cargo that runs us says of this package:
/// some build scripts would take it for theirs, and compile again.
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

/// The git-ignored folder for what `dev` installs and keeps.
pub(crate) fn local() -> Result<PathBuf> {
    let local = root().join(".local");
    std::fs::create_dir_all(&local).with_context(|| format!("cannot make {}", local.display()))?;
    Ok(local)
}

/// A folder for what a database server of another user must reach: [`local`], or where that
/// lies in a folder closed to others, one under `/var/tmp` that belongs to this checkout.
pub(crate) fn local_for_server() -> Result<PathBuf> {
    let local = local()?;
    if !rustix::process::geteuid().is_root() || is_open_to_all(&local) {
        return Ok(local);
    }
    let name = local.to_string_lossy().replace('/', "-");
    let elsewhere = PathBuf::from(format!("/var/tmp/task-api{name}"));
    std::fs::create_dir_all(&elsewhere)
        .with_context(|| format!("cannot make {}", elsewhere.display()))?;
    Ok(elsewhere)
}

fn is_open_to_all(path: &Path) -> bool {
    path.ancestors().all(|folder| {
        folder.metadata().is_ok_and(|metadata| metadata.permissions().mode() & 0o001 != 0)
    })
}
