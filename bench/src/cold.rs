//! Cold starts: from exec to the first answer.
use std::collections::BTreeMap;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result};
use hyper::body::Bytes;
use serde_json::json;
use tests::{Fixture, Https, Reply, SETTINGS, Sandbox, aws_variables};

use crate::caller::expect;
use crate::functions::LIST;
use crate::programs::Program;
use crate::stats::{Series, millis};
use crate::subject::{Each, Subject};

/// Cold starts of each kind.
const COLD_ROUNDS: usize = 15;

/// The cold starts of a program, one value each.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cold {
    /// User and system CPU, in ms.
    pub(crate) cpu: Series,
    /// Wall-clock time, in ms.
    pub(crate) wall: Series,
    /// Peak memory, in MB.
    pub(crate) memory: Series,
}

impl Cold {
    /// Measures one more cold start.
    pub(crate) async fn measure(&mut self, program: Command, event: &Bytes) -> Result<()> {
        let started = Instant::now();
        let sandbox = Sandbox::start(program).await?;
        expect(Reply::read(&sandbox.invoke(event.clone()).await?.body)?, 200)?;
        let wall = started.elapsed();
        let memory = sandbox.peak_memory()?;
        let used = sandbox.end()?;
        self.cpu.push(millis(used.utime + used.stime));
        self.wall.push(millis(wall));
        self.memory.push(memory as f64 * 1024.0 / 1e6);
        Ok(())
    }
}

/// Cold starts with TLS, SCRAM and channel binding.
pub(crate) struct ColdResults {
    pub(crate) variables: Each<Cold>,
    /// As deployed: with the settings from Secrets Manager over HTTPS.
    pub(crate) deployed: Each<Cold>,
}

pub(crate) async fn measure(subject: &Subject) -> Result<ColdResults> {
    println!("Cold starts …");
    let event = Subject::list();
    let aws = Fixture::start("aws", &[]);
    let https = Https::before(&aws.url, &subject.database.functions_url);
    let secrets = subject.programs.iter().enumerate();
    let secrets: Vec<_> = secrets.map(|(index, _)| format!("task-api/bench-{index}")).collect();
    for (program, secret) in subject.programs.iter().zip(&secrets) {
        put_secret(&aws.url, secret, subject.url(program)).await?;
    }
    let (mut variables, mut deployed) = (Each::<Cold>::default(), Each::<Cold>::default());
    for round in 0..=COLD_ROUNDS {
        if round == 1 {
            // The first one fills the file system cache.
            (variables, deployed) = Default::default();
        }
        let kinds = variables.iter_mut().zip(&mut deployed);
        for ((program, secret), (variables, deployed)) in
            subject.programs.iter().zip(&secrets).zip(kinds)
        {
            variables.measure(program.command(LIST, subject.url(program)), &event).await?;
            let what = format!("{} as deployed", program.name());
            deployed.measure(as_deployed(program, secret, &https), &event).await.context(what)?;
        }
    }
    Ok(ColdResults { variables, deployed })
}

/// A program with the environment from the template.
fn as_deployed(program: &Program, secret: &str, https: &Https) -> Command {
    let mut command = program.command(LIST, "");
    for name in SETTINGS.iter().map(|(name, _)| name).chain(&["DATABASE_URL"]) {
        command.env_remove(name);
    }
    command
        .envs(aws_variables(&https.url, secret))
        .env("AWS_CA_BUNDLE", &https.authority)
        // Node.js reads this variable instead.
        .env("NODE_EXTRA_CA_CERTS", &https.authority);
    command
}

async fn put_secret(aws: &str, name: &str, database_url: &str) -> Result<()> {
    let mut settings: BTreeMap<_, _> = SETTINGS.into();
    settings.insert("DATABASE_URL", database_url);
    let settings = json!(settings).to_string();
    let (aws, name) = (aws.to_owned(), name.to_owned());
    Ok(tokio::task::spawn_blocking(move || tests::create_secret(&aws, &name, &settings)).await?)
}
