//! The contract, line by line, as a client sees it.
mod auth;
mod complete;
mod create;
mod delete;
mod events;
mod failures;
mod get;
mod hostile;
mod idempotency;
mod list;
mod logs;
mod migrations;
mod openapi;
mod settings;
mod statements;
mod tokens;
mod update;
