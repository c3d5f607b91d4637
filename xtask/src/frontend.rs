//! The frontend: its packages, its tables, its server.
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};
use rustix::process::Signal;

use crate::process::{Output, Process};
use crate::{project, tools};

/// What Next.js needs.
const OLDEST_NODE: (u32, u32) = (20, 9);

/// How the frontend is served.
#[derive(Clone, Copy)]
pub(crate) enum Serve {
    /// From its sources; an edit is live at once.
    Dev,
    /// As it was built.
    Built,
}

fn folder() -> PathBuf {
    project::root().join("frontend")
}

fn node(script: &str) -> Command {
    let mut command = Command::new("node");
    command.current_dir(folder()).env("NEXT_TELEMETRY_DISABLED", "1").arg(script);
    command
}

fn npm(arguments: &[&str]) -> Command {
    let mut command = Command::new("npm");
    command.current_dir(folder()).env("NEXT_TELEMETRY_DISABLED", "1").args(arguments);
    command
}

/// Sees to it that there is a Node.js and that the packages are those of the lock file.
pub(crate) fn ensure_packages() -> Result<()> {
    let version = Command::new("node").arg("--version").output();
    let version = version.ok().and_then(|output| String::from_utf8(output.stdout).ok());
    let version = version.as_deref().map(str::trim);
    if version.and_then(parse_version).is_none_or(|version| version < OLDEST_NODE) {
        bail!(
            "the frontend needs Node.js {}.{} or newer, and {}: get it from https://nodejs.org, \
             or run the API alone with --api",
            OLDEST_NODE.0,
            OLDEST_NODE.1,
            version.map_or("there is none".to_owned(), |version| format!("this is {version}")),
        );
    }
    let modified = |path: &str| folder().join(path).metadata().and_then(|m| m.modified()).ok();
    // npm writes the second when it is done.
    if modified("node_modules/.package-lock.json") < modified("package-lock.json") {
        println!("Installing the frontend's packages …");
        tools::run(&mut npm(&["ci", "--no-audit", "--no-fund"]))?;
    }
    Ok(())
}

/// v20.20.2 as (20, 20).
fn parse_version(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.strip_prefix('v')?.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// Brings the tables of Better Auth up to date.
pub(crate) fn migrate(url: &str) -> Result<()> {
    tools::run(node("db/migrate.mjs").env("DATABASE_URL", url)).context("the frontend's migrations")
}

/// Runs a script of its `package.json` with these variables.
pub(crate) fn script(name: &str, variables: &[(&str, &str)]) -> Result<()> {
    tools::run(npm(&["run", "--silent", name]).envs(variables.iter().copied()))
        .with_context(|| format!("npm run {name}, in the frontend"))
}

/// Starts its server on a port of 127.0.0.1 with these variables.
pub(crate) fn start<'s>(
    serve: Serve,
    port: u16,
    variables: impl Iterator<Item = (&'s str, &'s str)>,
    output: Output,
) -> Result<Process> {
    let mut command = node("node_modules/next/dist/bin/next");
    command.arg(match serve {
        Serve::Dev => "dev",
        Serve::Built => "start",
    });
    command.args(["-H", "127.0.0.1", "-p", &port.to_string()]).envs(variables);
    let mut process = Process::spawn("app", &mut command, Signal::TERM, output)?;
    process.await_port(port)?;
    Ok(process)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn node_says_its_version_with_a_v() {
        assert_eq!(parse_version("v20.9.0"), Some((20, 9)));
        assert_eq!(parse_version("v8.17.0"), Some((8, 17)));
        assert!(parse_version("20").is_none());
    }
}
