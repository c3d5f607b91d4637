//! What a test asks of a local AWS.
use serde_json::json;

use crate::send;

/// Makes a secret of Secrets Manager at `endpoint`.
pub fn create_secret(endpoint: &str, name: &str, value: &str) {
    let body = json!({ "Name": name, "SecretString": value, "ClientRequestToken": "0".repeat(32) });
    let authorization = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/secretsmanager/aws4_request, SignedHeaders=host, Signature=0";
    let created = send(
        "POST",
        endpoint,
        &[
            ("content-type", "application/x-amz-json-1.1"),
            ("x-amz-target", "secretsmanager.CreateSecret"),
            ("authorization", authorization),
        ],
        &body.to_string(),
    );
    assert_eq!(created.status, 200, "{created:?}");
}
