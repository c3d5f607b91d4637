//! What an operator sees of a request: one log line with its metrics.
mod line;
mod user;

use std::cell::RefCell;
use std::env;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{LazyLock, OnceLock};
use std::time::{Duration, Instant, SystemTime};

use jiff::Timestamp;
use jiff::fmt::temporal::DateTimePrinter;
use tracing::Level;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use self::line::Line;
pub(crate) use self::user::LogNames;
pub use self::user::log_name;

tokio::task_local! {
    static OBSERVED: RefCell<Observed>;
}

/// What is recorded while a request is served.
#[derive(Default)]
pub(crate) struct Observed {
    user: Option<String>,
    /// How long the request waited for the database, if it used it.
    database: Option<Duration>,
    /// How long it waited for Secrets Manager, if it did.
    settings: Option<Duration>,
    /// How long it waited for the app's keys, if it did.
    keys: Option<Duration>,
    retries: u32,
}

impl Observed {
    #[cfg(test)]
    pub(crate) fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }
}

/// The log settings of this process: Lambda's variables, and the stack's name.
struct Settings {
    json: bool,
    /// The stack that the function belongs to.
    service: Option<String>,
    /// The function's name without the stack's.
    operation: String,
}

/// The CloudWatch namespace of the metrics, which the product gives.
static NAMESPACE: OnceLock<&str> = OnceLock::new();

static SETTINGS: LazyLock<Settings> = LazyLock::new(|| {
    let variable = |name| env::var(name).ok().filter(|value: &String| !value.is_empty());
    let service = variable("SERVICE_NAME");
    let function = variable("AWS_LAMBDA_FUNCTION_NAME").unwrap_or_default();
    let within = |service: &String| function.strip_prefix(service)?.strip_prefix('-');
    let operation = service.as_ref().and_then(within).unwrap_or(&function).to_owned();
    let json =
        variable("AWS_LAMBDA_LOG_FORMAT").is_some_and(|format| format.eq_ignore_ascii_case("json"));
    Settings { json, service, operation }
});

/// Starts logging, with the level and format that Lambda sets, and metrics in this namespace.
pub(crate) fn init(namespace: &'static str) {
    NAMESPACE.get_or_init(|| namespace);
    let level = level(&env::var("AWS_LAMBDA_LOG_LEVEL").unwrap_or_default());
    // Below warnings, libraries may log an event, with its token and texts.
    let filter = Targets::new()
        .with_default(level.min(LevelFilter::WARN))
        .with_target(env!("CARGO_PKG_NAME"), level)
        // The span with the request's id.
        .with_target("lambda_runtime::layers::trace", level);
    let registry = tracing_subscriber::registry().with(filter);
    if SETTINGS.json {
        let lines = fmt::layer().json().flatten_event(true).with_span_list(false);
        registry.with(lines.with_target(false)).init();
    } else {
        registry.with(fmt::layer().with_target(false)).init();
    }
}

/// Lambda's level names.
fn level(name: &str) -> LevelFilter {
    match name.to_ascii_uppercase().as_str() {
        "TRACE" => LevelFilter::TRACE,
        "DEBUG" => LevelFilter::DEBUG,
        "WARN" => LevelFilter::WARN,
        "ERROR" | "FATAL" => LevelFilter::ERROR,
        _ => LevelFilter::INFO,
    }
}

/// Runs `work`, and returns its result with what was recorded.
pub(crate) async fn observe<T>(work: impl Future<Output = T>) -> (T, Observed) {
    let scope = OBSERVED.scope(RefCell::default(), async move {
        let output = work.await;
        (output, OBSERVED.with(RefCell::take))
    });
    scope.await
}

/// Records something about the current request, if there is one.
fn note(note: impl FnOnce(&mut Observed)) {
    // Outside of a request, as at start and in the local commands, nothing is recorded.
    let _ = OBSERVED.try_with(|observed| note(&mut observed.borrow_mut()));
}

/// Records the owner of the request, by the name of [`LogNames`].
pub(crate) fn user(log_name: String) {
    note(|observed| observed.user = Some(log_name));
}

/// Records a refresh of the settings that began at `started`.
pub(crate) fn settings(started: SystemTime) {
    note(|observed| observed.settings = started.elapsed().ok());
}

/// Records a wait for the app's keys that began at `started`.
pub(crate) fn keys(started: Instant) {
    note(|observed| observed.keys = Some(started.elapsed()));
}

/// Records a retry.
pub(crate) fn retry() {
    note(|observed| observed.retries += 1);
}

/// Until it is dropped, at the latest at the request's time limit, counts as database time.
pub(crate) struct DatabaseTime(Instant);

impl DatabaseTime {
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }
}

impl Drop for DatabaseTime {
    fn drop(&mut self) {
        note(|observed| *observed.database.get_or_insert_default() += self.0.elapsed());
    }
}

/// The answer to a request.
pub(crate) struct Answered<'a> {
    /// Lambda's request id.
    pub(crate) request_id: &'a str,
    /// The trace header, if there is one: `Root=1-…;Parent=…;Sampled=1`.
    pub(crate) trace: Option<&'a str>,
    /// How long the request took.
    pub(crate) took: Duration,
    /// The status code.
    pub(crate) status: u16,
    /// The failure's `code`, if it failed.
    pub(crate) code: Option<&'static str>,
    /// More about the failure.
    pub(crate) reason: Option<&'a str>,
}

/// Writes the log line of a request.
pub(crate) fn report(answered: &Answered, observed: &Observed) {
    const TIME: DateTimePrinter = DateTimePrinter::new().precision(Some(3));
    static WARM: AtomicBool = AtomicBool::new(false);
    let cold = !WARM.swap(true, Ordering::Relaxed);
    let settings = &*SETTINGS;
    let (level, enabled) = match answered.status {
        503 => ("WARN", tracing::enabled!(Level::WARN)),
        500.. => ("ERROR", tracing::enabled!(Level::ERROR)),
        _ => ("INFO", tracing::enabled!(Level::INFO)),
    };
    if !enabled {
        return;
    }
    let now = Timestamp::now();
    let mut line = Line {
        timestamp: TIME.timestamp_to_string(&now),
        level,
        message: "request",
        request_id: answered.request_id,
        xray_trace_id: answered.trace.and_then(trace_id),
        service: settings.service.as_deref(),
        operation: &settings.operation,
        status: answered.status,
        code: answered.code,
        reason: answered.reason,
        user: observed.user.as_deref(),
        latency: milliseconds(answered.took),
        database_latency: observed.database.map(milliseconds),
        settings_latency: observed.settings.map(milliseconds),
        keys_latency: observed.keys.map(milliseconds),
        database_retries: observed.retries,
        cold_starts: cold.into(),
        failures: answered.code.is_some().into(),
        metadata: None,
    };
    // Without a stack's name, metrics of different stacks would mix.
    line.metadata = line.service.and_then(|_| Some(line.metrics(NAMESPACE.get()?, now)));
    let text = if settings.json { serde_json::to_string(&line).ok() } else { Some(line.text()) };
    if let Some(text) = text {
        // One write, so that lines do not interleave. If stdout is closed, nothing can be reported.
        let _ = std::io::stdout().lock().write_all((text + "\n").as_bytes());
    }
}

/// The id in a trace header.
fn trace_id(header: &str) -> Option<&str> {
    header.split(';').find_map(|field| field.trim().strip_prefix("Root="))
}

/// Milliseconds to the microsecond.
fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_those_of_lambda() {
        for (name, expected) in [
            ("TRACE", LevelFilter::TRACE),
            ("debug", LevelFilter::DEBUG),
            ("INFO", LevelFilter::INFO),
            ("WARN", LevelFilter::WARN),
            ("ERROR", LevelFilter::ERROR),
            ("FATAL", LevelFilter::ERROR),
            ("", LevelFilter::INFO),
        ] {
            assert_eq!(level(name), expected, "{name}");
        }
    }

    #[test]
    fn a_trace_is_named_by_its_root() {
        let id = "1-5759e988-bd862e3fe1be46a994272793";
        let lambda = format!("Root={id};Parent=53995c3f42cd8ad8;Sampled=1");
        for header in [lambda, format!("Sampled=0; Root={id}")] {
            assert_eq!(trace_id(&header), Some(id));
        }
        assert_eq!(trace_id("Rooted=1;Parent=2"), None);
    }

    #[tokio::test]
    async fn what_happens_in_a_request_is_seen_and_nothing_else() {
        retry();
        let (output, observed) = observe(async {
            user("user-1".into());
            retry();
            let time = DatabaseTime::start();
            tokio::time::sleep(Duration::from_millis(3)).await;
            drop(time);
            17
        })
        .await;
        assert_eq!(output, 17);
        assert_eq!(observed.retries, 1);
        assert!(observed.database.unwrap() >= Duration::from_millis(3));
        assert_eq!(observed.user.as_deref(), Some("user-1"));
    }
}
