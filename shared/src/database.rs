//! The database: one statement for its owner, in one network round trip, and what is done when that breaks.
mod error;
mod lease;
mod pool;
mod refusal;
mod statement;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use deadpool_postgres::Object;
use tokio::time::{sleep, timeout};
use tokio_postgres::Row;

pub use self::error::DatabaseError;
use self::error::{Outcome, describe, describe_pool};
use self::lease::Lease;
use self::pool::Pools;
use self::refusal::Refusal;
pub(crate) use self::statement::Parameter;
pub use self::statement::{DATABASE_ROLE, Statement};
use crate::auth::Owner;
use crate::settings::{DatabaseUrl, REFUSED_AGE, Settings};
use crate::telemetry::{self, DatabaseTime, Wait};

/// For one statement and its rows. The server gives up a second before, so that we hear from it.
const STATEMENT_LIMIT: Duration = Duration::from_secs(5);
/// Before a connection that failed for a passing reason is tried again.
const CONNECT_PAUSES: [Duration; 3] =
    [Duration::from_millis(100), Duration::from_millis(300), Duration::from_millis(900)];

/// Whether a statement may be sent again after its connection broke and nobody knows if it ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// It reads, or a second run leaves what the first left.
    Safe,
    /// A second run would do the work twice.
    Never,
}

/// A pool of connections to one database.
pub struct Database {
    pools: Pools,
    /// Asked for another URL where the server refuses the login.
    settings: Option<Arc<Settings>>,
}

impl Database {
    /// A pool of at most `connections`; nothing is connected yet.
    ///
    /// # Errors
    /// Why it cannot be used, without any of its secrets.
    pub fn new(url: &DatabaseUrl, connections: usize) -> Result<Self, String> {
        Ok(Self { pools: Pools::new(url, connections)?, settings: None })
    }

    /// As [`Database::new`], of the database that the settings name at the moment.
    pub(crate) fn of(settings: Arc<Settings>, connections: usize) -> Result<Self, String> {
        let pools = Pools::watch(settings.watch(), connections)?;
        Ok(Self { pools, settings: Some(settings) })
    }

    /// A connection of one's own, for what is not a task operation: migrations, a check at start.
    ///
    /// # Errors
    /// Why there is none, without any secret.
    pub async fn connection(&self) -> Result<Object, String> {
        let pool = self.pools.current();
        let connection = pool.get().await.map_err(|error| describe_pool(&error))?;
        self.pools.last_used().touch();
        Ok(connection)
    }

    /// Runs one statement for its owner, who is its first parameter, in one network round trip, and returns its rows.
    ///
    /// After the connection broke, it is sent once more where the server says that it did not run,
    /// or where `repeat` is [`Repeat::Safe`].
    pub(crate) async fn query(
        &self,
        owner: &Owner,
        repeat: Repeat,
        statement: &Statement,
        parameters: &[Parameter<'_>],
    ) -> Result<Vec<Row>, DatabaseError> {
        let _time = DatabaseTime::start();
        let user = owner.id();
        let mut values: Vec<Parameter> = vec![&user];
        values.extend_from_slice(parameters);
        let mut patience = Patience::new(self.settings.as_deref());
        let mut first = true;
        // Whether an earlier sending may have run.
        let mut doubtful = false;
        loop {
            let lease = self.checkout(&mut patience).await;
            let lease = lease.map_err(|reason| not_run(reason, doubtful))?;
            let sent = SystemTime::now();
            let answer = timeout(STATEMENT_LIMIT, lease.run(statement, &values)).await;
            telemetry::call(Wait::DatabaseStatement, sent, !matches!(answer, Ok(Ok(_))));
            let Ok(answer) = answer else {
                // A pooler waits for a server that refuses its login, and says nothing.
                patience.renew().await;
                return Err(DatabaseError::Unanswered("the statement took too long".to_owned()));
            };
            let failure = match answer {
                Ok(rows) => {
                    lease.release(self.pools.last_used());
                    return Ok(rows);
                }
                Err(failure) => failure,
            };
            let reason = describe(&failure.error);
            match failure.outcome() {
                Outcome::Refused => {
                    lease.release(self.pools.last_used());
                    return Err(DatabaseError::Unexpected(reason));
                }
                Outcome::NoSession(refusal) if patience.allows(refusal).await => continue,
                Outcome::NotRun if first => {}
                Outcome::Unknown if first && repeat == Repeat::Safe => doubtful = true,
                Outcome::Unknown => return Err(DatabaseError::Unanswered(reason)),
                Outcome::NoSession(_) | Outcome::NotRun | Outcome::Exhausted => {
                    return Err(not_run(reason, doubtful));
                }
            }
            tracing::warn!(reason, "sending the statement again on a fresh connection");
            telemetry::retry();
            first = false;
        }
    }

    /// A connection, tried again while the reason that there is none may pass.
    async fn checkout(&self, patience: &mut Patience<'_>) -> Result<Lease, String> {
        loop {
            let started = SystemTime::now();
            let outcome = self.pools.current().get().await;
            if outcome.as_ref().map_or(true, |object| Object::metrics(object).recycle_count == 0) {
                telemetry::call(Wait::DatabaseConnect, started, outcome.is_err());
                tracing::debug!(failed = outcome.is_err(), "connecting to the database");
            }
            match outcome {
                Ok(object) => return Ok(Lease::new(object)),
                Err(error) if patience.allows(Refusal::of(&error)).await => {}
                Err(error) => return Err(describe_pool(&error)),
            }
        }
    }
}

/// What a request still does about a database that gives it no session.
struct Patience<'a> {
    pauses: std::array::IntoIter<Duration, 3>,
    /// Asked once for another login.
    settings: Option<&'a Settings>,
}

impl<'a> Patience<'a> {
    fn new(settings: Option<&'a Settings>) -> Self {
        Self { pauses: CONNECT_PAUSES.into_iter(), settings }
    }

    /// Whether to try again, once what can be done about the refusal is done.
    async fn allows(&mut self, refusal: Refusal) -> bool {
        if matches!(refusal, Refusal::Login | Refusal::PerhapsLogin) && self.renew().await {
            return true;
        }
        if matches!(refusal, Refusal::Passing | Refusal::PerhapsLogin)
            && let Some(pause) = self.pauses.next()
        {
            telemetry::retry();
            sleep(pause).await;
            return true;
        }
        false
    }

    /// Has the settings read again, for another login, and says whether that was not done before.
    async fn renew(&mut self) -> bool {
        let Some(settings) = self.settings.take() else { return false };
        settings.refresh(REFUSED_AGE).await;
        true
    }
}

/// A sending that did nothing; what an earlier one did may be another matter.
fn not_run(reason: String, doubtful: bool) -> DatabaseError {
    if doubtful { DatabaseError::Unanswered(reason) } else { DatabaseError::Unavailable(reason) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    /// The first that a server without TLS hears of a login.
    async fn heard(url: impl FnOnce(u16) -> String) -> Vec<u8> {
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let database =
            Database::new(&url(server.local_addr().unwrap().port()).parse().unwrap(), 1).unwrap();
        let serve = async {
            let (mut client, _) = server.accept().await.unwrap();
            let mut heard = vec![0; 8];
            client.read_exact(&mut heard).await.unwrap();
            // There is no TLS here.
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
        // An address of this machine that counts as one of another.
        let remote = |query: &str| {
            let query = query.to_owned();
            move |port| format!("postgres://somebody:HUSH@0.0.0.0:{port}/tasks{query}")
        };
        for query in ["", "?sslmode=prefer", "?sslmode=allow", "?sslmode=require"] {
            assert_eq!(heard(remote(query)).await.len(), 8, "{query}: no more than the question");
        }
        let heard = heard(remote("?sslmode=disable")).await;
        assert!(heard.windows(8).any(|bytes| bytes == b"somebody"));
    }
}
