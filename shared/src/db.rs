//! The database connection: URL, TLS, pool, time limits, and what is done when it breaks.
use std::borrow::Cow;
use std::error::Error as _;
use std::io::ErrorKind;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use deadpool_postgres::{Hook, HookError, Manager, Object, Pool, PoolError, Runtime};
use futures_util::future::join4;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, pem::PemObject};
use rustls::{ClientConfig, RootCertStore};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_postgres::config::{Host, SslMode, SslNegotiation};
use tokio_postgres::error::{DbError, Severity, SqlState};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Config, Error as PgError, NoTls, Row};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::auth::Owner;
use crate::problem::Problem;
use crate::settings::{REFUSED_AGE, Settings};
use crate::telemetry::{self, DatabaseTime};

/// From the first packet to a session: DNS, TCP, TLS, SCRAM, and a sleeping Neon that wakes.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// For a free connection of the pool.
const CHECKOUT_LIMIT: Duration = Duration::from_secs(2);
/// For one statement and its rows. The server gives up a second before, so that we hear from it.
const STATEMENT_LIMIT: Duration = Duration::from_secs(5);
/// A connection unused for longer is asked whether it lives: Lambda freezes a sandbox between
/// requests, and what dies meanwhile dies unseen.
const IDLE_UNCHECKED: Duration = Duration::from_secs(5);
/// For the answer to that question.
const CHECK_LIMIT: Duration = Duration::from_secs(1);
/// The role of each request: it may do what the six operations need and nothing else.
pub const DATABASE_ROLE: &str = "task_api";
/// Begins each request's transaction: the role, the user whose rows it sees, and limits, so that a
/// client that is gone holds no lock. All of it ends with the transaction, also where a pooler gives
/// the connection to somebody else next.
const IDENTIFY: &str = "
    SELECT set_config('role', $1, true),
           set_config('task_api.user_id', $2, true),
           set_config('statement_timeout', '4s', true),
           set_config('idle_in_transaction_session_timeout', '4s', true)";
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
    /// Asked again where the server refuses the login, which may be another one by now.
    settings: Option<Arc<Settings>>,
    target: Mutex<Target>,
    connections: usize,
    /// When a connection was last used, by the wall clock: the monotonic one may stand still in a
    /// frozen sandbox.
    last_used: Arc<AtomicU64>,
}

/// What is connected to.
struct Target {
    url: SecretString,
    pool: Pool,
    /// Where another URL may come from.
    config: Option<watch::Receiver<Arc<crate::config::Config>>>,
}

impl Database {
    /// A pool of at most `connections`; nothing is connected yet.
    ///
    /// # Errors
    /// What is wrong with `url`, to be read after its name, without any of its secrets.
    pub fn new(url: &SecretString, connections: usize) -> Result<Self, String> {
        let last_used = Arc::new(AtomicU64::new(0));
        let pool = pool(url, connections, &last_used)?;
        let target = Mutex::new(Target { url: url.clone(), pool, config: None });
        Ok(Self { settings: None, target, connections, last_used })
    }

    /// As [`Database::new`], of the database that the settings name, now and whenever they change.
    pub(crate) fn of(settings: Arc<Settings>, connections: usize) -> Result<Self, String> {
        let mut config = settings.watch();
        let url = config.borrow_and_update().database_url.clone();
        let mut database = Self::new(&url, connections)?;
        database.target.get_mut().unwrap_or_else(PoisonError::into_inner).config = Some(config);
        Ok(Self { settings: Some(settings), ..database })
    }

    fn pool(&self) -> Pool {
        let mut target = self.target.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = |config: &watch::Receiver<_>| config.has_changed().unwrap_or_default();
        if let Some(config) = target.config.as_mut().filter(|config| changed(config)) {
            let url = config.borrow_and_update().database_url.clone();
            if url.expose_secret() != target.url.expose_secret() {
                match pool(&url, self.connections, &self.last_used) {
                    Ok(pool) => {
                        tracing::info!("the database is another from now on");
                        (target.url, target.pool) = (url, pool);
                    }
                    Err(reason) => tracing::error!(reason, "DATABASE_URL cannot be used"),
                }
            }
        }
        target.pool.clone()
    }

    /// A connection of one's own, for what is not a task operation: migrations, a check at start.
    ///
    /// # Errors
    /// Why there is none, without any secret.
    pub async fn connection(&self) -> Result<Object, String> {
        let connection = self.pool().get().await.map_err(|error| describe_pool(&error))?;
        self.last_used.store(seconds(), Ordering::Relaxed);
        Ok(connection)
    }

    /// Runs one statement for its owner, in one network round trip, and returns its rows.
    ///
    /// After the connection broke, it is sent once more where the server says that it did not run,
    /// or where `repeat` is [`Repeat::Safe`].
    pub(crate) async fn query(
        &self,
        owner: &Owner,
        repeat: Repeat,
        sql: &str,
        params: &[(&(dyn ToSql + Sync), Type)],
    ) -> Result<Vec<Row>, Problem> {
        let _time = DatabaseTime::start();
        let mut first = true;
        // Whether an earlier sending may have run.
        let mut doubtful = false;
        loop {
            let lease = self.checkout().await.map_err(|reason| undone(reason, doubtful))?;
            let sent = SystemTime::now();
            // Boxed, since it would make every future above it four statements larger.
            let work = Box::pin(lease.run(owner, sql, params));
            let answer = timeout(STATEMENT_LIMIT, work).await;
            telemetry::call("PostgreSQL statement", sent, !matches!(answer, Ok(Ok(_))));
            let Ok(answer) = answer else {
                return Err(Problem::unanswered("the statement took too long"));
            };
            let failure = match answer {
                Ok(rows) => {
                    lease.settle(&self.last_used);
                    return Ok(rows);
                }
                Err(failure) => failure,
            };
            let reason = describe(&failure.error);
            match failure.fate() {
                Fate::Refused => {
                    lease.settle(&self.last_used);
                    return Err(Problem::internal(reason));
                }
                Fate::Undone if first => {}
                Fate::Unknown if first && repeat == Repeat::Safe => doubtful = true,
                Fate::Unknown => return Err(Problem::unanswered(reason)),
                Fate::Undone | Fate::Exhausted => return Err(undone(reason, doubtful)),
            }
            tracing::warn!(reason, "sending the statement again on a fresh connection");
            telemetry::retry();
            first = false;
        }
    }

    /// A connection, tried again while the reason that there is none may pass.
    async fn checkout(&self) -> Result<Lease, String> {
        let mut pauses = CONNECT_PAUSES.into_iter();
        let mut settings = self.settings.as_ref();
        loop {
            let started = SystemTime::now();
            let outcome = self.pool().get().await;
            if outcome.as_ref().map_or(true, |object| Object::metrics(object).recycle_count == 0) {
                telemetry::call("PostgreSQL connect", started, outcome.is_err());
                tracing::debug!(failed = outcome.is_err(), "connecting to the database");
            }
            let error = match outcome {
                Ok(object) => return Ok(Lease(Some(object))),
                Err(error) => error,
            };
            if is_refused_login(&error)
                && let Some(settings) = settings.take()
            {
                settings.refresh(REFUSED_AGE).await;
                continue;
            }
            match pauses.next() {
                Some(pause) if is_passing(&error) => {
                    telemetry::retry();
                    sleep(pause).await;
                }
                _ => return Err(describe_pool(&error)),
            }
        }
    }
}

fn pool(
    url: &SecretString,
    connections: usize,
    last_used: &Arc<AtomicU64>,
) -> Result<Pool, String> {
    let (config, tls) = parse_url(url.expose_secret())?;
    let manager = match tls {
        None => Manager::new(config, NoTls),
        Some(roots) => {
            let mut tls = client_config(&roots)?;
            if config.get_ssl_negotiation() == SslNegotiation::Direct {
                // Without it, the server takes the connection for one of another protocol.
                tls.alpn_protocols = vec![b"postgresql".to_vec()];
            }
            Manager::new(config, MakeRustlsConnect::new(tls))
        }
    };
    Pool::builder(manager)
        .max_size(connections)
        .runtime(Runtime::Tokio1)
        .wait_timeout(Some(CHECKOUT_LIMIT))
        .create_timeout(Some(CONNECT_LIMIT))
        .recycle_timeout(Some(CHECK_LIMIT))
        .pre_recycle(check_after_idling(last_used.clone()))
        .build()
        .map_err(|error| error.to_string())
}

/// A connection in use. Dropped before [`Lease::settle`], as when a time limit passes, it is
/// closed: the answer to its statement may still be on its way.
struct Lease(Option<Object>);

impl Lease {
    /// A transaction of one statement, all of it sent before the first answer is awaited.
    async fn run(
        &self,
        owner: &Owner,
        sql: &str,
        params: &[(&(dyn ToSql + Sync), Type)],
    ) -> Result<Vec<Row>, Failure> {
        let Some(connection) = &self.0 else { return Ok(Vec::new()) };
        // Polled in this order, and so sent in it.
        let (begun, identified, rows, committed) = join4(
            connection.batch_execute("BEGIN"),
            connection
                .query_typed(IDENTIFY, &[(&DATABASE_ROLE, Type::TEXT), (&owner.id(), Type::TEXT)]),
            connection.query_typed(sql, params),
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
    fn settle(mut self, last_used: &AtomicU64) {
        last_used.store(seconds(), Ordering::Relaxed);
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

fn seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

fn check_after_idling(last_used: Arc<AtomicU64>) -> Hook {
    Hook::async_fn(move |client, metrics| {
        let slept = seconds().saturating_sub(last_used.load(Ordering::Relaxed));
        let idle = metrics.last_used().max(Duration::from_secs(slept));
        Box::pin(async move {
            if idle < IDLE_UNCHECKED {
                return Ok(());
            }
            match timeout(CHECK_LIMIT, client.check_connection()).await {
                Ok(Ok(())) => Ok(()),
                Ok(Err(error)) => Err(HookError::Backend(error)),
                Err(_) => Err(HookError::message("the idle connection did not answer")),
            }
        })
    })
}

/// How a transaction of one statement ended in an error.
struct Failure {
    error: PgError,
    /// Whether nothing of it stays, if this is the server's own word.
    rolled_back: bool,
}

/// A sending that did nothing; what an earlier one did may be another matter.
fn undone(reason: String, doubtful: bool) -> Problem {
    if doubtful { Problem::unanswered(reason) } else { Problem::unavailable(reason) }
}

/// What became of the statement.
enum Fate {
    /// The server refused it as it is; the connection is fine.
    Refused,
    /// The server says that it did not run, and that another attempt may succeed.
    Undone,
    /// The server says that it did not run, for want of time or room.
    Exhausted,
    /// The connection broke: it may have run or not.
    Unknown,
}

impl Failure {
    fn fate(&self) -> Fate {
        let Some(code) = self.error.code() else { return Fate::Unknown };
        match code.code().get(..2) {
            // Transaction rollback.
            Some("40") => Fate::Undone,
            // Connection exception. And a server that goes down as it commits may have done so.
            Some("08") => Fate::Unknown,
            _ if !self.rolled_back => Fate::Unknown,
            _ if *code == SqlState::QUERY_CANCELED => Fate::Exhausted,
            // Operator intervention. A read-only transaction, on what a failover made a replica;
            // one that idled, since the rest of it did not arrive.
            Some("57" | "25") => Fate::Undone,
            // Insufficient resources; object not in the right state; system error.
            Some("53" | "55" | "58") => Fate::Exhausted,
            _ => Fate::Refused,
        }
    }
}

/// Whether the server says that it ends the session, and so did nothing that came after.
fn ends_session(error: &PgError) -> bool {
    let severity = error.as_db_error().and_then(DbError::parsed_severity);
    matches!(severity, Some(Severity::Fatal | Severity::Panic))
}

/// Whether a connection may be had a moment later: a server that starts, restarts or is full.
fn is_passing(error: &PoolError) -> bool {
    const PASSING: [ErrorKind; 5] = [
        ErrorKind::ConnectionRefused,
        ErrorKind::ConnectionReset,
        ErrorKind::ConnectionAborted,
        ErrorKind::BrokenPipe,
        ErrorKind::UnexpectedEof,
    ];
    let PoolError::Backend(error) = error else { return false };
    if let Some(code) = error.code() {
        return [
            SqlState::CANNOT_CONNECT_NOW,
            SqlState::TOO_MANY_CONNECTIONS,
            SqlState::ADMIN_SHUTDOWN,
            SqlState::CRASH_SHUTDOWN,
        ]
        .contains(code);
    }
    let io = error.source().and_then(|source| source.downcast_ref::<std::io::Error>());
    error.is_closed() || io.is_some_and(|io| PASSING.contains(&io.kind()))
}

/// Whether the server knows the user or the password no longer.
fn is_refused_login(error: &PoolError) -> bool {
    let PoolError::Backend(error) = error else { return false };
    let refusals = [SqlState::INVALID_PASSWORD, SqlState::INVALID_AUTHORIZATION_SPECIFICATION];
    error.code().is_some_and(|code| refusals.contains(code))
}

/// An error for the log: what and why, but no value of a row, which may be a task's text.
fn describe(error: &PgError) -> String {
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

fn describe_pool(error: &PoolError) -> String {
    match error {
        PoolError::Backend(error) => describe(error),
        PoolError::Timeout(_) => "no connection within the time limit".to_owned(),
        other => other.to_string(),
    }
}

/// Whose certificates a server may show.
enum Roots {
    Web,
    File(PathBuf),
}

/// Says what is wrong with a URL, if anything.
pub(crate) fn check_url(url: &SecretString) -> Result<(), String> {
    match parse_url(url.expose_secret())?.1 {
        Some(roots) => client_config(&roots).map(drop),
        None => Ok(()),
    }
}

/// Reads a URL as Neon's console prints it. `tokio-postgres` knows neither `sslrootcert` nor
/// the stricter values of `sslmode`, so these two are taken out before it reads the rest.
fn parse_url(url: &str) -> Result<(Config, Option<Roots>), String> {
    if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
        return Err("is not a postgres:// URL".to_owned());
    }
    let (base, query) = url.split_once('?').unwrap_or((url, ""));
    let mut mode: Option<Cow<str>> = None;
    let mut roots = Roots::Web;
    let mut rest = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, raw) = pair.split_once('=').unwrap_or((pair, ""));
        let value = percent_encoding::percent_decode_str(raw).decode_utf8_lossy();
        match name {
            "sslmode" => mode = Some(value),
            "sslrootcert" if value == "system" => roots = Roots::Web,
            "sslrootcert" => roots = Roots::File(value.as_ref().into()),
            _ => rest.push(pair),
        }
    }
    let mut config: Config = format!("{base}?{}", rest.join("&"))
        .parse()
        .map_err(|error: PgError| format!("cannot be read: {}", describe(&error)))?;
    if config.get_hosts().is_empty() {
        return Err("names no host".to_owned());
    }
    let ssl_mode = match mode.as_deref() {
        Some("disable") => SslMode::Disable,
        // A server of one's own machine need not have a certificate that can be verified.
        None | Some("prefer" | "allow") if config.get_hosts().iter().all(is_local) => {
            SslMode::Disable
        }
        // Not as libpq, which goes on in the clear where somebody on the way says that there is no TLS.
        None | Some("prefer" | "allow" | "require" | "verify-ca" | "verify-full") => {
            SslMode::Require
        }
        Some("no-verify") => {
            return Err("asks for sslmode=no-verify, TLS with anybody: name the server's CA in \
                        sslrootcert, or say sslmode=disable"
                .to_owned());
        }
        Some(other) => return Err(format!("has an unknown sslmode, {other:?}")),
    };
    config.ssl_mode(ssl_mode).connect_timeout(CONNECT_LIMIT);
    if config.get_application_name().is_none() {
        // What an operator reads in pg_stat_activity.
        config.application_name(std::env::var("AWS_LAMBDA_FUNCTION_NAME").unwrap_or_default());
    }
    Ok((config, (ssl_mode != SslMode::Disable).then_some(roots)))
}

fn is_local(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => {
            name == "localhost" || name.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
        }
        Host::Unix(_) => true,
    }
}

fn client_config(roots: &Roots) -> Result<ClientConfig, String> {
    let mut provider = ring::default_provider();
    // The first is what we offer a key for: PostgreSQL before 18 takes no other unless it is told to,
    // and would ask for this one, a round trip later.
    provider.kx_groups =
        vec![ring::kx_group::SECP256R1, ring::kx_group::X25519, ring::kx_group::SECP384R1];
    let builder = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    let store = match roots {
        Roots::Web => webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect(),
        Roots::File(path) => read_roots(path)?,
    };
    Ok(builder.with_root_certificates(store).with_no_client_auth())
}

fn read_roots(path: &Path) -> Result<RootCertStore, String> {
    let fault = |reason: &dyn std::fmt::Display| {
        format!("names an sslrootcert that cannot be read, {}: {reason}", path.display())
    };
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(|e| fault(&e))? {
        store.add(certificate.map_err(|e| fault(&e))?).map_err(|e| fault(&e))?;
    }
    if store.is_empty() { Err(fault(&"it holds no certificate")) } else { Ok(store) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use tokio_postgres::config::ChannelBinding;

    fn parse(url: &str) -> (Config, Option<Roots>) {
        parse_url(url).unwrap_or_else(|fault| panic!("{url}: {fault}"))
    }

    #[test]
    fn a_url_is_read_as_neon_prints_it() {
        let (config, roots) = parse(
            "postgresql://alex:AbC123dEf@ep-cool-darkness-123456-pooler.us-east-2.aws.neon.tech/dbname?sslmode=require&channel_binding=require",
        );
        assert_eq!(config.get_ssl_mode(), SslMode::Require);
        assert_eq!(config.get_channel_binding(), ChannelBinding::Require);
        assert_eq!(config.get_password(), Some(b"AbC123dEf".as_slice()));
        assert!(matches!(roots, Some(Roots::Web)));
    }

    #[test]
    fn every_sslmode_of_libpq_is_known() {
        for (url, mode) in [
            ("postgres://h/d?sslmode=disable", SslMode::Disable),
            ("postgres://h/d?sslmode=prefer", SslMode::Require),
            ("postgres://h/d?sslmode=allow", SslMode::Require),
            ("postgres://h/d", SslMode::Require),
            ("postgres://192.0.2.1/d", SslMode::Require),
            ("postgres://localhost.example/d", SslMode::Require),
            ("postgres:///d?host=localhost,h", SslMode::Require),
            ("postgres://[::1]/d", SslMode::Disable),
            ("postgres://localhost/d", SslMode::Disable),
            ("postgres://127.0.0.1/d?sslmode=prefer", SslMode::Disable),
            ("postgres:///d?host=/var/run/postgresql", SslMode::Disable),
            ("postgres://localhost/d?sslmode=require", SslMode::Require),
            ("postgres://h/d?sslmode=verify-ca", SslMode::Require),
            ("postgres://h/d?application_name=x&sslmode=verify-full", SslMode::Require),
        ] {
            let (config, roots) = parse(url);
            assert_eq!(config.get_ssl_mode(), mode, "{url}");
            assert_eq!(roots.is_some(), mode != SslMode::Disable, "{url}");
        }
    }

    /// The first that a server without TLS hears of a login.
    async fn heard(url: impl FnOnce(u16) -> String) -> Vec<u8> {
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let database = Database::new(&url(server.local_addr().unwrap().port()).into(), 1).unwrap();
        let serve = async {
            let (mut client, _) = server.accept().await.unwrap();
            let mut heard = vec![0; 8];
            client.read_exact(&mut heard).await.unwrap();
            // There is no TLS here.
            client.write_all(b"N").await.unwrap();
            client.read_to_end(&mut heard).await.unwrap();
            heard
        };
        let (heard, connected) = tokio::join!(serve, timeout(CHECK_LIMIT, database.connection()));
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

    #[test]
    fn a_private_ca_is_named_by_sslrootcert() {
        let (_, roots) =
            parse("postgres://h/d?sslmode=verify-full&sslrootcert=%2Fca%20dir%2Fca.pem");
        assert!(matches!(roots, Some(Roots::File(path)) if path == Path::new("/ca dir/ca.pem")));
        let missing = "postgres://h/d?sslmode=require&sslrootcert=/nowhere/ca.pem";
        assert!(check_url(&missing.into()).unwrap_err().contains("/nowhere/ca.pem"));
        assert!(check_url(&"postgres://h/d?sslmode=require&sslrootcert=system".into()).is_ok());
    }

    #[test]
    fn a_bad_url_is_refused_without_its_password() {
        for url in [
            "",
            "mysql://u:HUSH@h/d",
            "host=h password=HUSH",
            "postgres://u:HUSH@h:x/d",
            "postgres://u:HUSH@h/d?sslmode=maybe",
            "postgres://u:HUSH@h/d?sslmode=no-verify",
            "postgres://u:HUSH@h/d?pgbouncer=true",
        ] {
            let fault = parse_url(url).err().unwrap_or_else(|| panic!("{url} was read"));
            assert!(!fault.contains("HUSH"), "{fault}");
        }
    }
}
