//! What is the tasks' own.
mod clear;
mod complete;
mod create;
mod delete;
mod get;
mod idempotency;
mod list;
mod statements;
mod update;

use std::fmt::Display;
use std::ops::Deref;

use serde_json::{Value, json};
use tests::{Fixture, Items, Reply, resource, stack};

/// A user with tasks.
struct User(Items);

impl Deref for User {
    type Target = Items;

    fn deref(&self) -> &Items {
        &self.0
    }
}

impl User {
    /// A new user of the main stack.
    fn new() -> Self {
        Self::of(stack())
    }

    /// A new user of another stack.
    fn of(stack: &Fixture) -> Self {
        Self(tests::User::of(stack).items(resource("tasks")))
    }

    /// Creates a task with this title.
    fn new_task(&self, title: &str) -> Value {
        self.create(&json!({ "title": title })).expect(201)
    }

    /// Completes a task, with or without a body.
    fn complete(&self, id: impl Display, headers: &[(&str, &str)], body: &str) -> Reply {
        self.send("PATCH", &format!("{}/complete", self.path_of(id)), headers, body)
    }
}
