//! The local gateway: `cargo lambda watch`, which plays API Gateway and the Lambda runtime.
use std::ffi::OsStr;
use std::net::{Ipv4Addr, TcpListener};

use anyhow::{Context, Result, bail};
use rustix::process::Signal;

use crate::process::{Output, Process};
use crate::{project, tools};

/// Says so where something else listens on `port` already.
pub(crate) fn check_port(port: u16, option: &str) -> Result<()> {
    if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_err() {
        bail!("port {port} is taken: stop what uses it, or choose another with {option}");
    }
    Ok(())
}

/// Compiles the functions as the gateway will ask for them, so that it finds them ready.
pub(crate) fn build() -> Result<()> {
    tools::run(project::cargo().arg("build")).context("the functions do not compile")
}

/// A gateway to start.
pub(crate) struct Gateway<'a> {
    /// The `PATH` with `cargo lambda` on it.
    pub(crate) path: &'a OsStr,
    pub(crate) port: u16,
    /// How many of one function may run at once.
    pub(crate) concurrency: u16,
    /// Whether an edited source is live a few seconds later.
    pub(crate) watch: bool,
}

impl Gateway<'_> {
    /// Starts it with `settings` for its functions, besides the environment.
    pub(crate) fn start<'s>(
        &self,
        settings: impl Iterator<Item = (&'s str, &'s str)>,
        output: Output,
    ) -> Result<Process> {
        let mut command = project::cargo();
        command
            .args(["lambda", "watch", "--invoke-address", "127.0.0.1"])
            .args(["--invoke-port", &self.port.to_string()])
            .args(["--concurrency", &self.concurrency.to_string()])
            .env("PATH", self.path)
            .envs(settings);
        if !self.watch {
            command.arg("--ignore-changes");
        }
        let mut process = Process::spawn("api", &mut command, Signal::INT, output)?;
        process.await_port(self.port)?;
        Ok(process)
    }
}
