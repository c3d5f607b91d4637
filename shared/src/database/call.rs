//! The call of a statement's routine, sent as one message, in its own transaction.
//!
//! The first call on a connection also prepares the statement, in the same round trip; the next
//! ones name it, so the server need not parse and plan them. Names belong to a session of the
//! server. Behind a pooler that shares sessions but does not track names, a name may be missing or
//! be another client's: the server then refuses the call before anything runs, the call is repeated
//! without a name, and so are all later ones of the process.
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};

use deadpool_postgres::ClientWrapper;
use futures_util::{FutureExt, TryStreamExt};
use tokio_postgres::{Error, Row, RowStream};

use super::connect_error::ends_session;
use super::error::{Failure, describe};
use super::statement::{Call, Parameter, Rows, Statement};

/// Whether calls use prepared statements, by their names.
#[derive(Default)]
pub(super) struct PreparedStatements {
    disabled: AtomicBool,
}

impl PreparedStatements {
    fn enabled(&self) -> bool {
        !self.disabled.load(Ordering::Relaxed)
    }

    fn disable(&self, error: &Error) {
        if !self.disabled.swap(true, Ordering::Relaxed) {
            let reason = describe(error);
            tracing::info!(reason, "statements are called without names from now on");
        }
    }
}

/// The rows of a statement, once the server has committed.
pub(super) async fn call(
    connection: &ClientWrapper,
    statement: &Statement,
    values: &[Parameter<'_>],
    statements: &PreparedStatements,
) -> Result<Vec<Row>, Failure> {
    let call = statement.call();
    let mut parameters = values.to_vec();
    parameters.push(&call.fingerprint);
    let mut rows = if statements.enabled() {
        named(connection, call, &parameters, statements).await?
    } else {
        unnamed(connection, call, &parameters).await?
    };
    if statement.rows == Rows::One {
        rows.retain(has_row);
    }
    Ok(rows)
}

async fn named(
    connection: &ClientWrapper,
    call: &Call,
    parameters: &[Parameter<'_>],
    statements: &PreparedStatements,
) -> Result<Vec<Row>, Failure> {
    let mut preparing = pin!(connection.prepare_typed_cached(&call.text, &call.types));
    // Rarely needed, so its size is not part of each request's future.
    let unnamed = || Box::pin(unnamed(connection, call, parameters));
    match preparing.as_mut().now_or_never() {
        Some(Ok(prepared)) => {
            let answer = connection.query_raw(&prepared, parameters.iter().copied()).await;
            match received(answer).await {
                Err(failure) if failure.may_be_of_another_statement() => {
                    statements.disable(&failure.error);
                    unnamed().await
                }
                answer => answer,
            }
        }
        Some(Err(error)) => Err(Failure { error, rolled_back: true }),
        None => {
            let (prepared, answer) = tokio::join!(preparing, unnamed());
            match prepared {
                // The call, which was sent after it, was not read.
                Err(error) if ends_session(&error) => Err(Failure { error, rolled_back: true }),
                Err(error) if answer.is_ok() => {
                    statements.disable(&error);
                    answer
                }
                _ => answer,
            }
        }
    }
}

async fn unnamed(
    connection: &ClientWrapper,
    call: &Call,
    parameters: &[Parameter<'_>],
) -> Result<Vec<Row>, Failure> {
    let parameters = parameters.iter().copied().zip(call.types.iter().cloned());
    received(connection.query_typed_raw(&call.text, parameters).await).await
}

async fn received(answer: Result<RowStream, Error>) -> Result<Vec<Row>, Failure> {
    let mut rows = pin!(answer.map_err(|error| Failure { error, rolled_back: true })?);
    let mut received = Vec::new();
    loop {
        match rows.try_next().await {
            Ok(Some(row)) => received.push(row),
            Ok(None) => return Ok(received),
            // The server commits after it has reported the number of rows.
            Err(error) => {
                return Err(Failure { error, rolled_back: rows.rows_affected().is_none() });
            }
        }
    }
}

/// Whether a procedure's result stands for a row.
fn has_row(row: &Row) -> bool {
    !matches!(row.try_get::<_, Option<i64>>(0), Ok(None))
}
