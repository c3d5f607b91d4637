//! HTTP to AWS: one connection for each request, with the same TLS as for PostgreSQL.
use std::path::PathBuf;
use std::sync::Arc;

use aws_sdk_secretsmanager::config::http::HttpResponse;
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::handshake;
use hyper::header::{HOST, HeaderValue};
use hyper::{Request, Uri};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

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
        HttpConnectorFuture::new(send(TlsConnector::from(Arc::clone(&self.0)), request))
    }
}

async fn send(tls: TlsConnector, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
    let request = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
    let uri = request.uri().clone();
    let https = uri.scheme_str() == Some("https");
    let host = uri.host().unwrap_or_default();
    let port = uri.port_u16().unwrap_or(if https { 443 } else { 80 });
    let stream = TcpStream::connect((host, port)).await.map_err(broken)?;
    stream.set_nodelay(true).map_err(broken)?;
    if !https {
        return exchange(stream, request, &uri).await;
    }
    let name = ServerName::try_from(host.to_owned());
    let name = name.map_err(|error| ConnectorError::user(error.into()))?;
    exchange(tls.connect(name, stream).await.map_err(broken)?, request, &uri).await
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<SdkBody>,
    uri: &Uri,
) -> Result<HttpResponse, ConnectorError> {
    let (mut parts, body) = request.into_parts();
    let user = |error: Box<dyn std::error::Error + Send + Sync>| ConnectorError::user(error);
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    parts.headers.insert(HOST, HeaderValue::from_str(authority).map_err(|e| user(e.into()))?);
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    parts.uri = path.parse().map_err(|e: hyper::http::uri::InvalidUri| user(e.into()))?;
    let body = Full::new(Bytes::copy_from_slice(body.bytes().unwrap_or_default()));

    let (mut sender, connection) = handshake(TokioIo::new(stream)).await.map_err(broken)?;
    // It ends when the sender is dropped.
    tokio::spawn(connection);
    let response = sender.send_request(Request::from_parts(parts, body)).await.map_err(broken)?;
    let (parts, body) = response.into_parts();
    let body = body.collect().await.map_err(broken)?.to_bytes();
    let response = hyper::Response::from_parts(parts, SdkBody::from(body.as_ref()));
    HttpResponse::try_from(response).map_err(|error| ConnectorError::other(error.into(), None))
}

/// Errors that another attempt may fix.
fn broken(error: impl std::error::Error + Send + Sync + 'static) -> ConnectorError {
    ConnectorError::io(error.into())
}
