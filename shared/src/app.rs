//! What a handler has at hand.
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use crate::auth::{Authenticator, Owner};
use crate::database::Database;
use crate::http::{Problem, Request};
use crate::settings::Settings;
use crate::tasks::TaskStore;

/// How many requests Lambda sends a sandbox at once, where it sends more than one: Lambda Managed Instances.
const CONCURRENCY: &str = "AWS_LAMBDA_MAX_CONCURRENCY";
/// With more, requests wait for each other in the database instead of for a connection.
const MOST_CONNECTIONS: usize = 16;
/// For the connection that is opened ahead of the first request.
const WARM_UP_LIMIT: Duration = Duration::from_secs(3);

/// What a handler has at hand.
pub struct App {
    /// The tasks.
    pub tasks: TaskStore,
    authenticator: Authenticator,
}

impl App {
    /// Reads the settings and opens the database connection.
    pub(crate) async fn start() -> Result<&'static Self, String> {
        let settings = Settings::load().await.map_err(|error| error.to_string())?;
        // It lives as long as the process does.
        let app: &'static Self = Box::leak(Box::new(Self::new(settings)?));
        // Without an answer by then, the first request goes on with it: Lambda ends a start after 10 s.
        let _ = timeout(WARM_UP_LIMIT, app.tasks.warm_up()).await;
        Ok(app)
    }

    pub(crate) fn new(settings: Settings) -> Result<Self, String> {
        let settings = Arc::new(settings);
        let tasks = TaskStore::new(Database::of(settings.clone(), connections())?);
        Ok(Self { tasks, authenticator: Authenticator::new(settings) })
    }

    /// Whose a request is.
    pub(crate) async fn owner(&self, request: &Request) -> Result<Owner, Problem> {
        let token = request.bearer_token()?;
        Ok(self.authenticator.owner(token, request.path_user()).await?)
    }
}

/// A connection for each request that may be served at once, up to a number.
fn connections() -> usize {
    let concurrency = std::env::var(CONCURRENCY).ok().and_then(|count| count.parse().ok());
    concurrency.unwrap_or(1).clamp(1, MOST_CONNECTIONS)
}
