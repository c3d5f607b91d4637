//! The database: one statement for one owner in one network round trip, and what happens when it
//! fails.
mod borrowed;
mod call;
mod connect_error;
mod error;
mod pool;
mod statement;

use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::Object;
use tokio::time::{sleep, timeout};
use tokio_postgres::Row;

use self::borrowed::BorrowedConnection;
use self::call::PreparedStatements;
use self::connect_error::ConnectError;
pub use self::error::DatabaseError;
use self::error::{Outcome, describe, describe_pool};
use self::pool::Pools;
pub(crate) use self::statement::Rows;
pub use self::statement::{Call, Parameter, Statement};
use crate::auth::Owner;
use crate::settings::{DatabaseUrl, REFUSED_AGE, Settings};
use crate::telemetry::{self, DatabaseTime};

/// For one statement and its rows. The server's own limit is a second shorter, so that its error
/// arrives.
const STATEMENT_LIMIT: Duration = Duration::from_secs(5);
/// Pauses before another attempt after a temporary connection failure.
const CONNECT_PAUSES: [Duration; 3] =
    [Duration::from_millis(100), Duration::from_millis(300), Duration::from_millis(900)];

/// Whether a statement with an unknown outcome may be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// It only reads, or a second run changes nothing.
    IfUnknown,
    /// A second run would repeat the work.
    Never,
}

/// A pool of connections to one database.
pub struct Database {
    pools: Pools,
    prepared: PreparedStatements,
    /// Asked for another URL if the server refuses the login.
    settings: Option<Arc<Settings>>,
}

impl Database {
    /// A pool of at most `connections`; nothing is connected yet.
    ///
    /// # Errors
    /// If it cannot be used; the text contains no secret.
    pub fn new(url: &DatabaseUrl, connections: usize) -> Result<Self, String> {
        let pools = Pools::new(url, connections)?;
        Ok(Self { pools, prepared: PreparedStatements::default(), settings: None })
    }

    /// As [`Database::new`], for the database that the settings currently name.
    pub(crate) fn of(settings: Arc<Settings>, connections: usize) -> Result<Self, String> {
        let pools = Pools::watch(settings.watch(), connections)?;
        Ok(Self { pools, prepared: PreparedStatements::default(), settings: Some(settings) })
    }

    /// A connection for other work than requests: migrations, a check at start.
    ///
    /// # Errors
    /// If it cannot be made; the text contains no secret.
    pub async fn connection(&self) -> Result<Object, String> {
        let pool = self.pools.current();
        let connection = pool.get().await.map_err(|error| describe_pool(&error))?;
        self.pools.last_used().touch();
        Ok(connection)
    }

    /// Runs one statement in one network round trip and returns its rows. Its first parameter is
    /// its owner.
    ///
    /// After a broken connection, it is sent once more if the server says that it did not run, or
    /// if `retry` is [`Retry::IfUnknown`].
    pub(crate) async fn query(
        &self,
        owner: &Owner,
        retry: Retry,
        statement: &Statement,
        parameters: &[Parameter<'_>],
    ) -> Result<Vec<Row>, DatabaseError> {
        let _time = DatabaseTime::start();
        let user = owner.id();
        let mut values: Vec<Parameter> = vec![&user];
        values.extend_from_slice(parameters);
        let mut retries = ConnectRetries::new(self.settings.as_deref());
        let mut first = true;
        // Whether an earlier attempt may have run.
        let mut may_have_run = false;
        loop {
            let connection = self.checkout(&mut retries).await;
            let connection = connection.map_err(|reason| not_run(reason, may_have_run))?;
            let answer =
                timeout(STATEMENT_LIMIT, connection.run(statement, &values, &self.prepared)).await;
            let Ok(answer) = answer else {
                // A pooler whose login the server refuses may wait without an answer.
                retries.renew().await;
                return Err(DatabaseError::Unanswered("the statement took too long".to_owned()));
            };
            let failure = match answer {
                Ok(rows) => {
                    connection.release(self.pools.last_used());
                    return Ok(rows);
                }
                Err(failure) => failure,
            };
            let reason = describe(&failure.error);
            match failure.outcome() {
                Outcome::Refused => {
                    connection.release(self.pools.last_used());
                    return Err(DatabaseError::Unexpected(reason));
                }
                Outcome::NoSession(error) if retries.allows(error).await => continue,
                Outcome::NotRun if first => {}
                Outcome::Unknown if first && retry == Retry::IfUnknown => may_have_run = true,
                Outcome::Unknown => return Err(DatabaseError::Unanswered(reason)),
                Outcome::NoSession(_) | Outcome::NotRun | Outcome::Exhausted => {
                    return Err(not_run(reason, may_have_run));
                }
            }
            tracing::warn!(reason, "sending the statement again on a fresh connection");
            telemetry::retry();
            first = false;
        }
    }

    /// A connection; temporary failures are retried.
    async fn checkout(
        &self,
        retries: &mut ConnectRetries<'_>,
    ) -> Result<BorrowedConnection, String> {
        loop {
            let outcome = self.pools.current().get().await;
            if outcome.as_ref().map_or(true, |object| Object::metrics(object).recycle_count == 0) {
                tracing::debug!(failed = outcome.is_err(), "connecting to the database");
            }
            match outcome {
                Ok(object) => return Ok(BorrowedConnection::new(object)),
                Err(error) if retries.allows(ConnectError::of(&error)).await => {}
                Err(error) => return Err(describe_pool(&error)),
            }
        }
    }
}

/// The retries that a request has left while it gets no session.
struct ConnectRetries<'a> {
    pauses: std::array::IntoIter<Duration, 3>,
    /// For one refresh after a refused login.
    settings: Option<&'a Settings>,
}

impl<'a> ConnectRetries<'a> {
    fn new(settings: Option<&'a Settings>) -> Self {
        Self { pauses: CONNECT_PAUSES.into_iter(), settings }
    }

    /// Whether to try again, after the refresh or pause that the error calls for.
    async fn allows(&mut self, error: ConnectError) -> bool {
        if matches!(error, ConnectError::BadLogin | ConnectError::MaybeBadLogin)
            && self.renew().await
        {
            return true;
        }
        if matches!(error, ConnectError::Transient | ConnectError::MaybeBadLogin)
            && let Some(pause) = self.pauses.next()
        {
            telemetry::retry();
            sleep(pause).await;
            return true;
        }
        false
    }

    /// Refreshes the settings for another login, once; returns whether it did.
    async fn renew(&mut self) -> bool {
        let Some(settings) = self.settings.take() else { return false };
        settings.refresh(REFUSED_AGE).await;
        true
    }
}

/// The error of an attempt that did not run; an earlier attempt may have.
fn not_run(reason: String, may_have_run: bool) -> DatabaseError {
    if may_have_run {
        DatabaseError::Unanswered(reason)
    } else {
        DatabaseError::Unavailable(reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    /// The first bytes of a login that a server without TLS receives.
    async fn heard(url: impl FnOnce(u16) -> String) -> Vec<u8> {
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let database =
            Database::new(&url(server.local_addr().unwrap().port()).parse().unwrap(), 1).unwrap();
        let serve = async {
            let (mut client, _) = server.accept().await.unwrap();
            let mut heard = vec![0; 8];
            client.read_exact(&mut heard).await.unwrap();
            // This server has no TLS.
            client.write_all(b"N").await.unwrap();
            client.read_to_end(&mut heard).await.unwrap();
            heard
        };
        let (heard, connected) =
            tokio::join!(serve, timeout(Duration::from_secs(1), database.connection()));
        assert!(!matches!(connected, Ok(Ok(_))));
        heard
    }

    #[tokio::test]
    async fn a_login_goes_to_another_machine_in_the_clear_only_where_the_url_says_so() {
        // A local address that counts as remote.
        let remote = |query: &str| {
            let query = query.to_owned();
            move |port| format!("postgres://somebody:HUSH@0.0.0.0:{port}/app{query}")
        };
        for query in ["", "?sslmode=prefer", "?sslmode=allow", "?sslmode=require"] {
            assert_eq!(heard(remote(query)).await.len(), 8, "{query}: no more than the question");
        }
        let heard = heard(remote("?sslmode=disable")).await;
        assert!(heard.windows(8).any(|bytes| bytes == b"somebody"));
    }
}
