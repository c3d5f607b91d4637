//! An API Gateway HTTP API, as documented by AWS and reported by users, in front of the real
//! functions. What AWS would record of requests goes to a local AWS.
mod event;
mod records;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fs::File;
use std::net::Ipv4Addr;
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tests::{Sandbox, function, operations};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

use self::event::{decoded, route};
use self::records::Records;

/// The stage's throttle: the burst, and the rate per second.
pub const BURST: u32 = 100;
const RATE: f64 = 50.0;
pub const ORIGIN: &str = "https://app.example";
const METHODS: &str = "GET,POST,PUT,PATCH,DELETE";
const SENT: &str = "authorization,content-type,idempotency-key,if-match,if-none-match";
const EXPOSED: &str = "etag,link,location,idempotent-replayed,retry-after,date";

/// The gateway's deviations from ideal behaviour.
#[derive(Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each is a habit of its own")]
pub struct Behaviour {
    /// `WWW-Authenticate` is renamed.
    pub renames: bool,
    /// A request without a body gets a `Content-Type`.
    pub types: bool,
    /// The gateway's own answers have CORS headers, too.
    pub refuses_readably: bool,
    /// Requests above the throttle are refused.
    pub throttles: bool,
    /// Log lines, metrics and traces are recorded.
    pub records: bool,
    /// Further changes to an answer.
    pub changes: fn(&Asked, &mut Answered),
}

/// A request from a client.
pub struct Asked {
    pub method: String,
    pub path: String,
    pub query: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

pub struct Answered {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// Dropping it stops the gateway.
pub struct Gateway {
    pub url: String,
    _runtime: Runtime,
}

struct State {
    behaviour: Behaviour,
    functions: BTreeMap<&'static str, Sandbox>,
    records: Records,
    /// The tokens left in the throttle's bucket, and since when.
    tokens: Mutex<(f64, Instant)>,
    count: AtomicU64,
}

impl Gateway {
    /// A gateway in front of a stack's functions with these variables; `aws` receives its records.
    pub fn start(stack: &str, behaviour: Behaviour, aws: &str, variables: &[(&str, &str)]) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let log = tempfile::NamedTempFile::new().unwrap();
        let start = async {
            let mut functions = BTreeMap::new();
            for operation in operations() {
                let name = format!("{stack}-{}", operation.function);
                let of_lambda = [
                    ("AWS_LAMBDA_FUNCTION_NAME", name.as_str()),
                    ("AWS_LAMBDA_LOG_FORMAT", "JSON"),
                    ("SERVICE_NAME", stack),
                ];
                let mut program = function(operation.function, &[variables, &of_lambda].concat());
                let file = File::options().append(true).open(log.path()).unwrap();
                program.stdout(Stdio::from(file)).stderr(Stdio::null());
                functions.insert(operation.function, Sandbox::start(program).await.unwrap());
            }
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
            (functions, listener)
        };
        let (functions, listener) = runtime.block_on(start);
        let url = format!("http://{}", listener.local_addr().unwrap());
        let records = Records::start(stack, behaviour.records, aws, log);
        let tokens = Mutex::new((f64::from(BURST), Instant::now()));
        let count = AtomicU64::new(0);
        let state = Arc::new(State { behaviour, functions, records, tokens, count });
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = state.clone();
                tokio::spawn(async move {
                    let service = service_fn(|request| respond(request, &state));
                    // A client that disconnects gets no answer.
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        Self { url, _runtime: runtime }
    }
}

async fn respond(
    request: Request<Incoming>,
    state: &State,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let asked = Asked {
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts.headers,
        body: body.collect().await.unwrap().to_bytes(),
    };
    let mut answered = match state.records.answer(&asked, &state.functions).await {
        Some(answered) => answered,
        None => state.execute(&asked).await,
    };
    (state.behaviour.changes)(&asked, &mut answered);
    let mut response = Response::new(Full::new(answered.body));
    *response.status_mut() = StatusCode::from_u16(answered.status).unwrap();
    *response.headers_mut() = answered.headers;
    Ok(response)
}

impl State {
    /// The API's answer.
    async fn execute(&self, asked: &Asked) -> Answered {
        if asked.method == "OPTIONS" {
            return preflight(asked);
        }
        let started = Instant::now();
        let id = format!("id-{}", self.count.fetch_add(1, Ordering::Relaxed));
        let (route, mut answered) = if self.is_throttled() {
            (None, Answered::own(429, "Too Many Requests"))
        } else {
            match route(&asked.method, &decoded(&asked.path)) {
                Some((route, function, parameters)) => {
                    let event = asked.event(&id, &route, &parameters, self.behaviour.types);
                    let answer =
                        self.functions[function.as_str()].invoke(event.to_string().into()).await;
                    (Some(route), Answered::of_function(&answer.unwrap().body))
                }
                None => (None, Answered::own(404, "Not Found")),
            }
        };
        if (answered.status != 429 || self.behaviour.refuses_readably)
            && asked.headers.get("origin").is_some_and(|origin| origin == ORIGIN)
        {
            answered.set("access-control-allow-origin", ORIGIN);
            answered.set("access-control-expose-headers", EXPOSED);
        }
        if self.behaviour.renames
            && let Some(value) = answered.headers.remove("www-authenticate")
        {
            answered.set("x-amzn-remapped-www-authenticate", value.to_str().unwrap());
        }
        answered.set("apigw-requestid", &id);
        self.records.access(&json!({
            "requestId": id,
            "route": route.unwrap_or_else(|| "$default".to_owned()),
            "status": answered.status.to_string(),
            "milliseconds": started.elapsed().as_millis().to_string(),
        }));
        answered
    }

    fn is_throttled(&self) -> bool {
        let mut tokens = self.tokens.lock().unwrap();
        let refilled = tokens.0 + tokens.1.elapsed().as_secs_f64() * RATE;
        *tokens = (refilled.min(BURST.into()), Instant::now());
        let throttled = self.behaviour.throttles && tokens.0 < 1.0;
        tokens.0 -= if throttled { 0.0 } else { 1.0 };
        throttled
    }
}

fn preflight(asked: &Asked) -> Answered {
    let mut answered = Answered { status: 204, headers: HeaderMap::new(), body: Bytes::new() };
    if asked.headers.get("origin").is_some_and(|origin| origin == ORIGIN) {
        answered.set("access-control-allow-origin", ORIGIN);
        answered.set("access-control-allow-methods", METHODS);
        answered.set("access-control-allow-headers", SENT);
    }
    answered
}

impl Asked {
    pub fn has(&self, header: &str) -> bool {
        self.headers.contains_key(header)
    }

    /// Whether it is a list without a query.
    pub fn lists(&self) -> bool {
        self.method == "GET" && self.path.ends_with("/tasks") && self.query.is_empty()
    }

    /// Whether its path has a task id.
    pub fn of_task(&self, method: &str) -> bool {
        self.method == method && !self.path.ends_with("/tasks")
    }
}

impl Answered {
    /// An answer of the gateway itself.
    pub fn own(status: u16, message: &str) -> Self {
        let body = json!({ "message": message }).to_string().into();
        let mut answered = Self { status, headers: HeaderMap::new(), body };
        answered.set("content-type", "application/json");
        answered
    }

    fn of_function(answer: &[u8]) -> Self {
        let answer: Value = serde_json::from_slice(answer).unwrap();
        let status = answer["statusCode"].as_u64().unwrap().try_into().unwrap();
        let body = Bytes::from(answer["body"].as_str().unwrap_or_default().to_owned());
        let mut answered = Self { status, headers: HeaderMap::new(), body };
        for (name, value) in answer["headers"].as_object().into_iter().flatten() {
            answered.set(name, value.as_str().unwrap());
        }
        answered
    }

    pub fn set(&mut self, name: &str, value: &str) {
        let name: hyper::header::HeaderName = name.parse().unwrap();
        self.headers.insert(name, value.parse().unwrap());
    }

    pub fn lose(&mut self, header: &str) {
        self.headers.remove(header);
    }

    /// Turns it into a 422 of the functions.
    pub fn invalid(&mut self) {
        (self.status, self.body) = (422, r#"{"code":"invalid_request"}"#.into());
        self.set("content-type", "application/problem+json");
    }

    /// Replaces it with the gateway's own answer, after the function has run.
    pub fn replace(&mut self, status: u16) {
        let headers = std::mem::take(&mut self.headers);
        *self = Self::own(status, "replaced");
        for (name, value) in &headers {
            if name.as_str().starts_with("access-control-") {
                self.headers.insert(name, value.clone());
            }
        }
    }
}
