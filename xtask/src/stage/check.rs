//! Checks a deployed stage from outside, including behaviour of AWS that no emulator shows.
mod api;
mod arrival;
mod contract;
mod dashboard;
mod deployed;
mod gateway;
mod invocation;
mod load;
mod row;

use std::cell::OnceCell;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use jiff::Timestamp;
use serde_json::{Value, json};
use shared::log_name;

use self::api::Api;
use self::deployed::Deployed;
use self::row::{Row, Verdict};
use super::Stage;
use super::secret::Secret;
use crate::settings::random_text;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// The API's URL, if it is not the stack's output `ApiUrl`.
    #[arg(long)]
    url: Option<String>,
    /// Print JSON instead of a table.
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    burst: Burst,
    /// How many seconds to wait for log lines, metrics and the trace.
    #[arg(long, default_value_t = 180)]
    wait: u64,
    /// Only say what would be done.
    #[arg(long)]
    dry_run: bool,
}

#[derive(clap::Args)]
struct Burst {
    /// Also exceed the stage's throttle. Meanwhile, requests of other users are refused, too.
    #[arg(long)]
    burst: bool,
    /// Allow --burst in `prod`.
    #[arg(long, requires = "burst")]
    yes: bool,
}

impl Options {
    /// Refuses options that would harm others.
    pub(super) fn refuse(&self, stage: Stage) -> Result<()> {
        ensure!(
            stage != Stage::Prod || !self.burst.burst || self.burst.yes,
            "--burst in prod makes API Gateway refuse requests of its users, too: add --yes"
        );
        Ok(())
    }
}

/// The exit status if only the platform behaves differently than expected.
const PLATFORM: u8 = 3;

/// A running check.
struct Check {
    deployed: Deployed,
    api: Api,
    started: Timestamp,
    /// The task that most rows use, and its `ETag`.
    created: OnceCell<(Value, String)>,
    /// Whether a browser can read every 429 of the burst.
    refused_readable: OnceCell<bool>,
    /// The id of the requested trace.
    trace: OnceCell<String>,
}

impl Check {
    fn task(&self) -> Result<&Value> {
        Ok(&self.created.get().context("there is no task")?.0)
    }

    fn task_id(&self) -> Result<&Value> {
        self.task()?.get("id").context("the task has no id")
    }

    fn etag(&self) -> Result<&str> {
        Ok(&self.created.get().context("there is no task")?.1)
    }

    /// The user's name in the logs.
    fn log_name(&self) -> Result<String> {
        let secret = self.api.auth.secrets.first().context("there is no secret")?;
        Ok(log_name(secret, &self.api.user))
    }
}

pub(crate) fn run(stage: Stage, options: &Options) -> Result<ExitCode> {
    let deployed = Deployed::read(stage)?;
    let url = options.url.clone().or_else(|| deployed.url.clone());
    let url = url.context("the stack has no output ApiUrl")?;
    let config = Secret::complete(stage)?.config()?;
    let user = format!("check-{}", random_text()?);
    if options.dry_run {
        println!("Would create, change, list and delete tasks at {url}/api/{user}/tasks.");
        return Ok(ExitCode::SUCCESS);
    }
    if !options.json {
        println!("Checking {url} …");
    }
    let api = Api::new(&url, config.auth, user, deployed.origin());
    let (started, created) = (Timestamp::now(), OnceCell::new());
    let (refused_readable, trace) = (OnceCell::new(), OnceCell::new());
    let check = Check { deployed, api, started, created, refused_readable, trace };

    let ask = |row: &'static Row| row.ask(&check);
    let rows = contract::ROWS.iter().chain(gateway::ROWS).chain(load::ROWS);
    let mut lines: Vec<_> = rows.map(ask).collect();
    lines.push(ask(&contract::CLEAR));
    if options.burst.burst {
        lines.extend(load::BURST.iter().map(ask));
    }
    let late = arrival::ROWS.iter().chain([&dashboard::ROW, &invocation::ROW]);
    lines.extend(arrival::ask(&check, late, Duration::from_secs(options.wait)));

    let worst = row::worst(&lines);
    if options.json {
        println!("{:#}", json!({ "stage": stage.name(), "url": url, "rows": row::json(&lines) }));
    } else {
        println!("{}", row::table(&lines));
        match worst {
            Verdict::Fails => println!("{} does not work.", stage.stack()),
            _ => println!("{} works.", stage.stack()),
        }
    }
    Ok(match worst {
        Verdict::Fails => ExitCode::FAILURE,
        Verdict::Differs => ExitCode::from(PLATFORM),
        Verdict::Ok | Verdict::Unasked => ExitCode::SUCCESS,
    })
}
