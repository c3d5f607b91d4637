//! What a database error means for the statement, the connection and the log.
use std::error::Error as _;
use std::fmt::Display;

use deadpool_postgres::PoolError;
use tokio_postgres::Error as PgError;
use tokio_postgres::error::SqlState;

use super::connect_error::{ConnectError, ends_session};

/// Why a statement returned no rows; the reason is for the log.
#[derive(Debug)]
pub enum DatabaseError {
    /// It did not run, or the database could not be reached.
    Unavailable(String),
    /// It was sent, and its outcome is unknown.
    Unanswered(String),
    /// The database refused the statement itself, or returned rows of an unexpected shape.
    Unexpected(String),
}

impl DatabaseError {
    /// For a result that no statement returns.
    pub fn unexpected(reason: impl Display) -> Self {
        Self::Unexpected(reason.to_string())
    }
}

/// A failed transaction of one statement.
pub(super) struct Failure {
    pub(super) error: PgError,
    /// Whether it was rolled back, if the error comes from the server.
    pub(super) rolled_back: bool,
}

/// What became of the statement.
pub(super) enum Outcome {
    /// It did not run: there is no session.
    NoSession(ConnectError),
    /// The server refused the statement itself; the connection is fine.
    Refused,
    /// The server says that it did not run and may succeed on another attempt.
    NotRun,
    /// The server says that it did not run, for lack of time or resources.
    Exhausted,
    /// The connection broke: it may have run.
    Unknown,
}

impl Failure {
    pub(super) fn outcome(&self) -> Outcome {
        let Some(code) = self.error.code() else { return Outcome::Unknown };
        if let Some(error) = ConnectError::of_transaction(&self.error) {
            return Outcome::NoSession(error);
        }
        match code.code().get(..2) {
            // Transaction rollback.
            Some("40") => Outcome::NotRun,
            // Connection exception. A server that shuts down during a commit may have committed.
            Some("08") => Outcome::Unknown,
            _ if !self.rolled_back => Outcome::Unknown,
            _ if *code == SqlState::QUERY_CANCELED => Outcome::Exhausted,
            // Operator intervention; read-only transaction, on a primary that became a replica.
            Some("57" | "25") => Outcome::NotRun,
            // Insufficient resources; object not in prerequisite state; system error.
            Some("53" | "55" | "58") => Outcome::Exhausted,
            _ => Outcome::Refused,
        }
    }

    /// Whether a named call may have met another statement, or none. Then nothing ran: the name is
    /// missing, the parameters fit another statement, or a routine refuses the fingerprint.
    pub(super) fn may_be_of_another_statement(&self) -> bool {
        let misfit = self.error.code() == Some(&SqlState::PROTOCOL_VIOLATION);
        let refused = misfit || matches!(self.outcome(), Outcome::Refused);
        refused && self.rolled_back && !ends_session(&self.error)
    }
}

/// An error for the log, without row values, which may be a user's text.
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
