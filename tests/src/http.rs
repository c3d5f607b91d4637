//! Requests and their answers.
use std::sync::OnceLock;
use std::thread::sleep;
use std::time::Duration;

use anyhow::Context;
use serde_json::Value;
use ureq::Agent;
use ureq::http::{HeaderMap, HeaderName, Request};

use crate::fixture::deployed;
use crate::openapi;

/// An answer of the API.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body; null if there is none.
    pub body: Value,
}

impl Reply {
    /// The answer that API Gateway makes of a function's result.
    pub fn read(answer: &[u8]) -> anyhow::Result<Self> {
        let mut answer: Value = serde_json::from_slice(answer)?;
        let status = answer["statusCode"].as_u64().context("the answer has no status")?;
        let mut headers = HeaderMap::new();
        for (name, value) in answer["headers"].as_object().into_iter().flatten() {
            let value = value.as_str().context("a header is not text")?;
            headers.append(HeaderName::try_from(name)?, value.try_into()?);
        }
        let body = match answer["body"].take() {
            Value::String(text) => json(text),
            other => other,
        };
        Ok(Self { status: status.try_into()?, headers, body })
    }

    /// A header's value; empty if it is absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The body, which must come with this status.
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:#?}");
        self.body
    }

    /// The failure's details, which must have this status and code.
    pub fn expect_problem(&self, status: u16, code: &str) -> &Value {
        assert_eq!((self.status, self.body["code"].as_str()), (status, Some(code)), "{self:#?}");
        &self.body
    }

    /// The failure of this status that the document has as the request's example, with its code and
    /// its detail.
    pub fn expect_failure(&self, request: &crate::Request, status: u16) {
        let example = request.operation.failure(status);
        self.expect_problem(status, example["code"].as_str().unwrap());
        assert_eq!(self.body["detail"], example["detail"], "{self:#?}");
    }

    /// The fields in the errors of a 422.
    pub fn faults(&self) -> Vec<&str> {
        let body = self.expect_problem(422, "invalid_request");
        let errors = body["errors"].as_array().unwrap();
        errors.iter().map(|error| error["field"].as_str().unwrap()).collect()
    }

    /// This text of each item in a list.
    pub fn texts(&self, member: &str) -> Vec<&str> {
        let items = self.body.as_array().unwrap().iter();
        items.map(|item| item[member].as_str().unwrap()).collect()
    }

    /// The target of the `Link` to the next page.
    pub fn next(&self) -> Option<&str> {
        self.header("link").strip_prefix('<')?.strip_suffix(">; rel=\"next\"")
    }
}

/// Sends a request to the API and makes the checks that apply to every answer.
pub fn request(method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> Reply {
    let reply = send(method, url, headers, body);
    let path = url.split_once("://").and_then(|(_, url)| url.find('/').map(|at| &url[at..]));
    check(method, path.unwrap_or_default(), &reply);
    reply
}

/// Sends a request to any server, again if the throttle of a deployed stage refuses it.
pub fn send(method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> Reply {
    loop {
        let reply = send_once(method, url, headers, body);
        if reply.status != 429 || deployed().is_none() {
            return reply;
        }
        sleep(Duration::from_secs(1));
    }
}

fn send_once(method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> Reply {
    static AGENT: OnceLock<Agent> = OnceLock::new();
    let agent = AGENT.get_or_init(|| {
        let config =
            Agent::config_builder().http_status_as_error(false).allow_non_standard_methods(true);
        config.timeout_global(Some(Duration::from_mins(2))).build().into()
    });
    let mut request = Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = if body.is_empty() {
        agent.run(request.body(()).unwrap())
    } else {
        agent.run(request.body(body.to_owned()).unwrap())
    };
    let mut response = response.unwrap_or_else(|error| panic!("{method} {url}: {error}"));
    let text = response.body_mut().read_to_string().unwrap();
    Reply {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        body: json(text),
    }
}

/// A body as JSON: null if it is empty, a string if it is not JSON.
fn json(text: String) -> Value {
    if text.is_empty() { Value::Null } else { text.parse().unwrap_or(Value::String(text)) }
}

/// The checks that apply to every answer of the API.
pub(crate) fn check(method: &str, path: &str, reply: &Reply) {
    openapi::check(method, path, reply);
    assert_eq!(reply.header("cache-control"), "no-store", "{reply:#?}");
    assert_eq!(reply.header("x-content-type-options"), "nosniff", "{reply:#?}");
    match reply.status {
        200 | 201 => assert_eq!(reply.header("content-type"), "application/json", "{reply:#?}"),
        304 => assert_eq!(reply.body, Value::Null),
        status => {
            assert_eq!(reply.header("content-type"), "application/problem+json", "{reply:#?}");
            assert_eq!(reply.body["status"], status);
            for text in ["type", "title", "detail", "code"] {
                assert!(!reply.body[text].as_str().unwrap_or_default().is_empty(), "{reply:#?}");
            }
            assert_eq!(reply.body.get("errors").is_some(), status == 422, "{reply:#?}");
        }
    }
}
