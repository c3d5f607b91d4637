//! The fixtures of the black-box tests: a database, a gateway, users with tokens, requests.
//!
//! `cargo xtask fixture` starts them once per test run; they end with it.

mod aws;
mod clock;
mod event;
mod fixture;
mod http;
mod https;
mod jwt_app;
mod neon;
mod openapi;
mod operation;
mod pages;
mod proxy;
mod request;
mod resource;
mod sandbox;
mod sql;
mod statements;
mod stored;
mod token;
mod user;

pub use aws::{
    ask_aws, ask_cloudformation, aws_variables, call_aws, create_secret, create_stack, put_secret,
    stored_parameter, stored_secret,
};
pub use clock::Moment;
pub use fixture::{
    Fixture, apart, database, database_url, embedded_stack, function, new_database, root, stack,
    tool, xtask,
};
pub use http::{Reply, request, send};
pub use https::Https;
pub use jwt_app::JwtApp;
pub use neon::Neon;
pub use openapi::{Route, check_examples, failure_codes, functions, routes};
pub use operation::{Operation, operation, operations};
pub use pages::{Page, Piece, documented, files, pages};
pub use proxy::{End, Proxy, Way};
pub use request::{Request, requests};
pub use resource::{Resource, any_resource, resource, resources};
pub use sandbox::{Answer, Sandbox, as_lambda};
pub use sql::{Session, as_user, bound, name_of, sql, try_sql, with_login, with_name};
pub use statements::{DATABASE_ROLE, Executed, KEYS_ROW_ID, Statement, USER_SETTING, statements};
pub use stored::Stored;
pub use token::{Token, now, sign};
pub use user::{Items, User};

/// The main stack's settings for tokens.
pub const SETTINGS: [(&str, &str); 3] =
    [("BETTER_AUTH_SECRET", SECRET), ("JWT_ISSUER", ISSUER), ("JWT_AUDIENCE", AUDIENCE)];
/// The secret of the main stack.
pub const SECRET: &str = "the-secret-of-the-tests-has-more-than-32-bytes";
/// The issuer that the main stack requires.
pub const ISSUER: &str = "http://localhost:3000";
/// The audience that the main stack requires.
pub const AUDIENCE: &str = "task-api";
