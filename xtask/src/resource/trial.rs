//! A second resource in a copy of the checkout, which shares what is compiled.
use std::fs::{self, File, Metadata};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::Options;
use super::names::Words;
use crate::{project, tools};

/// A name of two words, of which the rule makes a singular, and which nobody else has.
const NAME: &str = "specimen-boxes";

/// Makes a resource, compiles everything with it, and runs its own tests of the API.
pub(super) fn short(options: &Options) -> Result<()> {
    let Options { name, singular, like, .. } = options;
    let mut arguments = vec![name.as_str()];
    arguments.extend(singular.iter().flat_map(|singular| ["--singular", singular]));
    arguments.extend(like.iter().flat_map(|like| ["--like", like]));
    let module = format!("{}::", Words::of(name).snake());
    run(&arguments, &["--", "--test", "api", &module])
}

/// Makes a resource and runs every test.
pub(crate) fn whole() -> Result<()> {
    run(&[NAME], &[])
}

fn run(resource: &[&str], tests: &[&str]) -> Result<()> {
    let copy = copy()?;
    println!("A second resource in {} …", copy.display());
    let program = std::env::current_exe()?;
    let mut make = Command::new(&program);
    make.env("CARGO_MANIFEST_DIR", copy.join("xtask")).arg("resource").args(resource);
    tools::run(&mut make).context("the resource cannot be made")?;
    let target = program.ancestors().nth(2).context("this program is in no target folder")?;
    // Some programs are named by this path.
    symlink(target, copy.join("target"))?;
    for arguments in [&["generate", "--check"][..], &[&["test"], tests].concat()] {
        let mut command = project::cargo();
        command.current_dir(&copy).env("CARGO_TARGET_DIR", target);
        command.args(["run", "--quiet", "--package", "xtask", "--"]).args(arguments);
        tools::run(&mut command).context("the copy does not work")?;
    }
    fs::remove_dir_all(&copy)?;
    Ok(())
}

/// Copies the checkout without what Git ignores. Times stay, so that cargo compiles only what
/// changes.
fn copy() -> Result<PathBuf> {
    let root = project::root();
    let copy = project::local()?.join("second-resource");
    if copy.exists() {
        fs::remove_dir_all(&copy)?;
    }
    let mut list = Command::new("git");
    list.current_dir(&root).args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let output = list.output().context("cannot start git")?;
    ensure!(output.status.success(), "a trial copies a Git checkout, and this is none");
    for file in String::from_utf8(output.stdout)?.split_terminator('\0') {
        let (from, to) = (root.join(file), copy.join(file));
        if !from.is_file() {
            continue;
        }
        to.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::copy(&from, &to).with_context(|| file.to_owned())?;
        File::options().append(true).open(&to)?.set_modified(from.metadata()?.modified()?)?;
    }
    fs::create_dir_all(copy.join(".local"))?;
    symlink(project::local()?.join("tools"), copy.join(".local/tools"))?;
    for folder in ["frontend", "cdk", "bench/peers/hono"] {
        let packages = Path::new(folder).join("node_modules");
        if copy.join(folder).exists() && root.join(&packages).exists() {
            link(&root.join(&packages), &copy.join(&packages))?;
        }
    }
    Ok(copy)
}

/// The same folder with links to its files: some tools refuse a link to the folder.
fn link(from: &Path, to: &Path) -> Result<()> {
    let of: Metadata = from.symlink_metadata()?;
    if of.is_symlink() {
        symlink(fs::read_link(from)?, to)?;
    } else if of.is_dir() {
        fs::create_dir(to)?;
        for entry in fs::read_dir(from)? {
            let name = entry?.file_name();
            link(&from.join(&name), &to.join(&name))?;
        }
    } else {
        fs::hard_link(from, to)?;
    }
    Ok(())
}
