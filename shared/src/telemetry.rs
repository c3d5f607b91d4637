//! What an operator sees of a request: one log line, the metrics in it, and its database calls in the trace.
//!
//! In Lambda's JSON log format the line is also a document of CloudWatch's embedded metric format:
//! CloudWatch makes the metrics out of what is logged anyway. A trace goes to the X-Ray daemon that
//! Lambda runs beside the function, as a datagram.
use std::cell::RefCell;
use std::env;
use std::io::Write;
use std::net::UdpSocket;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use lambda_http::http::StatusCode;
use lambda_runtime::Context;
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};
use serde::Serialize;
use tracing::Level;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::problem::Problem;

/// The namespace of the metrics in CloudWatch.
const NAMESPACE: &str = "TaskApi";

tokio::task_local! {
    static OBSERVED: RefCell<Observed>;
}

/// What is seen of a request while it is served.
#[derive(Default)]
pub(crate) struct Observed {
    user: Option<String>,
    /// How long the request waited for the database, if it asked it anything.
    database: Option<Duration>,
    retries: u32,
    calls: Vec<Call>,
}

/// One wait for the database, for the trace.
struct Call {
    name: &'static str,
    started: SystemTime,
    ended: SystemTime,
    failed: bool,
}

/// How this process logs: what Lambda says in its variables, and what the stage is called.
struct Settings {
    json: bool,
    /// The stack that the function belongs to.
    service: Option<String>,
    /// The function, without the stack's name before it.
    operation: String,
    daemon: Option<Daemon>,
}

/// Where traces go.
struct Daemon {
    socket: UdpSocket,
    address: String,
}

static SETTINGS: LazyLock<Settings> = LazyLock::new(|| {
    let variable = |name| env::var(name).ok().filter(|value: &String| !value.is_empty());
    let service = variable("SERVICE_NAME");
    let function = variable("AWS_LAMBDA_FUNCTION_NAME").unwrap_or_default();
    let within = |service: &String| function.strip_prefix(service)?.strip_prefix('-');
    let operation = service.as_ref().and_then(within).unwrap_or(&function).to_owned();
    let json =
        variable("AWS_LAMBDA_LOG_FORMAT").is_some_and(|format| format.eq_ignore_ascii_case("json"));
    let daemon = variable("AWS_XRAY_DAEMON_ADDRESS").and_then(|address| Daemon::new(&address));
    Settings { json, service, operation, daemon }
});

/// Starts the log, at the level and in the format that Lambda asks for.
pub(crate) fn init() {
    let level = level(&env::var("AWS_LAMBDA_LOG_LEVEL").unwrap_or_default());
    // What libraries say below a warning may quote an event, with its token and its texts.
    let filter = Targets::new()
        .with_default(level.min(LevelFilter::WARN))
        .with_target(env!("CARGO_PKG_NAME"), level)
        // The span that has the request's id.
        .with_target("lambda_runtime::layers::trace", level);
    let registry = tracing_subscriber::registry().with(filter);
    if SETTINGS.json {
        let lines = fmt::layer().json().flatten_event(true).with_span_list(false);
        registry.with(lines.with_target(false)).init();
    } else {
        registry.with(fmt::layer().with_target(false)).init();
    }
}

/// Lambda's names of the levels.
fn level(name: &str) -> LevelFilter {
    match name.to_ascii_uppercase().as_str() {
        "TRACE" => LevelFilter::TRACE,
        "DEBUG" => LevelFilter::DEBUG,
        "WARN" => LevelFilter::WARN,
        "ERROR" | "FATAL" => LevelFilter::ERROR,
        _ => LevelFilter::INFO,
    }
}

/// Runs `work`, and returns what was seen of it beside what it returned.
pub(crate) async fn observe<T>(work: impl Future<Output = T>) -> (T, Observed) {
    let scope = OBSERVED.scope(RefCell::default(), async move {
        let output = work.await;
        (output, OBSERVED.with(RefCell::take))
    });
    scope.await
}

/// Notes something of the request that is being served, if one is.
fn note(note: impl FnOnce(&mut Observed)) {
    // Outside of a request, as at start and in the local commands, nobody asks.
    let _ = OBSERVED.try_with(|observed| note(&mut observed.borrow_mut()));
}

/// Notes whose request it is. An operator finds the lines of a user whose id is known by
/// `printf %s "$id" | sha256sum | cut -c -16`.
pub(crate) fn user(id: &str) {
    let hash = digest(&SHA256, id.as_bytes());
    note(|observed| observed.user = hash.as_ref().first_chunk().copied().map(hex));
}

/// Notes that a statement is sent again.
pub(crate) fn retry() {
    note(|observed| observed.retries += 1);
}

/// Counts the time until it is dropped, at the latest with the request's time limit, as time of the database.
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

/// Notes a call for the trace that began at `started` and ends now.
pub(crate) fn call(name: &'static str, started: SystemTime, failed: bool) {
    note(|observed| {
        observed.calls.push(Call { name, started, ended: SystemTime::now(), failed });
    });
}

/// The log line of a request. The names of the metrics are those of the dashboard and the alarms.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    timestamp: String,
    level: &'static str,
    message: &'static str,
    request_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    xray_trace_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service: Option<&'a str>,
    operation: &'a str,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<&'a str>,
    #[serde(rename = "Latency")]
    latency: f64,
    #[serde(rename = "DatabaseLatency", skip_serializing_if = "Option::is_none")]
    database_latency: Option<f64>,
    #[serde(rename = "DatabaseRetries")]
    database_retries: u32,
    #[serde(rename = "ColdStarts")]
    cold_starts: u8,
    #[serde(rename = "Failures")]
    failures: u8,
    #[serde(rename = "_aws", skip_serializing_if = "Option::is_none")]
    metadata: Option<Metadata>,
}

/// What makes a log line a document of the embedded metric format.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Metadata {
    timestamp: i64,
    cloud_watch_metrics: Vec<MetricDirective>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct MetricDirective {
    namespace: &'static str,
    dimensions: [&'static [&'static str]; 1],
    metrics: Vec<Metric>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Metric {
    name: &'static str,
    unit: &'static str,
}

/// Writes the log line of a request that was served in `took`, and sends its trace.
pub(crate) fn report(
    context: &Context,
    took: Duration,
    observed: &Observed,
    status: StatusCode,
    problem: Option<&Problem>,
) {
    static WARM: AtomicBool = AtomicBool::new(false);
    let cold = !WARM.swap(true, Ordering::Relaxed);
    let settings = &*SETTINGS;
    let trace = context.xray_trace_id.as_deref();
    if let (Some(daemon), Some(header)) = (&settings.daemon, trace) {
        daemon.send(header, &observed.calls);
    }

    let (level, enabled) = match status.as_u16() {
        503 => ("WARN", tracing::enabled!(Level::WARN)),
        500.. => ("ERROR", tracing::enabled!(Level::ERROR)),
        _ => ("INFO", tracing::enabled!(Level::INFO)),
    };
    if !enabled {
        return;
    }
    let now = Timestamp::now();
    let mut line = Line {
        timestamp: format!("{now:.3}"),
        level,
        message: "request",
        request_id: &context.request_id,
        xray_trace_id: trace.and_then(|header| trace_field(header, "Root")),
        service: settings.service.as_deref(),
        operation: &settings.operation,
        status: status.as_u16(),
        code: problem.map(Problem::code),
        reason: problem.and_then(Problem::reason),
        user: observed.user.as_deref(),
        latency: milliseconds(took),
        database_latency: observed.database.map(milliseconds),
        database_retries: observed.retries,
        cold_starts: cold.into(),
        failures: problem.is_some().into(),
        metadata: None,
    };
    // Metrics without a stack they belong to would mix with those of all others.
    line.metadata = line.service.map(|_| line.metrics(now));
    let text = if settings.json { serde_json::to_string(&line).ok() } else { Some(line.text()) };
    if let Some(text) = text {
        // In one write, so that lines do not mix. Where there is no output, there is nobody to tell.
        let _ = std::io::stdout().lock().write_all((text + "\n").as_bytes());
    }
}

impl Line<'_> {
    /// The metrics to be made of this line. CloudWatch bills a metric by the hours in which it
    /// has a value, so a count of zero is none.
    fn metrics(&self, now: Timestamp) -> Metadata {
        let mut metrics = vec![Metric { name: "Latency", unit: "Milliseconds" }];
        if self.database_latency.is_some() {
            metrics.push(Metric { name: "DatabaseLatency", unit: "Milliseconds" });
        }
        if self.database_retries > 0 {
            metrics.push(Metric { name: "DatabaseRetries", unit: "Count" });
        }
        if self.cold_starts > 0 {
            metrics.push(Metric { name: "ColdStarts", unit: "Count" });
        }
        let directive = |dimensions, metrics| MetricDirective {
            namespace: NAMESPACE,
            dimensions: [dimensions],
            metrics,
        };
        let mut directives = vec![directive(&["service"], metrics)];
        if self.failures > 0 {
            let failures = vec![Metric { name: "Failures", unit: "Count" }];
            directives.push(directive(&["service", "code"], failures));
        }
        Metadata { timestamp: now.as_millisecond(), cloud_watch_metrics: directives }
    }

    /// The line as a developer reads it.
    fn text(&self) -> String {
        let Self { timestamp, level, operation, status, latency, .. } = self;
        let mut text = format!("{timestamp} {level:>5} {operation} {status} in {latency} ms");
        if let Some(database) = self.database_latency {
            text = format!("{text}, database {database} ms");
        }
        for detail in [self.code, self.reason].into_iter().flatten() {
            text = format!("{text}, {detail}");
        }
        text
    }
}

impl Daemon {
    fn new(address: &str) -> Option<Self> {
        // Either `host:port`, or `tcp:host:port udp:host:port`.
        let udp = address.split(' ').find_map(|part| part.strip_prefix("udp:"));
        let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
        socket.set_nonblocking(true).ok()?;
        Some(Self { socket, address: udp.unwrap_or(address).to_owned() })
    }

    /// Sends the calls of a request whose trace is recorded.
    fn send(&self, header: &str, calls: &[Call]) {
        let (Some(root), Some(parent), Some("1")) = (
            trace_field(header, "Root"),
            trace_field(header, "Parent"),
            trace_field(header, "Sampled"),
        ) else {
            return;
        };
        for call in calls {
            let Some(segment) = Subsegment::new(root, parent, call) else { continue };
            let Ok(segment) = serde_json::to_string(&segment) else { continue };
            let datagram = format!("{{\"format\":\"json\",\"version\":1}}\n{segment}");
            // A trace that is lost costs nobody anything.
            let _ = self.socket.send_to(datagram.as_bytes(), &self.address);
        }
    }
}

/// A call as X-Ray's segment documents have it.
#[derive(Serialize)]
struct Subsegment<'a> {
    r#type: &'static str,
    namespace: &'static str,
    name: &'static str,
    id: String,
    trace_id: &'a str,
    parent_id: &'a str,
    start_time: f64,
    end_time: f64,
    fault: bool,
    sql: Sql,
}

#[derive(Serialize)]
struct Sql {
    database_type: &'static str,
}

impl<'a> Subsegment<'a> {
    fn new(trace_id: &'a str, parent_id: &'a str, call: &Call) -> Option<Self> {
        let mut id = [0; 8];
        SystemRandom::new().fill(&mut id).ok()?;
        let seconds = |time: SystemTime| {
            time.duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
        };
        Some(Self {
            r#type: "subsegment",
            namespace: "remote",
            name: call.name,
            id: hex(id),
            trace_id,
            parent_id,
            start_time: seconds(call.started),
            end_time: seconds(call.ended),
            fault: call.failed,
            sql: Sql { database_type: "PostgreSQL" },
        })
    }
}

/// A field of a trace header: `Root=1-…;Parent=…;Sampled=1`.
fn trace_field<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    header.split(';').find_map(|field| field.trim().strip_prefix(name)?.strip_prefix('='))
}

/// Milliseconds to the microsecond.
fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

fn hex(bytes: [u8; 8]) -> String {
    format!("{:016x}", u64::from_be_bytes(bytes))
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
    fn a_trace_header_is_read_field_by_field() {
        let header = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
        assert_eq!(trace_field(header, "Root"), Some("1-5759e988-bd862e3fe1be46a994272793"));
        assert_eq!(trace_field(header, "Parent"), Some("53995c3f42cd8ad8"));
        assert_eq!(trace_field(header, "Sampled"), Some("1"));
        assert_eq!(trace_field("Rooted=1", "Root"), None);
    }

    #[tokio::test]
    async fn what_happens_in_a_request_is_seen_and_nothing_else() {
        retry();
        let (output, observed) = observe(async {
            user("user-1");
            retry();
            let time = DatabaseTime::start();
            tokio::time::sleep(Duration::from_millis(3)).await;
            drop(time);
            call("statement", SystemTime::now(), true);
            17
        })
        .await;
        assert_eq!(output, 17);
        assert_eq!(observed.retries, 1);
        assert!(observed.database.unwrap() >= Duration::from_millis(3));
        assert!(observed.calls[0].failed);
        // printf %s user-1 | sha256sum | cut -c -16
        assert_eq!(observed.user.as_deref(), Some("c6c289e49e9c05b2"));
    }
}
