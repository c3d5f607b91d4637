//! The state of the handlers.
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use crate::auth::{Authenticator, Owner};
use crate::database::Database;
use crate::http::{Problem, Request};
use crate::settings::Settings;
use crate::tasks::TaskStore;

/// The most requests that one sandbox serves at once, if it serves several (Lambda Managed
/// Instances).
const CONCURRENCY: &str = "AWS_LAMBDA_MAX_CONCURRENCY";
/// Beyond this, requests queue in the database instead of for a connection.
const MOST_CONNECTIONS: usize = 16;
/// For the connection that is opened before the first request.
const WARM_UP_LIMIT: Duration = Duration::from_secs(3);

/// The state of the handlers.
pub struct App {
    /// The task store.
    pub tasks: TaskStore,
    authenticator: Authenticator,
}

impl App {
    /// Reads the settings and opens the database connection.
    pub(crate) async fn start() -> Result<&'static Self, String> {
        let settings = Settings::load().await.map_err(|error| error.to_string())?;
        // It lives as long as the process.
        let app: &'static Self = Box::leak(Box::new(Self::new(settings)?));
        // After this time, the first request continues the connection attempt: Lambda ends an init
        // after 10 s.
        let _ = timeout(WARM_UP_LIMIT, app.tasks.warm_up()).await;
        Ok(app)
    }

    pub(crate) fn new(settings: Settings) -> Result<Self, String> {
        let settings = Arc::new(settings);
        let tasks = TaskStore::new(Database::of(settings.clone(), connections())?);
        Ok(Self { tasks, authenticator: Authenticator::new(settings) })
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
