//! The API Gateway event of a request, in payload format 2.0.
use std::fmt::Display;

use serde_json::{Map, Value, json};

use crate::Request;

const HOST: &str = "abcdefghij.execute-api.eu-central-1.amazonaws.com";

impl Request {
    /// Its event, for a user and a token.
    pub fn event(&self, user: &str, item: impl Display, token: &str) -> Value {
        let (method, path) = (&self.operation.method, self.path(user, &item));
        let route = format!("{method} {}", self.operation.path);
        let mut event = json!({
            "version": "2.0",
            "routeKey": route,
            "rawPath": path,
            "rawQueryString": self.query,
            "headers": {
                "accept": "application/json",
                "authorization": format!("Bearer {token}"),
                "host": HOST,
                "origin": "http://localhost:3000",
                "user-agent": "Mozilla/5.0",
                "x-amzn-trace-id": "Root=1-6a140f84-3b5a1f0e6d0c4e8e9a550e4f",
                "x-forwarded-for": "203.0.113.7",
                "x-forwarded-port": "443",
                "x-forwarded-proto": "https",
            },
            "requestContext": {
                "accountId": "123456789012",
                "apiId": "abcdefghij",
                "domainName": HOST,
                "domainPrefix": "abcdefghij",
                "http": {
                    "method": method,
                    "path": path,
                    "protocol": "HTTP/1.1",
                    "sourceIp": "203.0.113.7",
                    "userAgent": "Mozilla/5.0",
                },
                "requestId": "JKJaXmPLvHcESHA=",
                "routeKey": route,
                "stage": "$default",
                "time": "23/Nov/2026:08:15:00 +0000",
                "timeEpoch": 1_795_421_700_000_u64,
            },
            "pathParameters": { "user_id": user },
            "isBase64Encoded": false,
        });
        if let Some(parameter) = self.operation.item_parameter() {
            event["pathParameters"][parameter] = json!(item.to_string());
        }
        if !self.query.is_empty() {
            let pairs =
                self.query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
            let parameters = pairs.map(|(name, value)| (name.to_owned(), json!(value)));
            event["queryStringParameters"] = Value::Object(parameters.collect::<Map<_, _>>());
        }
        if !self.body.is_empty() {
            event["headers"]["content-type"] = json!("application/json");
            event["headers"]["content-length"] = json!(self.body.len().to_string());
            event["body"] = json!(self.body);
        }
        for (name, value) in &self.headers {
            event["headers"][name] = json!(value);
        }
        event
    }
}
