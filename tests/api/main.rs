//! The API's contract, as a client sees it: what holds for every operation of every resource, and
//! a folder for each resource.
mod auth;
mod clients;
mod erase;
mod events;
mod failures;
mod faults;
mod from_fastapi;
mod hostile;
mod idempotency;
mod if_match;
mod jwt_plugin;
mod logs;
mod migrations;
mod openapi;
mod row_security;
mod settings;
mod statements;
mod tasks;
