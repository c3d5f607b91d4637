//! HTTP to other servers: one connection for each request, with the same TLS as for PostgreSQL.
use std::error::Error;
use std::mem;
use std::sync::Arc;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::Builder;
use hyper::header::{HOST, HeaderValue};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// The longest head of an answer.
const LONGEST_HEAD: usize = 64 * 1024;

/// Why there is no answer.
pub(crate) type Failure = Box<dyn Error + Send + Sync>;

/// Sends a request to its absolute URL. The answer's body is not read yet; no redirect is followed.
pub(crate) async fn send(
    tls: Arc<ClientConfig>,
    mut request: Request<Full<Bytes>>,
) -> Result<Response<Incoming>, Failure> {
    let url = mem::take(request.uri_mut());
    let authority = url.authority().map_or("", |authority| authority.as_str());
    request.headers_mut().insert(HOST, HeaderValue::from_str(authority)?);
    *request.uri_mut() = url.path_and_query().map_or("/", |path| path.as_str()).parse()?;

    let https = url.scheme_str() == Some("https");
    // An IPv6 address is in brackets.
    let host = url.host().unwrap_or_default().trim_matches(['[', ']']);
    let port = url.port_u16().unwrap_or(if https { 443 } else { 80 });
    let stream = TcpStream::connect((host, port)).await?;
    stream.set_nodelay(true)?;
    if !https {
        return exchange(stream, request).await;
    }
    let name = ServerName::try_from(host.to_owned())?;
    exchange(TlsConnector::from(tls).connect(name, stream).await?, request).await
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Full<Bytes>>,
) -> Result<Response<Incoming>, Failure> {
    let (mut sender, connection) =
        Builder::new().max_buf_size(LONGEST_HEAD).handshake(TokioIo::new(stream)).await?;
    // It ends when the sender and the answer's body are dropped.
    tokio::spawn(connection);
    Ok(sender.send_request(request).await?)
}
