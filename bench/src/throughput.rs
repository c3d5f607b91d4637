//! Requests per second, of parallel sandboxes and of one process that serves many requests at once.
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use hyper::body::Bytes;
use tests::Sandbox;

use crate::caller::expect_all;
use crate::functions::LIST;
use crate::pgbench::Limit;
use crate::programs::Program;
use crate::server::Server;
use crate::stats::Series;
use crate::subject::{Each, Subject, USER};

/// The duration of one measurement.
const SPELL: Duration = Duration::from_secs(2);
const SPELL_ROUNDS: usize = 3;

/// Lists per second.
pub(crate) struct ThroughputResults {
    pub(crate) one: Each<Series>,
    /// Of [`SANDBOXES`] sandboxes.
    pub(crate) several: Each<Series>,
    /// The number of concurrent requests; one process of the functions; pgbench with as many
    /// clients.
    pub(crate) concurrent: Vec<(usize, Series, Series)>,
}

pub(crate) const SANDBOXES: usize = 4;

pub(crate) async fn measure(subject: &Subject) -> Result<ThroughputResults> {
    println!("Throughput …");
    let event = Subject::list();
    let server = Server::of(&subject.database).await?;
    let task = subject.newest(USER).await?;
    let limit = Limit { database: &subject.database, server: &server, user: USER, task };
    let (mut one, mut several) = (Each::<Series>::default(), Each::<Series>::default());
    for _ in 0..SPELL_ROUNDS {
        for (index, program) in subject.programs.iter().enumerate() {
            let mut sandboxes = Vec::new();
            for _ in 0..SANDBOXES {
                sandboxes.push(program.start(LIST, subject.url(program)).await?);
            }
            for sandbox in &sandboxes {
                sandbox.invoke(event.clone()).await?;
            }
            for (series, count) in [(&mut one, 1), (&mut several, SANDBOXES)] {
                let sandboxes = sandboxes.get(..count).context("too few sandboxes")?;
                if let Some(series) = series.get_mut(index) {
                    series.push(throughput(sandboxes, 1, &event, SPELL).await?);
                }
            }
        }
    }
    let mut concurrent = Vec::new();
    for at_once in [1, 8, 64] {
        let (mut ours, mut pgbench) = (Series::default(), Series::default());
        for _ in 0..SPELL_ROUNDS {
            let mut command = Program::Rust.command(LIST, &subject.database.functions_url);
            command.env("AWS_LAMBDA_MAX_CONCURRENCY", at_once.to_string());
            let sandbox = [Sandbox::start(command).await?];
            throughput(&sandbox, at_once, &event, SPELL / 10).await?;
            ours.push(throughput(&sandbox, at_once, &event, SPELL).await?);
            drop(sandbox);
            pgbench.push(limit.throughput(at_once, SPELL.as_secs())?);
        }
        concurrent.push((at_once, ours, pgbench));
    }
    Ok(ThroughputResults { one, several, concurrent })
}

/// The requests per second of these sandboxes, each with this many requests at once.
async fn throughput(
    sandboxes: &[Sandbox],
    at_once: usize,
    event: &Bytes,
    duration: Duration,
) -> Result<f64> {
    let started = Instant::now();
    let callers = sandboxes.iter().flat_map(|sandbox| (0..at_once).map(move |_| sandbox));
    let answers = callers.map(async |sandbox| {
        let mut answers = Vec::new();
        while started.elapsed() < duration {
            answers.push(sandbox.invoke(event.clone()).await?);
        }
        Ok::<_, anyhow::Error>(answers)
    });
    let answers = futures_util::future::try_join_all(answers).await?;
    let took = started.elapsed();
    let answers: Vec<_> = answers.into_iter().flatten().collect();
    expect_all(&answers, 200)?;
    Ok(answers.len() as f64 / took.as_secs_f64())
}
