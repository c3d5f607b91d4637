//! Requests to warm sandboxes.
use anyhow::{Context, Result};
use hyper::body::Bytes;
use tests::{Operation, Sandbox};

use crate::caller::{Caller, expect_all};
use crate::functions::{LIST, floor};
use crate::pgbench::{Limit, Script};
use crate::programs::Program;
use crate::server::{Server, own};
use crate::stats::{Series, micros, quantile};
use crate::subject::{Subject, USER, measured};

/// Rounds of each measurement.
pub(crate) const ROUNDS: usize = 7;

/// Unmeasured requests before each measurement.
const WARM_UP: usize = 30;

/// The requests to a program, one value a round.
#[derive(Debug, Clone, Default)]
pub(crate) struct Warm {
    /// Latency, in µs.
    pub(crate) p50: Series,
    pub(crate) p99: Series,
    /// CPU time of a request, in µs.
    pub(crate) cpu: Series,
}

impl Warm {
    /// Measures one round: sends the events one after the other; each must be answered with
    /// `status`.
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
        Ok(())
    }
}

/// The number of requests in a round, by the program's speed.
fn batch(program: &Program) -> usize {
    match program {
        Program::Rust => 1500,
        Program::Hono(_) => 600,
        Program::FastApi(_) => 200,
    }
}

/// The measurements of an operation, and its lower limit.
pub(crate) struct OperationResults {
    pub(crate) function: &'static str,
    /// Of each program that serves it, ours first.
    pub(crate) programs: Vec<Warm>,
    /// The server's CPU time for a request of the functions, and that of this process, which plays
    /// Lambda.
    pub(crate) server: Series,
    pub(crate) harness: Series,
    /// A function that does nothing, with an answer of the same length.
    pub(crate) nothing: Warm,
    /// The same statement by pgbench: its latency, and the server's CPU time, in µs.
    pub(crate) transaction: Series,
    pub(crate) transaction_server: Series,
}

impl OperationResults {
    /// The lower limit of the latency: doing nothing, then the statement, round by round.
    pub(crate) fn floor(&self) -> Series {
        self.nothing.p50.plus(&self.transaction)
    }

    /// The server's CPU time divided by that for pgbench.
    pub(crate) fn database(&self) -> Series {
        self.server.ratio(&self.transaction_server)
    }

    /// The CPU time of this machine for a request of the functions, in µs: function, server and
    /// harness.
    pub(crate) fn whole(&self) -> f64 {
        let parts = [&self.ours().cpu, &self.server, &self.harness];
        parts.iter().map(|part| part.median()).sum()
    }

    /// The functions' measurements.
    pub(crate) fn ours(&self) -> &Warm {
        &self.programs[0]
    }
}

pub(crate) struct WarmResults {
    pub(crate) operations: Vec<OperationResults>,
    /// pgbench's latency of the list's statement alone, in µs.
    pub(crate) statement: Series,
}

impl WarmResults {
    pub(crate) fn list(&self) -> Result<&OperationResults> {
        let list = self.operations.iter().find(|operation| operation.function == LIST);
        list.context("the list was not measured")
    }
}

/// The transactions of pgbench in a round.
const TRANSACTIONS: usize = 3000;

pub(crate) async fn measure(subject: &Subject) -> Result<WarmResults> {
    println!("Warm requests …");
    let server = Server::of(&subject.database).await?;
    let limit = Limit {
        database: &subject.database,
        server: &server,
        user: USER,
        task: subject.newest(USER).await?,
    };
    let mut results = Vec::new();
    let mut statement = Series::default();
    for operation in measured() {
        results.push(measure_operation(subject, &limit, operation).await?);
        if operation.function == LIST {
            for _ in 0..ROUNDS {
                statement.push(limit.measure(Script::List, TRANSACTIONS).await?.p50);
            }
        }
    }
    Ok(WarmResults { operations: results, statement })
}

async fn measure_operation(
    subject: &Subject,
    limit: &Limit<'_>,
    operation: &'static Operation,
) -> Result<OperationResults> {
    let function = operation.function;
    let programs = subject.serving(function);
    let mut results = OperationResults {
        function,
        programs: vec![Warm::default(); programs.len()],
        server: Series::default(),
        harness: Series::default(),
        nothing: Warm::default(),
        transaction: Series::default(),
        transaction_server: Series::default(),
    };
    let mut sandboxes = Vec::new();
    for program in programs {
        sandboxes.push(program.start(function, subject.url(program)).await?);
    }
    let ours = sandboxes.first().context("there is no program")?;
    let event = subject.events(operation, 1).await?.concat();
    let answer = String::from_utf8(ours.invoke(event.into()).await?.body.to_vec())?;
    let nothing = floor(&answer).await?;
    for _ in 0..ROUNDS {
        let by_turns = programs.iter().zip(&sandboxes).zip(&mut results.programs);
        for ((program, sandbox), warm) in by_turns {
            let events = subject.events(operation, batch(program)).await?;
            let before = [limit.server.used()?, own()?];
            let measured = warm.measure(sandbox, &events, operation.success()).await;
            measured.with_context(|| format!("{}, {function}", program.name()))?;
            if matches!(program, Program::Rust) {
                let count = events.len() as f64;
                results.server.push((limit.server.used()? - before[0]) / count);
                results.harness.push((own()? - before[1]) / count);
            }
        }
        let event = Caller::new(USER).event(&operation.example().without_key(), limit.task);
        let events = vec![event; batch(&Program::Rust)];
        results.nothing.measure(&nothing, &events, operation.success()).await?;
        let transactions = limit.measure(Script::Transaction(function), TRANSACTIONS).await?;
        results.transaction.push(transactions.p50);
        results.transaction_server.push(transactions.cpu);
    }
    Ok(results)
}
