//! Why the store did not do what it was asked.
use std::fmt::Display;

use crate::database::DatabaseError;

/// Why there is no task to answer with.
#[derive(Debug)]
pub enum TaskError {
    /// The owner has no such task.
    NotFound,
    /// The task is in none of the versions that the change may start from.
    Stale,
    /// The key was used before, for a task with another title or description.
    KeyReused,
    /// The database did not do it.
    Database(DatabaseError),
}

impl TaskError {
    /// For what no statement of ours returns.
    pub(super) fn unexpected(reason: impl Display) -> Self {
        Self::Database(DatabaseError::Unexpected(reason.to_string()))
    }
}

impl From<DatabaseError> for TaskError {
    fn from(error: DatabaseError) -> Self {
        Self::Database(error)
    }
}
