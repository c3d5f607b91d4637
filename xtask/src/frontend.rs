//! The frontend: its packages, tables and server.
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};
use rustix::process::Signal;
use shared::DatabaseUrl;

use crate::process::{Output, Process};
use crate::{project, tools};

/// The lines with which Next.js prints an address where nobody can sign in, since Better Auth
/// accepts only the app's own URL.
pub(crate) const ITS_URLS: &[&str] = &["- Local:", "- Network:"];

fn folder() -> PathBuf {
    project::root().join("frontend")
}

/// Whether the checkout has the app: one that serves only the API may do without.
pub(crate) fn exists() -> bool {
    folder().join("package.json").exists()
}

fn command(program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder()).env("NEXT_TELEMETRY_DISABLED", "1").args(arguments);
    command
}

/// Ensures that the packages of the lock file are installed.
pub(crate) fn ensure_packages() -> Result<()> {
    tools::node_package("frontend").map(drop).context("the API runs without the app, with --api")
}

/// The texts of its migrations.
pub(crate) fn migrations() -> Result<Vec<String>> {
    let files = fs::read_dir(folder().join("drizzle")).into_iter().flatten();
    let paths = files.map(|file| Ok(file?.path())).collect::<Result<Vec<_>>>()?;
    let texts = paths.iter().filter(|path| path.extension().is_some_and(|of| of == "sql"));
    texts.map(|path| Ok(fs::read_to_string(path)?)).collect()
}

/// Migrates Better Auth's tables.
pub(crate) fn migrate(url: &DatabaseUrl) -> Result<()> {
    tools::run(command("node", &["db/migrate.mjs"]).env("DATABASE_URL", url.expose()))
        .context("the frontend's migrations")
}

/// Runs a script of its `package.json` with these arguments and variables.
pub(crate) fn script(name: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Result<()> {
    let arguments = [&["run", "--silent", name, "--"], arguments].concat();
    tools::run(command("npm", &arguments).envs(variables.iter().copied()))
        .with_context(|| format!("npm run {name}, in the frontend"))
}

/// Starts its server on a port of 127.0.0.1 with these variables: Next.js's `dev`, with hot reload,
/// or `start` for the built app.
pub(crate) fn start<'s>(
    how: &str,
    port: u16,
    variables: impl Iterator<Item = (&'s str, &'s str)>,
    output: Output,
) -> Result<Process> {
    let port_text = port.to_string();
    let next = ["node_modules/next/dist/bin/next", how, "-H", "127.0.0.1", "-p", &port_text];
    let mut command = command("node", &next);
    let mut process = Process::spawn("app", command.envs(variables), Signal::TERM, output)?;
    process.await_port(port)?;
    Ok(process)
}
