//! What a test asks of a local AWS.
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::send;

/// The variables of a function whose settings are this secret of the local AWS at `endpoint`.
pub fn aws_variables<'a>(endpoint: &'a str, secret: &'a str) -> [(&'a str, &'a str); 5] {
    [
        ("APP_SECRET_ID", secret),
        ("AWS_ENDPOINT_URL", endpoint),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
    ]
}

/// Makes a secret of Secrets Manager at `endpoint`.
pub fn create_secret(endpoint: &str, name: &str, value: &str) {
    ask(endpoint, "CreateSecret", &json!({ "Name": name, "SecretString": value }));
}

/// Gives a secret another value.
pub fn put_secret(endpoint: &str, name: &str, value: &str) {
    ask(endpoint, "PutSecretValue", &json!({ "SecretId": name, "SecretString": value }));
}

fn ask(endpoint: &str, action: &str, request: &Value) {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let mut request = request.clone();
    request["ClientRequestToken"] = format!("{:032}", COUNT.fetch_add(1, Ordering::Relaxed)).into();
    let authorization = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/secretsmanager/aws4_request, SignedHeaders=host, Signature=0";
    let answer = send(
        "POST",
        endpoint,
        &[
            ("content-type", "application/x-amz-json-1.1"),
            ("x-amz-target", &format!("secretsmanager.{action}")),
            ("authorization", authorization),
        ],
        &request.to_string(),
    );
    assert_eq!(answer.status, 200, "{answer:?}");
}
