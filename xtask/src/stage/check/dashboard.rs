//! The row about the dashboard: every query must succeed and find data.
use std::collections::BTreeSet;

use anyhow::{Context, Result};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::Check;
use super::arrival::{metric_data, text};
use super::row::Came;
use super::row::Row;
use super::row::Side::Platform;
use crate::stage::aws;

/// The widgets that are empty unless something fails.
const CALM: [&str; 2] = ["Cold starts and retries", "The last failures"];

pub(super) static ROW: Row = Row {
    name: "queries of the dashboard",
    expected: "each succeeds and finds data",
    ask,
    of: Platform,
    otherwise: "open the dashboard (the output DashboardUrl) and correct the widget in template.yaml",
};

fn ask(check: &Check) -> Result<Came> {
    let name = check.deployed.stack.as_str();
    let dashboard = aws::call(&["cloudwatch", "get-dashboard", "--dashboard-name", name], None)?;
    // Without the parser's message, which does not help.
    let body: Value = text(&dashboard, "DashboardBody").parse().context("it is not JSON")?;
    let widgets = body.get("widgets").and_then(Value::as_array).cloned().unwrap_or_default();
    let widgets: Vec<&Value> =
        widgets.iter().filter_map(|widget| widget.get("properties")).collect();
    let (logs, metrics): (Vec<&Value>, Vec<&Value>) =
        widgets.iter().copied().partition(|widget| widget.get("query").is_some());
    // One request for all queries; if it fails, one for each shows which query is wrong.
    let found = match of_metrics(&metrics) {
        Ok(found) => found.into_iter().map(Ok).collect(),
        Err(_) => metrics.iter().map(|one| Ok(of_metrics(&[one])?.contains(&true))).collect(),
    };
    let found: Vec<Result<bool>> = found;
    let of_logs = logs.iter().map(|widget| of_log(text(widget, "query")));
    let mut faults = Vec::new();
    for (widget, found) in metrics.iter().chain(&logs).zip(found.into_iter().chain(of_logs)) {
        let title = text(widget, "title");
        match found {
            Ok(false) if !CALM.contains(&title) => faults.push(format!("{title}: nothing")),
            Ok(_) => {}
            Err(error) => faults.push(format!("{title}: {error:#}")),
        }
    }
    let count = widgets.len();
    let text = if faults.is_empty() { format!("{count} widgets") } else { faults.join("; ") };
    Ok(Came::measured(text, faults.is_empty() && count > 0))
}

/// Whether at least one metric of each widget has a value in the last hour.
fn of_metrics(widgets: &[&Value]) -> Result<Vec<bool>> {
    let of_widget = |(widget, number)| queries(widget, number);
    let queries: Vec<Value> = widgets.iter().copied().zip(0..).flat_map(of_widget).collect();
    if queries.is_empty() {
        return Ok(vec![false; widgets.len()]);
    }
    let now = Timestamp::now().as_second();
    let (start, end) = (Timestamp::from_second(now - 3600)?, Timestamp::from_second(now + 60)?);
    let results = metric_data(queries, start, end)?;
    let mut found = BTreeSet::new();
    for result in &results {
        let status = text(result, "StatusCode");
        anyhow::ensure!(["Complete", "PartialData"].contains(&status), "{status}");
        if result.get("Values").and_then(Value::as_array).is_some_and(|of| !of.is_empty()) {
            found.extend(text(result, "Id").split('m').next());
        }
    }
    Ok((0..widgets.len()).map(|number| found.contains(format!("w{number}").as_str())).collect())
}

/// A widget's metrics as queries, with the widget's number in their ids. In a dashboard, a dot
/// repeats the value above it, and three dots all of them.
fn queries(properties: &Value, number: usize) -> Vec<Value> {
    let mut above = Vec::new();
    let metrics = properties.get("metrics").and_then(Value::as_array).into_iter().flatten();
    let query = |(metric, index): (&Vec<Value>, usize)| {
        let id = format!("w{number}m{index}");
        let option = |name| metric.iter().find_map(|part| part.as_object()?.get(name));
        if let Some(expression) = option("expression") {
            return json!({ "Id": id, "Expression": expression, "Period": 60 });
        }
        let names: Vec<&str> = metric.iter().filter_map(Value::as_str).collect();
        if names != ["..."] {
            let name = |(index, name): (usize, &&str)| match *name {
                "." => above.get(index).cloned().unwrap_or_default(),
                name => name.to_owned(),
            };
            above = names.iter().enumerate().map(name).collect();
        }
        let dimensions = above.get(2..).unwrap_or_default().chunks_exact(2);
        let dimension = |pair: &[String]| json!({ "Name": pair.first(), "Value": pair.last() });
        let dimensions: Vec<Value> = dimensions.map(dimension).collect();
        let metric = json!({ "Namespace": above.first(), "MetricName": above.get(1), "Dimensions": dimensions });
        let stat = option("stat").or_else(|| properties.get("stat"));
        json!({ "Id": id, "MetricStat": { "Metric": metric, "Period": 60, "Stat": stat } })
    };
    metrics.filter_map(Value::as_array).zip(0..).map(query).collect()
}

/// Whether a log query finds a line of the last hour.
fn of_log(query: &str) -> Result<bool> {
    // A dashboard has the log group inside the query; this API takes it as a parameter.
    let parts = query.strip_prefix("SOURCE '").and_then(|query| query.split_once('\''));
    let (group, query) = parts.context("the query names no log group")?;
    let query = query.trim_start().trim_start_matches('|').trim();
    let now = Timestamp::now().as_second();
    let (start, end) = ((now - 3600).to_string(), (now + 60).to_string());
    let when = ["--start-time", &start, "--end-time", &end];
    let start = ["logs", "start-query", "--log-group-name", group, "--query-string", query];
    let started = aws::call(&[&start[..], &when].concat(), None)?;
    let id = text(&started, "queryId");
    for _ in 0..20 {
        let results = aws::call(&["logs", "get-query-results", "--query-id", id], None)?;
        match text(&results, "status") {
            "Scheduled" | "Running" => std::thread::sleep(std::time::Duration::from_millis(500)),
            "Complete" => {
                let rows = results.get("results").and_then(Value::as_array);
                return Ok(rows.is_some_and(|rows| !rows.is_empty()));
            }
            status => anyhow::bail!("{status}"),
        }
    }
    anyhow::bail!("the log query does not end")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_stand_for_what_is_above_them() {
        let widget = json!({ "stat": "Sum", "metrics": [
            ["N", "A", "d", "1", { "label": "a" }],
            [".", "B", ".", ".", { "stat": "p50" }],
            ["...", { "stat": "p99" }],
            [{ "expression": "SEARCH('x', 'Sum')" }],
        ] });
        let queries = queries(&widget, 2);
        let stat = |index: usize, metric: &str, stat: &str| {
            let dimensions = json!([{ "Name": "d", "Value": "1" }]);
            let metric =
                json!({ "Namespace": "N", "MetricName": metric, "Dimensions": dimensions });
            json!({ "Id": format!("w2m{index}"), "MetricStat": { "Metric": metric, "Period": 60, "Stat": stat } })
        };
        let search = json!({ "Id": "w2m3", "Expression": "SEARCH('x', 'Sum')", "Period": 60 });
        assert_eq!(
            queries,
            [stat(0, "A", "Sum"), stat(1, "B", "p50"), stat(2, "B", "p99"), search]
        );
    }
}
