//! The programs to compare: the functions and the peers.
use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;
use tests::{Sandbox, root, tool};

use crate::functions::{binary, in_environment};

/// A program that handles the API's events.
#[derive(Clone)]
pub(crate) enum Program {
    /// The functions: one binary an operation.
    Rust,
    /// The tutorial's backend, for all operations; the folder of its Python.
    FastApi(PathBuf),
    /// For all operations; the folder of its packages.
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

    /// The command that Lambda would run for an operation.
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
            // Keeps compiled modules between starts, outside of the sources.
            command.env("PYTHONPYCACHEPREFIX", bin.join("cache"));
        }
        command
    }

    pub(crate) async fn start(&self, function: &str, database_url: &str) -> Result<Sandbox> {
        Sandbox::start(self.command(function, database_url)).await
    }
}

/// Installs the peers and returns all programs.
pub(crate) fn all() -> Vec<Program> {
    vec![Program::Rust, Program::FastApi(tool("fastapi")), Program::Hono(tool("hono"))]
}

fn peer(name: &str) -> PathBuf {
    root().join("bench/peers").join(name)
}
