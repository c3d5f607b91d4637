//! The functions as they are deployed: release binaries, each in as many sandboxes as one asks for.
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use hyper::body::Bytes;
use tests::{AUDIENCE, ISSUER, SECRET};
use tokio::sync::{Mutex, mpsc};

use crate::caller::{Ask, Caller, Reply};
use crate::sandbox::{Answer, Sandbox};

pub(crate) const LIST: &str = "list-tasks";
pub(crate) const CREATE: &str = "create-task";
pub(crate) const GET: &str = "get-task";
pub(crate) const UPDATE: &str = "update-task";
pub(crate) const DELETE: &str = "delete-task";
pub(crate) const COMPLETE: &str = "complete-task";
pub(crate) const ALL: [&str; 6] = [LIST, CREATE, GET, UPDATE, DELETE, COMPLETE];

/// What `cargo lambda build --release` made of a function.
pub(crate) fn binary(name: &str) -> PathBuf {
    // cargo-lambda looks for its folder where cargo's is.
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let target = target.unwrap_or_else(|| root().join("target"));
    target.join("lambda").join(name).join("bootstrap")
}

/// What it made of it without the AWS SDK.
pub(crate) fn lean_binary(name: &str) -> PathBuf {
    root().join("target/lambda-without-secrets-manager").join(name).join("bootstrap")
}

/// The project's folder.
pub(crate) fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// The environment that Lambda and a stage's secret give a function.
pub(crate) fn in_environment(mut command: Command, name: &str, database_url: &str) -> Command {
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("AWS_LAMBDA_FUNCTION_NAME", format!("bench-{name}"))
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
        .env("AWS_LAMBDA_LOG_FORMAT", "JSON")
        .env("AWS_REGION", "us-east-1")
        .env("SERVICE_NAME", "bench")
        .env("DATABASE_URL", database_url)
        .env("BETTER_AUTH_SECRET", SECRET)
        .env("JWT_ISSUER", ISSUER)
        .env("JWT_AUDIENCE", AUDIENCE)
        // Its log lines are written, but nobody reads them.
        .stdout(Stdio::null())
        .stderr(Stdio::inherit());
    command
}

/// A sandbox of one of our functions.
pub(crate) async fn sandbox(name: &str, database_url: &str) -> Result<Sandbox> {
    Sandbox::start(in_environment(Command::new(binary(name)), name, database_url)).await
}

/// Sandboxes of one function, of which each serves one request at a time.
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

    /// Sends an event to the first sandbox that is free.
    pub(crate) async fn invoke(&self, event: Bytes) -> Result<Answer> {
        let index = self.free.lock().await.recv().await.context("there is no sandbox")?;
        let sandbox = self.sandboxes.get(index).context("there is no such sandbox")?;
        let answer = sandbox.invoke(event).await;
        self.freed.send(index)?;
        answer
    }
}

/// All six functions.
pub(crate) struct Functions(Vec<(&'static str, Pool)>);

impl Functions {
    /// As many sandboxes of each.
    pub(crate) async fn start(each: usize, database_url: &str) -> Result<Self> {
        let mut pools = Vec::new();
        for name in ALL {
            pools.push((name, Pool::start(name, each, database_url).await?));
        }
        Ok(Self(pools))
    }

    pub(crate) fn sandboxes(&self) -> impl Iterator<Item = &Sandbox> {
        self.0.iter().flat_map(|(_, pool)| &pool.sandboxes)
    }

    pub(crate) async fn ask(&self, name: &str, caller: &Caller, ask: Ask<'_>) -> Result<Reply> {
        let pool = self.0.iter().find(|(of, _)| *of == name).map(|(_, pool)| pool);
        let pool = pool.context("there is no such function")?;
        Reply::read(&pool.invoke(caller.event(name, ask)?).await?)
    }
}
