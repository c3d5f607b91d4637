//! What AWS records of requests: log lines with metrics, the access log, traces, and Lambda's
//! report of an invocation. Lines and metrics go to a local AWS; X-Ray and Lambda are answered
//! here.
use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use hyper::HeaderMap;
use serde_json::{Value, json};
use tempfile::NamedTempFile;
use tests::{Sandbox, call_aws};

use super::{Answered, Asked};

pub(super) struct Records {
    stack: String,
    keeps: bool,
    lines: Mutex<Sender<String>>,
    /// The requested traces.
    traces: Mutex<BTreeSet<String>>,
}

impl Records {
    /// Takes the functions' log, if records are kept.
    pub(super) fn start(stack: &str, keeps: bool, aws: &str, log: NamedTempFile) -> Self {
        let (lines, access) = channel();
        let writer = Arc::new(Writer { aws: aws.to_owned(), stack: stack.to_owned() });
        if keeps {
            thread::spawn(move || writer.write(&access, &log));
        }
        let lines = Mutex::new(lines);
        Self { stack: stack.to_owned(), keeps, lines, traces: Mutex::default() }
    }

    /// Adds a line to the access log.
    pub(super) fn access(&self, line: &Value) {
        // The receiver is gone if no records are kept.
        let _ = self.lines.lock().unwrap().send(line.to_string());
    }

    /// The answer of X-Ray or Lambda, if the request is for one of them.
    pub(super) async fn answer(
        &self,
        asked: &Asked,
        functions: &BTreeMap<&'static str, Sandbox>,
    ) -> Option<Answered> {
        if let Some(trace) = asked.headers.get("x-amzn-trace-id").and_then(|id| id.to_str().ok())
            && let Some((root, "1")) = trace.strip_prefix("Root=")?.split_once(";Sampled=")
        {
            self.traces.lock().unwrap().insert(root.to_owned());
        }
        if asked.path == "/Traces" {
            return Some(self.traces(&serde_json::from_slice(&asked.body).unwrap()));
        }
        let invoked = asked.path.strip_prefix("/2015-03-31/functions/")?;
        let name =
            invoked.strip_suffix("/invocations")?.strip_prefix(&format!("{}-", self.stack))?;
        let answer = functions.get(name)?.invoke(asked.body.clone()).await.unwrap();
        let mut answered = Answered { status: 200, headers: HeaderMap::new(), body: answer.body };
        let log = "START RequestId: 1 Version: 1\nEND RequestId: 1\n\
             REPORT RequestId: 1\tDuration: 3.25 ms\tBilled Duration: 4 ms\tMemory Size: 128 MB\tMax Memory Used: 17 MB\t\n";
        answered.set("x-amz-log-result", &BASE64.encode(log));
        Some(answered)
    }

    fn traces(&self, asked: &Value) -> Answered {
        let known = self.traces.lock().unwrap();
        let id = asked["TraceIds"][0].as_str().unwrap();
        let database = json!({ "name": "PostgreSQL", "namespace": "remote", "sql": { "database_type": "PostgreSQL" } });
        let documents = [json!({ "name": "task-api", "origin": "AWS::Lambda" }), database];
        let segments: Vec<Value> = documents
            .iter()
            .map(|document| json!({ "Id": "1", "Document": document.to_string() }))
            .collect();
        let trace = json!({ "Id": id, "Segments": segments });
        let traces = if self.keeps && known.contains(id) { vec![trace] } else { Vec::new() };
        let mut answered = Answered::own(200, "");
        answered.body = json!({ "Traces": traces, "UnprocessedTraceIds": [] }).to_string().into();
        answered
    }
}

/// Sends records to the local AWS.
struct Writer {
    aws: String,
    stack: String,
}

impl Writer {
    fn write(&self, access: &Receiver<String>, log: &NamedTempFile) {
        let groups =
            [format!("/aws/lambda/{}", self.stack), format!("/aws/vendedlogs/apis/{}", self.stack)];
        for group in &groups {
            let stream = json!({ "logGroupName": group, "logStreamName": "tests" });
            self.logs("CreateLogStream", &stream);
        }
        let mut read = 0;
        loop {
            let text = std::fs::read_to_string(log.path()).unwrap();
            let end = text.rfind('\n').map_or(0, |end| end + 1);
            let functions: Vec<String> = text[read..end].lines().map(str::to_owned).collect();
            read = end;
            self.metrics(&functions);
            let gateway: Vec<String> = access.try_iter().collect();
            for (group, lines) in groups.iter().zip([functions, gateway]) {
                self.put(group, &lines);
            }
            match access.recv_timeout(Duration::from_millis(300)) {
                Ok(line) => self.put(&groups[1], &[line]),
                // The gateway was dropped.
                Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => return,
                Err(std::sync::mpsc::RecvTimeoutError::Timeout) => {}
            }
        }
    }

    fn put(&self, group: &str, lines: &[String]) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
        let event =
            |line: &String| json!({ "timestamp": u64::try_from(now).unwrap(), "message": line });
        let events: Vec<Value> = lines.iter().map(event).collect();
        if !events.is_empty() {
            let put =
                json!({ "logGroupName": group, "logStreamName": "tests", "logEvents": events });
            self.logs("PutLogEvents", &put);
        }
    }

    fn logs(&self, action: &str, body: &Value) {
        let target = format!("Logs_20140328.{action}");
        let headers =
            [("x-amz-target", target.as_str()), ("content-type", "application/x-amz-json-1.1")];
        self.call("logs", &headers, &body.to_string());
    }

    /// The metrics in embedded-metric-format lines.
    fn metrics(&self, lines: &[String]) {
        let mut form = vec!["Action=PutMetricData&Version=2010-08-01&Namespace=TaskApi".to_owned()];
        let mut count = 0;
        for line in lines.iter().filter_map(|line| line.parse::<Value>().ok()) {
            let metrics = line["_aws"]["CloudWatchMetrics"][0]["Metrics"].as_array().cloned();
            for metric in metrics.into_iter().flatten() {
                count += 1;
                let name = metric["Name"].as_str().unwrap();
                let member = format!("MetricData.member.{count}");
                let dimension = format!("{member}.Dimensions.member.1");
                form.push(format!("{member}.MetricName={name}&{member}.Value={}", line[name]));
                form.push(format!("{dimension}.Name=service&{dimension}.Value={}", self.stack));
            }
        }
        if count > 0 {
            self.call(
                "monitoring",
                &[("content-type", "application/x-www-form-urlencoded")],
                &form.join("&"),
            );
        }
    }

    fn call(&self, service: &str, headers: &[(&str, &str)], body: &str) {
        let reply = call_aws(&self.aws, service, "POST", "/", headers, body);
        assert!(
            reply.status < 300 || reply.body.to_string().contains("AlreadyExists"),
            "{reply:#?}"
        );
    }
}
