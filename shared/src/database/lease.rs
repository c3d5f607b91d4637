//! A connection in use.
use std::pin::pin;

use deadpool_postgres::Object;
use futures_util::TryStreamExt;
use tokio_postgres::Row;

use super::error::Failure;
use super::pool::LastUsed;
use super::statement::{Parameter, Rows, Statement};

/// If it is dropped before [`Lease::release`], as after a timeout, the connection is closed: the
/// answer to its statement may still arrive.
pub(super) struct Lease(Option<Object>);

impl Lease {
    pub(super) fn new(connection: Object) -> Self {
        Self(Some(connection))
    }

    /// Runs one statement, sent as one message, in its own transaction.
    pub(super) async fn run(
        &self,
        statement: &Statement,
        parameters: &[Parameter<'_>],
    ) -> Result<Vec<Row>, Failure> {
        let Some(connection) = &self.0 else { return Ok(Vec::new()) };
        let parameters = parameters.iter().copied().zip(statement.types.iter().cloned());
        let rows = connection.query_typed_raw(statement.call(), parameters).await;
        let mut rows = pin!(rows.map_err(|error| Failure { error, rolled_back: true })?);
        let mut received = Vec::new();
        loop {
            match rows.try_next().await {
                Ok(Some(row)) => received.push(row),
                // The server has committed.
                Ok(None) => {
                    if statement.rows == Rows::One {
                        received.retain(has_row);
                    }
                    return Ok(received);
                }
                // The server commits after it has reported the number of rows.
                Err(error) => {
                    return Err(Failure { error, rolled_back: rows.rows_affected().is_none() });
                }
            }
        }
    }

    /// Returns the connection to the pool.
    pub(super) fn release(mut self, last_used: &LastUsed) {
        last_used.touch();
        self.0 = None;
    }
}

/// Whether a procedure's result stands for a row.
fn has_row(row: &Row) -> bool {
    !matches!(row.try_get::<_, Option<i64>>(0), Ok(None))
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(object) = self.0.take() {
            drop(Object::take(object));
        }
    }
}
