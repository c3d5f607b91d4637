//! The CPU time that a database server spends on its clients, and this process on playing Lambda.
use std::fs;

use anyhow::{Context, Result};
use tests::Fixture;

use crate::query;

/// The kernel counts the time of ended processes in units of this many µs.
const TICK: f64 = 1e4;

/// A server on this machine.
pub(crate) struct Server {
    postmaster: String,
}

impl Server {
    pub(crate) async fn of(database: &Fixture) -> Result<Self> {
        let file = query(&database.url, "SELECT pg_read_file('postmaster.pid')").await?.concat();
        let postmaster = file.lines().next().context("the server names no process")?.to_owned();
        Ok(Self { postmaster })
    }

    /// The CPU time of its backends so far, including ended ones, in µs.
    pub(crate) fn used(&self) -> Result<f64> {
        let mut used = times(&self.postmaster, 16)?;
        let children = format!("/proc/{0}/task/{0}/children", self.postmaster);
        let children = fs::read_to_string(children)?;
        for child in children.split_whitespace() {
            // A process that ends during the loop is counted the next time.
            let Ok(command) = fs::read_to_string(format!("/proc/{child}/cmdline")) else {
                continue;
            };
            let Ok(text) = fs::read_to_string(format!("/proc/{child}/schedstat")) else { continue };
            if command.contains("127.0.0.1(") {
                let nanos = text.split(' ').next().and_then(|run| run.parse::<f64>().ok());
                used += nanos.context("the scheduler statistics lack the CPU time")? / 1e3;
            }
        }
        Ok(used)
    }
}

/// The CPU time of this process so far, in µs.
pub(crate) fn own() -> Result<f64> {
    times("self", 14)
}

/// A process's user and system time, or that of its ended children, in µs: these two fields of its
/// statistics, as numbered in proc(5).
fn times(process: &str, first: usize) -> Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    // After the name, which may contain spaces, comes the third field.
    let (_, fields) = stat.rsplit_once(')').context("the process statistics are unreadable")?;
    let mut fields = fields.split_whitespace().skip(first - 3);
    let mut ticks = || -> Result<f64> {
        Ok(fields.next().context("the process statistics lack the CPU times")?.parse()?)
    };
    Ok((ticks()? + ticks()?) * TICK)
}
