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
    /// Whether it is among the number of deleted rows.
    counts: bool,
}

impl<'a> Owned<'a> {
    fn rows(table: &'a str) -> Self {
        let condition = "user_id = $1 AND updated_at <= coalesce($2, 'infinity')".to_owned();
        Self { table, condition, id: "id", order: "id", counts: true }
    }

    fn keys(table: &'a str) -> Self {
        let condition = format!(
            "user_id = $1 AND resource = '{table}' AND created_at <= coalesce($2, 'infinity')"
        );
        let order = "created_at, key";
        Self { table: "idempotency_keys", condition, id: "key", order, counts: false }
    }
}

/// Deletes the oldest rows of these tables, and their idempotency keys: together at most 10,000.
pub(super) fn erase(role: &'static str, name: &str, tables: &[&str]) -> Statement {
    let owned = tables.iter().flat_map(|table| [Owned::rows(table), Owned::keys(table)]);
    deletion(role, format!("{name}_erase"), owned, vec![])
}

/// Deletes the oldest rows of a table that match a condition, at most 10,000.
pub(super) fn clear(
    role: &'static str,
    table: &str,
    operation: &str,
    condition: &str,
    types: Vec<Type>,
) -> Statement {
    let mut rows = Owned::rows(table);
    rows.condition = format!("{} AND {condition}", rows.condition);
    deletion(role, format!("{table}_{operation}"), [rows], types)
}

/// Returns the number of deleted rows without the keys, and whether more remain. A row that was
/// changed concurrently and no longer matches stays: the conditions are checked again once it is
/// locked.
fn deletion<'a>(
    role: &'static str,
    name: String,
    owned: impl IntoIterator<Item = Owned<'a>>,
    types: Vec<Type>,
) -> Statement {
    let (mut parts, mut chosen, mut deleted) = (Vec::new(), String::new(), Vec::new());
    for (index, Owned { table, condition, id, order, counts }) in owned.into_iter().enumerate() {
        parts.push(format!(
            "chosen_{index} AS (
                SELECT {order} FROM {table} WHERE {condition}
                ORDER BY {order} LIMIT 10001{chosen}
            ), deleted_{index} AS (
                DELETE FROM {table} WHERE {condition} AND {id} = ANY (ARRAY(
                    SELECT {id} FROM chosen_{index}
                    ORDER BY {order} LIMIT greatest(10000{chosen}, 0)))
                RETURNING {id}
            )"
        ));
        chosen = format!("{chosen} - (SELECT count(*) FROM chosen_{index})");
        if counts {
            deleted.push(format!("(SELECT count(*) FROM deleted_{index})"));
        }
    }
    let (parts, deleted) = (parts.join(", "), deleted.join(" + "));
    let sql = format!("WITH {parts} SELECT {deleted}, 10000{chosen} < 0");
    let types = [vec![Type::TEXT, Type::TIMESTAMPTZ], types].concat();
    Statement::new(role, name, Rows::One, sql, types, vec![Type::INT8, Type::BOOL])
}
