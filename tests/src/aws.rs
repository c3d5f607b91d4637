//! Requests to a local AWS over HTTP: each start of the AWS CLI would take a second.
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::{Reply, send};

/// The variables of a function with its settings in this secret of the local AWS at `endpoint`.
pub fn aws_variables<'a>(endpoint: &'a str, secret: &'a str) -> [(&'a str, &'a str); 5] {
    [
        ("APP_SECRET_ID", secret),
        ("AWS_ENDPOINT_URL", endpoint),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
    ]
}

/// Creates a Secrets Manager secret at `endpoint`.
pub fn create_secret(endpoint: &str, name: &str, value: &str) {
    ask_aws(endpoint, "secretsmanager.CreateSecret", &named("Name", name, value));
}

/// Changes a secret's value.
pub fn put_secret(endpoint: &str, name: &str, value: &str) {
    ask_aws(endpoint, "secretsmanager.PutSecretValue", &named("SecretId", name, value));
}

/// A request with a secret and its new value; its token is unique.
fn named(member: &str, name: &str, value: &str) -> Value {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let token = format!("{:032}", COUNT.fetch_add(1, Ordering::Relaxed));
    json!({ member: name, "SecretString": value, "ClientRequestToken": token })
}

/// The value of a secret.
pub fn stored_secret(endpoint: &str, name: &str) -> String {
    let secret = ask_aws(endpoint, "secretsmanager.GetSecretValue", &json!({ "SecretId": name }));
    secret["SecretString"].as_str().unwrap().to_owned()
}

/// The value of an encrypted parameter of Systems Manager.
pub fn stored_parameter(endpoint: &str, name: &str) -> String {
    let asked = json!({ "Name": name, "WithDecryption": true });
    let parameter = ask_aws(endpoint, "AmazonSSM.GetParameter", &asked);
    parameter["Parameter"]["Value"].as_str().unwrap().to_owned()
}

/// The answer of a service with a JSON protocol; `target` is the service and the action.
pub fn ask_aws(endpoint: &str, target: &str, request: &Value) -> Value {
    let service = match target.split('.').next() {
        Some("AmazonSSM") => "ssm",
        Some("Logs_20140328") => "logs",
        _ => "secretsmanager",
    };
    let headers = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", target)];
    call_aws(endpoint, service, "POST", "/", &headers, &request.to_string()).expect(200)
}

/// CloudFormation's answer; it accepts forms and answers in XML.
pub fn ask_cloudformation(endpoint: &str, action: &str, fields: &[(&str, &str)]) -> Reply {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("Action", action).extend_pairs(fields);
    let form = form.finish();
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    call_aws(endpoint, "cloudformation", "POST", "/", &headers, &form)
}

/// Asks CloudFormation to create a stack from a template.
pub fn create_stack(
    endpoint: &str,
    stack: &str,
    template: &Value,
    parameters: &[(&str, &str)],
) -> Reply {
    let template = template.to_string();
    let mut fields = vec![
        ("StackName".to_owned(), stack),
        ("TemplateBody".to_owned(), template.as_str()),
        ("Capabilities.member.1".to_owned(), "CAPABILITY_IAM"),
    ];
    for (number, (name, value)) in (1..).zip(parameters) {
        fields.push((format!("Parameters.member.{number}.ParameterKey"), name));
        fields.push((format!("Parameters.member.{number}.ParameterValue"), value));
    }
    let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    ask_cloudformation(endpoint, "CreateStack", &fields)
}

/// A call of any AWS API. The signature names the service; a local AWS does not verify it.
pub fn call_aws(
    endpoint: &str,
    service: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Reply {
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=0"
    );
    let headers = [&[("authorization", authorization.as_str())], headers].concat();
    send(method, &format!("{endpoint}{path}"), &headers, body)
}
