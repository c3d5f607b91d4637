//! The contract, line by line, as a client sees it.
mod auth;
mod complete;
mod create;
mod delete;
mod events;
mod failures;
mod faults;
mod get;
mod idempotency;
mod list;
mod logs;
mod migrations;
mod openapi;
mod row_security;
mod settings;
mod statements;
mod update;
