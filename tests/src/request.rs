//! Requests made from the document's examples.
use std::fmt::Display;

use serde_json::{Value, json};

use crate::operation::{Operation, all};

pub(crate) const KEY: &str = "idempotency-key";

/// A request of an operation, for any user.
#[derive(Debug, Clone)]
pub struct Request {
    /// The function, and which optional header or body is omitted.
    pub name: String,
    /// What it asks for.
    pub operation: &'static Operation,
    /// Without the question mark.
    pub query: String,
    /// In addition to those of every request.
    pub headers: Vec<(&'static str, String)>,
    /// Empty if there is none.
    pub body: String,
}

/// Every request that the document describes: each operation with and without its optional parts.
pub fn requests() -> Vec<Request> {
    all().iter().flat_map(Operation::requests).collect()
}

impl Request {
    /// Without an `Idempotency-Key`, if it has one.
    pub fn without_key(mut self) -> Self {
        if self.headers.iter().any(|(name, _)| *name == KEY) {
            self.headers.retain(|(name, _)| *name != KEY);
            self.name += " without a key";
        }
        self
    }

    /// Without its body, if that is optional.
    pub fn without_body(mut self) -> Self {
        if self.operation.takes_a_body()
            && self.operation.described["requestBody"]["required"] != true
        {
            self.body.clear();
            self.name += " without a body";
        }
        self
    }

    /// With another query.
    pub fn with_query(mut self, query: impl Display) -> Self {
        self.query = query.to_string();
        self
    }

    /// With this header added or replaced.
    pub fn with_header(mut self, name: &'static str, value: impl Display) -> Self {
        self.headers.retain(|(other, _)| *other != name);
        self.headers.push((name, value.to_string()));
        self
    }

    /// With another body.
    pub fn with_body(mut self, body: impl Display) -> Self {
        self.body = body.to_string();
        self
    }

    /// With `text` as each free text of its body.
    pub fn with_text(mut self, text: &str) -> Self {
        if let Ok(Value::Object(mut members)) = self.body.parse() {
            for (_, value) in members.iter_mut().filter(|(name, _)| self.operation.is_text(name)) {
                *value = json!(text);
            }
            self.body = Value::Object(members).to_string();
        }
        self
    }

    /// The path without the query, for an encoded user id; `item` is used only for operations on
    /// one item.
    pub fn path(&self, user: &str, item: impl Display) -> String {
        let path = self.operation.path.replace("{user_id}", user);
        let Some(parameter) = self.operation.item_parameter() else { return path };
        path.replace(&format!("{{{parameter}}}"), &item.to_string())
    }

    /// The path and the query.
    pub fn target(&self, user: &str, item: impl Display) -> String {
        let path = self.path(user, item);
        if self.query.is_empty() { path } else { format!("{path}?{}", self.query) }
    }

    /// Whether it may be repeated after an unknown outcome: its operation's `x-repeat`.
    pub fn repeats(&self) -> bool {
        match self.operation.repeat() {
            None => true,
            Some("never") => false,
            Some("with-key") => self.headers.iter().any(|(name, _)| *name == KEY),
            Some("with-body") => !self.body.is_empty(),
            Some(other) => panic!("x-repeat of {}: {other}", self.name),
        }
    }
}
