//! The row about one invocation and the end of its log: Lambda's own report.
use anyhow::{Context, Result};
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use serde_json::Value;

use super::Check;
use super::arrival::text;
use super::row::Came::{self, Expected, Other, Unasked};
use super::row::Row;
use super::row::Side::Platform;
use crate::event;
use crate::stage::aws;

const FUNCTION: &str = "list-tasks";

pub(super) static ROW: Row = Row {
    name: "an invocation of list-tasks",
    expected: "its duration and memory",
    ask,
    of: Platform,
    otherwise: "no report in the tail of the log: see the function's errors in its log",
};

fn ask(check: &Check) -> Result<Came> {
    let function = format!("{}-{FUNCTION}", check.deployed.stack);
    let token = check.api.token(&check.api.user)?;
    let event = event::filled(FUNCTION, &check.api.user, 1, &token)?.to_string();
    let invoke = ["lambda", "invoke", "--function-name", &function, "--qualifier", "live"];
    let tail = ["--log-type", "Tail", "--payload", "fileb:///dev/stdin", "/dev/null"];
    let answer = aws::call(&[&invoke[..], &tail].concat(), Some(&event))?;
    if let Some(error) = answer.get("FunctionError") {
        return Ok(Other(format!("FunctionError {error}")));
    }
    let log = BASE64.decode(text(&answer, "LogResult")).context("the log's tail is not base64")?;
    if let Some(report) = report(&String::from_utf8_lossy(&log)) {
        return Ok(Expected(report));
    }
    let get = ["lambda", "get-function-configuration", "--function-name", &function];
    let settings = aws::call(&get, None)?;
    let level = settings.pointer("/LoggingConfig/SystemLogLevel").and_then(Value::as_str);
    Ok(match level {
        Some(level) if level != "INFO" && level != "DEBUG" => {
            Unasked(format!("SystemLogLevel is {level}: above INFO Lambda reports no success"))
        }
        _ => Other("no report in the log's tail".to_owned()),
    })
}

/// The values in Lambda's report line, which is text or JSON.
fn report(log: &str) -> Option<String> {
    let of_json = |line: &str| {
        let line: Value = line.parse().ok()?;
        let metrics =
            line.pointer("/record/metrics").filter(|_| text(&line, "type") == "platform.report")?;
        let number = |name| metrics.get(name).and_then(Value::as_f64);
        Some(told(
            number("durationMs")?,
            number("maxMemoryUsedMB")?,
            number("memorySizeMB")?,
            number("initDurationMs"),
        ))
    };
    let of_text = |line: &str| {
        let line = line.strip_prefix("REPORT ")?;
        let number = |name: &str| -> Option<f64> {
            let after = line
                .split('\t')
                .find_map(|part| part.trim().strip_prefix(name)?.strip_prefix(": "));
            after?.split(' ').next()?.parse().ok()
        };
        Some(told(
            number("Duration")?,
            number("Max Memory Used")?,
            number("Memory Size")?,
            number("Init Duration"),
        ))
    };
    log.lines().find_map(|line| of_json(line).or_else(|| of_text(line)))
}

fn told(milliseconds: f64, used: f64, size: f64, init: Option<f64>) -> String {
    let init = init.map(|init| format!(", after {init} ms of init")).unwrap_or_default();
    format!("{milliseconds} ms, {used} of {size} MB{init}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_read_in_both_of_lambdas_formats() {
        let text = "START RequestId: 8f5 Version: 3\n{\"message\":\"request\"}\nEND RequestId: 8f5\n\
             REPORT RequestId: 8f5\tDuration: 3.25 ms\tBilled Duration: 40 ms\tMemory Size: 128 MB\tMax Memory Used: 17 MB\tInit Duration: 36.5 ms\t\n";
        assert_eq!(report(text).as_deref(), Some("3.25 ms, 17 of 128 MB, after 36.5 ms of init"));
        let json = r#"{"time":"2026-11-26T08:00:00.000Z","type":"platform.start","record":{"requestId":"8f5","version":"3"}}
{"message":"request","record":{"metrics":{}}}
{"time":"2026-11-26T08:00:00.000Z","type":"platform.report","record":{"requestId":"8f5","metrics":{"durationMs":3.25,"billedDurationMs":4,"memorySizeMB":128,"maxMemoryUsedMB":17},"status":"success"}}"#;
        assert_eq!(report(json).as_deref(), Some("3.25 ms, 17 of 128 MB"));
        assert_eq!(report("{\"message\":\"request\"}"), None);
    }
}
