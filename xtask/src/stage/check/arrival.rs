//! Rows about what AWS recorded of the requests: log lines, metrics, a trace. They arrive late.
use std::collections::BTreeSet;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::Check;
use super::row::Came::{self, Other, Text, Unasked};
use super::row::Side::Platform;
use super::row::{Line, Row};
use crate::settings::random_bytes;
use crate::stage::aws;

const PAUSE: Duration = Duration::from_secs(5);

pub(super) static ROWS: &[Row] = &[
    Row {
        name: "log of the functions",
        expected: "lines of this user",
        ask: function_log,
        of: Platform,
        otherwise: "see whether FunctionRole in template.yaml may write to the log group, and what else is in it",
    },
    Row {
        name: "metrics TaskApi",
        expected: "requests of the last minutes",
        ask: metrics,
        of: Platform,
        otherwise: "CloudWatch derives them from the log's lines: compare _aws in one with the embedded metric format",
    },
    Row {
        name: "access log of the gateway",
        expected: "a line of one of these requests",
        ask: access_log,
        of: Platform,
        otherwise: "see AccessLogSettings in template.yaml, and whether the account lets API Gateway write to /aws/vendedlogs",
    },
    Row {
        name: "trace of a request that asks for one",
        expected: "the function and PostgreSQL",
        ask: trace,
        of: Platform,
        otherwise: "no trace: API Gateway drops Sampled=1; no PostgreSQL: the daemon does not accept the function's datagrams",
    },
];

/// Repeats the rows until all have arrived or the time is over; each runs at least once.
pub(super) fn ask(
    check: &Check,
    rows: impl IntoIterator<Item = &'static Row>,
    wait: Duration,
) -> Vec<Line> {
    let patience = Instant::now() + wait;
    let ask = |row: &'static Row| loop {
        let came = (row.ask)(check);
        let line = row.line(came.unwrap_or_else(|error| Came::unasked(&error)));
        if !line.differs() || Instant::now() + PAUSE > patience {
            return line;
        }
        sleep(PAUSE);
    };
    rows.into_iter().map(ask).collect()
}

/// A log's JSON lines since the check began.
fn lines(check: &Check, group: &str, pattern: Option<&str>) -> Result<Vec<Value>> {
    let start = check.started.as_millisecond().to_string();
    let mut filter = vec!["logs", "filter-log-events", "--log-group-name", group];
    filter.extend(["--start-time", &start]);
    if let Some(pattern) = pattern {
        filter.extend(["--filter-pattern", pattern]);
    }
    let found = aws::call(&filter, None)?;
    let events = found.get("events").and_then(Value::as_array).cloned().unwrap_or_default();
    let message = |event: Value| event.get("message")?.as_str()?.parse().ok();
    Ok(events.into_iter().filter_map(message).collect())
}

fn function_log(check: &Check) -> Result<Came> {
    let user = check.log_name()?;
    let pattern = format!("{{ $.user = \"{user}\" }}");
    let lines = lines(check, &check.deployed.function_log(), Some(&pattern))?;
    let ours: Vec<_> = lines.iter().filter(|line| text(line, "user") == user).collect();
    let cold: BTreeSet<_> = ours
        .iter()
        .filter(|line| line["ColdStarts"] == 1)
        .map(|line| text(line, "operation"))
        .collect();
    let cold = match cold.len() {
        0 => "no cold start".to_owned(),
        _ => format!("cold: {}", cold.into_iter().collect::<Vec<_>>().join(", ")),
    };
    Ok(Came::measured(format!("{} lines, {cold}", ours.len()), !ours.is_empty()))
}

fn metrics(check: &Check) -> Result<Came> {
    let start = Timestamp::from_second(check.started.as_second() / 60 * 60)?;
    let end = Timestamp::from_second(Timestamp::now().as_second() + 60)?;
    let query = |id: &str, metric: &str, statistic: &str| {
        let service = json!({ "Name": "service", "Value": check.deployed.stack });
        let metric =
            json!({ "Namespace": "TaskApi", "MetricName": metric, "Dimensions": [service] });
        json!({ "Id": id, "MetricStat": { "Metric": metric, "Period": 60, "Stat": statistic } })
    };
    let queries =
        vec![query("requests", "Latency", "SampleCount"), query("cold", "ColdStarts", "Sum")];
    let results = metric_data(queries, start, end)?;
    let sum = |id: &str| {
        let of_id = results.iter().filter(|result| text(result, "Id") == id);
        let values = of_id.filter_map(|result| result.get("Values")?.as_array()).flatten();
        // Not `sum`, which is -0 for no values.
        values.filter_map(Value::as_f64).fold(0.0, |sum, of| sum + of)
    };
    let (requests, cold) = (sum("requests"), sum("cold"));
    Ok(Came::measured(format!("{requests} requests, {cold} cold starts"), requests > 0.0))
}

/// CloudWatch's answer to metric queries.
pub(super) fn metric_data(
    queries: Vec<Value>,
    start: Timestamp,
    end: Timestamp,
) -> Result<Vec<Value>> {
    let (start, end) = (start.to_string(), end.to_string());
    let get = ["cloudwatch", "get-metric-data", "--start-time", &start, "--end-time", &end];
    let get = [&get[..], &["--metric-data-queries", aws::FROM_INPUT]].concat();
    let answer = aws::call(&get, Some(&Value::Array(queries).to_string()))?;
    Ok(answer.get("MetricDataResults").and_then(Value::as_array).cloned().unwrap_or_default())
}

fn access_log(check: &Check) -> Result<Came> {
    let lines = lines(check, &check.deployed.access_log(), None)?;
    let seen = check.api.seen();
    let ids: Vec<_> = seen.iter().filter_map(|seen| seen.request_id.as_deref()).collect();
    // If the gateway returns no ids, any line counts.
    let is_ours = |line: &&Value| ids.is_empty() || ids.contains(&text(line, "requestId"));
    Ok(match lines.iter().find(is_ours) {
        Some(line) => {
            let (route, status) = (text(line, "route"), text(line, "status"));
            Came::Expected(format!("{status} {route}"))
        }
        None => Other(format!("{} lines, none for these requests", lines.len())),
    })
}

fn trace(check: &Check) -> Result<Came> {
    if !check.deployed.traces() {
        return Ok(Unasked("the parameter Tracing is PassThrough".to_owned()));
    }
    let asked = || -> Result<String> {
        let random = random_bytes::<12>()?.map(|byte| format!("{byte:02x}")).concat();
        let id = format!("1-{:08x}-{random}", Timestamp::now().as_second());
        let header = format!("Root={id};Sampled=1");
        check.api.tasks("GET", "").header("x-amzn-trace-id", &header).send()?;
        Ok(id)
    };
    // Only once, even if the trace is looked for repeatedly.
    if check.trace.get().is_none() {
        let _ = check.trace.set(asked()?);
    }
    let id = check.trace.get().context("no trace was asked for")?;
    let traces = aws::call(&["xray", "batch-get-traces", "--trace-ids", id], None)?;
    let segments = traces.pointer("/Traces/0/Segments").and_then(Value::as_array);
    let documents = segments
        .into_iter()
        .flatten()
        .filter_map(|segment| segment.get("Document")?.as_str()?.parse::<Value>().ok());
    let documents: Vec<_> = documents.collect();
    let database = documents.iter().any(has_database);
    Ok(Text(match (documents.len(), database) {
        (0, _) => "no trace".to_owned(),
        (_, true) => "the function and PostgreSQL".to_owned(),
        (count, false) => format!("{count} segments without PostgreSQL"),
    }))
}

/// Whether a segment or one of its subsegments is a wait for the database.
fn has_database(segment: &Value) -> bool {
    let below = segment.get("subsegments").and_then(Value::as_array);
    segment.get("sql").is_some() || below.into_iter().flatten().any(has_database)
}

pub(super) fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}
