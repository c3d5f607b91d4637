//! HTTP to AWS.
use std::path::PathBuf;
use std::sync::Arc;

use aws_sdk_secretsmanager::config::http::HttpResponse;
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use rustls::ClientConfig;

use crate::http_client::{Failure, send};
use crate::tls::{Roots, client_config};

/// AWS's own tools read it, too: the CA file of a network that intercepts TLS.
const CA_BUNDLE: &str = "AWS_CA_BUNDLE";

#[derive(Debug)]
pub(super) struct Connector(Arc<ClientConfig>);

impl Connector {
    pub(super) fn new() -> Result<Self, String> {
        let file = std::env::var_os(CA_BUNDLE).filter(|path| !path.is_empty());
        let roots = file.map_or(Roots::Web, |path| Roots::File(PathBuf::from(path)));
        let config = client_config(&roots).map_err(|fault| format!("{CA_BUNDLE} {fault}"))?;
        Ok(Self(Arc::new(config)))
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let answer = exchange(self.0.clone(), request);
        // Another attempt may succeed.
        HttpConnectorFuture::new(async { answer.await.map_err(ConnectorError::io) })
    }
}

async fn exchange(tls: Arc<ClientConfig>, request: HttpRequest) -> Result<HttpResponse, Failure> {
    let (parts, body) = request.try_into_http1x()?.into_parts();
    let body = Full::new(Bytes::copy_from_slice(body.bytes().unwrap_or_default()));
    let response = send(tls, hyper::Request::from_parts(parts, body)).await?;
    let (parts, body) = response.into_parts();
    let body = body.collect().await?.to_bytes();
    let response = hyper::Response::from_parts(parts, SdkBody::from(body.as_ref()));
    Ok(HttpResponse::try_from(response)?)
}
