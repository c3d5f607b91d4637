//! `cargo xtask hold`: one part of what `dev` starts, for the tests. It says where it is in a line
//! of JSON, and ends with its standard input, so that it never outlives the test that asked for it.
use std::fs::{File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use anyhow::{Context, Result};
use rustix::process::Signal;
use serde_json::json;
use tempfile::TempDir;

use crate::gateway::Gateway;
use crate::postgres::{Mode, Server, free_port};
use crate::process::{Output, Process};
use crate::{dev, login, migrate, tools};

#[derive(clap::Args)]
pub(crate) struct Options {
    part: Part,
    /// How many of one function the gateway runs at once.
    #[arg(long, default_value_t = 1)]
    concurrency: u16,
    /// How many connections the database takes.
    #[arg(long, default_value_t = 200)]
    connections: u16,
    /// Let the database not log each statement.
    #[arg(long)]
    quiet: bool,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Part {
    /// A new, migrated database that logs every statement.
    Database,
    /// A local AWS, whose functions have the variables of the environment, too.
    Aws,
    /// A gateway, whose functions have the settings of the environment.
    Gateway,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let (sender, ended) = dev::interruptions()?;
    thread::spawn(move || {
        // Reads until the other end is closed; what comes is of no interest.
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        let _ = sender.send(());
    });

    let folder = folder()?;
    let log = folder.path().join("log");
    let output = Output::File(File::create(&log)?);
    let (ready, _process) = match options.part {
        Part::Database => {
            let mode = Mode::Tested { connections: options.connections, log: !options.quiet };
            let Database { owner_url, functions_url, programs, process } =
                database(folder.path(), &mode, output)?;
            let urls = json!({ "url": owner_url, "functions_url": functions_url, "programs": programs, "log": log });
            (urls, process)
        }
        Part::Aws => {
            let (url, process) = aws(output)?;
            (json!({ "url": url, "log": log }), process)
        }
        Part::Gateway => {
            let (url, process) = gateway(options.concurrency, output)?;
            (json!({ "url": url, "log": log }), process)
        }
    };
    println!("{ready}");
    ended.recv().context("nobody can end this any more")
}

/// A database of the tests.
pub(crate) struct Database {
    /// For who may do everything.
    pub(crate) owner_url: String,
    /// For the functions.
    pub(crate) functions_url: String,
    /// The folder of the server's programs.
    programs: PathBuf,
    pub(crate) process: Process,
}

pub(crate) fn database(folder: &Path, mode: &Mode, output: Output) -> Result<Database> {
    let Server { process, url: owner_url, programs } =
        Server::start(folder, mode, free_port()?, output)?;
    migrate::migrate(&owner_url)?;
    let functions_url = login::grant(&owner_url, login::LOCAL)?;
    Ok(Database { owner_url, functions_url, programs, process })
}

fn aws(output: Output) -> Result<(String, Process)> {
    let port = free_port()?;
    let url = format!("http://127.0.0.1:{port}");
    let mut command = Command::new(tools::local_aws()?);
    command.env("BIND_HOST", "127.0.0.1").env("GATEWAY_PORT", port.to_string());
    // Where its functions find it.
    command.env("AWS_ENDPOINT_URL", &url);
    let mut process = Process::spawn("aws", &mut command, Signal::TERM, output)?;
    process.await_port(port)?;
    Ok((url, process))
}

fn gateway(concurrency: u16, output: Output) -> Result<(String, Process)> {
    let path = tools::path_with_cargo_lambda()?;
    let port = free_port()?;
    let gateway = Gateway { path: &path, port, concurrency, watch: false };
    let process = gateway.start(std::iter::empty(), output)?;
    Ok((format!("http://127.0.0.1:{port}"), process))
}

/// A folder that the server's user can enter and that ends with us.
pub(crate) fn folder() -> Result<TempDir> {
    let parent = PathBuf::from("/var/tmp");
    let open = Permissions::from_mode(0o755);
    Ok(tempfile::Builder::new().prefix("task-api-").permissions(open).tempdir_in(parent)?)
}
