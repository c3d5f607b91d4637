//! How API Gateway parses a request: its route and its event.
use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use serde_json::{Value, json};
use tests::routes;

use super::Asked;

impl Asked {
    /// In payload format 2.0.
    pub(super) fn event(&self, id: &str, route: &str, parameters: &Value, types: bool) -> Value {
        let mut headers = BTreeMap::<&str, String>::new();
        for (name, value) in &self.headers {
            let value = value.to_str().unwrap_or_default();
            let joined = headers.entry(name.as_str()).or_default();
            *joined =
                if joined.is_empty() { value.to_owned() } else { format!("{joined},{value}") };
        }
        if types && self.body.is_empty() && ["POST", "PUT"].contains(&self.method.as_str()) {
            headers.entry("content-type").or_insert_with(|| "application/octet-stream".to_owned());
        }
        let path = decoded(&self.path);
        let mut event = json!({
            "version": "2.0", "routeKey": route, "rawPath": path, "rawQueryString": self.query,
            "headers": headers,
            "requestContext": {
                "accountId": "123456789012", "apiId": "abcdefghij", "domainName": "api.example",
                "domainPrefix": "api", "requestId": id, "routeKey": route, "stage": "$default",
                "time": "23/Nov/2026:08:15:00 +0000", "timeEpoch": 1_795_421_700_000_u64,
                "http": {
                    "method": self.method, "path": path, "protocol": "HTTP/1.1",
                    "sourceIp": "203.0.113.7", "userAgent": "tests",
                },
            },
            "pathParameters": parameters,
            "isBase64Encoded": false,
        });
        if let Ok(text) = std::str::from_utf8(&self.body) {
            if !text.is_empty() {
                event["body"] = json!(text);
            }
        } else {
            event["body"] = json!(BASE64.encode(&self.body));
            event["isBase64Encoded"] = json!(true);
        }
        event
    }
}

/// The route of a decoded path, with its function and parameters: a user id with a slash matches
/// none.
pub(super) fn route(method: &str, path: &str) -> Option<(String, String, Value)> {
    let given: Vec<&str> = path.split('/').collect();
    let routes = routes().into_iter().filter(|(of, ..)| of == method);
    routes.into_iter().find_map(|(_, path, function)| {
        let parts: Vec<&str> = path.split('/').collect();
        if parts.len() != given.len() {
            return None;
        }
        let mut parameters = json!({});
        for (part, given) in parts.iter().zip(&given) {
            match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
                Some(name) => parameters[name] = json!(given),
                None if part == given => {}
                None => return None,
            }
        }
        Some((format!("{method} {path}"), function, parameters))
    })
}

pub(super) fn decoded(path: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = path.as_bytes();
    while let [first, after @ ..] = rest {
        let hex = after.get(..2).filter(|_| *first == b'%');
        let hex = hex.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        bytes.push(hex.unwrap_or(*first));
        rest = if hex.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
