//! Why a session was refused, and whether to try again.
//!
//! `PostgreSQL` tells by SQLSTATE. Proxies hide it:
//! - Neon's proxy reports every error during connect as `XX000`, its own and the server's; only the
//!   message survives (`throw_error` in `proxy/src/stream.rs` of neondatabase/neon).
//! - `PgBouncer` reports its own errors and a server's refused login as `08P01`, possibly only at
//!   the first statement of a client that it has accepted (`src/objects.c` and `src/client.c` of
//!   pgbouncer/pgbouncer).
use std::error::Error as _;
use std::io::ErrorKind;

use deadpool_postgres::PoolError;
use tokio_postgres::Error as PgError;
use tokio_postgres::error::{DbError, Severity};

/// What a missing session means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ConnectError {
    /// The server rejects the user or the password.
    BadLogin,
    /// The pooler saw a login refused recently: this one, or another.
    MaybeBadLogin,
    /// Temporary: the server starts, restarts or is full.
    Transient,
    /// Permanent until somebody changes something.
    Permanent,
}

use ConnectError::{BadLogin, MaybeBadLogin, Permanent, Transient};

/// SQLSTATEs that say nothing: those of Neon's proxy and `PgBouncer`.
const HIDDEN: [&str; 2] = ["XX000", "08P01"];
const POOLER: [&str; 1] = ["08P01"];

/// SQLSTATE prefix, part of the message, and the meaning; the first matching row wins.
const MEANINGS: [(&[&str], &str, ConnectError); 12] = [
    // Invalid authorization specification.
    (&["28"], "", BadLogin),
    // Too many connections; a server that shuts down, has crashed or is starting.
    (&["53300", "57P01", "57P02", "57P03"], "", Transient),
    (&HIDDEN, "authentication failed", BadLogin),
    (&HIDDEN, "is not permitted to log in", BadLogin),
    (&POOLER, "no such user", BadLogin),
    (&POOLER, "server login has been failing", MaybeBadLogin),
    (&HIDDEN, "endpoint is disabled", Permanent),
    (&HIDDEN, "endpoint cannot be found", Permanent),
    (&HIDDEN, "Endpoint ID is not specified", Permanent),
    (&HIDDEN, "is not allowed to connect to this endpoint", Permanent),
    (&HIDDEN, "Check your quotas", Permanent),
    // A compute that wakes, a full pooler, and errors unknown to us.
    (&HIDDEN, "", Transient),
];

/// What a pooler reports to an accepted client when it cannot reach the server.
const NO_SERVER: [&str; 4] =
    ["query_wait_timeout", "server login", "no more connections allowed", "client_login_timeout"];

impl ConnectError {
    /// Classifies a failed connection attempt.
    pub(super) fn of(error: &PoolError) -> Self {
        match error {
            PoolError::Backend(error) => Self::of_error(error),
            _ => Permanent,
        }
    }

    /// Classifies a transaction that a pooler ended before it had a server connection for it.
    pub(super) fn of_transaction(error: &PgError) -> Option<Self> {
        let ended = ends_session(error);
        let error = error.as_db_error()?;
        let no_server = NO_SERVER.iter().any(|part| error.message().contains(part));
        let pooler = POOLER.contains(&error.code().code());
        (pooler && ended && no_server).then(|| Self::of_message(error))
    }

    fn of_error(error: &PgError) -> Self {
        const TRANSIENT: [ErrorKind; 5] = [
            ErrorKind::ConnectionRefused,
            ErrorKind::ConnectionReset,
            ErrorKind::ConnectionAborted,
            ErrorKind::BrokenPipe,
            ErrorKind::UnexpectedEof,
        ];
        if let Some(error) = error.as_db_error() {
            return Self::of_message(error);
        }
        let io = error.source().and_then(|source| source.downcast_ref::<std::io::Error>());
        let passing = error.is_closed() || io.is_some_and(|io| TRANSIENT.contains(&io.kind()));
        if passing { Transient } else { Permanent }
    }

    fn of_message(error: &DbError) -> Self {
        meaning(error.code().code(), error.message())
    }
}

/// Whether the server, or a pooler, closes the connection after this error.
pub(super) fn ends_session(error: &PgError) -> bool {
    let severity = error.as_db_error().and_then(DbError::parsed_severity);
    matches!(severity, Some(Severity::Fatal | Severity::Panic))
}

fn meaning(code: &str, message: &str) -> ConnectError {
    let fits = |(codes, part, _): &&(&[&str], &str, ConnectError)| {
        codes.iter().any(|start| code.starts_with(start)) && message.contains(part)
    };
    MEANINGS.iter().find(fits).map_or(Permanent, |(_, _, meaning)| *meaning)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classifies_errors_we_cannot_provoke() {
        for (code, message, means) in [
            ("28000", "no pg_hba.conf entry for host \"192.0.2.1\"", BadLogin),
            ("3D000", "database \"app\" does not exist", Permanent),
            ("42501", "permission denied for database \"app\"", Permanent),
            ("57P01", "terminating connection due to administrator command", Transient),
            (
                "57P02",
                "terminating connection because of crash of another server process",
                Transient,
            ),
            ("57P03", "the database system is starting up", Transient),
            ("08P01", "SASL authentication failed", BadLogin),
            ("08P01", "no such user: somebody", BadLogin),
            ("08P01", "server login failed: FATAL role \"a\" is not permitted to log in", BadLogin),
            ("08P01", "server login failed: FATAL sorry, too many clients already", Transient),
            ("08P01", "query_wait_timeout", Transient),
        ] {
            assert_eq!(meaning(code, message), means, "{code} {message}");
        }
    }
}
