//! The connection pool: which database it connects to, and when an idle connection is checked.
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use deadpool_postgres::{Hook, HookError, Manager, Pool, Runtime};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_postgres::NoTls;
use tokio_postgres::config::SslNegotiation;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::settings::{Config, DatabaseUrl};
use crate::tls;

/// Includes DNS, TCP, TLS, SCRAM and a suspended Neon compute waking up.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// For a free connection in the pool.
const CHECKOUT_LIMIT: Duration = Duration::from_secs(2);
/// A connection idle for longer is checked before use: Lambda freezes a sandbox between requests,
/// and a connection that is closed meanwhile goes unnoticed.
const IDLE_UNCHECKED: Duration = Duration::from_secs(5);
/// For the answer to that check.
const CHECK_LIMIT: Duration = Duration::from_secs(1);

/// The pool of the current database.
pub(super) struct Pools {
    current: Mutex<Current>,
    connections: usize,
    last_used: LastUsed,
}

struct Current {
    url: DatabaseUrl,
    pool: Pool,
    /// Delivers a changed URL.
    config: Option<watch::Receiver<Arc<Config>>>,
}

impl Pools {
    /// A pool for one fixed database.
    pub(super) fn new(url: &DatabaseUrl, connections: usize) -> Result<Self, String> {
        let last_used = LastUsed::default();
        let pool = pool(url, connections, &last_used)?;
        let current = Mutex::new(Current { url: url.clone(), pool, config: None });
        Ok(Self { current, connections, last_used })
    }

    /// A pool for the database that the settings name.
    pub(super) fn watch(
        mut config: watch::Receiver<Arc<Config>>,
        connections: usize,
    ) -> Result<Self, String> {
        let url = config.borrow_and_update().database_url.clone();
        let mut pools = Self::new(&url, connections)?;
        pools.current.get_mut().unwrap_or_else(PoisonError::into_inner).config = Some(config);
        Ok(pools)
    }

    /// The pool; a new one if the settings now name another database.
    pub(super) fn current(&self) -> Pool {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(url) = current.other_url() {
            match pool(&url, self.connections, &self.last_used) {
                Ok(pool) => {
                    tracing::info!("the database has changed");
                    (current.url, current.pool) = (url, pool);
                }
                Err(reason) => tracing::error!(reason, "the database cannot be used"),
            }
        }
        current.pool.clone()
    }

    pub(super) fn last_used(&self) -> &LastUsed {
        &self.last_used
    }
}

impl Current {
    fn other_url(&mut self) -> Option<DatabaseUrl> {
        let config = self.config.as_mut()?;
        if !config.has_changed().unwrap_or_default() {
            return None;
        }
        let url = config.borrow_and_update().database_url.clone();
        (url != self.url).then_some(url)
    }
}

fn pool(url: &DatabaseUrl, connections: usize, last_used: &LastUsed) -> Result<Pool, String> {
    let mut config = url.config().clone();
    config.connect_timeout(CONNECT_LIMIT);
    if config.get_application_name().is_none() {
        // Shown in `pg_stat_activity`.
        config.application_name(std::env::var("AWS_LAMBDA_FUNCTION_NAME").unwrap_or_default());
    }
    let manager = match url.roots() {
        None => Manager::new(config, NoTls),
        Some(roots) => {
            let mut tls = tls::client_config(roots)?;
            if config.get_ssl_negotiation() == SslNegotiation::Direct {
                // Direct TLS requires this ALPN protocol; without it the server rejects the
                // connection.
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

/// When a connection was last used, by the wall clock: the monotonic clock may stop while a sandbox
/// is frozen.
#[derive(Clone, Default)]
pub(super) struct LastUsed(Arc<AtomicU64>);

impl LastUsed {
    pub(super) fn touch(&self) {
        self.0.store(seconds(), Ordering::Relaxed);
    }

    fn elapsed(&self) -> Duration {
        Duration::from_secs(seconds().saturating_sub(self.0.load(Ordering::Relaxed)))
    }
}

fn seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

fn check_after_idling(last_used: LastUsed) -> Hook {
    Hook::async_fn(move |client, metrics| {
        let idle = metrics.last_used().max(last_used.elapsed());
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Use;

    fn config(url: &str) -> Arc<Config> {
        let config = Config::parse(Use::Local, |name| match name {
            "BETTER_AUTH_SECRET" => Some("0123456789abcdef0123456789abcdef".into()),
            "DATABASE_URL" => Some(url.into()),
            _ => None,
        });
        Arc::new(config.unwrap())
    }

    #[test]
    fn another_url_means_another_pool_and_the_same_one_none() {
        let (first, second) = ("postgres://a@127.0.0.1:1/d", "postgres://b@127.0.0.1:1/d");
        let settings = watch::Sender::new(config(first));
        let pools = Pools::watch(settings.subscribe(), 1).unwrap();
        let held = pools.current();
        settings.send_replace(config(first));
        pools.current().close();
        assert!(held.is_closed(), "the same pool");
        settings.send_replace(config(second));
        assert!(!pools.current().is_closed(), "another pool");
        let url = pools.current.lock().unwrap().url.clone();
        assert_eq!(url.user(), Some("b"));
    }
}
