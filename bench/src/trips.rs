//! Network round trips of a request, and their cost on a slow network.
use std::time::Duration;

use anyhow::{Context, Result};
use tests::{Proxy, operations};

use crate::functions::{LIST, sandbox};
use crate::subject::Subject;
use crate::warm::Warm;

/// The delays that the proxy adds, each way.
const DELAYS: [Duration; 3] = [Duration::ZERO, Duration::from_millis(1), Duration::from_millis(5)];
const REQUESTS: usize = 100;

/// Round trips to the database.
pub(crate) struct TripResults {
    /// From the TCP connection to the first answer.
    pub(crate) cold: usize,
    pub(crate) operations: Vec<(&'static str, Trips)>,
}

/// The round trips of a warm operation.
pub(crate) struct Trips {
    pub(crate) warm: usize,
    /// The p50 in ms, for each delay.
    pub(crate) latencies: [f64; 3],
}

pub(crate) async fn measure(subject: &Subject) -> Result<TripResults> {
    println!("Round trips …");
    let url = &subject.database.functions_url;
    let proxy = Proxy::before(url);
    let url = proxy.url(url);
    // With a delay, messages that are sent without waiting for an answer count as one round trip.
    proxy.delay(DELAYS[2]);
    let cold_sandbox = sandbox(LIST, &url).await?;
    cold_sandbox.invoke(Subject::list()).await?;
    let cold = proxy.round_trips();
    drop(cold_sandbox);
    proxy.delay(Duration::ZERO);

    let mut results = Vec::new();
    for operation in operations() {
        let sandbox = sandbox(operation.function, &url).await?;
        let mut latencies = [0.0; 3];
        let mut warm = 0;
        for (delay, latency) in DELAYS.into_iter().zip(&mut latencies) {
            let events = subject.events(operation, REQUESTS).await?;
            let (first, rest) = events.split_first().context("no event")?;
            sandbox.invoke(first.clone()).await?;
            proxy.delay(delay);
            let before = proxy.round_trips();
            let mut times = Warm::default();
            times.measure(&sandbox, rest, operation.success()).await?;
            // Every request took the same number.
            warm = (proxy.round_trips() - before).div_ceil(rest.len());
            *latency = times.p50.median() / 1e3;
            proxy.delay(Duration::ZERO);
        }
        results.push((operation.function, Trips { warm, latencies }));
    }
    Ok(TripResults { cold, operations: results })
}
