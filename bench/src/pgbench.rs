//! The limit: the same statements by PostgreSQL's own benchmark, on the same server.
use std::fs;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use shared::{DATABASE_ROLE, STATEMENTS};
use tests::{Fixture, bound};

use crate::stats::quantile;

/// What is run, each as a prepared statement.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Script {
    /// The bare round trip.
    Nothing,
    /// The list of 50 tasks, without a transaction and a role.
    List,
    /// The four messages of a request, pipelined as we send them.
    Transaction,
}

/// A script that is run, for one user's tasks.
pub(crate) struct Limit<'a> {
    pub(crate) database: &'a Fixture,
    pub(crate) user: &'a str,
}

impl Limit<'_> {
    /// The latencies of `transactions` by one client, in µs.
    pub(crate) fn latencies(&self, script: Script, transactions: usize) -> Result<Vec<f64>> {
        let folder = tempfile::tempdir()?;
        let log = folder.path().join("log");
        let log = log.to_str().context("a folder without a name")?;
        let count = transactions.to_string();
        self.run(script, &["-t", &count, "-l", "--log-prefix", log])?;
        let mut latencies = Vec::new();
        for entry in fs::read_dir(folder.path())? {
            let text = fs::read_to_string(entry?.path())?;
            // client, transaction, latency in µs, …
            latencies.extend(
                text.lines().filter_map(|line| line.split(' ').nth(2)?.parse::<f64>().ok()),
            );
        }
        ensure!(latencies.len() == transactions, "pgbench logged {} times", latencies.len());
        Ok(latencies)
    }

    /// The median latency of one client, in µs.
    pub(crate) fn median(&self, script: Script, transactions: usize) -> Result<f64> {
        Ok(quantile(&self.latencies(script, transactions)?, 0.5))
    }

    /// How many transactions a second as many clients make together.
    pub(crate) fn throughput(&self, script: Script, clients: usize, seconds: u64) -> Result<f64> {
        let (clients, seconds) = (clients.to_string(), seconds.to_string());
        let text = self.run(script, &["-c", &clients, "-T", &seconds])?;
        let tps = text.lines().find_map(|line| line.strip_prefix("tps = "));
        let tps = tps.and_then(|rest| rest.split(' ').next()?.parse().ok());
        tps.context("pgbench says no throughput")
    }

    fn run(&self, script: Script, options: &[&str]) -> Result<String> {
        let file = tempfile::NamedTempFile::new()?;
        fs::write(file.path(), self.text(script)?)?;
        let mut pgbench = Command::new(self.database.programs.join("pgbench"));
        pgbench.args(["-n", "-M", "prepared", "-f"]).arg(file.path()).args(options);
        let output = pgbench.arg(self.url(script)).output().context("cannot start pgbench")?;
        let text = String::from_utf8(output.stdout)?;
        ensure!(
            output.status.success(),
            "pgbench failed: {text}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(text)
    }

    /// The single statement has no role to become, and so is the owner's.
    fn url(&self, script: Script) -> &str {
        match script {
            Script::Nothing | Script::Transaction => &self.database.functions_url,
            Script::List => &self.database.url,
        }
    }

    fn text(&self, script: Script) -> Result<String> {
        let (user, role) = (format!("'{}'", self.user), format!("'{DATABASE_ROLE}'"));
        let list = STATEMENTS.iter().find(|statement| statement.name == "list");
        let list = list.context("there is no list among the statements")?;
        let list = bound(list, list.sql, &[user.as_str(), "9223372036854775807", ":limit", "0"]);
        let identify = format!(
            "SELECT set_config('role', {role}, true), set_config('task_api.user_id', {user}, true), \
             set_config('lock_timeout', '4s', true)"
        );
        // Fifty, and one that tells whether there are more.
        let variables = "\\set limit 51";
        Ok(match script {
            Script::Nothing => "SELECT 1;\n".to_owned(),
            Script::List => format!("{variables}\n{list};\n"),
            Script::Transaction => format!(
                "{variables}\n\\startpipeline\nBEGIN;\n{identify};\n{list};\nCOMMIT;\n\\endpipeline\n"
            ),
        })
    }
}
