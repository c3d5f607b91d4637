//! Deletes many tasks at once.
use jiff::Timestamp;
use serde::Serialize;

/// Which tasks to delete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The completed ones, or the open ones.
    Completed(bool),
    /// Every one, and the user's idempotency keys.
    All,
}

/// A request to delete many tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClearRequest {
    pub(crate) scope: Scope,
    /// Tasks that changed after it stay.
    pub(crate) until: Option<Timestamp>,
}

/// The result of a clear.
#[derive(Debug, Serialize)]
pub struct Cleared {
    /// How many tasks were deleted.
    pub(crate) deleted: i64,
    /// Whether more remain than one request deletes.
    pub(crate) more: bool,
}
