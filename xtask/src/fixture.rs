//! `cargo xtask fixture`: starts one of `dev`'s services for the tests. It prints a line of JSON
//! that says how to reach it, and stops when its standard input is closed, so it never outlives the
//! test.
use std::fs::{File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::process::Signal;
use serde_json::json;
use shared::DatabaseUrl;
use tempfile::TempDir;

use crate::gateway::Gateway;
use crate::login::{self, Access};
use crate::postgres::{Mode, Server, free_port};
use crate::process::{Output, Process};
use crate::{dev, migrate, pgbouncer, project, settings, tools};

#[derive(clap::Args)]
pub(crate) struct Options {
    kind: Kind,
    /// How many requests of one function the gateway serves at once.
    #[arg(long, default_value_t = 1)]
    concurrency: u16,
    /// How many connections the database or the pooler accepts.
    #[arg(long, default_value_t = 200)]
    connections: u16,
    /// Do not log each statement of the database.
    #[arg(long)]
    quiet: bool,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Kind {
    /// A new, migrated database that logs every statement; the input lines `restart` and `crash`
    /// restart or kill it.
    Database,
    /// A local AWS; its functions also get this environment's variables.
    Aws,
    /// A pooler in front of the database in `DATABASE_URL`, which must be a test database.
    Pgbouncer,
    /// A gateway; its functions get this environment's settings.
    Gateway,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let (sender, ended) = dev::interruptions()?;
    let (lines, asked) = channel();
    thread::spawn(move || {
        // Until standard input is closed.
        std::io::stdin().lines().map_while(Result::ok).for_each(|line| drop(lines.send(line)));
        let _ = sender.send(());
    });

    let folder = folder()?;
    let log = folder.path().join("log");
    let output = Output::File(File::create(&log)?);
    let mut server = None;
    let (ready, mut process) = match options.kind {
        Kind::Database => {
            let mode = Mode::Tested { connections: options.connections, log: !options.quiet };
            let (Server { process, command, url, programs }, functions_url) =
                database(folder.path(), &mode, output)?;
            server = Some(command);
            let urls = json!({ "url": url.expose(), "functions_url": functions_url.expose(), "programs": programs, "log": log });
            (urls, process)
        }
        Kind::Aws => {
            let (url, process) = aws(output)?;
            (json!({ "url": url, "log": log }), process)
        }
        Kind::Pgbouncer => {
            let url = settings::variable(settings::DATABASE_URL).context("no DATABASE_URL")?;
            let url = url.parse()?;
            let (url, process) =
                pgbouncer::start(folder.path(), &url, options.connections, output)?;
            (json!({ "url": url.expose(), "log": log }), process)
        }
        Kind::Gateway => {
            let path = tools::path_with_cargo_lambda()?;
            let (port, concurrency) = (free_port()?, options.concurrency);
            let gateway = Gateway { path: &path, port, concurrency, watch: false };
            let process = gateway.start(std::iter::empty(), output)?;
            (json!({ "url": format!("http://127.0.0.1:{port}"), "log": log }), process)
        }
    };
    println!("{ready}");
    loop {
        match ended.recv_timeout(Duration::from_millis(50)) {
            Err(RecvTimeoutError::Timeout) => {}
            ended => return ended.context("the signal channel is closed"),
        }
        if let (Some(server), Ok(how)) = (&mut server, asked.try_recv()) {
            let signal = if how == "crash" { Signal::QUIT } else { Signal::INT };
            process.restart(server, signal)?;
        }
    }
}

/// A database for tests: its server, with the superuser's URL, and the functions' URL.
pub(crate) fn database(
    folder: &Path,
    mode: &Mode,
    output: Output,
) -> Result<(Server, DatabaseUrl)> {
    let server = Server::start(folder, mode, free_port()?, output)?;
    migrate::migrate(&server.url)?;
    let functions_url = login::grant(&server.url, Access::Functions, &Access::Functions.local())?;
    Ok((server, functions_url))
}

fn aws(output: Output) -> Result<(String, Process)> {
    let port = free_port()?;
    let url = format!("http://127.0.0.1:{port}");
    let mut command = Command::new(tools::local_aws()?);
    command.env("BIND_HOST", "127.0.0.1").env("GATEWAY_PORT", port.to_string());
    // The endpoint for its functions.
    command.env("AWS_ENDPOINT_URL", &url);
    let mut process = Process::spawn("aws", &mut command, Signal::TERM, output)?;
    process.await_port(port)?;
    Ok((url, process))
}

/// A temporary folder that the server's user can enter.
pub(crate) fn folder() -> Result<TempDir> {
    let parent = project::var_tmp()?;
    let open = Permissions::from_mode(0o711);
    Ok(tempfile::Builder::new().prefix("task-api-").permissions(open).tempdir_in(parent)?)
}
