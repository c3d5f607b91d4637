//! Errors of the task store.
use std::fmt::Display;

use crate::database::DatabaseError;

/// Why the store returned no task.
#[derive(Debug)]
pub enum TaskError {
    /// The owner has no task with this id.
    NotFound,
    /// The task's version is not an expected one.
    Stale,
    /// The key was used before for a create with other values.
    KeyReused,
    /// The database failed.
    Database(DatabaseError),
}

impl TaskError {
    /// For a result that no statement returns.
    pub(super) fn unexpected(reason: impl Display) -> Self {
        Self::Database(DatabaseError::Unexpected(reason.to_string()))
    }
}

impl From<DatabaseError> for TaskError {
    fn from(error: DatabaseError) -> Self {
        Self::Database(error)
    }
}
