//! More sandboxes at once than the server has room for, and how soon all is well again.
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use hyper::body::Bytes;
use tests::{Fixture, Sandbox, operation};

use crate::caller::Caller;
use crate::functions::{LIST, sandbox};

const SANDBOXES: usize = 200;
const SLOTS: &str = "100";
/// By when the sandboxes that are left must all be served.
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
    ensure!(statuses.contains_key(&503), "the server had room for all");

    sandboxes.truncate(SANDBOXES / 4);
    let ended = Instant::now();
    loop {
        let (statuses, _) = all(&sandboxes, &event).await?;
        if statuses.get(&200) == Some(&sandboxes.len()) {
            break;
        }
        ensure!(ended.elapsed() < RECOVERY, "still {statuses:?}");
    }
    println!("With a quarter of them left, all were served after {:?}.", ended.elapsed());
    Ok(())
}

/// Asks all at once; how many answered what, and how long the last one took.
async fn all(sandboxes: &[Sandbox], event: &Bytes) -> Result<(BTreeMap<u16, usize>, Duration)> {
    let started = Instant::now();
    let answers = sandboxes.iter().map(|sandbox| sandbox.invoke(event.clone()));
    let mut statuses = BTreeMap::new();
    for answer in futures_util::future::join_all(answers).await {
        *statuses.entry(answer?.status()?).or_default() += 1;
    }
    Ok((statuses, started.elapsed()))
}
