//! The lower limit: the same statements by pgbench, on the same server.
use std::fs;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use functions::{DATABASE_ROLE, statement};
use shared::Statement;
use tests::{Fixture, bound, operation};

use crate::functions::LIST;
use crate::query;
use crate::server::Server;
use crate::stats::quantile;

/// The kinds of scripts, each with prepared statements.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Script {
    /// The list of 50 tasks, without transaction and role.
    List,
    /// An operation's statement, in a pipelined transaction with the role and the user.
    Transaction(&'static str),
}

/// A script for one user's tasks.
pub(crate) struct Limit<'a> {
    pub(crate) database: &'a Fixture,
    pub(crate) server: &'a Server,
    pub(crate) user: &'a str,
    /// One of the user's tasks.
    pub(crate) task: i64,
}

/// The times of a transaction, in µs.
pub(crate) struct Transactions {
    pub(crate) p50: f64,
    /// The server's CPU time.
    pub(crate) cpu: f64,
}

impl Limit<'_> {
    /// Runs a script with one client this many times.
    pub(crate) async fn measure(&self, script: Script, count: usize) -> Result<Transactions> {
        if let Script::Transaction(function) = script
            && operation(function).method == "DELETE"
        {
            self.fill(count).await?;
        }
        let folder = tempfile::tempdir()?;
        let log = folder.path().join("log");
        let log = log.to_str().context("a folder without a name")?;
        let transactions = count.to_string();
        let before = self.server.used()?;
        self.run(script, &["-t", &transactions, "-l", "--log-prefix", log])?;
        // Once another session was served, the ended one has been reaped and counted.
        query(&self.database.url, "SELECT 1").await?;
        let cpu = (self.server.used()? - before) / count as f64;
        let mut latencies = Vec::new();
        for entry in fs::read_dir(folder.path())? {
            let text = fs::read_to_string(entry?.path())?;
            // client, transaction, latency in µs, …
            latencies.extend(
                text.lines().filter_map(|line| line.split(' ').nth(2)?.parse::<f64>().ok()),
            );
        }
        ensure!(latencies.len() == count, "pgbench logged {} times", latencies.len());
        Ok(Transactions { p50: quantile(&latencies, 0.5), cpu })
    }

    /// The lists per second of this many clients, each list in its own transaction.
    pub(crate) fn throughput(&self, clients: usize, seconds: u64) -> Result<f64> {
        let (clients, seconds) = (clients.to_string(), seconds.to_string());
        let text = self.run(Script::Transaction(LIST), &["-c", &clients, "-T", &seconds])?;
        let tps = text.lines().find_map(|line| line.strip_prefix("tps = "));
        let tps = tps.and_then(|rest| rest.split(' ').next()?.parse().ok());
        tps.context("pgbench printed no throughput")
    }

    /// Inserts a task for each transaction that deletes one: the first user's ids are 1, 2, … from
    /// [`FIRST`].
    async fn fill(&self, count: usize) -> Result<()> {
        let fill = format!(
            "DELETE FROM tasks WHERE user_id LIKE 'pgbench-%';
             INSERT INTO tasks (user_id, id, title, completed)
             SELECT 'pgbench-deletes', {FIRST} + n, 'to be deleted', true FROM generate_series(1, {count}) n
             UNION ALL
             SELECT 'pgbench-' || n, {FIRST}, 'to be cleared', true FROM generate_series(1, {count}) n"
        );
        query(&self.database.url, &fill).await.map(drop)
    }

    fn run(&self, script: Script, options: &[&str]) -> Result<String> {
        let file = tempfile::NamedTempFile::new()?;
        fs::write(file.path(), self.text(script)?)?;
        let mut pgbench = Command::new(self.database.programs.join("pgbench"));
        // Otherwise PostgreSQL plans some of the prepared statements in each transaction.
        pgbench.env("PGOPTIONS", "-c plan_cache_mode=force_generic_plan");
        pgbench.args(["-n", "-M", "prepared", "-D", "n=0", "-f"]).arg(file.path()).args(options);
        let output = pgbench.arg(self.url(script)).output().context("cannot start pgbench")?;
        let text = String::from_utf8(output.stdout)?;
        ensure!(
            output.status.success(),
            "pgbench failed: {text}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(text)
    }

    /// The single statement runs as the owner, since it switches to no role.
    fn url(&self, script: Script) -> &str {
        match script {
            Script::Transaction(_) => &self.database.functions_url,
            Script::List => &self.database.url,
        }
    }

    fn text(&self, script: Script) -> Result<String> {
        Ok(match script {
            Script::List => {
                let (statement, values) = self.bound(LIST)?;
                format!("{VARIABLES}{};\n", bound(statement, &statement.sql, &values))
            }
            Script::Transaction(function) => {
                let (statement, values) = self.bound(function)?;
                let user = values.first().context("a statement without a user")?;
                let statement = bound(statement, &statement.sql, &values);
                format!(
                    "{VARIABLES}\\startpipeline\nBEGIN;\n\
                     SELECT set_config('role', '{DATABASE_ROLE}', true), \
                     set_config('{DATABASE_ROLE}.user_id', {user}, true), set_config('lock_timeout', '4s', true);\n\
                     {statement};\nCOMMIT;\n\\endpipeline\n"
                )
            }
        })
    }

    /// A function's statement with its parameters in pgbench's syntax.
    fn bound(&self, function: &str) -> Result<(&'static Statement, Vec<String>)> {
        let name = function.split('-').next().unwrap_or_default();
        let statement = statement(&format!("tasks_{name}"));
        let statement = statement.with_context(|| format!("there is no statement {name}"))?;
        let (user, id) = (format!("'{}'", self.user), self.task.to_string());
        let last = i64::MAX.to_string();
        let deleted = format!("{FIRST} + :n");
        let values: &[&str] = match name {
            // Fifty, and one more that tells whether there is a next page.
            "list" => &[&user, &last, "51", "0"],
            "get" => &[&user, &id],
            "create" => &["'pgbench-creates'", "'Buy milk'", "'two bottles'"],
            "update" => &[&user, &id, "'Buy milk'", "true", "'two bottles'", "true"],
            "complete" => &[&user, &id, "true"],
            "delete" => &["'pgbench-deletes'", &deleted],
            "clear" => &["('pgbench-' || :n)", "NULL", "true"],
            _ => anyhow::bail!("bench/src/pgbench.rs has no parameters for the statement {name}"),
        };
        Ok((statement, values.iter().map(|value| (*value).to_owned()).collect()))
    }
}

/// The first id of the tasks to delete, above all others.
const FIRST: i64 = 4_000_000_000_000_000;
/// The number of the transaction.
const VARIABLES: &str = "\\set n :n + 1\n";
