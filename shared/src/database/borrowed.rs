//! A connection in use.
use deadpool_postgres::Object;
use tokio_postgres::Row;

use super::call::{PreparedStatements, call};
use super::error::Failure;
use super::pool::LastUsed;
use super::statement::{Parameter, Statement};

/// If it is dropped before [`BorrowedConnection::release`], as after a timeout, the connection is closed: the
/// answer to its statement may still arrive.
pub(super) struct BorrowedConnection(Option<Object>);

impl BorrowedConnection {
    pub(super) fn new(connection: Object) -> Self {
        Self(Some(connection))
    }

    /// Runs one statement in its own transaction.
    pub(super) async fn run(
        &self,
        statement: &Statement,
        values: &[Parameter<'_>],
        prepared: &PreparedStatements,
    ) -> Result<Vec<Row>, Failure> {
        match &self.0 {
            Some(connection) => call(connection, statement, values, prepared).await,
            None => Ok(Vec::new()),
        }
    }

    /// Returns the connection to the pool.
    pub(super) fn release(mut self, last_used: &LastUsed) {
        last_used.touch();
        self.0 = None;
    }
}

impl Drop for BorrowedConnection {
    fn drop(&mut self) {
        if let Some(object) = self.0.take() {
            drop(Object::take(object));
        }
    }
}
