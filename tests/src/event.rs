//! The API Gateway event of a request, in payload format 2.0.
use std::fmt::Display;

use serde_json::{Map, Value, json};

use crate::{Request, root};

impl Request {
    /// Its event, for a user and a token.
    pub fn event(&self, user: &str, item: impl Display, token: &str) -> Value {
        let (method, path) = (&self.operation.method, self.path(user, &item));
        let route = format!("{method} {}", self.operation.path);
        let mut event = generated(self.operation.function);
        for member in ["body", "queryStringParameters"] {
            event.as_object_mut().unwrap().remove(member);
        }
        for header in ["content-length", "content-type", "idempotency-key"] {
            event["headers"].as_object_mut().unwrap().remove(header);
        }
        event["headers"]["authorization"] = json!(format!("Bearer {token}"));
        event["routeKey"] = json!(route);
        event["requestContext"]["routeKey"] = json!(route);
        event["requestContext"]["http"]["method"] = json!(method);
        event["requestContext"]["http"]["path"] = json!(path);
        event["rawPath"] = json!(path);
        event["rawQueryString"] = json!(self.query);
        event["pathParameters"] = json!({ "user_id": user });
        if let Some(parameter) = self.operation.item_parameter() {
            event["pathParameters"][parameter] = json!(item.to_string());
        }
        if !self.query.is_empty() {
            let pairs =
                self.query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
            let parameters = pairs.map(|(name, value)| (name.to_owned(), json!(value)));
            event["queryStringParameters"] = Value::Object(parameters.collect::<Map<_, _>>());
        }
        if !self.body.is_empty() {
            event["headers"]["content-type"] = json!("application/json");
            event["headers"]["content-length"] = json!(self.body.len().to_string());
            event["body"] = json!(self.body);
        }
        for (name, value) in &self.headers {
            event["headers"][name] = json!(value);
        }
        event
    }
}

/// The event of a function in `events/`.
fn generated(function: &str) -> Value {
    let file = root().join(format!("events/{function}.json"));
    let text = std::fs::read_to_string(&file);
    let text = text.unwrap_or_else(|_| panic!("`cargo xtask generate` makes {}", file.display()));
    text.parse().unwrap()
}
