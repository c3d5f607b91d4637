//! The contract, line by line, as a client sees it.
mod auth;
mod complete;
mod create;
mod delete;
mod get;
mod idempotency;
mod list;
mod update;
