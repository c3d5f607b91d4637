//! A user of the API, whose items no other test sees.
use std::fmt::Display;
use std::ops::Deref;
use std::sync::atomic::{AtomicU32, Ordering};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use ring::rand::{SecureRandom, SystemRandom};
use serde_json::Value;

use crate::resource::{Resource, any_resource};
use crate::{Fixture, Operation, Reply, Request, Token, request, stack};

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

    /// Sends a request for what is the user's own.
    pub fn ask(&self, request: &Request, item: impl Display) -> Reply {
        self.ask_for(&self.id, request, item)
    }

    /// Sends a request for what is another user's.
    pub fn ask_for(&self, owner: &str, request: &Request, item: impl Display) -> Reply {
        let headers = request.headers.iter().map(|(name, value)| (*name, value.as_str()));
        let headers: Vec<_> = headers.collect();
        let Request { operation, body, .. } = request;
        self.send(&operation.method, &request.target(owner, item), &headers, body)
    }

    /// The user's items of a resource.
    pub fn items(&self, resource: &'static Resource) -> Items {
        Items { user: self.clone(), resource }
    }

    /// The id of a new item for an operation; null if that is none of a resource.
    pub fn item_for(&self, operation: &Operation) -> Value {
        let resource = operation.resource();
        resource.map_or(Value::Null, |resource| self.items(resource).add()["id"].clone())
    }

    /// Any request that only reads, for tests of what is the same in all requests.
    pub fn read(&self) -> Reply {
        self.items(any_resource()).list("")
    }
}

impl Default for User {
    fn default() -> Self {
        Self::new()
    }
}

/// A user's items of one resource.
#[derive(Clone)]
pub struct Items {
    user: User,
    /// The resource.
    pub resource: &'static Resource,
}

impl Deref for Items {
    type Target = User;

    fn deref(&self) -> &User {
        &self.user
    }
}

impl Items {
    /// The path of all.
    pub fn path(&self) -> String {
        format!("/api/{}/{}", self.id, self.resource.name)
    }

    /// The path of one.
    pub fn path_of(&self, id: impl Display) -> String {
        format!("{}/{id}", self.path())
    }

    /// Lists with this query.
    pub fn list(&self, query: &str) -> Reply {
        self.send("GET", &format!("{}{query}", self.path()), &[], "")
    }

    /// Creates with this body.
    pub fn create(&self, body: &Value) -> Reply {
        self.send("POST", &self.path(), &[], &body.to_string())
    }

    /// Creates with this body and key.
    pub fn create_once(&self, key: &str, body: &Value) -> Reply {
        self.send("POST", &self.path(), &[("idempotency-key", key)], &body.to_string())
    }

    /// Creates the item of the document's example.
    pub fn add(&self) -> Value {
        self.create(&self.resource.create().example_body()).expect(201)
    }

    /// Creates both [`Resource::kinds`] of items.
    pub fn add_kinds(&self) -> [Value; 2] {
        let [created, changed] = [self.add(), self.add()];
        let on_an_item = self.resource.operations().filter(|of| of.is_of_an_item());
        for operation in on_an_item.filter(|of| of.takes_a_body()) {
            self.ask(&operation.example(), &changed["id"]).expect(operation.success());
        }
        [created, changed]
    }

    /// Gets one.
    pub fn get(&self, id: impl Display) -> Reply {
        self.send("GET", &self.path_of(id), &[], "")
    }

    /// Updates one.
    pub fn update(&self, id: impl Display, headers: &[(&str, &str)], body: &Value) -> Reply {
        self.send("PUT", &self.path_of(id), headers, &body.to_string())
    }

    /// Deletes one.
    pub fn delete(&self, id: impl Display, headers: &[(&str, &str)]) -> Reply {
        self.send("DELETE", &self.path_of(id), headers, "")
    }
}
