//! The crate that all task functions share.
//!
//! A request passes five steps, each of which can end it only with a [`Problem`]:
//!
//! 1. [`serve()`] reads the settings once, connects to the database during Lambda's init, which has
//!    more CPU, and then takes one event after the other.
//! 2. The event becomes a [`Request`]: path, headers, query and body as the client sent them.
//! 3. The bearer token becomes an [`Owner`], if it is valid and belongs to the user in the path.
//!    Neither a handler nor the store runs without one.
//! 4. The handler parses what it needs from the request: a [`TaskId`], a [`NewTask`], a
//!    [`TaskChange`], a [`ListQuery`]. These types are always valid.
//! 5. The [`TaskStore`] runs one SQL statement in one network round trip, and the handler makes a
//!    [`Reply`] of the result.
//!
//! The modules are layers; each uses only those below it: `serve`, `app`, `http`, `tasks`,
//! `database`, `auth`, `settings`, `tls`, `telemetry` and `percent`.
//!
//! Also public is what the commands, the tests and the benchmark need: the settings, a
//! [`Database`], its [`STATEMENTS`], [`sign`], [`log_name`], [`encoded`], and [`REQUEST_LIMIT`], which a
//! test compares with the template's timeout.

mod app;
#[cfg(test)]
mod arbitrary;
mod auth;
mod database;
mod http;
mod percent;
mod serve;
mod settings;
mod tasks;
mod telemetry;
mod tls;

pub use app::App;
pub use auth::{Claims, Owner, sign};
pub use database::{Call, DATABASE_ROLE, Database, DatabaseError, Statement};
pub use http::{IfNoneMatch, ListQuery, Problem, Reply, Request};
pub use percent::encoded;
pub use serve::{Error, REQUEST_LIMIT, serve};
pub use settings::{AuthConfig, Config, DatabaseUrl, InvalidUrl, SecretList, SettingsError, Use};
pub use tasks::*;
pub use telemetry::log_name;
