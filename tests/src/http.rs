//! Requests and their answers.
use std::sync::OnceLock;
use std::time::Duration;

use serde_json::Value;
use ureq::Agent;
use ureq::http::{HeaderMap, Request};

use crate::openapi;

/// An answer of the API.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body; null where there is none.
    pub body: Value,
}

impl Reply {
    /// A header's value, empty where it is absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The body, where the status is `status`.
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:#?}");
        self.body
    }

    /// The failure's details, where it has this status and code.
    pub fn expect_problem(&self, status: u16, code: &str) -> &Value {
        assert_eq!((self.status, self.body["code"].as_str()), (status, Some(code)), "{self:#?}");
        &self.body
    }

    /// The fields that a 422 complains of.
    pub fn faults(&self) -> Vec<&str> {
        let body = self.expect_problem(422, "invalid_request");
        let errors = body["errors"].as_array().unwrap();
        errors.iter().map(|error| error["field"].as_str().unwrap()).collect()
    }

    /// The target of the `Link` to the next page.
    pub fn next(&self) -> Option<&str> {
        self.header("link").strip_prefix('<')?.strip_suffix(">; rel=\"next\"")
    }
}

/// Sends a request to the API and checks of its answer what holds for every one.
pub fn request(method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> Reply {
    let reply = send(method, url, headers, body);
    check(&reply);
    let path = url.strip_prefix("http://").and_then(|url| url.find('/').map(|at| &url[at..]));
    openapi::check(method, path.unwrap_or_default(), &reply);
    reply
}

/// Sends a request to whom it may concern.
pub fn send(method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> Reply {
    let reply = send_within(Duration::from_mins(2), method, url, headers, body);
    reply.unwrap_or_else(|error| panic!("{method} {url}: {error}"))
}

/// As [`send`], for as long as this.
///
/// # Errors
/// Why there is no answer.
pub fn send_within(
    limit: Duration,
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Result<Reply, ureq::Error> {
    static AGENT: OnceLock<Agent> = OnceLock::new();
    let agent = AGENT.get_or_init(|| {
        let config =
            Agent::config_builder().http_status_as_error(false).allow_non_standard_methods(true);
        config.build().into()
    });
    let mut request = Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut response = if body.is_empty() {
        let request = agent.configure_request(request.body(()).unwrap());
        agent.run(request.timeout_global(Some(limit)).build())?
    } else {
        let request = agent.configure_request(request.body(body.to_owned()).unwrap());
        agent.run(request.timeout_global(Some(limit)).build())?
    };
    let text = response.body_mut().read_to_string().unwrap();
    Ok(Reply {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        body: if text.is_empty() {
            Value::Null
        } else {
            text.parse().unwrap_or(Value::String(text))
        },
    })
}

fn check(reply: &Reply) {
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
