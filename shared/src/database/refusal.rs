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
use tokio_postgres::error::DbError;

use super::error::ends_session;

/// What a missing session means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The server rejects the user or the password.
    Login,
    /// The pooler saw a login refused recently: this one, or another.
    PerhapsLogin,
    /// Temporary: the server starts, restarts or is full.
    Passing,
    /// Permanent until somebody changes something.
    Lasting,
}

use Refusal::{Lasting, Login, Passing, PerhapsLogin};

/// SQLSTATEs that say nothing: those of Neon's proxy and `PgBouncer`.
const HIDDEN: [&str; 2] = ["XX000", "08P01"];
const POOLER: [&str; 1] = ["08P01"];

/// SQLSTATE prefix, part of the message, and the meaning; the first matching row wins.
const MEANINGS: [(&[&str], &str, Refusal); 12] = [
    // Invalid authorization specification.
    (&["28"], "", Login),
    // Too many connections; a server that shuts down, has crashed or is starting.
    (&["53300", "57P01", "57P02", "57P03"], "", Passing),
    (&HIDDEN, "authentication failed", Login),
    (&HIDDEN, "is not permitted to log in", Login),
    (&POOLER, "no such user", Login),
    (&POOLER, "server login has been failing", PerhapsLogin),
    (&HIDDEN, "endpoint is disabled", Lasting),
    (&HIDDEN, "endpoint cannot be found", Lasting),
    (&HIDDEN, "Endpoint ID is not specified", Lasting),
    (&HIDDEN, "is not allowed to connect to this endpoint", Lasting),
    (&HIDDEN, "Check your quotas", Lasting),
    // A compute that wakes, a full pooler, and errors unknown to us.
    (&HIDDEN, "", Passing),
];

/// What a pooler reports to an accepted client when it cannot reach the server.
const NO_SERVER: [&str; 4] =
    ["query_wait_timeout", "server login", "no more connections allowed", "client_login_timeout"];

impl Refusal {
    /// Classifies a failed connection attempt.
    pub(super) fn of(error: &PoolError) -> Self {
        match error {
            PoolError::Backend(error) => Self::of_error(error),
            _ => Lasting,
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
        const PASSING: [ErrorKind; 5] = [
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
        let passing = error.is_closed() || io.is_some_and(|io| PASSING.contains(&io.kind()));
        if passing { Passing } else { Lasting }
    }

    fn of_message(error: &DbError) -> Self {
        meaning(error.code().code(), error.message())
    }
}

fn meaning(code: &str, message: &str) -> Refusal {
    let fits = |(codes, part, _): &&(&[&str], &str, Refusal)| {
        codes.iter().any(|start| code.starts_with(start)) && message.contains(part)
    };
    MEANINGS.iter().find(fits).map_or(Lasting, |(_, _, meaning)| *meaning)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_server_can_be_made_to_say_here_has_a_meaning_too() {
        for (code, message, means) in [
            ("28000", "no pg_hba.conf entry for host \"192.0.2.1\"", Login),
            ("3D000", "database \"tasks\" does not exist", Lasting),
            ("42501", "permission denied for database \"tasks\"", Lasting),
            ("57P01", "terminating connection due to administrator command", Passing),
            ("57P02", "terminating connection because of crash of another server process", Passing),
            ("57P03", "the database system is starting up", Passing),
            ("08P01", "SASL authentication failed", Login),
            ("08P01", "no such user: somebody", Login),
            ("08P01", "server login failed: FATAL role \"a\" is not permitted to log in", Login),
            ("08P01", "server login failed: FATAL sorry, too many clients already", Passing),
            ("08P01", "query_wait_timeout", Passing),
        ] {
            assert_eq!(meaning(code, message), means, "{code} {message}");
        }
    }
}
