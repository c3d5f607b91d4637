//! Network round trips of a request, counted by a proxy between function and database.
use std::time::Duration;

use anyhow::{Context, Result};
use tests::Proxy;

use crate::caller::expect_all;
use crate::functions::{LIST, sandbox};
use crate::subject::{Subject, measured};

/// With a delay each way, messages that are sent without waiting for an answer count as one round
/// trip.
const DELAY: Duration = Duration::from_millis(5);
const REQUESTS: usize = 10;

/// Round trips to the database.
pub(crate) struct TripResults {
    /// From the TCP connection to the first answer.
    pub(crate) cold: usize,
    /// The most that a warm request of any operation takes.
    pub(crate) warm: usize,
}

pub(crate) async fn measure(subject: &Subject) -> Result<TripResults> {
    println!("Round trips …");
    let url = &subject.database.functions_url;
    let proxy = Proxy::before(url);
    let url = proxy.url(url);
    proxy.delay(DELAY);
    let cold_sandbox = sandbox(LIST, &url).await?;
    cold_sandbox.invoke(Subject::list()).await?;
    let cold = proxy.round_trips();
    drop(cold_sandbox);

    let mut warm = 0;
    for operation in measured() {
        let sandbox = sandbox(operation.function, &url).await?;
        let events = subject.events(operation, REQUESTS).await?;
        let (first, rest) = events.split_first().context("no event")?;
        sandbox.invoke(first.clone()).await?;
        let before = proxy.round_trips();
        let mut answers = Vec::new();
        for event in rest {
            answers.push(sandbox.invoke(event.clone()).await?);
        }
        expect_all(&answers, operation.success())?;
        // Every request took the same number.
        warm = warm.max((proxy.round_trips() - before).div_ceil(rest.len()));
    }
    Ok(TripResults { cold, warm })
}
