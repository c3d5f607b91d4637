//! The log line of a request. In Lambda's JSON log format it is also a document of CloudWatch's
//! embedded metric format, so CloudWatch derives the metrics from it.
use jiff::Timestamp;
use serde::Serialize;

/// The log line of a request. The dashboard and the alarms use the metric names.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Line<'a> {
    pub(super) timestamp: String,
    pub(super) level: &'static str,
    pub(super) message: &'static str,
    pub(super) request_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) xray_trace_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) service: Option<&'a str>,
    pub(super) operation: &'a str,
    pub(super) status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) user: Option<&'a str>,
    #[serde(rename = "Latency")]
    pub(super) latency: f64,
    #[serde(rename = "DatabaseLatency", skip_serializing_if = "Option::is_none")]
    pub(super) database_latency: Option<f64>,
    /// Time spent waiting for Secrets Manager.
    #[serde(rename = "SettingsLatency", skip_serializing_if = "Option::is_none")]
    pub(super) settings_latency: Option<f64>,
    /// Time spent waiting for the app's keys.
    #[serde(rename = "KeysLatency", skip_serializing_if = "Option::is_none")]
    pub(super) keys_latency: Option<f64>,
    #[serde(rename = "DatabaseRetries")]
    pub(super) database_retries: u32,
    #[serde(rename = "ColdStarts")]
    pub(super) cold_starts: u8,
    #[serde(rename = "Failures")]
    pub(super) failures: u8,
    #[serde(rename = "_aws", skip_serializing_if = "Option::is_none")]
    pub(super) metadata: Option<Metadata>,
}

/// The member that makes a log line an embedded-metric-format document.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Metadata {
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

impl Line<'_> {
    /// The metrics of this line. CloudWatch bills a metric for each hour in which it has a value,
    /// so counts of zero are left out.
    pub(super) fn metrics(&self, namespace: &'static str, now: Timestamp) -> Metadata {
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
        let directive =
            |dimensions, metrics| MetricDirective { namespace, dimensions: [dimensions], metrics };
        let mut directives = vec![directive(&["service"], metrics)];
        if self.failures > 0 {
            let failures = vec![Metric { name: "Failures", unit: "Count" }];
            directives.push(directive(&["service", "code"], failures));
        }
        Metadata { timestamp: now.as_millisecond(), cloud_watch_metrics: directives }
    }

    /// The line in human-readable form.
    pub(super) fn text(&self) -> String {
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
