//! A statement in a transaction of its own, as the role and the user of its request.
use deadpool_postgres::Object;
use futures_util::future::join4;
use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};

use super::error::{Failure, ends_session};
use super::pool::LastUsed;

/// The role of each request: it may do what the operations need and nothing else.
pub const DATABASE_ROLE: &str = "task_api";

/// A statement and the types of its parameters.
#[derive(Debug)]
pub struct Statement {
    /// What it is called.
    pub name: &'static str,
    /// Its text; the first parameter is the user in all but [`IDENTIFY`].
    pub sql: &'static str,
    /// The type of each of its parameters.
    pub types: &'static [Type],
}

/// The value of a parameter.
pub(crate) type Parameter<'a> = &'a (dyn ToSql + Sync);

/// Begins each request's transaction: the role, the user whose rows it sees, and limits, so that a
/// client that is gone holds no lock. All of it ends with the transaction, also where a pooler gives
/// the connection to somebody else next.
pub static IDENTIFY: Statement = Statement {
    name: "identify",
    sql: "
    SELECT set_config('role', $1, true),
           set_config('task_api.user_id', $2, true),
           set_config('statement_timeout', '4s', true),
           set_config('idle_in_transaction_session_timeout', '4s', true)",
    types: &[Type::TEXT, Type::TEXT],
};

impl Statement {
    fn with<'a>(&self, parameters: &[Parameter<'a>]) -> Vec<(Parameter<'a>, Type)> {
        parameters.iter().copied().zip(self.types.iter().cloned()).collect()
    }
}

/// A connection in use. Dropped before [`Lease::release`], as when a time limit passes, it is
/// closed: the answer to its statement may still be on its way.
pub(super) struct Lease(Option<Object>);

impl Lease {
    pub(super) fn new(connection: Object) -> Self {
        Self(Some(connection))
    }

    /// A transaction of one statement, all of it sent before the first answer is awaited.
    pub(super) async fn run(
        &self,
        user: &str,
        statement: &Statement,
        parameters: &[Parameter<'_>],
    ) -> Result<Vec<Row>, Failure> {
        let Some(connection) = &self.0 else { return Ok(Vec::new()) };
        let identity = IDENTIFY.with(&[&DATABASE_ROLE, &user]);
        let parameters = statement.with(parameters);
        // Polled in this order, and so sent in it.
        let (begun, identified, rows, committed) = join4(
            connection.batch_execute("BEGIN"),
            connection.query_typed(IDENTIFY.sql, &identity),
            connection.query_typed(statement.sql, &parameters),
            connection.batch_execute("COMMIT"),
        )
        .await;
        // Outside of a transaction, the statement would stand by itself.
        begun.map_err(|error| Failure { rolled_back: ends_session(&error), error })?;
        identified.map_err(|error| Failure { rolled_back: true, error })?;
        let rows = rows.map_err(|error| Failure { rolled_back: true, error })?;
        committed.map_err(|error| Failure { rolled_back: false, error })?;
        Ok(rows)
    }

    /// Gives the connection back for the next request.
    pub(super) fn release(mut self, last_used: &LastUsed) {
        last_used.touch();
        self.0 = None;
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(object) = self.0.take() {
            drop(Object::take(object));
        }
    }
}
