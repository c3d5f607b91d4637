//! The state of a function: the product's, and what the platform adds.
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use crate::auth::{Authenticator, Owner};
use crate::database::Database;
use crate::http::{Problem, Request};
use crate::settings::Settings;

/// The most requests that one sandbox serves at once, if it serves several (Lambda Managed
/// Instances).
const CONCURRENCY: &str = "AWS_LAMBDA_MAX_CONCURRENCY";
/// Beyond this, requests queue in the database instead of for a connection.
const MOST_CONNECTIONS: usize = 16;
/// For the connection that is opened before the first request.
const WARM_UP_LIMIT: Duration = Duration::from_secs(3);

/// What a handler has at hand: the product's resources.
pub trait App: Send + Sync + 'static {
    /// The CloudWatch namespace of the metrics.
    const METRICS: &'static str;

    /// The resources, in this database.
    fn new(database: Arc<Database>) -> Self;
}

/// The product's state, and who may use it.
pub(crate) struct Platform<A> {
    pub(crate) app: A,
    database: Arc<Database>,
    authenticator: Authenticator,
}

impl<A: App> Platform<A> {
    /// Reads the settings and opens the database connection.
    pub(crate) async fn start() -> Result<&'static Self, String> {
        let settings = Settings::load().await.map_err(|error| error.to_string())?;
        // It lives as long as the process.
        let platform: &'static Self = Box::leak(Box::new(Self::new(settings)?));
        // After this time, the first request continues the connection attempt: Lambda ends an init
        // after 10 s.
        let _ = timeout(WARM_UP_LIMIT, platform.warm_up()).await;
        Ok(platform)
    }

    pub(crate) fn new(settings: Settings) -> Result<Self, String> {
        let settings = Arc::new(settings);
        let database = Arc::new(Database::of(settings.clone(), connections())?);
        let app = A::new(database.clone());
        Ok(Self { app, database, authenticator: Authenticator::new(settings) })
    }

    /// Connects before the first request; if that fails, the first request tries again.
    async fn warm_up(&self) {
        if let Err(reason) = self.database.connection().await {
            tracing::warn!(reason, "no database connection at start");
        }
    }

    /// Authenticates a request.
    pub(crate) async fn owner(&self, request: &Request) -> Result<Owner, Problem> {
        let token = request.bearer_token()?;
        Ok(self.authenticator.owner(token, request.path_user()).await?)
    }
}

/// One connection for each request that may be served at once, up to a limit.
fn connections() -> usize {
    let concurrency = std::env::var(CONCURRENCY).ok().and_then(|count| count.parse().ok());
    concurrency.unwrap_or(1).clamp(1, MOST_CONNECTIONS)
}

/// States the resources of a product, each with its store: makes the `App` that handlers take, and
/// `statements`, which lists every statement that they run.
#[macro_export]
macro_rules! app {
    (metrics: $metrics:literal, role: $role:expr, $($field:ident: $store:ty),+ $(,)?) => {
        /// What a handler has at hand.
        pub struct App {
            /// What all resources have of a user.
            pub account: $crate::Account,
            $(
                #[doc = concat!("The ", stringify!($field), " of all users.")]
                pub $field: $store,
            )+
        }

        /// The tables of the resources.
        pub const TABLES: &[&str] =
            &[$(<<$store as $crate::ResourceStore>::Of as $crate::Record>::TABLE),+];

        static ERASE: std::sync::LazyLock<$crate::Statement> = std::sync::LazyLock::new(|| {
            $crate::Account::statement($role, TABLES)
        });

        impl $crate::App for App {
            const METRICS: &'static str = $metrics;

            fn new(database: std::sync::Arc<$crate::Database>) -> Self {
                Self {
                    account: $crate::Account::new(database.clone(), &ERASE),
                    $($field: <$store as $crate::ResourceStore>::new(database.clone()),)+
                }
            }
        }

        /// Every statement that the functions run.
        #[must_use]
        pub fn statements() -> Vec<&'static $crate::Statement> {
            let mut statements: Vec<&'static $crate::Statement> = vec![&ERASE];
            $(statements.extend(<$store as $crate::ResourceStore>::statements());)+
            statements
        }

        /// The statement of this name.
        #[must_use]
        pub fn statement(name: &str) -> Option<&'static $crate::Statement> {
            statements().into_iter().find(|statement| statement.name == name)
        }
    };
}
