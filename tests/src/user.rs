//! A user of the API, whose tasks no other test sees.
use std::fmt::Display;
use std::sync::atomic::{AtomicU32, Ordering};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use ring::rand::{SecureRandom, SystemRandom};
use serde_json::{Value, json};

use crate::{Fixture, Reply, Request, Token, request, stack};

/// A signed-in user.
#[derive(Clone)]
pub struct User {
    /// The user's id.
    pub id: String,
    gateway: String,
    token: String,
}

impl User {
    /// A new user of the main stack.
    pub fn new() -> Self {
        Self::of(stack())
    }

    /// A new user of another stack.
    pub fn of(stack: &Fixture) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let mut run = [0; 12];
        SystemRandom::new().fill(&mut run).unwrap();
        let id =
            format!("user-{}-{}", COUNT.fetch_add(1, Ordering::Relaxed), BASE64URL.encode(run));
        Self::with_id(stack, &id)
    }

    /// The user of another stack with this id.
    pub fn with_id(stack: &Fixture, id: &str) -> Self {
        let token = Token::of(id).sign();
        Self { id: id.to_owned(), gateway: stack.url.clone(), token }
    }

    /// The same user with another token.
    pub fn with_token(&self, token: &Token) -> Self {
        Self { token: token.sign(), ..self.clone() }
    }

    /// Sends a request to a path of the gateway.
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        let bearer = format!("Bearer {}", self.token);
        let mut all = vec![("authorization", bearer.as_str())];
        if !body.is_empty() && !headers.iter().any(|(name, _)| *name == "content-type") {
            all.push(("content-type", "application/json"));
        }
        all.extend(headers);
        request(method, &format!("{}{path}", self.gateway), &all, body)
    }

    /// Sends a request for the user's own tasks.
    pub fn ask(&self, request: &Request, task: impl Display) -> Reply {
        self.ask_for(&self.id, request, task)
    }

    /// Sends a request for another user's tasks.
    pub fn ask_for(&self, owner: &str, request: &Request, task: impl Display) -> Reply {
        let headers = request.headers.iter().map(|(name, value)| (*name, value.as_str()));
        let headers: Vec<_> = headers.collect();
        let Request { operation, body, .. } = request;
        self.send(&operation.method, &request.target(owner, task), &headers, body)
    }

    /// The path of the user's tasks.
    pub fn tasks(&self) -> String {
        format!("/api/{}/tasks", self.id)
    }

    /// The path of one of the user's tasks.
    pub fn task(&self, id: impl Display) -> String {
        format!("{}/{id}", self.tasks())
    }

    /// Lists with this query.
    pub fn list(&self, query: &str) -> Reply {
        self.send("GET", &format!("{}{query}", self.tasks()), &[], "")
    }

    /// Creates with this body.
    pub fn create(&self, body: &Value) -> Reply {
        self.send("POST", &self.tasks(), &[], &body.to_string())
    }

    /// Creates with this body and key.
    pub fn create_once(&self, key: &str, body: &Value) -> Reply {
        self.send("POST", &self.tasks(), &[("idempotency-key", key)], &body.to_string())
    }

    /// Creates a task with this title.
    pub fn new_task(&self, title: &str) -> Value {
        self.create(&json!({ "title": title })).expect(201)
    }

    /// Gets a task.
    pub fn get(&self, id: impl Display) -> Reply {
        self.send("GET", &self.task(id), &[], "")
    }

    /// Updates a task.
    pub fn update(&self, id: impl Display, headers: &[(&str, &str)], body: &Value) -> Reply {
        self.send("PUT", &self.task(id), headers, &body.to_string())
    }

    /// Deletes a task.
    pub fn delete(&self, id: impl Display, headers: &[(&str, &str)]) -> Reply {
        self.send("DELETE", &self.task(id), headers, "")
    }

    /// Completes a task, with or without a body.
    pub fn complete(&self, id: impl Display, headers: &[(&str, &str)], body: &str) -> Reply {
        self.send("PATCH", &format!("{}/complete", self.task(id)), headers, body)
    }
}

impl Default for User {
    fn default() -> Self {
        Self::new()
    }
}
