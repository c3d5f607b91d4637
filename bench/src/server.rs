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
        let postmaster = format!("/proc/{}", self.postmaster);
        let stat = fs::read_to_string(format!("{postmaster}/stat"))?;
        // After the name, which may contain spaces, comes the state; fields 14 and 15 are the
        // children's times.
        let (_, fields) = stat.rsplit_once(')').context("the process statistics are unreadable")?;
        let fields: Vec<_> = fields.split_whitespace().collect();
        let ticks = |index: usize| fields.get(index).and_then(|field| field.parse::<f64>().ok());
        let ended =
            ticks(13).zip(ticks(14)).context("the process statistics lack the children's times")?;
        let mut used = (ended.0 + ended.1) * TICK;
        let children =
            fs::read_to_string(format!("{postmaster}/task/{}/children", self.postmaster))?;
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

/// The CPU that this process has used so far, in µs.
pub(crate) fn own() -> Result<f64> {
    let text = fs::read_to_string("/proc/self/stat")?;
    let (_, fields) = text.rsplit_once(')').context("the kernel tells nothing")?;
    let ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<f64>);
    Ok(ticks.sum::<Result<f64, _>>()? * TICK)
}
