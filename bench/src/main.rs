//! Performance and endurance of the functions; run by `cargo xtask bench` and `cargo xtask soak`.
mod burst;
mod caller;
mod cold;
mod compare;
mod functions;
mod growth;
mod pgbench;
mod plot;
mod programs;
mod report;
mod server;
mod sizes;
mod soak;
mod stats;
mod subject;
mod throughput;
mod tokens;
mod trips;
mod warm;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use clap::{Parser, Subcommand};
use ring::rand::{SecureRandom, SystemRandom};

#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run a mixed load that checks every answer, then a burst that exceeds the server's
    /// connections.
    Soak {
        #[arg(long)]
        seconds: u64,
    },
    /// Measure the functions and the peers, and write the report.
    Report,
    /// Measure the functions of checkouts by turns, each on a database that it migrated itself.
    Compare { checkouts: Vec<PathBuf> },
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    match Cli::parse().command {
        Command::Soak { seconds } => {
            soak::run(Duration::from_secs(seconds)).await?;
            burst::run().await
        }
        Command::Report => report::run().await,
        Command::Compare { checkouts } => compare::run(&checkouts).await,
    }
}

/// Runs statements on a database; returns the first column of each row.
async fn query(url: &str, statements: &str) -> Result<Vec<String>> {
    let (url, statements) = (url.to_owned(), statements.to_owned());
    Ok(tokio::task::spawn_blocking(move || tests::sql(&url, &statements)).await?)
}

/// A number from 0 to `below`.
fn chance(below: usize) -> usize {
    let mut bytes = [0; 8];
    // Zeros only make the load less varied.
    let _ = SystemRandom::new().fill(&mut bytes);
    usize::from_le_bytes(bytes) % below
}
