//! Errors of the store.
use crate::database::DatabaseError;
use crate::store::Record;

/// Why the store returned no row.
#[derive(Debug)]
pub enum StoreError {
    /// The owner has none with this id.
    NotFound {
        /// Its code.
        code: &'static str,
        /// What there is none of.
        name: &'static str,
    },
    /// The row's version is not an expected one.
    Stale,
    /// The key was used before for a create with other values.
    KeyReused,
    /// The database failed.
    Database(DatabaseError),
}

impl StoreError {
    pub(super) fn not_found<R: Record>() -> Self {
        Self::NotFound { code: R::NOT_FOUND, name: R::NAME }
    }
}

impl From<DatabaseError> for StoreError {
    fn from(error: DatabaseError) -> Self {
        Self::Database(error)
    }
}
