//! The local gateway: `cargo lambda watch`, which emulates API Gateway and the Lambda runtime.
use std::ffi::OsStr;
use std::net::{Ipv4Addr, TcpListener};

use anyhow::{Context, Result, bail};
use rustix::process::Signal;

use crate::process::{Output, Process};
use crate::{project, tools};

/// Fails if something else listens on `port` already.
pub(crate) fn check_port(port: u16, option: &str) -> Result<()> {
    if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_err() {
        bail!("port {port} is taken: stop what uses it, or choose another with {option}");
    }
    Ok(())
}

/// Compiles the functions with the gateway's options, so that it does not compile them again.
pub(crate) fn build() -> Result<()> {
    tools::run(project::cargo().arg("build")).context("the functions do not compile")
}

/// The options of a gateway.
pub(crate) struct Gateway<'a> {
    /// The `PATH` with `cargo lambda` on it.
    pub(crate) path: &'a OsStr,
    pub(crate) port: u16,
    /// How many requests of one function may run at once.
    pub(crate) concurrency: u16,
    /// Whether it rebuilds edited sources.
    pub(crate) watch: bool,
}

impl Gateway<'_> {
    /// Starts it with `settings` for its functions, in addition to the environment.
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
