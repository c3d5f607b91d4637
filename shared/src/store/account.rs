//! Erases what a user has.
use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;
use tokio_postgres::Row;

use super::record::Columns;
use super::statements::erase;
use crate::auth::Owner;
use crate::database::{Database, DatabaseError, Retry, Statement};
use crate::store::StoreError;

/// What all resources have of a user.
pub struct Account {
    database: Arc<Database>,
    erase: &'static Statement,
}

/// The result of a request that deletes many rows.
#[derive(Debug, Serialize)]
pub struct Cleared {
    /// How many rows were deleted.
    pub(crate) deleted: i64,
    /// Whether more remain than one request deletes.
    pub(crate) more: bool,
}

impl Account {
    /// The account that `erase`, of [`Account::statement`], erases.
    #[must_use]
    pub fn new(database: Arc<Database>, erase: &'static Statement) -> Self {
        Self { database, erase }
    }

    /// The statement that erases the rows and the idempotency keys of these tables.
    #[must_use]
    pub fn statement(role: &'static str, tables: &[&str]) -> Statement {
        erase(role, "account", tables)
    }

    /// Deletes the owner's oldest rows and idempotency keys, at most 10,000; those after `until`
    /// stay.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn erase(
        &self,
        owner: &Owner,
        until: Option<Timestamp>,
    ) -> Result<Cleared, StoreError> {
        // A second run deletes what the first one left.
        let rows = self.database.query(owner, Retry::IfUnknown, self.erase, &[&until]).await?;
        Cleared::read(&rows)
    }
}

impl Cleared {
    /// Reads the number of deleted rows, and whether more remain.
    ///
    /// # Errors
    /// [`StoreError::Database`] if the statement returned something else.
    pub fn read(rows: &[Row]) -> Result<Self, StoreError> {
        let row = rows.first().ok_or_else(|| DatabaseError::unexpected("no row was returned"))?;
        let mut columns = Columns::of(row);
        Ok(Self { deleted: columns.read()?, more: columns.read()? })
    }
}
