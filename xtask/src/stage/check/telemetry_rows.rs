//! Rows about what AWS recorded of the requests, which arrives late, and whom it would tell.
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::Result;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::client::Client;
use super::row::Responsible::Platform;
use super::row::{Actual, Row};
use crate::stage::aws;
use crate::stage::deployed::Deployed;

const PAUSE: Duration = Duration::from_secs(5);

/// What was deployed, and asked since when.
pub(super) struct Telemetry<'a> {
    pub(super) deployed: &'a Deployed,
    pub(super) client: &'a Client,
    pub(super) started: Timestamp,
    /// When to wait no longer.
    pub(super) until: Instant,
}

impl Telemetry<'_> {
    pub(super) fn rows(&self, function: &str) -> Vec<Row> {
        let mut rows = vec![
            Row {
                name: "log of the functions".into(),
                expected: "lines of these requests",
                actual: self.arrives(|| self.function_log()),
                owner: Platform,
                hint: "see whether FunctionRole in template.yaml may write to the log group, and what else is in it",
            },
            Row {
                name: "cold starts, as Lambda reports them".into(),
                expected: "under 500 ms of init",
                actual: self.arrives(|| self.cold_starts(function)),
                owner: Platform,
                hint: "see what the function waits for in its log; Lambda's own lines there begin with platform.init",
            },
            Row {
                name: "metrics of the functions".into(),
                expected: "some of these requests",
                actual: self.arrives(|| self.metrics()),
                owner: Platform,
                hint: "compare _aws in a line of the functions' log with CloudWatch's embedded metric format",
            },
            Row {
                name: "access log of the gateway".into(),
                expected: "lines of requests",
                actual: self.arrives(|| self.access_log()),
                owner: Platform,
                hint: "see AccessLogSettings in template.yaml, and whether the account lets API Gateway write to /aws/vendedlogs",
            },
        ];
        if let Some(topic) = self.deployed.alarm_topic() {
            let list = ["sns", "list-subscriptions-by-topic", "--topic-arn", topic];
            rows.push(Row {
                name: "alarms that are on".into(),
                expected: "none",
                actual: self.alarms(),
                owner: Platform,
                hint: "docs/operate.md#alarms has what to do about each",
            });
            rows.push(Row {
                name: "who receives alarms".into(),
                expected: "somebody who confirmed it",
                actual: aws::call(&list, None).map(|found| receivers(&found)),
                owner: Platform,
                hint: "set AlarmEmail in samconfig.toml, deploy, and open the link in AWS's mail to it",
            });
        }
        rows
    }

    /// Repeats a question until its answer is as expected or the time is over.
    fn arrives(&self, ask: impl Fn() -> Result<Actual>) -> Result<Actual> {
        loop {
            let actual = ask();
            if !matches!(actual, Ok(Actual::Other(_))) || Instant::now() + PAUSE > self.until {
                return actual;
            }
            sleep(PAUSE);
        }
    }

    /// JSON lines of a log since the check began; only those with this member, if one is given.
    fn lines(&self, group: &str, member: Option<(&str, &str)>) -> Result<Vec<Value>> {
        let start = self.started.as_millisecond().to_string();
        let mut filter = vec!["logs", "filter-log-events", "--log-group-name", group];
        filter.extend(["--start-time", &start, "--max-items", "1000"]);
        let pattern = member.map(|(name, text)| format!("{{ $.{name} = \"{text}\" }}"));
        filter.extend(pattern.iter().flat_map(|pattern| ["--filter-pattern", pattern]));
        let found = aws::call(&filter, None)?;
        let events = found.get("events").and_then(Value::as_array).into_iter().flatten();
        let lines = events.filter_map(|event| event.get("message")?.as_str()?.parse().ok());
        let is = |line: &Value| member.is_none_or(|(name, wanted)| text(line, name) == wanted);
        Ok(lines.filter(is).collect())
    }

    fn function_log(&self) -> Result<Actual> {
        let user = self.client.log_name()?;
        let count = self.lines(&self.deployed.function_log(), Some(("user", &user)))?.len();
        Ok(Actual::of(format!("{count} lines"), count > 0))
    }

    fn cold_starts(&self, function: &str) -> Result<Actual> {
        let function = format!("{}-{function}", self.deployed.stack);
        let get = ["lambda", "get-function-configuration", "--function-name", &function];
        let settings = aws::call(&get, None)?;
        let level = settings.pointer("/LoggingConfig/SystemLogLevel").and_then(Value::as_str);
        if let Some(level) = level.filter(|level| !["TRACE", "DEBUG", "INFO"].contains(level)) {
            let why = format!("SystemLogLevel is {level}: Lambda reports only failures");
            return Ok(Actual::Unknown(why));
        }
        let report = ("type", "platform.report");
        Ok(init(&self.lines(&self.deployed.function_log(), Some(report))?))
    }

    fn metrics(&self) -> Result<Actual> {
        let service = json!([{ "Name": "service", "Value": self.deployed.stack }]);
        let latency =
            json!({ "Namespace": "TaskApi", "MetricName": "Latency", "Dimensions": service });
        let count = json!({ "Metric": latency, "Period": 60, "Stat": "SampleCount" });
        let queries = json!([{ "Id": "requests", "MetricStat": count }]).to_string();
        let start = Timestamp::from_second(self.started.as_second() / 60 * 60)?.to_string();
        let end = Timestamp::from_second(Timestamp::now().as_second() + 60)?.to_string();
        let get = ["cloudwatch", "get-metric-data", "--metric-data-queries", &queries];
        let get = [&get[..], &["--start-time", &start, "--end-time", &end]].concat();
        let answer = aws::call(&get, None)?;
        let values = answer.pointer("/MetricDataResults/0/Values").and_then(Value::as_array);
        let counts = values.into_iter().flatten().filter_map(Value::as_f64);
        let count = counts.fold(0.0, |sum, count| sum + count);
        Ok(Actual::of(format!("{count} requests"), count > 0.0))
    }

    /// Another user's line shows the same.
    fn access_log(&self) -> Result<Actual> {
        let count = self.lines(&self.deployed.access_log(), None)?.len();
        Ok(Actual::of(format!("{count} lines"), count > 0))
    }

    fn alarms(&self) -> Result<Actual> {
        let prefix = format!("{}-", self.deployed.stack);
        let describe = ["cloudwatch", "describe-alarms", "--state-value", "ALARM"];
        let on = aws::call(&[&describe[..], &["--alarm-name-prefix", &prefix]].concat(), None)?;
        let on = on.get("MetricAlarms").and_then(Value::as_array).into_iter().flatten();
        let on: Vec<&str> = on.map(|alarm| text(alarm, "AlarmName")).collect();
        let names = if on.is_empty() { "none".to_owned() } else { on.join(", ") };
        Ok(Actual::of(names, on.is_empty()))
    }
}

/// Counts subscriptions; an address stays out of the terminal and of CI's log.
fn receivers(found: &Value) -> Actual {
    let all = found.get("Subscriptions").and_then(Value::as_array).into_iter().flatten();
    let all: Vec<&str> = all.map(|each| text(each, "SubscriptionArn")).collect();
    // The others are `PendingConfirmation`.
    let confirmed = all.iter().filter(|arn| arn.starts_with("arn:")).count();
    Actual::of(format!("{confirmed} of {} confirmed it", all.len()), confirmed > 0)
}

/// What Lambda's reports say of the starts.
fn init(reports: &[Value]) -> Actual {
    let number =
        |report: &Value, name: &str| report.pointer("/record/metrics")?.get(name)?.as_f64();
    let starts = reports.iter().filter_map(|report| number(report, "initDurationMs"));
    let starts: Vec<f64> = starts.collect();
    let slowest = starts.iter().copied().fold(0.0, f64::max);
    let memory = reports.iter().filter_map(|report| number(report, "maxMemoryUsedMB"));
    let memory = memory.fold(0.0, f64::max);
    match starts.len() {
        0 if reports.is_empty() => Actual::Other("no report".to_owned()),
        0 => Actual::Unknown("no function had to start: ask after a deployment".to_owned()),
        count => Actual::of(
            format!("{count}, at most {slowest} ms of init and {memory} MB"),
            slowest < 500.0,
        ),
    }
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_confirmed_it_receives_alarms() {
        let list = |arns: &[&str]| {
            let all: Value = arns.iter().map(|arn| json!({ "SubscriptionArn": arn })).collect();
            receivers(&json!({ "Subscriptions": all }))
        };
        let pending = "PendingConfirmation";
        assert_eq!(list(&[]), Actual::Other("0 of 0 confirmed it".into()));
        assert_eq!(list(&[pending]), Actual::Other("0 of 1 confirmed it".into()));
        let confirmed = "arn:aws:sns:eu-central-1:123456789012:topic:8f5";
        assert_eq!(list(&[pending, confirmed]), Actual::Expected("1 of 2 confirmed it".into()));
    }

    #[test]
    fn cold_starts_are_those_with_an_init_in_lambdas_report() {
        let report = |init: Option<f64>| {
            let metrics =
                json!({ "durationMs": 3.25, "maxMemoryUsedMB": 17, "initDurationMs": init });
            json!({ "type": "platform.report", "record": { "metrics": metrics } })
        };
        let (cold, warm, slow) = (report(Some(36.5)), report(None), report(Some(500.0)));
        let told = "1, at most 36.5 ms of init and 17 MB".to_owned();
        assert_eq!(init(&[warm.clone(), cold.clone()]), Actual::Expected(told));
        assert!(matches!(init(&[cold, slow]), Actual::Other(_)));
        assert!(matches!(init(&[warm]), Actual::Unknown(_)));
        assert!(matches!(init(&[]), Actual::Other(_)));
    }
}
