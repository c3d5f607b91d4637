//! Checks a deployed stage from outside: each operation, and what only AWS can tell.
mod client;
mod gateway;
mod operations;
mod row;
mod telemetry_rows;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Result;
use jiff::Timestamp;

use self::client::Client;
use self::row::Responsible::Product;
use self::row::{Row, Verdict};
use self::telemetry_rows::Telemetry;
use super::Stage;
use super::deployed::Deployed;
use super::secret::Secret;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// The API's URL, if it is not the stack's output `ApiUrl`.
    #[arg(long)]
    url: Option<String>,
    /// How many seconds to wait for log lines and metrics.
    #[arg(long, default_value_t = 180)]
    wait: u64,
}

/// The exit status if only the platform behaves differently than expected.
const PLATFORM: u8 = 3;

pub(crate) fn run(stage: Stage, options: &Options) -> Result<ExitCode> {
    let deployed = Deployed::read(stage)?;
    let url = options.url.as_deref().map_or_else(|| deployed.url(), Ok)?;
    let auth = Secret::complete(stage)?.config()?.auth;
    println!("Checking {url} …");
    let started = Timestamp::now();
    let operations = operations::operations()?;
    let client = Client::new(url, auth, deployed.origin()?.to_owned())?;
    if !client.signs() {
        operations::expect_nothing(&client, &operations)?;
    }

    let mut rows = operations::rows(&client, &operations);
    rows.extend(gateway::rows(&client, &operations));
    rows.push(Row {
        name: "erase what was created".into(),
        expected: "nothing is left",
        actual: operations::erase(&client, &operations),
        owner: Product,
        hint: "delete the rest by hand: it is that of a throwaway user, check-… or the one of your token",
    });
    let until = Instant::now() + Duration::from_secs(options.wait);
    let telemetry = Telemetry { deployed: &deployed, client: &client, started, until };
    let function = operations.first().map(|operation| operation.function.as_str());
    rows.extend(telemetry.rows(function.unwrap_or_default()));

    print!("{}", row::table(&rows));
    let worst = row::worst(&rows);
    let works = if worst == Verdict::Fails { "does not work" } else { "works" };
    let seen = client.seen.borrow();
    let refused = seen.iter().filter(|seen| seen.status >= 400).count();
    println!("{} {works}: {} requests, {refused} of them refused.", deployed.stack, seen.len());
    Ok(match worst {
        Verdict::Fails => ExitCode::FAILURE,
        Verdict::Differs => ExitCode::from(PLATFORM),
        Verdict::Ok | Verdict::NotAsked => ExitCode::SUCCESS,
    })
}
