//! Rows that send many requests: latency, and the stage's throttle.
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};

use super::Check;
use super::api::{Answer, Api, Seen};
use super::row::Came::{self, Text, Unasked};
use super::row::Row;
use super::row::Side::Platform;

const WARM: usize = 20;
/// As many as one page of a browser may send at once, and fewer than `prod` reserves for a
/// function.
const AT_ONCE: u32 = 8;
const BURST_AT_ONCE: u32 = 32;
/// The number of refused requests that is enough.
const REFUSED: u32 = 20;

const LATENCY: &str =
    "compare with Latency and DatabaseLatency in the log: the rest is the network to the region";

pub(super) static ROWS: &[Row] = &[
    Row {
        name: "the first request of each operation",
        expected: "the slowest under 3 s",
        ask: |check| {
            let seen = check.api.seen();
            let mut firsts: Vec<&Seen> = Vec::new();
            for seen in seen.iter().filter(|seen| seen.status < 400) {
                if firsts.iter().all(|first| first.operation != seen.operation) {
                    firsts.push(seen);
                }
            }
            let slowest = firsts.iter().max_by_key(|seen| seen.took).context("there was none")?;
            let text = format!("{} ms, {}", slowest.took.as_millis(), slowest.operation);
            Ok(Came::measured(text, slowest.took < Duration::from_secs(3)))
        },
        of: Platform,
        otherwise: LATENCY,
    },
    Row {
        name: "warm: 20 lists, one after the other",
        expected: "the median under 500 ms",
        ask: |check| {
            let mut times = Vec::new();
            for _ in 0..WARM {
                times.push(check.api.tasks("GET", "").send()?.took);
            }
            times.sort_unstable();
            let median = times.get(WARM / 2).copied().unwrap_or_default();
            let worst = times.last().copied().unwrap_or_default();
            let text = format!("{} ms, at most {} ms", median.as_millis(), worst.as_millis());
            Ok(Came::measured(text, median < Duration::from_millis(500)))
        },
        of: Platform,
        otherwise: LATENCY,
    },
    Row {
        name: "cold: 8 lists at once",
        expected: "the slowest under 3 s",
        ask: |check| {
            // A pause, so that the throttle accepts them.
            thread::sleep(Duration::from_secs(2));
            let token = check.api.token(&check.api.user)?;
            let slowest = AtomicU32::new(0);
            let failed = AtomicU32::new(0);
            at_once(&check.api, AT_ONCE, &token, |answer| {
                let took = u32::try_from(answer.took.as_millis()).unwrap_or(u32::MAX);
                slowest.fetch_max(took, Ordering::Relaxed);
                failed.fetch_add(u32::from(answer.status != 200), Ordering::Relaxed);
                false
            })?;
            let (slowest, failed) = (slowest.into_inner(), failed.into_inner());
            let text =
                if failed > 0 { format!("{failed} failed") } else { format!("{slowest} ms") };
            Ok(Came::measured(text, failed == 0 && slowest < 3000))
        },
        of: Platform,
        otherwise: "503 or 429: Lambda had no concurrency left; otherwise compare with Latency in the log",
    },
];

pub(super) static BURST: &[Row] = &[
    Row {
        name: "a burst beyond the throttle",
        expected: "429 to some, 401 to the others",
        ask: burst,
        of: Platform,
        otherwise: "none refused: DefaultRouteSettings have no effect; 503: Lambda had no concurrency left, so raise the account's limit",
    },
    Row {
        name: "a 429 that a browser can read",
        expected: "with CORS headers",
        ask: |check| {
            if check.api.origin.is_none() {
                return Ok(Unasked("the stack names no AllowedOrigins".to_owned()));
            }
            Ok(match check.refused_readable.get() {
                Some(true) => Text("with CORS headers".to_owned()),
                Some(false) => Text("without CORS headers".to_owned()),
                None => Unasked("no request was refused".to_owned()),
            })
        },
        of: Platform,
        otherwise: "a browser reports it as a network error: the client must retry after one as after a 429",
    },
];

/// Without a token, so that they do not reach the database.
fn burst(check: &Check) -> Result<Came> {
    let Some(throttle) = check.deployed.burst_limit()? else {
        return Ok(Unasked("the stage of API Gateway names no ThrottlingBurstLimit".to_owned()));
    };
    let (sent, refused, other) = (AtomicU32::new(0), AtomicU32::new(0), AtomicU32::new(0));
    let unreadable = AtomicU32::new(0);
    // The throttle refills less than the burst meanwhile, unless a request takes a second.
    at_once(&check.api, throttle.saturating_mul(4), "", |answer| {
        sent.fetch_add(1, Ordering::Relaxed);
        match answer.status {
            429 => {
                unreadable.fetch_add(u32::from(!answer.is_readable()), Ordering::Relaxed);
                return refused.fetch_add(1, Ordering::Relaxed) + 1 >= REFUSED;
            }
            401 => {}
            _ => drop(other.fetch_add(1, Ordering::Relaxed)),
        }
        false
    })?;
    let (sent, refused) = (sent.into_inner(), refused.into_inner());
    if refused > 0 {
        let _ = check.refused_readable.set(unreadable.into_inner() == 0);
    }
    let other = other.into_inner();
    let text = format!("429 to {refused} of {sent}, other than 401 to {other}");
    Ok(Came::measured(text, refused > 0 && other == 0))
}

/// Sends lists from several threads until there are enough matching answers.
fn at_once(
    api: &Api,
    count: u32,
    token: &str,
    enough: impl Fn(&Answer) -> bool + Sync,
) -> Result<()> {
    let left = AtomicU32::new(count);
    let work = || -> Result<()> {
        let take = |left: u32| left.checked_sub(1);
        while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok() {
            if enough(&api.tasks("GET", "").header("authorization", token).once()?) {
                left.store(0, Ordering::Relaxed);
            }
        }
        Ok(())
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..count.min(BURST_AT_ONCE)).map(|_| scope.spawn(work)).collect();
        threads.into_iter().try_for_each(|thread| thread.join().unwrap_or(Ok(())))
    })
}
