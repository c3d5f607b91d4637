//! A user of the API, whose requests come as API Gateway hands them over.
use anyhow::{Context, Result, ensure};
use hyper::body::Bytes;
use serde_json::{Value, json};
use tests::Token;

use crate::sandbox::Answer;

/// Longer than any run.
const TOKEN_SECONDS: u64 = 24 * 60 * 60;

/// A signed-in user.
#[derive(Clone)]
pub(crate) struct Caller {
    pub(crate) user: String,
    token: String,
}

/// A request of a user; what is not set is as in the function's event of `events/`.
#[derive(Default)]
pub(crate) struct Ask<'a> {
    pub(crate) task: Option<i64>,
    pub(crate) query: &'a str,
    pub(crate) key: Option<&'a str>,
    pub(crate) body: Option<Value>,
}

/// An answer of a function, as API Gateway reads it.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u64,
    pub(crate) headers: Value,
    pub(crate) body: Value,
}

impl Caller {
    pub(crate) fn new(user: &str) -> Self {
        let token = Token::of(user).with("exp", json!(tests::now() + TOKEN_SECONDS)).sign();
        Self { user: user.to_owned(), token }
    }

    /// What the user's requests have in `Authorization`.
    pub(crate) fn bearer(&self) -> String {
        format!("Bearer {}", self.token)
    }

    /// The event of a request to `function`.
    pub(crate) fn event(&self, function: &str, ask: Ask) -> Result<Bytes> {
        let path = format!("{}/../events/{function}.json", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(path).context("the function has no event")?;
        let mut event: Value = serde_json::from_str(&text)?;
        let task = ask.task.map(|task| task.to_string());
        let route = event.get("routeKey").and_then(Value::as_str);
        let (_, route) = route.and_then(|key| key.split_once(' ')).context("no route")?;
        let path = route.replace("{user_id}", &self.user);
        let path = path.replace("{task_id}", task.as_deref().unwrap_or_default());
        let members = event.as_object_mut().context("the event is no object")?;
        let mut set = |name: &str, value: Option<Value>| match value {
            Some(value) => drop(members.insert(name.to_owned(), value)),
            None => drop(members.remove(name)),
        };
        let mut parameters = json!({ "user_id": self.user });
        if let (Some(task), Some(parameters)) = (task, parameters.as_object_mut()) {
            parameters.insert("task_id".to_owned(), json!(task));
        }
        set("rawPath", Some(json!(&path)));
        set("rawQueryString", Some(json!(ask.query)));
        set("queryStringParameters", None);
        set("pathParameters", Some(parameters));
        set("body", ask.body.map(|body| json!(body.to_string())));
        if let Some(in_context) = event.pointer_mut("/requestContext/http/path") {
            *in_context = json!(path);
        }
        let headers = event.pointer_mut("/headers").and_then(Value::as_object_mut);
        let headers = headers.context("the event has no headers")?;
        headers.insert("authorization".to_owned(), json!(self.bearer()));
        for name in ["idempotency-key", "if-match", "if-none-match"] {
            headers.remove(name);
        }
        if let Some(key) = ask.key {
            headers.insert("idempotency-key".to_owned(), json!(key));
        }
        Ok(serde_json::to_vec(&event)?.into())
    }
}

impl Reply {
    pub(crate) fn read(answer: &Answer) -> Result<Self> {
        let answer: Value = serde_json::from_slice(&answer.body)?;
        let text = |name: &str| answer.get(name).cloned().unwrap_or_default();
        let status = text("statusCode").as_u64().context("the answer has no status")?;
        let body = text("body");
        let body = body.as_str().filter(|body| !body.is_empty());
        let body = body.map(serde_json::from_str).transpose()?.unwrap_or_default();
        Ok(Self { status, headers: text("headers"), body })
    }

    /// The body, where the status is `status`.
    pub(crate) fn expect(self, status: u64) -> Result<Value> {
        ensure!(self.status == status, "{} instead of {status}: {}", self.status, self.body);
        Ok(self.body)
    }
}
