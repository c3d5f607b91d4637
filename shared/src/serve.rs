//! The runtime loop of every function: event in, answer out.
use std::convert::Infallible;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use futures_util::FutureExt;
use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use lambda_http::http::Response;
use lambda_http::{Body, Context, LambdaEvent, service_fn};
use serde_json::value::RawValue;
use tokio::time::timeout;

use crate::app::{App, Platform};
use crate::auth::Owner;
use crate::http::{Problem, Reply, Request};
use crate::telemetry::{self, Answered, Observed};

/// The longest that a request may take, whatever Lambda's timeout.
pub const REQUEST_LIMIT: Duration = Duration::from_secs(8);
/// Reserved for sending the answer before Lambda's deadline.
const ANSWER_TIME: Duration = Duration::from_millis(500);

/// Why a function did not start.
pub struct Error;

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the function cannot start; its log says why")
    }
}

/// Runs a function: answers every event with `handler`.
///
/// # Errors
/// If the function cannot start, or the Runtime API does not answer; the log says why.
pub async fn serve<A, H, F>(handler: H) -> Result<(), Error>
where
    A: App,
    H: Fn(&'static A, Owner, Request) -> F + Copy + Send + Sync + 'static,
    F: Future<Output = Result<Reply, Problem>> + Send + 'static,
{
    telemetry::init(A::METRICS);
    log_panics();
    let platform = match Platform::start().await {
        Ok(platform) => platform,
        Err(reason) => {
            tracing::error!(reason, "the function cannot start");
            return Err(Error);
        }
    };
    let service = service_fn(move |event| receive(platform, handler, event));
    // A spawned future is woken without a system call, unlike the main future.
    let run = tokio::spawn(lambda_runtime::run_concurrent(service)).await;
    run.unwrap_or_else(|error| Err(error.into())).map_err(|error| {
        tracing::error!(reason = error.to_string(), "the Runtime API does not answer");
        Error
    })
}

/// Answers an event. An invalid event fails alone, and no log quotes it.
async fn receive<A, H, F>(
    platform: &'static Platform<A>,
    handler: H,
    event: LambdaEvent<Box<RawValue>>,
) -> Result<ApiGatewayV2httpResponse, Infallible>
where
    A: App,
    H: Fn(&'static A, Owner, Request) -> F,
    F: Future<Output = Result<Reply, Problem>>,
{
    let LambdaEvent { payload, context } = event;
    let response = if let Some(request) = Request::of_event(payload.get()) {
        answer(platform, handler, request, &context).await
    } else {
        let problem = Problem::internal("the event is not an API Gateway event");
        finish(Err(problem), &context, Duration::ZERO, &Observed::default())
    };
    let (parts, body) = response.into_parts();
    let mut reply = ApiGatewayV2httpResponse::default();
    reply.status_code = parts.status.as_u16().into();
    reply.headers = parts.headers;
    reply.body = Some(body);
    Ok(reply)
}

async fn answer<A, H, F>(
    platform: &'static Platform<A>,
    handler: H,
    request: Request,
    context: &Context,
) -> Response<Body>
where
    A: App,
    H: Fn(&'static A, Owner, Request) -> F,
    F: Future<Output = Result<Reply, Problem>>,
{
    let started = Instant::now();
    let limit = time_limit(context.deadline);
    let work = async {
        let owner = platform.owner(&request).await?;
        request.check_characters()?;
        handler(&platform.app, owner, request).await
    };
    let limited = timeout(limit, AssertUnwindSafe(work).catch_unwind());
    let (outcome, observed) = telemetry::observe(limited).await;
    let outcome = match outcome {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_)) => Err(Problem::internal("the handler panicked")),
        // A request waits only for the database, and shortly for the settings and the keys.
        Err(_) => Err(Problem::unanswered("the request ran out of time")),
    };
    finish(outcome, context, started.elapsed(), &observed)
}

/// The answer to a request that timed out, after logging it.
fn finish(
    outcome: Result<Reply, Problem>,
    context: &Context,
    took: Duration,
    observed: &Observed,
) -> Response<Body> {
    let (reply, problem) = match outcome {
        Ok(reply) => (reply, None),
        Err(problem) => (Reply::from(&problem), Some(problem)),
    };
    let response = reply.into_response();
    let answered = Answered {
        request_id: &context.request_id,
        trace: context.xray_trace_id.as_deref(),
        took,
        status: response.status().as_u16(),
        code: problem.as_ref().map(Problem::code),
        reason: problem.as_ref().and_then(Problem::reason),
    };
    telemetry::report(&answered, observed);
    response
}

/// The time limit of a request that Lambda ends at `deadline`, in milliseconds since 1970.
fn time_limit(deadline: u64) -> Duration {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    // The local gateway's deadline is not a time of day; read as one, it is long past.
    match Duration::from_millis(deadline).checked_sub(now) {
        Some(left) => left.saturating_sub(ANSWER_TIME).min(REQUEST_LIMIT),
        None => REQUEST_LIMIT,
    }
}

/// Logs where a panic happened, but not its message, which may quote a client.
fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let location = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(location, "panic");
    }));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arbitrary;
    use crate::auth::{Claims, sign};
    use crate::database::Database;
    use crate::http::{Fields, FromBody, boolean, line, optional_text};
    use crate::settings::{Config, Settings, Use};
    use crate::store::sample::Sample;
    use proptest::prelude::*;
    use secrecy::SecretString;
    use serde_json::{Value, json};
    use std::sync::Arc;

    struct Empty;

    impl App for Empty {
        const METRICS: &'static str = "Empty";

        fn new(_: Arc<Database>) -> Self {
            Self
        }
    }

    async fn panics(_: &Empty, _: Owner, request: Request) -> Result<Reply, Problem> {
        panic!("MARKED {request:?}")
    }

    #[tokio::test]
    async fn a_panic_costs_one_answer_and_says_nothing() {
        let secret = "0123456789abcdef0123456789abcdef";
        let config = Config::parse(Use::Local, |name| match name {
            "BETTER_AUTH_SECRET" => Some(secret.into()),
            "DATABASE_URL" => Some("postgres://127.0.0.1:1/none".into()),
            _ => None,
        });
        let config = config.unwrap();
        let token = sign(&Claims::new(&config.auth, "u", 60), &SecretString::from(secret)).unwrap();
        let platform = Platform::<Empty>::new(Settings::new(config, None)).unwrap();
        let platform: &'static Platform<Empty> = Box::leak(Box::new(platform));
        for _ in 0..2 {
            let event = json!({
                "headers": { "authorization": format!("Bearer {token}") },
                "requestContext": { "http": { "method": "GET" } },
                "pathParameters": { "user_id": "u" },
            });
            let request = Request::of_event(&event.to_string()).unwrap();
            let response = answer(platform, panics, request, &Context::default()).await;
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

    /// An API Gateway event with everything that a handler may read.
    fn event() -> Value {
        let mut event: Value = json!({
            "version": "2.0",
            "rawQueryString": "limit=1&after=x&until=now",
            "headers": { "authorization": "Bearer a.b.c", "content-type": "application/json" },
            "requestContext": { "http": { "method": "PUT", "path": "/api/u/samples/1" } },
            "pathParameters": { "user_id": "u", "sample_id": "1" },
            "isBase64Encoded": false,
            "body": "{}",
        });
        for name in ["idempotency-key", "if-match", "if-none-match"] {
            event["headers"][name] = json!("\"1\"");
        }
        event
    }

    /// The JSON pointers of all members of a value.
    fn pointers(value: &Value, at: &str) -> Vec<String> {
        let Value::Object(members) = value else { return vec![at.to_owned()] };
        let deeper =
            members.iter().flat_map(|(name, value)| pointers(value, &format!("{at}/{name}")));
        std::iter::once(at.to_owned()).chain(deeper).collect()
    }

    /// A body that reads any member.
    #[derive(Default)]
    struct Anything;

    impl FromBody for Anything {
        fn from_body(body: &mut Fields) -> Option<Self> {
            body.required("label", |value| line(value, 9));
            body.optional("note", |value| optional_text(value, 9));
            body.optional("done", boolean).map(|_| Self)
        }
    }

    /// Reads everything that a handler can read.
    fn read_all(request: &Request) {
        let _ = (request.bearer_token(), request.path_user());
        let _ = (request.check_characters(), request.page::<Sample>());
        let _ = (request.id::<Sample>(), request.idempotency_key());
        let _ = (request.changeable(), request.if_none_match(), request.refuse_if_match());
        let _ = (request.json::<Anything>(), request.json_or_default::<Anything>());
        let _ = request.parameters().time("until");
    }

    proptest! {
        #[test]
        fn no_event_makes_a_reader_panic(
            places in prop::collection::vec(
                (any::<prop::sample::Index>(), arbitrary::json()),
                1..4,
            ),
        ) {
            let mut event = event();
            let pointers = pointers(&event, "");
            for (place, value) in places {
                if let Some(member) = event.pointer_mut(place.get::<String>(&pointers)) {
                    *member = value;
                }
            }
            if let Some(request) = Request::of_event(&event.to_string()) {
                read_all(&request);
            }
        }

        #[test]
        fn no_text_is_an_event(text in arbitrary::like("\\PC{0,200}")) {
            if let Some(request) = Request::of_event(&text) {
                read_all(&request);
            }
        }
    }
}
