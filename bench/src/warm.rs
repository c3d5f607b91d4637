//! Requests to sandboxes that run already.
use anyhow::{Context, Result};
use hyper::body::Bytes;
use tests::{Sandbox, operations};

use crate::caller::expect_all;
use crate::functions::LIST;
use crate::pgbench::{Limit, Script};
use crate::programs::Program;
use crate::stats::{Series, micros, quantile};
use crate::subject::{Each, Subject, USER};

/// How often each is measured.
pub(crate) const ROUNDS: usize = 7;

/// Requests before each measurement, of which none counts.
const WARM_UP: usize = 30;

/// What the requests to a program took, a value each round.
#[derive(Debug, Clone, Default)]
pub(crate) struct Warm {
    /// Latency, in µs.
    pub(crate) p50: Series,
    pub(crate) p99: Series,
    pub(crate) p999: Series,
    /// CPU a request, in µs.
    pub(crate) cpu: Series,
}

impl Warm {
    /// One more round: each event once, one after the other, and each answered with `status`.
    pub(crate) async fn measure(
        &mut self,
        sandbox: &Sandbox,
        events: &[Bytes],
        status: u16,
    ) -> Result<()> {
        let (before, measured) = events.split_at(WARM_UP.min(events.len() / 4));
        for event in before {
            sandbox.invoke(event.clone()).await?;
        }
        let cpu = sandbox.cpu()?;
        let mut answers = Vec::with_capacity(measured.len());
        for event in measured {
            answers.push(sandbox.invoke(event.clone()).await?);
        }
        self.cpu.push((sandbox.cpu()? - cpu) / measured.len() as f64);
        expect_all(&answers, status)?;
        let latencies: Vec<_> = answers.iter().map(|answer| micros(answer.took)).collect();
        self.p50.push(quantile(&latencies, 0.5));
        self.p99.push(quantile(&latencies, 0.99));
        self.p999.push(quantile(&latencies, 0.999));
        Ok(())
    }
}

/// How many requests at a time suit a program's speed.
fn batch(program: &Program) -> usize {
    match program {
        Program::Rust => 1500,
        Program::Hono(_) => 600,
        Program::FastApi(_) => 200,
    }
}

/// The requests of each operation, and what `PostgreSQL` itself takes for a list.
pub(crate) struct WarmResults {
    pub(crate) operations: Vec<(&'static str, Each<Warm>)>,
    /// The latencies, in µs: the bare round trip, the statement alone, our transaction.
    pub(crate) limits: Each<Series>,
}

impl WarmResults {
    pub(crate) fn operation(&self, function: &str) -> Result<&Each<Warm>> {
        let found = self.operations.iter().find(|(name, _)| *name == function);
        found.map(|(_, results)| results).context("it was not measured")
    }

    /// Ours.
    pub(crate) fn list(&self) -> Result<&Warm> {
        self.operation(LIST)?.first().context("it was not measured")
    }
}

pub(crate) async fn measure(subject: &Subject) -> Result<WarmResults> {
    println!("Warm requests …");
    let limit = Limit { database: &subject.database, user: USER };
    let mut measured = Vec::new();
    let mut limits = Each::<Series>::default();
    for operation in operations() {
        let function = operation.function;
        let mut results = Each::<Warm>::default();
        let mut sandboxes = Vec::new();
        for program in &subject.programs {
            sandboxes.push(program.start(function, subject.url(program)).await?);
        }
        for _ in 0..ROUNDS {
            let by_turns = subject.programs.iter().zip(&sandboxes).zip(&mut results);
            for ((program, sandbox), warm) in by_turns {
                let events = subject.events(operation, batch(program)).await?;
                let measured = warm.measure(sandbox, &events, operation.success()).await;
                measured.with_context(|| format!("{}, {function}", program.name()))?;
            }
            if function == LIST {
                let scripts = [Script::Nothing, Script::List, Script::Transaction];
                for (script, series) in scripts.into_iter().zip(&mut limits) {
                    series.push(limit.median(script, 2000)?);
                }
            }
        }
        measured.push((function, results));
    }
    Ok(WarmResults { operations: measured, limits })
}
