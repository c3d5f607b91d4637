//! API Gateway's event of an operation, in payload format 2.0, with the document's examples.
use anyhow::Result;
use serde_json::{Map, Value, json};

use super::operation::Operation;

const HOST: &str = "abcdefghij.execute-api.eu-central-1.amazonaws.com";
const USER: &str = "dev-user";
/// Of the right form, but expired. `cargo xtask event` prints the event with a valid one.
const TOKEN: &str = concat!(
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJhdWQiOiJ0YXNrLWFwaSIsImV4cCI6MTc5NTQyMjMwMCwiaWF0Ij",
    "oxNzk1NDIxNzAwLCJpc3MiOiJodHRwOi8vbG9jYWxob3N0OjMwMDAiLCJzdWIiOiJkZXYtdXNlciJ9.bKmK_KczaXQh",
    "qnxnKz4jlF1y9LT_7sroZRvRqTT_Za0"
);

pub(super) fn event(operation: &Operation) -> Result<Value> {
    let method = &operation.method;
    let route = format!("{method} {}", operation.path);
    let mut path = operation.path.to_owned();
    let mut parameters = Map::new();
    for name in operation.names("path") {
        let value = if name == "user_id" { USER } else { "1" };
        path = path.replace(&format!("{{{name}}}"), value);
        parameters.insert(name.to_owned(), json!(value));
    }
    let query = operation.example_query()?;
    let pairs: Vec<_> = query.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let query: Map<_, _> = query.into_iter().map(|(name, value)| (name, json!(value))).collect();
    let body = operation.example_body()?;
    let has_key = operation.names("header").any(|name| name == "Idempotency-Key");
    Ok(present(json!({
        "version": "2.0",
        "routeKey": route,
        "rawPath": path,
        "rawQueryString": pairs.join("&"),
        "queryStringParameters": (!query.is_empty()).then_some(query),
        "headers": present(json!({
            "accept": "application/json",
            "authorization": format!("Bearer {TOKEN}"),
            "content-length": body.as_ref().map(|body| body.len().to_string()),
            "content-type": body.as_ref().map(|_| "application/json"),
            "host": HOST,
            "idempotency-key": has_key.then_some("key"),
            "origin": "http://localhost:3000",
            "user-agent": "Mozilla/5.0",
            "x-amzn-trace-id": "Root=1-6a140f84-3b5a1f0e6d0c4e8e9a550e4f",
            "x-forwarded-for": "203.0.113.7",
            "x-forwarded-port": "443",
            "x-forwarded-proto": "https",
        })),
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
        "pathParameters": parameters,
        "body": body,
        "isBase64Encoded": false,
    })))
}

/// The members that are not null.
fn present(value: Value) -> Value {
    let Value::Object(members) = value else { return value };
    members.into_iter().filter(|(_, value)| !value.is_null()).collect()
}
