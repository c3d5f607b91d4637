//! The platform that all functions share; it knows no resource.
//!
//! A request passes five steps, each of which can end it only with a [`Problem`]:
//!
//! 1. [`serve()`] reads the settings once, connects to the database during Lambda's init, which has
//!    more CPU, and then takes one event after the other.
//! 2. The event becomes a [`Request`]: path, headers, query and body as the client sent them.
//! 3. The bearer token becomes an [`Owner`], if it is valid and belongs to the user in the path.
//!    Neither a handler nor the store runs without one.
//! 4. The handler parses what it needs from the request: an [`Id`], a [`Record`], its change, a
//!    [`PageRequest`]. These types are always valid.
//! 5. The [`Store`] runs one SQL statement in one network round trip, and the handler makes a
//!    [`Reply`] of the result.
//!
//! A product states its resources with [`record!`], [`Resource`] and [`app!`].
//!
//! The modules are layers; each uses only those below it: `serve`, `app`, `http`, `store`,
//! `database`, `auth`, `settings`, `keys`, `http_client`, `telemetry`, `tls` and `percent`.
//!
//! Also public is what the commands, the tests and the benchmark need: the settings, a
//! [`Database`], [`sign`], [`log_name`], [`encoded`], and [`REQUEST_LIMIT`], which a test compares with the
//! template's timeout.

mod app;
#[cfg(test)]
mod arbitrary;
mod auth;
mod database;
mod http;
mod http_client;
mod keys;
mod percent;
mod serve;
mod settings;
mod store;
mod telemetry;
mod tls;

pub use app::App;
pub use auth::{Claims, Owner, sign};
pub use database::{Call, Database, DatabaseError, Parameter, Retry, Statement};
pub use http::{
    Expectation, FieldError, Fields, FromBody, IfNoneMatch, Problem, Query, Reply, Request,
    boolean, line, optional_text,
};
pub use keys::{KeySet, KeysError, KeysUrl, fetch_keys};
pub use percent::encoded;
pub use serve::{Error, REQUEST_LIMIT, serve};
pub use settings::{
    AuthConfig, Config, DatabaseUrl, InvalidUrl, PublicKeys, SecretList, SettingsError, Use,
};
pub use store::{
    Account, Change, ChangeStatement, Cleared, Column, Columns, Created, Field, Filter,
    HasStatements, Id, IdempotencyKey, Page, PageRequest, Record, Resource, ResourceStore,
    Statements, Store, StoreError, Stored, Versions, Visitor, clear_statement,
};
pub use telemetry::log_name;
