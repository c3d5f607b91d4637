//! What the task functions share, and all of it a function may touch.
//!
//! A request flows through five steps, each a module, each of which can only end it with a
//! [`Problem`]:
//!
//! 1. [`serve()`] reads the configuration once, opens the database connection while Lambda
//!    still gives the process its start-up CPU, and then takes one event after the other.
//! 2. The event becomes a [`Request`]: path, headers, query and body as the client sent them.
//! 3. The bearer token becomes an [`Owner`], if it is valid and speaks of the user in the path.
//!    No handler runs without one, and the store answers nothing without one.
//! 4. The handler asks the request for what it needs: a [`TaskId`], a [`NewTask`], a
//!    [`TaskChange`], a [`ListQuery`]. These are parsed once and valid ever after.
//! 5. The [`TaskStore`] runs one SQL statement in one network round trip, and the handler
//!    makes a [`Reply`] of what it returns.
//!
//! Nothing else of the crate is public but what the developer's and the operator's commands
//! need: [`Config`], [`Database`] and its [`DATABASE_ROLE`], [`sign`], [`log_name`], and [`REQUEST_LIMIT`], to which the template's
//! timeout is held.

#[cfg(test)]
mod arbitrary;
mod auth;
mod body;
mod config;
mod db;
mod etag;
mod page;
mod problem;
mod reply;
mod request;
#[cfg(feature = "secrets-manager")]
mod secrets_manager;
mod serve;
mod settings;
mod task;
mod tasks;
mod telemetry;

pub use auth::{Claims, Owner, sign};
pub use config::{AuthConfig, Config, SettingsError, Use};
pub use db::{DATABASE_ROLE, Database};
pub use etag::{IfMatch, IfNoneMatch};
pub use page::{ListQuery, Page};
pub use problem::{Fault, Problem};
pub use reply::Reply;
pub use request::{IdempotencyKey, Request};
pub use serve::{Api, Error, REQUEST_LIMIT, serve};
pub use task::{Completion, Description, NewTask, Task, TaskChange, TaskId, Title};
pub use tasks::{Created, TaskStore};
pub use telemetry::log_name;
