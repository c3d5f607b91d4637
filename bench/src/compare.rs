//! Compares the functions of checkouts, such as this one and the commit before.
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;
use hyper::body::Bytes;
use tests::{Fixture, Sandbox, operation};

use crate::caller::Caller;
use crate::cold::Cold;
use crate::functions::{LIST, in_environment};
use crate::query;
use crate::subject::{Subject, USER, fill};
use crate::warm::Warm;

const ROUNDS: usize = 9;
const COLD_STARTS: usize = 5;
const REQUESTS: usize = 1500;
const OPERATIONS: [&str; 3] = [LIST, "get-task", "create-task"];

/// A checkout whose functions `cargo lambda build --release` made.
struct Build<'a> {
    checkout: &'a Path,
    /// Migrated by this checkout.
    database: Fixture,
    cold: Cold,
    warm: [Warm; OPERATIONS.len()],
}

impl<'a> Build<'a> {
    async fn new(checkout: &'a Path) -> Result<Self> {
        let arguments = ["database", "--connections", "200", "--quiet"];
        let database = Fixture::start_in(checkout, &arguments);
        fill(&database).await?;
        Ok(Self { checkout, database, cold: Cold::default(), warm: Default::default() })
    }

    fn command(&self, function: &str) -> Command {
        let binary = self.checkout.join("target/lambda").join(function).join("bootstrap");
        in_environment(Command::new(binary), function, &self.database.functions_url)
    }

    async fn event(&self, function: &str) -> Result<Bytes> {
        let newest = format!("SELECT max(id) FROM tasks WHERE user_id = '{USER}'");
        let newest = query(&self.database.url, &newest).await?.concat().parse()?;
        let user = if function == "create-task" { "bench-creates" } else { USER };
        Ok(Caller::new(user).event(&operation(function).example().without_key(), newest))
    }

    async fn measure(&mut self) -> Result<()> {
        for _ in 0..COLD_STARTS {
            self.cold.measure(self.command(LIST), &Subject::list()).await?;
        }
        for (index, function) in OPERATIONS.into_iter().enumerate() {
            let sandbox = Sandbox::start(self.command(function)).await?;
            let events = vec![self.event(function).await?; REQUESTS];
            let success = operation(function).success();
            self.warm[index].measure(&sandbox, &events, success).await?;
        }
        Ok(())
    }
}

/// Prints a table of cold starts and warm requests, one row a checkout.
pub(crate) async fn run(checkouts: &[PathBuf]) -> Result<()> {
    let mut builds = Vec::new();
    for checkout in checkouts {
        builds.push(Build::new(checkout).await?);
    }
    for _ in 0..ROUNDS {
        for build in &mut builds {
            build.measure().await?;
        }
    }
    println!("| checkout | operation | cold CPU, ms | warm p50, µs | CPU a request, µs |");
    for build in &builds {
        for (function, warm) in OPERATIONS.into_iter().zip(&build.warm) {
            let cold = if function == LIST { build.cold.cpu.to_string() } else { String::new() };
            let checkout = build.checkout.display();
            println!("| {checkout} | {function} | {cold} | {} | {} |", warm.p50, warm.cpu);
        }
    }
    Ok(())
}
