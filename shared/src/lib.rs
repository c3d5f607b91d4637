//! What the task functions share, and all of it a function may touch.
//!
//! A request flows through five steps, each of which can only end it with a [`Problem`]:
//!
//! 1. [`serve()`] reads the settings once, opens the database connection while Lambda still gives
//!    the process its start-up CPU, and then takes one event after the other.
//! 2. The event becomes a [`Request`]: path, headers, query and body as the client sent them.
//! 3. The bearer token becomes an [`Owner`], if it is valid and speaks of the user in the path.
//!    No handler runs without one, and the store answers nothing without one.
//! 4. The handler asks the request for what it needs: a [`TaskId`], a [`NewTask`], a
//!    [`TaskChange`], a [`ListQuery`]. These are parsed once and valid ever after.
//! 5. The [`TaskStore`] runs one SQL statement in one network round trip, and the handler
//!    makes a [`Reply`] of what it returns.
//!
//! The modules are layers; each uses those below it and none above:
//! `serve`, `app`, `http`, `tasks`, `database`, `auth`, `settings`, `tls` and `telemetry`.
//!
//! Nothing else of the crate is public but what the developer's and the operator's commands, the tests and
//! the benchmark need: the settings, a [`Database`], its [`STATEMENTS`], [`sign`], [`log_name`],
//! and [`REQUEST_LIMIT`], to which the template's timeout is held.

mod app;
#[cfg(test)]
mod arbitrary;
mod auth;
mod database;
mod http;
mod serve;
mod settings;
mod tasks;
mod telemetry;
mod tls;

pub use app::App;
pub use auth::{Claims, Owner, sign};
pub use database::{DATABASE_ROLE, Database, DatabaseError, Statement};
pub use http::{IfNoneMatch, ListQuery, Problem, Reply, Request};
pub use serve::{Error, REQUEST_LIMIT, serve};
pub use settings::{AuthConfig, Config, DatabaseUrl, InvalidUrl, SecretList, SettingsError, Use};
pub use tasks::*;
pub use telemetry::log_name;
