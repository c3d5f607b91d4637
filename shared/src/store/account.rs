//! Erases what a user has.
use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::record::Columns;
use crate::auth::Owner;
use crate::database::{Database, DatabaseError, Retry, Rows, Statement};
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

/// What a user has in a table.
struct Owned<'a> {
    table: &'a str,
    condition: String,
    id: &'static str,
    /// From the oldest on.
    order: &'static str,
}

impl<'a> Owned<'a> {
    fn rows(table: &'a str) -> Self {
        let condition = "user_id = $1 AND updated_at <= coalesce($2, 'infinity')".to_owned();
        Self { table, condition, id: "id", order: "id" }
    }

    fn keys(table: &'a str) -> Self {
        let condition = format!(
            "user_id = $1 AND resource = '{table}' AND created_at <= coalesce($2, 'infinity')"
        );
        Self { table: "idempotency_keys", condition, id: "key", order: "created_at, key" }
    }
}

/// Deletes the oldest rows of these tables, and their idempotency keys: together at most 10,000.
/// Returns the number of deleted rows without the keys, and whether more remain. A row that was
/// changed concurrently and no longer matches stays: the conditions are checked again once it is
/// locked.
pub(super) fn erase(role: &'static str, name: &str, tables: &[&str]) -> Statement {
    let (mut parts, mut chosen, mut deleted) = (Vec::new(), Vec::new(), Vec::new());
    let mut delete = |Owned { table, condition, id, order }: Owned| {
        let index = parts.len();
        let before: String = chosen.concat();
        parts.push(format!(
            "chosen_{index} AS (
                SELECT {order} FROM {table} WHERE {condition}
                ORDER BY {order} LIMIT 10001{before}
            ), deleted_{index} AS (
                DELETE FROM {table} WHERE {condition} AND {id} = ANY (ARRAY(
                    SELECT {id} FROM chosen_{index}
                    ORDER BY {order} LIMIT greatest(10000{before}, 0)))
                RETURNING {id}
            )"
        ));
        chosen.push(format!(" - (SELECT count(*) FROM chosen_{index})"));
        index
    };
    for table in tables {
        let index = delete(Owned::rows(table));
        delete(Owned::keys(table));
        deleted.push(format!("(SELECT count(*) FROM deleted_{index})"));
    }
    let sql = format!(
        "WITH {} SELECT {}, 10000{} < 0",
        parts.join(", "),
        deleted.join(" + "),
        chosen.concat()
    );
    let types = vec![Type::TEXT, Type::TIMESTAMPTZ];
    let columns = vec![Type::INT8, Type::BOOL];
    Statement::new(role, format!("{name}_erase"), Rows::One, sql, types, columns)
}
