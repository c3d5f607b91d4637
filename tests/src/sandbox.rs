//! A function as on Lambda: a process that takes one event after the other from its own Runtime
//! API.
use std::collections::HashMap;
use std::convert::Infallible;
use std::fmt::Display;
use std::net::Ipv4Addr;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex as SyncMutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Method, Request as HttpRequest, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::task::JoinHandle;
use wait4::{ResourceUsage, Wait4};

use crate::{Reply, Request, Token};

/// The timeout of a function, as Lambda reports it.
const TIMEOUT: Duration = Duration::from_secs(10);
/// When a test gives up; with a fraction of a core, some functions exceed Lambda's timeout.
const PATIENCE: Duration = Duration::from_mins(1);

/// Sets only the variables that Lambda sets for every function.
pub fn as_lambda(program: &mut Command, name: &str) {
    program
        .env_clear()
        .env("AWS_LAMBDA_FUNCTION_NAME", name)
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "1");
}

/// A running function; dropping it ends the process.
pub struct Sandbox {
    process: SyncMutex<Option<Child>>,
    id: u32,
    calls: mpsc::UnboundedSender<Call>,
    api: JoinHandle<()>,
}

/// An event for the function, and the channel for its answer.
struct Call {
    event: Bytes,
    answer: oneshot::Sender<Answer>,
}

/// A function's answer to an event.
pub struct Answer {
    /// The result for API Gateway.
    pub body: Bytes,
    /// The time from sending the event to receiving the answer.
    pub took: Duration,
}

impl Answer {
    /// The status code, without parsing the rest.
    pub fn status(&self) -> Result<u16> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Status {
            status_code: u16,
        }
        Ok(serde_json::from_slice::<Status>(&self.body)?.status_code)
    }
}

/// The state of a sandbox's Runtime API.
struct State {
    waiting: Mutex<mpsc::UnboundedReceiver<Call>>,
    open: SyncMutex<HashMap<String, (Instant, oneshot::Sender<Answer>)>>,
    count: AtomicU64,
}

impl Sandbox {
    /// Starts a program under its own Runtime API.
    pub async fn start(mut program: Command) -> Result<Self> {
        program.stdin(Stdio::null());
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (calls, waiting) = mpsc::unbounded_channel();
        let state = Arc::new(State {
            waiting: Mutex::new(waiting),
            open: SyncMutex::default(),
            count: AtomicU64::new(0),
        });
        let api = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, state.clone()));
            }
        });
        program.env("AWS_LAMBDA_RUNTIME_API", address.to_string());
        let process = program.spawn();
        let process = process.with_context(|| format!("cannot start {program:?}"))?;
        let id = process.id();
        Ok(Self { process: SyncMutex::new(Some(process)), id, calls, api })
    }

    /// As [`Sandbox::start`], for a test without an async runtime.
    pub fn of(program: Command) -> Self {
        runtime().block_on(Self::start(program)).unwrap()
    }

    /// Sends a user's request as API Gateway would, and makes the checks that apply to every
    /// answer.
    pub fn ask(&self, user: &str, request: &Request, item: impl Display) -> Reply {
        self.ask_with(&Token::of(user).sign(), user, request, item)
    }

    /// As [`Sandbox::ask`], with another token.
    pub fn ask_with(
        &self,
        token: &str,
        user: &str,
        request: &Request,
        item: impl Display,
    ) -> Reply {
        let event = request.event(user, item, token).to_string();
        let answer = runtime().block_on(self.invoke(event.into())).unwrap();
        request.operation.read(&answer.body).unwrap()
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// Sends an event to the function, and waits for its answer.
    pub async fn invoke(&self, event: Bytes) -> Result<Answer> {
        let (answer, answered) = oneshot::channel();
        self.calls.send(Call { event, answer }).ok().context("the Runtime API has ended")?;
        let answer = tokio::time::timeout(PATIENCE, answered).await;
        answer.context("the function did not answer in time")?.context("the function failed")
    }

    /// Ends the function and returns its resource usage.
    pub fn end(&self) -> Result<ResourceUsage> {
        self.api.abort();
        let process = self.process.lock().unwrap_or_else(PoisonError::into_inner).take();
        let mut process = process.context("it has ended already")?;
        process.kill()?;
        Ok(process.wait4()?.rusage)
    }

    /// Its current memory, in KiB.
    pub fn memory(&self) -> Result<u64> {
        self.memory_at("VmRSS:")
    }

    /// Its peak memory, in KiB; `wait4` would include the memory of this process at the fork.
    pub fn peak_memory(&self) -> Result<u64> {
        self.memory_at("VmHWM:")
    }

    fn memory_at(&self, name: &str) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id))?;
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        kib.context("the process status lacks the memory")
    }

    /// The CPU time of its threads, in µs.
    pub fn cpu(&self) -> Result<f64> {
        let mut nanos = 0.0;
        for thread in std::fs::read_dir(format!("/proc/{}/task", self.id))? {
            // A thread that has just ended used almost nothing.
            let Ok(text) = std::fs::read_to_string(thread?.path().join("schedstat")) else {
                continue;
            };
            let run = text.split(' ').next().and_then(|run| run.parse::<f64>().ok());
            nanos += run.context("the scheduler statistics lack the CPU time")?;
        }
        Ok(nanos / 1e3)
    }

    /// Its number of open files and sockets.
    pub fn descriptors(&self) -> Result<usize> {
        Ok(std::fs::read_dir(format!("/proc/{}/fd", self.id))?.count())
    }
}

/// The runtime of the tests' servers; tests block on their answers in other threads.
pub(crate) fn runtime() -> &'static Runtime {
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
        Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
    });
    &RUNTIME
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.end();
    }
}

async fn serve(stream: TcpStream, state: Arc<State>) {
    // As Lambda's own Runtime API, so that no answer is delayed.
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| respond(request, &state));
    // A function that was killed leaves broken connections.
    let _ = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn respond(
    request: HttpRequest<Incoming>,
    state: &State,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path().to_owned();
    let path = path.strip_prefix("/2018-06-01/runtime/").unwrap_or_default();
    let mut response = Response::new(Full::default());
    if request.method() == Method::GET && path == "invocation/next" {
        let Some(call) = state.waiting.lock().await.recv().await else {
            *response.status_mut() = StatusCode::GONE;
            return Ok(response);
        };
        let id = format!("request-{}", state.count.fetch_add(1, Ordering::Relaxed));
        let deadline = SystemTime::now() + TIMEOUT;
        let deadline = deadline.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let next = Response::builder()
            .header("content-type", "application/json")
            .header("lambda-runtime-aws-request-id", &id)
            .header("lambda-runtime-deadline-ms", deadline.to_string())
            .header(
                "lambda-runtime-invoked-function-arn",
                "arn:aws:lambda:eu-central-1:123456789012:function:bench",
            )
            .header(
                "lambda-runtime-trace-id",
                "Root=1-6a140f84-3b5a1f0e6d0c4e8e9a550e4f;Parent=53995c3f42cd8ad8;Sampled=0",
            )
            .body(Full::new(call.event));
        if let Ok(next) = next {
            response = next;
        }
        let mut open = state.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.insert(id, (Instant::now(), call.answer));
        return Ok(response);
    }
    let id = path.strip_prefix("invocation/").and_then(|path| path.split_once('/'));
    let body = request.into_body().collect().await.map(http_body_util::Collected::to_bytes);
    *response.status_mut() = StatusCode::ACCEPTED;
    // An error at start or of an event has no answer: its caller is told so.
    if let (Some((id, kind)), Ok(body)) = (id, body) {
        let mut open = state.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let (Some((handed, answer)), "response") = (open.remove(id), kind) {
            // The caller may have given up.
            let _ = answer.send(Answer { body, took: handed.elapsed() });
        }
    }
    Ok(response)
}
