//! The settings of a running function: refreshed as they age, and published to what depends on
//! them.
#[cfg(feature = "secrets-manager")]
mod aws_http;
mod config;
mod database_url;
mod error;
mod secret_list;
#[cfg(feature = "secrets-manager")]
mod secrets_manager;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use futures_util::future::BoxFuture;
use tokio::sync::{Mutex, MutexGuard, watch};
use tokio::time::timeout;

pub use self::config::{AuthConfig, Config, PublicKeys, Use};
pub use self::database_url::{DatabaseUrl, InvalidUrl};
pub use self::error::SettingsError;
pub use self::secret_list::SecretList;
use crate::telemetry;

/// The age at which the secret in Secrets Manager is read again. A withdrawn secret may be accepted
/// that long.
const MAX_AGE: Duration = Duration::from_mins(5);
/// Settings older than this, as in a sandbox that was frozen for long, are not used during a
/// refresh.
const OUTDATED: Duration = Duration::from_mins(10);
/// The minimum age for a refresh after a refused token or login.
pub(crate) const REFUSED_AGE: Duration = Duration::from_secs(10);
/// For a refresh while a request waits.
const REFRESH_LIMIT: Duration = Duration::from_secs(2);

/// The settings of the process.
pub(crate) struct Settings {
    current: watch::Sender<Arc<Config>>,
    /// Reads them again, if they may change.
    source: Option<Source>,
    /// When they were read, by the wall clock; locked during a refresh.
    read: Mutex<SystemTime>,
    /// Whether the settings being refreshed are outdated.
    outdated: AtomicBool,
}

type Source = Box<dyn Fn() -> BoxFuture<'static, Result<Config, SettingsError>> + Send + Sync>;

impl Settings {
    /// Reads the settings of this process.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub(crate) async fn load() -> Result<Self, SettingsError> {
        let config = Config::load().await?;
        let source = || -> Source { Box::new(|| Box::pin(Config::load())) };
        Ok(Self::new(config, Config::may_change().then(source)))
    }

    /// Settings that `source` refreshes; without one, they never change.
    pub(crate) fn new(config: Config, source: Option<Source>) -> Self {
        Self {
            current: watch::Sender::new(Arc::new(config)),
            source,
            // Old enough that the first token with an unknown secret causes a refresh at once.
            read: Mutex::new(SystemTime::now() - REFUSED_AGE),
            outdated: AtomicBool::new(false),
        }
    }

    /// The current settings, and their changes.
    pub(crate) fn watch(&self) -> watch::Receiver<Arc<Config>> {
        self.current.subscribe()
    }

    /// Refreshes the settings once they are old. During a refresh, other requests use the current
    /// ones, unless these are outdated.
    pub(crate) async fn keep_fresh(&self) {
        let Some(source) = &self.source else { return };
        match self.read.try_lock() {
            Ok(read) => self.read_again(source, read, MAX_AGE).await,
            Err(_) if self.outdated.load(Ordering::Relaxed) => self.refresh(MAX_AGE).await,
            Err(_) => {}
        }
    }

    /// Refreshes settings at least as old as `age`, for a request that cannot continue with them.
    pub(crate) async fn refresh(&self, age: Duration) {
        if let Some(source) = &self.source {
            self.read_again(source, self.read.lock().await, age).await;
        }
    }

    /// If it fails, the current settings stay.
    async fn read_again(
        &self,
        source: &Source,
        mut read: MutexGuard<'_, SystemTime>,
        age: Duration,
    ) {
        // After the clock was set back, their age is unknown.
        let since = read.elapsed().unwrap_or(OUTDATED);
        if since < age {
            return;
        }
        self.outdated.store(since >= OUTDATED, Ordering::Relaxed);
        *read = SystemTime::now();
        let failure = match timeout(REFRESH_LIMIT, source()).await {
            Ok(Ok(config)) => {
                self.current.send_replace(Arc::new(config));
                None
            }
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => Some("Secrets Manager did not answer in time".to_owned()),
        };
        telemetry::settings(*read);
        if let Some(reason) = failure {
            tracing::error!(reason, "the settings could not be refreshed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;
    use tokio::join;
    use tokio::time::{Instant, sleep};

    fn config(issuer: usize) -> Config {
        let config = Config::parse(Use::Local, |name| match name {
            "BETTER_AUTH_SECRET" => Some("0123456789abcdef0123456789abcdef".into()),
            "DATABASE_URL" => Some("postgres://127.0.0.1:1/none".into()),
            "JWT_ISSUER" => Some(issuer.to_string()),
            _ => None,
        });
        config.unwrap()
    }

    /// Settings whose source takes a second, and whose issuer counts the reads.
    fn slow() -> Settings {
        let asked = Arc::new(AtomicUsize::new(0));
        let source = move || -> BoxFuture<'static, _> {
            let asked = asked.fetch_add(1, Ordering::Relaxed) + 1;
            Box::pin(async move {
                sleep(Duration::from_secs(1)).await;
                Ok(config(asked))
            })
        };
        Settings::new(config(0), Some(Box::new(source)))
    }

    fn issuer(settings: &Settings) -> String {
        settings.watch().borrow().auth.issuer.clone().unwrap()
    }

    async fn timed(work: impl Future<Output = ()>) -> Duration {
        let started = Instant::now();
        work.await;
        started.elapsed()
    }

    #[tokio::test]
    async fn one_reads_old_settings_again_and_nobody_else_waits() {
        let settings = slow();
        *settings.read.lock().await -= MAX_AGE;
        let (one, other, refused) = join!(
            timed(settings.keep_fresh()),
            timed(settings.keep_fresh()),
            timed(settings.refresh(REFUSED_AGE)),
        );
        assert!(one >= Duration::from_secs(1));
        assert!(other < Duration::from_millis(500), "{other:?}");
        // Requests that need new settings wait for them, and read them only once.
        assert!(refused >= Duration::from_secs(1));
        assert_eq!(issuer(&settings), "1");
        assert!(timed(settings.keep_fresh()).await < Duration::from_millis(500));
        assert_eq!(issuer(&settings), "1");
    }

    #[tokio::test]
    async fn nobody_goes_on_with_settings_that_are_outdated() {
        let settings = slow();
        *settings.read.lock().await -= OUTDATED;
        let (one, other) = join!(timed(settings.keep_fresh()), timed(settings.keep_fresh()));
        assert!(one.min(other) >= Duration::from_secs(1), "{one:?}, {other:?}");
        assert_eq!(issuer(&settings), "1", "read once");
    }

    #[tokio::test]
    async fn settings_that_cannot_be_read_again_stay() {
        let fails: Source = Box::new(|| Box::pin(async { Config::parse(Use::Stage, |_| None) }));
        for source in [None, Some(fails)] {
            let settings = Settings::new(config(0), source);
            settings.refresh(Duration::ZERO).await;
            assert_eq!(issuer(&settings), "0");
        }
    }
}
