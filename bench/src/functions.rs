//! The functions as deployed: release binaries, each in any number of sandboxes.
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Mutex as SyncMutex, PoisonError};

use anyhow::{Context, Result};
use hyper::body::Bytes;
use tests::{Answer, Reply, Request, SETTINGS, Sandbox, as_lambda, root};
use tokio::sync::{Mutex, mpsc};

use crate::caller::Caller;
use crate::subject::measured;

pub(crate) const LIST: &str = "list-tasks";

/// The binary that `cargo lambda build --release` made for a function.
pub(crate) fn binary(name: &str) -> PathBuf {
    // cargo-lambda uses the folder beside cargo's.
    target().join("lambda").join(name).join("bootstrap")
}

fn target() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    target.unwrap_or_else(|| root().join("target"))
}

/// The same without the AWS SDK.
pub(crate) fn lean_binary(name: &str) -> PathBuf {
    root().join("target/lambda-without-secrets-manager").join(name).join("bootstrap")
}

/// Sets the variables that Lambda and a stage's secret give a function.
pub(crate) fn in_environment(mut command: Command, name: &str, database_url: &str) -> Command {
    as_lambda(&mut command, &format!("bench-{name}"));
    command
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("AWS_LAMBDA_LOG_FORMAT", "JSON")
        .env("AWS_REGION", "us-east-1")
        .env("AWS_DEFAULT_REGION", "us-east-1")
        .env("SERVICE_NAME", "bench")
        .env("DATABASE_URL", database_url)
        .envs(SETTINGS)
        // Log lines are written, but discarded.
        .stdout(Stdio::null())
        .stderr(Stdio::inherit());
    command
}

/// A sandbox of one of the functions.
pub(crate) async fn sandbox(name: &str, database_url: &str) -> Result<Sandbox> {
    Sandbox::start(in_environment(Command::new(binary(name)), name, database_url)).await
}

/// A sandbox of the function that does nothing except send this answer.
pub(crate) async fn floor(answer: &str) -> Result<Sandbox> {
    let mut command = in_environment(Command::new(floor_binary()), "floor", "");
    command.env("ANSWER", answer);
    Sandbox::start(command).await
}

/// The binary that `cargo xtask bench` made from `bench/floor`.
fn floor_binary() -> PathBuf {
    target().join("release/floor")
}

/// Sandboxes of one function, each serving one request at a time.
pub(crate) struct Pool {
    pub(crate) sandboxes: Vec<Sandbox>,
    free: Mutex<mpsc::UnboundedReceiver<usize>>,
    freed: mpsc::UnboundedSender<usize>,
}

impl Pool {
    pub(crate) async fn start(name: &str, size: usize, database_url: &str) -> Result<Self> {
        let (freed, free) = mpsc::unbounded_channel();
        let mut sandboxes = Vec::new();
        for index in 0..size {
            sandboxes.push(sandbox(name, database_url).await?);
            freed.send(index)?;
        }
        Ok(Self { sandboxes, free: Mutex::new(free), freed })
    }

    /// Sends an event to the first free sandbox.
    pub(crate) async fn invoke(&self, event: Bytes) -> Result<Answer> {
        let index = self.free.lock().await.recv().await.context("there is no sandbox")?;
        let sandbox = self.sandboxes.get(index).context("the sandbox is missing")?;
        let answer = sandbox.invoke(event).await;
        self.freed.send(index)?;
        answer
    }
}

/// The measured functions.
pub(crate) struct Functions {
    pools: Vec<(&'static str, Pool)>,
    asked: SyncMutex<BTreeSet<&'static str>>,
}

impl Functions {
    /// Starts this many sandboxes of each function.
    pub(crate) async fn start(each: usize, database_url: &str) -> Result<Self> {
        let mut pools = Vec::new();
        for operation in measured() {
            let name = operation.function;
            pools.push((name, Pool::start(name, each, database_url).await?));
        }
        Ok(Self { pools, asked: SyncMutex::default() })
    }

    pub(crate) fn sandboxes(&self) -> impl Iterator<Item = &Sandbox> {
        self.pools.iter().flat_map(|(_, pool)| &pool.sandboxes)
    }

    /// Sends a user's request; `task` is used only if the operation has a task id.
    pub(crate) async fn ask(&self, caller: &Caller, request: &Request, task: i64) -> Result<Reply> {
        let name = request.operation.function;
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).insert(name);
        let pool = self.pools.iter().find(|(of, _)| *of == name).map(|(_, pool)| pool);
        let pool = pool.context("there is no such function")?;
        Reply::read(&pool.invoke(caller.event(request, task)).await?.body)
    }

    /// The functions that received no request.
    pub(crate) fn unasked(&self) -> Vec<&'static str> {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        self.pools.iter().map(|(name, _)| *name).filter(|name| !asked.contains(name)).collect()
    }
}
