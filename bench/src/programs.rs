//! What is compared: our functions, and what else one would put behind the same API.
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use tests::{Sandbox, root};

use crate::functions::{binary, in_environment};

/// A program that answers the events of the API.
#[derive(Clone)]
pub(crate) enum Program {
    /// Ours: a binary an operation.
    Rust,
    /// The tutorial's backend, for all operations; the folder of its Python.
    FastApi(PathBuf),
    /// For all operations; the folder it is installed in.
    Hono(PathBuf),
}

impl Program {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Rust => "Rust",
            Self::FastApi(_) => "FastAPI",
            Self::Hono(_) => "Hono",
        }
    }

    /// What Lambda starts for an operation.
    pub(crate) fn command(&self, function: &str, database_url: &str) -> Command {
        let mut command = match self {
            Self::Rust => Command::new(binary(function)),
            Self::FastApi(bin) => {
                let mut command = Command::new(bin.join("python"));
                command.args(["-m", "awslambdaric", "app.handler"]).current_dir(peer("fastapi"));
                command
            }
            Self::Hono(folder) => {
                let mut command = Command::new("node");
                command.args(["bootstrap.mjs", "app.handler"]).current_dir(folder);
                command
            }
        };
        command = in_environment(command, function, database_url);
        if let Self::FastApi(bin) = self {
            // Its compiled modules stay between starts, and out of the sources.
            command.env("PYTHONPYCACHEPREFIX", bin.join("cache"));
        }
        command
    }

    pub(crate) async fn start(&self, function: &str, database_url: &str) -> Result<Sandbox> {
        Sandbox::start(self.command(function, database_url)).await
    }
}

/// Installs the peers, and returns everything that is compared.
pub(crate) fn all() -> Result<Vec<Program>> {
    let tools = root().join(".local/bench");
    std::fs::create_dir_all(&tools)?;
    Ok(vec![Program::Rust, fastapi(&tools)?, hono(&tools)?])
}

fn fastapi(tools: &Path) -> Result<Program> {
    let environment = tools.join("fastapi");
    let bin = environment.join("bin");
    let requirements = peer("fastapi").join("requirements.txt");
    if !bin.join("uvicorn").exists() {
        println!("Installing FastAPI's packages (once) …");
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&environment))?;
        let pip = ["install", "--quiet", "--disable-pip-version-check", "--requirement"];
        run(Command::new(bin.join("pip")).args(pip).arg(requirements))?;
    }
    Ok(Program::FastApi(bin))
}

fn hono(tools: &Path) -> Result<Program> {
    let folder = tools.join("hono");
    std::fs::create_dir_all(&folder)?;
    for file in std::fs::read_dir(peer("hono"))? {
        let file = file?;
        if file.file_type()?.is_file() {
            std::fs::copy(file.path(), folder.join(file.file_name()))?;
        }
    }
    if !folder.join("node_modules").exists() {
        println!("Installing Hono's packages (once) …");
        run(Command::new("npm")
            .args(["ci", "--silent", "--no-fund", "--no-audit"])
            .current_dir(&folder))?;
    }
    Ok(Program::Hono(folder))
}

pub(crate) fn peer(name: &str) -> PathBuf {
    root().join("bench/peers").join(name)
}

fn run(command: &mut Command) -> Result<()> {
    let status = command.stdin(Stdio::null()).status();
    let status = status.with_context(|| format!("cannot start {command:?}"))?;
    ensure!(status.success(), "{command:?} failed");
    Ok(())
}
