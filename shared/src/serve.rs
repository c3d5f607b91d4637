//! The other half of every function's `main`: settings, the warm connection, the runtime loop.
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::FutureExt;
use lambda_http::http::Response;
use lambda_http::{Adapter, Body, RequestExt, service_fn, tracing::init_default_subscriber};
use tokio::time::timeout;

use crate::auth::{Owner, Verifier};
use crate::config::Config;
use crate::db::Database;
use crate::problem::Problem;
use crate::reply::Reply;
use crate::request::Request;
use crate::tasks::TaskStore;

/// Lambda runs one request at a time in a sandbox, so it needs one connection.
const CONNECTIONS: usize = 1;
/// The longest a request may take, whatever Lambda would allow.
const REQUEST_LIMIT: Duration = Duration::from_secs(8);
/// What is left of Lambda's time to send the answer.
const ANSWER_TIME: Duration = Duration::from_millis(500);

/// What a handler has at hand.
pub struct Api {
    /// The tasks.
    pub tasks: TaskStore,
    verifier: Verifier,
}

/// Why a function did not start. `main` prints it with `Debug`, so that is the message itself.
pub struct Error(String);

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error {
    fn new(reason: impl fmt::Display) -> Self {
        Self(reason.to_string())
    }
}

/// Runs a function: answers every event with what `handler` makes of it.
///
/// # Errors
/// Why the function cannot start: its settings, or a Runtime API that does not answer.
pub async fn serve<H, F>(handler: H) -> Result<(), Error>
where
    H: Fn(&'static Api, Owner, Request) -> F + Copy + Send + Sync + 'static,
    F: Future<Output = Result<Reply, Problem>> + Send + 'static,
{
    init_default_subscriber();
    log_panics();
    let config = Config::load().await.map_err(Error::new)?;
    let database = Database::new(&config.database_url, CONNECTIONS).map_err(Error::new)?;
    let api = Api { tasks: TaskStore::new(database), verifier: Verifier::new(&config.auth) };
    // It lives as long as the process does.
    let api: &'static Api = Box::leak(Box::new(api));
    api.tasks.warm_up().await;
    let service = service_fn(move |event| answer(api, handler, event));
    lambda_runtime::run(Adapter::from(service)).await.map_err(Error::new)
}

async fn answer<H, F>(
    api: &'static Api,
    handler: H,
    event: lambda_http::Request,
) -> Result<Response<Body>, lambda_runtime::Error>
where
    H: Fn(&'static Api, Owner, Request) -> F,
    F: Future<Output = Result<Reply, Problem>>,
{
    let limit = time_limit(event.lambda_context_ref().map_or(0, |context| context.deadline));
    let request = Request::new(event);
    let work = async {
        let owner = api.verifier.owner(request.headers(), &request.path_user())?;
        handler(api, owner, request).await
    };
    let outcome = match timeout(limit, AssertUnwindSafe(work).catch_unwind()).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_)) => Err(Problem::internal("the handler panicked")),
        // There is nothing but the database that a handler waits for.
        Err(_) => Err(Problem::unavailable("the request ran out of time")),
    };
    let reply = outcome.unwrap_or_else(|problem| {
        problem.log();
        problem.into()
    });
    Ok(reply.into_response())
}

/// How long a request may take that Lambda will end at `deadline`, in milliseconds since 1970.
fn time_limit(deadline: u64) -> Duration {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    // The local gateway's deadline is no time of day, and long past if read as one.
    match Duration::from_millis(deadline).checked_sub(now) {
        Some(left) => left.saturating_sub(ANSWER_TIME).min(REQUEST_LIMIT),
        None => REQUEST_LIMIT,
    }
}

/// Logs where a panic happened, but not its message, which may quote what a client sent.
fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let location = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(location, "panic");
    }));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::{Claims, sign};
    use lambda_http::request::LambdaRequest;
    use secrecy::SecretString;
    use serde_json::{Value, json};

    async fn panics(_: &Api, _: Owner, request: Request) -> Result<Reply, Problem> {
        panic!("MARKED {request:?}")
    }

    #[tokio::test]
    async fn a_panic_costs_one_answer_and_says_nothing() {
        let secret = "0123456789abcdef0123456789abcdef";
        let config = Config::parse(|name| match name {
            "BETTER_AUTH_SECRET" => Some(secret.into()),
            "DATABASE_URL" => Some("postgres://127.0.0.1:1/none".into()),
            _ => None,
        });
        let config = config.unwrap();
        let database = Database::new(&config.database_url, 1).unwrap();
        let api = Api { tasks: TaskStore::new(database), verifier: Verifier::new(&config.auth) };
        let api: &'static Api = Box::leak(Box::new(api));
        let token = sign(&Claims::new(&config.auth, "u", 60), &SecretString::from(secret)).unwrap();
        for _ in 0..2 {
            let event = serde_json::from_value::<LambdaRequest>(json!({
                "headers": { "authorization": format!("Bearer {token}") },
                "requestContext": { "http": { "method": "GET" } },
                "pathParameters": { "user_id": "u" },
            }));
            let response = answer(api, panics, event.unwrap().into()).await.unwrap();
            let Body::Text(body) = response.body() else { panic!("{response:?}") };
            let problem: Value = body.parse().unwrap();
            assert_eq!((&problem["status"], &problem["code"]), (&json!(500), &json!("internal")));
            assert!(!body.contains("MARKED"));
        }
    }

    #[test]
    fn a_request_ends_before_lambda_ends_it() {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let limit = |left: Duration| time_limit(u64::try_from((now + left).as_millis()).unwrap());
        assert!(limit(Duration::from_secs(3)) <= Duration::from_millis(2500));
        assert!(limit(Duration::from_secs(3)) > Duration::from_secs(2));
        assert_eq!(limit(Duration::from_secs(30)), REQUEST_LIMIT);
        assert_eq!(limit(Duration::from_millis(100)), Duration::ZERO);
        assert_eq!(time_limit(600_000), REQUEST_LIMIT);
    }
}
