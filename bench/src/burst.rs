//! A burst of more sandboxes than the server has connections, and the time to recover.
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use hyper::body::Bytes;
use tests::{Fixture, Sandbox, operation};

use crate::caller::Caller;
use crate::functions::{LIST, sandbox};

const SANDBOXES: usize = 200;
const SLOTS: &str = "100";
/// The time limit for serving all remaining sandboxes.
const RECOVERY: Duration = Duration::from_secs(10);

pub(crate) async fn run() -> Result<()> {
    let database = Fixture::start_with(&["database", "--connections", SLOTS, "--quiet"], &[]);
    let event = Caller::new("burst").event(&operation(LIST).example(), 0);
    let mut sandboxes = Vec::new();
    for _ in 0..SANDBOXES {
        sandboxes.push(sandbox(LIST, &database.functions_url).await?);
    }
    let (statuses, took) = all(&sandboxes, &event).await?;
    println!("{SANDBOXES} sandboxes, {SLOTS} slots: {statuses:?} in {took:?}.");
    ensure!(statuses.keys().all(|status| [200, 503].contains(status)), "neither 200 nor 503");
    ensure!(statuses.get(&200).is_some_and(|served| *served >= 90), "too few were served");
    ensure!(statuses.contains_key(&503), "the server refused no sandbox");

    sandboxes.truncate(SANDBOXES / 4);
    let ended = Instant::now();
    loop {
        let (statuses, _) = all(&sandboxes, &event).await?;
        if statuses.get(&200) == Some(&sandboxes.len()) {
            break;
        }
        ensure!(ended.elapsed() < RECOVERY, "still {statuses:?}");
    }
    println!("The remaining quarter was served again after {:?}.", ended.elapsed());
    Ok(())
}

/// Sends one request to each sandbox at once; returns the count of each status and the total time.
async fn all(sandboxes: &[Sandbox], event: &Bytes) -> Result<(BTreeMap<u16, usize>, Duration)> {
    let started = Instant::now();
    let answers = sandboxes.iter().map(|sandbox| sandbox.invoke(event.clone()));
    let mut statuses = BTreeMap::new();
    for answer in futures_util::future::join_all(answers).await {
        *statuses.entry(answer?.status()?).or_default() += 1;
    }
    Ok((statuses, started.elapsed()))
}
