//! What an error of the database means: for the statement, for the connection, for the log.
use std::error::Error as _;

use deadpool_postgres::PoolError;
use tokio_postgres::Error as PgError;
use tokio_postgres::error::SqlState;

use super::refusal::Refusal;

/// Why a statement has no rows to show; the reason is for the log.
#[derive(Debug)]
pub enum DatabaseError {
    /// The database did not run it, or could not be reached.
    Unavailable(String),
    /// The database was asked, and nobody knows whether it ran.
    Unanswered(String),
    /// The database refused what no database should refuse, or answered what no statement asks for.
    Unexpected(String),
}

/// How a transaction of one statement ended in an error.
pub(super) struct Failure {
    pub(super) error: PgError,
    /// Whether nothing of it stays, if this is the server's own word.
    pub(super) rolled_back: bool,
}

/// What became of the statement.
pub(super) enum Outcome {
    /// It did not run, for want of a session.
    NoSession(Refusal),
    /// The server refused it as it is; the connection is fine.
    Refused,
    /// The server says that it did not run, and that another attempt may succeed.
    NotRun,
    /// The server says that it did not run, for want of time or room.
    Exhausted,
    /// The connection broke: it may have run or not.
    Unknown,
}

impl Failure {
    pub(super) fn outcome(&self) -> Outcome {
        let Some(code) = self.error.code() else { return Outcome::Unknown };
        if let Some(refusal) = Refusal::of_transaction(&self.error) {
            return Outcome::NoSession(refusal);
        }
        match code.code().get(..2) {
            // Transaction rollback.
            Some("40") => Outcome::NotRun,
            // Connection exception. And a server that goes down as it commits may have done so.
            Some("08") => Outcome::Unknown,
            _ if !self.rolled_back => Outcome::Unknown,
            _ if *code == SqlState::QUERY_CANCELED => Outcome::Exhausted,
            // Operator intervention; a read-only transaction, on what a failover made a replica.
            Some("57" | "25") => Outcome::NotRun,
            // Insufficient resources; object not in the right state; system error.
            Some("53" | "55" | "58") => Outcome::Exhausted,
            _ => Outcome::Refused,
        }
    }
}

/// An error for the log: what and why, but no value of a row, which may be a task's text.
pub(super) fn describe(error: &PgError) -> String {
    if let Some(db) = error.as_db_error() {
        let code = db.code().code();
        // Messages of data and constraint errors may quote values.
        let message =
            if code.starts_with("22") || code.starts_with("23") { "" } else { db.message() };
        let constraint = db.constraint().unwrap_or_default();
        return format!("SQLSTATE {code} {message}{constraint}");
    }
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

pub(super) fn describe_pool(error: &PoolError) -> String {
    match error {
        PoolError::Backend(error) => describe(error),
        PoolError::Timeout(_) => "no connection within the time limit".to_owned(),
        other => other.to_string(),
    }
}
