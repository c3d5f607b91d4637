//! Settings from a secret of AWS Secrets Manager.
use std::collections::HashMap;
use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_config::environment::{
    EnvironmentVariableCredentialsProvider, EnvironmentVariableRegionProvider,
};
use aws_config::timeout::TimeoutConfig;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueError;
use aws_smithy_runtime_api::client::http::{SharedHttpConnector, http_client_fn};

use super::aws_http::Connector;

/// For the whole call with its retries: less than Lambda's 10 s for an init.
const LIMIT: Duration = Duration::from_secs(5);

/// Reads the JSON object in the secret `id`, with the credentials, region and endpoint from
/// Lambda's environment.
pub(crate) async fn fetch(id: &str) -> Result<HashMap<String, String>, String> {
    let connector = SharedHttpConnector::new(Connector::new()?);
    let aws = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http_client_fn(move |_, _| connector.clone()))
        .credentials_provider(EnvironmentVariableCredentialsProvider::new())
        .region(EnvironmentVariableRegionProvider::new())
        .timeout_config(TimeoutConfig::builder().operation_timeout(LIMIT).build())
        .load()
        .await;
    let request = Client::new(&aws).get_secret_value().secret_id(id);
    let secret = request.send().await.map_err(|error| {
        format!("APP_SECRET_ID: the secret {id} cannot be read: {}", describe(&error))
    })?;
    // Without the parser's message, which may quote the secret.
    serde_json::from_str(secret.secret_string().unwrap_or_default())
        .map_err(|_| "APP_SECRET_ID: the secret is not a JSON object of strings".to_owned())
}

/// Why the secret could not be read. The answer is never quoted: it may contain the secret.
fn describe(error: &SdkError<GetSecretValueError>) -> String {
    match error {
        SdkError::ServiceError(_) => {
            [error.code(), error.message()].map(Option::unwrap_or_default).join(": ")
        }
        SdkError::DispatchFailure(failure) => match failure.as_connector_error() {
            Some(error) => DisplayErrorContext(error).to_string(),
            None => "the request could not be sent".to_owned(),
        },
        SdkError::TimeoutError(_) => format!("no answer within {} s", LIMIT.as_secs()),
        _ => "the answer is not valid".to_owned(),
    }
}
