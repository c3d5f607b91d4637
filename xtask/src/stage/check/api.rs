//! The stage as a client sees it: requests of a throwaway user, and the answers.
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::Value;
use shared::{AuthConfig, Claims};
use ureq::Agent;
use ureq::http::{HeaderMap, Request};

/// The headers that a browser may read: the template's `ExposeHeaders`.
const EXPOSED: [&str; 6] =
    ["etag", "link", "location", "idempotent-replayed", "retry-after", "date"];
const TOKEN_SECONDS: u64 = 120;

pub(super) struct Api {
    agent: Agent,
    url: String,
    pub(super) auth: AuthConfig,
    /// A random user's id, whose data is deleted at the end.
    pub(super) user: String,
    /// An origin that may call the API from a browser.
    pub(super) origin: Option<String>,
    seen: Mutex<Vec<Seen>>,
}

/// What later rows need to know of an answer.
pub(super) struct Seen {
    /// The method and the path, without ids.
    pub(super) operation: String,
    pub(super) status: u16,
    pub(super) readable: bool,
    /// Whether it has the headers that every answer must have.
    pub(super) guarded: bool,
    pub(super) took: Duration,
    /// API Gateway's request id.
    pub(super) request_id: Option<String>,
}

/// A request before it is sent.
pub(super) struct Call<'a> {
    api: &'a Api,
    method: &'static str,
    path: String,
    headers: Vec<(&'static str, String)>,
    body: Option<Vec<u8>>,
}

pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    /// The body as JSON, else as text.
    pub(super) body: Value,
    pub(super) took: Duration,
    readable: bool,
}

impl Api {
    pub(super) fn new(url: &str, auth: AuthConfig, user: String, origin: Option<String>) -> Self {
        let config = Agent::config_builder().http_status_as_error(false).max_redirects(0);
        let agent = config.timeout_global(Some(Duration::from_secs(30))).build().into();
        let url = url.trim_end_matches('/').to_owned();
        Self { agent, url, auth, user, origin, seen: Mutex::default() }
    }

    pub(super) fn token(&self, user: &str) -> Result<String> {
        let secret = self.auth.secrets.first().context("the stage has no secret to sign with")?;
        let token = shared::sign(&Claims::new(&self.auth, user, TOKEN_SECONDS), secret)?;
        Ok(format!("Bearer {token}"))
    }

    /// A request for the user's tasks; `rest` follows `…/tasks`.
    pub(super) fn tasks(&self, method: &'static str, rest: &str) -> Call<'_> {
        self.of(method, &self.user, rest)
    }

    /// A request for the tasks of a user whose encoded id is `user`.
    pub(super) fn of(&self, method: &'static str, user: &str, rest: &str) -> Call<'_> {
        self.at(method, format!("/api/{user}/tasks{rest}"))
    }

    pub(super) fn at(&self, method: &'static str, path: String) -> Call<'_> {
        Call { api: self, method, path, headers: Vec::new(), body: None }
    }

    /// The answers so far.
    pub(super) fn seen(&self) -> MutexGuard<'_, Vec<Seen>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A path without this run's ids.
    fn operation(&self, method: &str, path: &str) -> String {
        let path = path.split('?').next().unwrap_or_default();
        let parts = path.split('/').map(|part| match part {
            id if id.starts_with(&self.user) => "{user}",
            id if !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()) => "{task}",
            part => part,
        });
        format!("{method} {}", parts.collect::<Vec<_>>().join("/"))
    }
}

impl Call<'_> {
    pub(super) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    pub(super) fn json(self, body: &Value) -> Self {
        self.body(body.to_string().into_bytes()).header("content-type", "application/json")
    }

    pub(super) fn body(mut self, body: Vec<u8>) -> Self {
        self.body = Some(body);
        self
    }

    /// Sends it with the user's token.
    pub(super) fn send(self) -> Result<Answer> {
        let token = self.api.token(&self.api.user)?;
        self.header("authorization", &token).send_bare()
    }

    /// Sends it with only the headers that it has.
    pub(super) fn send_bare(self) -> Result<Answer> {
        let mut attempt = 1;
        loop {
            let answer = self.once()?;
            // The throttle is shared with all users: a refused request waits and tries again, as
            // clients do.
            if answer.status != 429 || attempt == 4 {
                self.api.seen().push(answer.seen(self.api.operation(self.method, &self.path)));
                return Ok(answer);
            }
            sleep(Duration::from_secs(attempt));
            attempt += 1;
        }
    }

    /// Sends it once, without recording the answer.
    pub(super) fn once(&self) -> Result<Answer> {
        let url = format!("{}{}", self.api.url, self.path);
        let mut request = Request::builder().method(self.method).uri(&url);
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        if let Some(origin) = &self.api.origin {
            request = request.header("origin", origin);
        }
        let started = Instant::now();
        let response = match &self.body {
            Some(body) => self.api.agent.run(request.body(body.as_slice())?),
            None => self.api.agent.run(request.body(())?),
        };
        let mut response = response.with_context(|| format!("{} {url}", self.method))?;
        let text = response.body_mut().read_to_vec()?;
        let took = started.elapsed();
        let text = String::from_utf8_lossy(&text).into_owned();
        let headers = response.headers().clone();
        let readable = self.api.origin.as_ref().is_some_and(|origin| is_readable(&headers, origin));
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Ok(Answer { status: response.status().as_u16(), headers, body, took, readable })
    }
}

/// Whether a page of `origin` may read an answer with these headers, including those that clients
/// need.
fn is_readable(headers: &HeaderMap, origin: &str) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let exposed = text("access-control-expose-headers").to_ascii_lowercase();
    text("access-control-allow-origin") == origin
        && EXPOSED.iter().all(|name| exposed.contains(name))
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// A member of the body; null if it is missing.
    pub(super) fn member(&self, name: &str) -> &Value {
        self.body.get(name).unwrap_or(&Value::Null)
    }

    pub(super) fn is_readable(&self) -> bool {
        self.readable
    }

    /// The status, and for a failure its source: the function with its code, or the gateway.
    pub(super) fn text(&self) -> String {
        let status = self.status;
        let problem = self.header("content-type") == Some("application/problem+json");
        match self.body.get("code").and_then(Value::as_str).filter(|_| problem) {
            Some(code) => format!("{status} {code}"),
            None if status >= 400 => format!("{status} of the gateway"),
            None => status.to_string(),
        }
    }

    /// As [`Answer::text`], followed by those of these headers that are present.
    pub(super) fn with(&self, headers: &[&str]) -> String {
        let has = headers.iter().filter(|name| self.headers.contains_key(**name));
        has.fold(self.text(), |text, name| format!("{text}, {name}"))
    }

    /// As [`Answer::text`], followed by `what` if the body is as expected.
    pub(super) fn and(&self, what: &str, is: bool) -> String {
        let text = self.text();
        if is {
            format!("{text}, {what}")
        } else {
            format!("{text}, {:.80}", self.body.to_string())
        }
    }

    fn seen(&self, operation: String) -> Seen {
        let is = |name, value| self.header(name) == Some(value);
        Seen {
            operation,
            status: self.status,
            readable: self.readable,
            guarded: is("cache-control", "no-store") && is("x-content-type-options", "nosniff"),
            took: self.took,
            request_id: self.header("apigw-requestid").map(str::to_owned),
        }
    }
}
