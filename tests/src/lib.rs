//! What the black-box tests stand on: a database, a gateway, users with tokens, requests.
//!
//! The parts are started by `cargo xtask fixture`, once a test run, and end with it.

mod aws;
mod http;
mod openapi;
mod part;
mod proxy;
mod sql;
mod token;
mod user;

pub use aws::create_secret;
pub use http::{Reply, request, send, send_within};
pub use openapi::{Route, routes};
pub use part::{
    Part, Stack, apart, database, database_url, embedded_stack, function, stack, xtask,
};
pub use proxy::{End, Proxy, Way};
pub use sql::{Session, sql, try_sql};
pub use token::{Token, now, sign};
pub use user::User;

/// The secret of the main stack.
pub const SECRET: &str = "the-secret-of-the-tests-has-more-than-32-bytes";
/// The issuer that the main stack requires.
pub const ISSUER: &str = "http://localhost:3000";
/// The audience that the main stack requires.
pub const AUDIENCE: &str = "task-api";
