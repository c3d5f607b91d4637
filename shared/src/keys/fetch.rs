//! Fetches an app's keys.
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::header::{ACCEPT, LOCATION, USER_AGENT};
use hyper::{Request, StatusCode};
use tokio::time::timeout;

use super::set::KeySet;
use super::url::KeysUrl;
use crate::http_client::{Failure, send};
use crate::tls::{Roots, client_config};

/// For the whole fetch, since a request waits for it.
const LIMIT: Duration = Duration::from_secs(2);
/// The longest key set.
const LONGEST: usize = 64 * 1024;

/// Why no keys could be fetched.
#[derive(Debug)]
pub enum KeysError {
    /// The URL redirects to this one.
    Redirect(String),
    /// The answer has this status.
    Status(u16),
    /// The answer is longer than a key set may be.
    TooLong,
    /// The answer is not a key set.
    NoKeySet,
    /// There was no answer in time.
    Late,
    /// There was no answer, for this reason.
    NoAnswer(String),
}

impl fmt::Display for KeysError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Redirect(target) => write!(f, "it redirects to {target}, which is not followed"),
            Self::Status(status) => write!(f, "its answer has the status {status}"),
            Self::TooLong => write!(f, "its answer is longer than {} KiB", LONGEST / 1024),
            Self::NoKeySet => write!(f, "its answer is not a JSON Web Key Set"),
            Self::Late => write!(f, "it did not answer within {} s", LIMIT.as_secs()),
            Self::NoAnswer(reason) => write!(f, "it cannot be reached: {reason}"),
        }
    }
}

impl std::error::Error for KeysError {}

/// The keys at `url`, which must answer within two seconds, without a redirect.
///
/// # Errors
/// Why there are none.
pub async fn fetch_keys(url: &KeysUrl) -> Result<KeySet, KeysError> {
    fetch(url, &Roots::Web).await
}

async fn fetch(url: &KeysUrl, roots: &Roots) -> Result<KeySet, KeysError> {
    let answer = timeout(LIMIT, ask(url, roots)).await;
    answer.unwrap_or(Err(KeysError::Late))
}

async fn ask(url: &KeysUrl, roots: &Roots) -> Result<KeySet, KeysError> {
    let no_answer = |error: Failure| KeysError::NoAnswer(error.to_string());
    let tls = client_config(roots).map_err(KeysError::NoAnswer)?;
    // Some hosts refuse clients without a name.
    let request = Request::get(url.uri())
        .header(ACCEPT, "application/json")
        .header(USER_AGENT, concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")));
    let request = request.body(Full::default()).map_err(|error| no_answer(error.into()))?;
    let response = send(Arc::new(tls), request).await.map_err(no_answer)?;
    let status = response.status();
    if status.is_redirection() {
        let target = response.headers().get(LOCATION).and_then(|target| target.to_str().ok());
        // A longer one is no URL that an operator could set.
        let target = target.filter(|target| target.len() < 200).unwrap_or("somewhere");
        return Err(KeysError::Redirect(target.to_owned()));
    }
    if status != StatusCode::OK {
        return Err(KeysError::Status(status.as_u16()));
    }
    let body = Limited::new(response.into_body(), LONGEST).collect().await;
    let body = body.map_err(|error| {
        if error.is::<LengthLimitError>() { KeysError::TooLong } else { no_answer(error) }
    })?;
    let body = std::str::from_utf8(&body.to_bytes()).ok().and_then(KeySet::parse);
    body.ok_or(KeysError::NoKeySet)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertifiedKey, generate_simple_self_signed};
    use rustls::ServerConfig;
    use rustls::pki_types::PrivateKeyDer;
    use std::time::Instant;
    use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
    use tokio::net::TcpListener;
    use tokio::time::sleep;
    use tokio_rustls::TlsAcceptor;

    const KEYS: &str = r#"{"keys":[]}"#;

    fn answer(status: &str, body: &str) -> String {
        format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len())
    }

    async fn respond(mut stream: impl AsyncRead + AsyncWrite + Unpin, answer: &[u8]) {
        let mut request = [0; 1000];
        let read = stream.read(&mut request).await.unwrap();
        let request = String::from_utf8_lossy(&request[..read]).to_ascii_lowercase();
        assert!(request.starts_with("get /jwks http/1.1\r\n"), "{request}");
        assert!(request.contains("host: localhost:"), "{request}");
        // The client may have enough.
        let _ = stream.write_all(answer).await;
        sleep(Duration::from_secs(3)).await;
    }

    /// What is fetched from a server with this answer.
    async fn fetched(answer: Vec<u8>) -> Result<KeySet, KeysError> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = async move { respond(listener.accept().await.unwrap().0, &answer).await };
        tokio::spawn(server);
        fetch_keys(&format!("http://localhost:{port}/jwks").parse().unwrap()).await
    }

    #[tokio::test]
    async fn only_a_short_key_set_that_comes_in_time_is_taken() {
        let good = answer("200 OK", KEYS).into_bytes();
        assert!(fetched(good.clone()).await.unwrap().is_empty());
        let padded = |length: usize| format!("{KEYS}{}", " ".repeat(length - KEYS.len()));
        assert!(fetched(answer("200 OK", &padded(LONGEST)).into()).await.is_ok());
        let elsewhere = "302 Found\r\nlocation: https://app.example/jwks";
        for (answer, expected) in [
            (answer("200 OK", &padded(LONGEST + 1)), "its answer is longer than 64 KiB"),
            (answer("200 OK", &padded(10_000_000)), "its answer is longer than 64 KiB"),
            (answer("200 OK", "<html>"), "its answer is not a JSON Web Key Set"),
            (answer("200 OK", ""), "its answer is not a JSON Web Key Set"),
            (answer("404 Not Found", KEYS), "its answer has the status 404"),
            (answer("201 Created", KEYS), "its answer has the status 201"),
            (
                answer(elsewhere, KEYS),
                "it redirects to https://app.example/jwks, which is not followed",
            ),
            (
                "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{".into(),
                "it did not answer within 2 s",
            ),
            (String::new(), "it did not answer within 2 s"),
        ] {
            let started = Instant::now();
            let error = fetched(answer.into_bytes()).await.unwrap_err().to_string();
            assert_eq!(error, expected);
            assert!(started.elapsed() < LIMIT + Duration::from_millis(900), "{expected}");
        }
        let long = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "x".repeat(200_000));
        for answer in ["rubbish", "HTTP/1.1 200 OK\r\nx: \0\r\n\r\n", &long] {
            let error = fetched(answer.as_bytes().to_vec()).await.unwrap_err();
            assert!(matches!(error, KeysError::NoAnswer(_)), "{error}");
        }
        let nobody = fetch_keys(&"http://127.0.0.1:1/jwks".parse().unwrap()).await.unwrap_err();
        assert!(nobody.to_string().starts_with("it cannot be reached: "), "{nobody}");
    }

    #[tokio::test]
    async fn over_https_the_server_must_be_trusted() {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        std::fs::write(&file, cert.pem()).unwrap();
        let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let server = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)
            .unwrap();
        let server = TlsAcceptor::from(Arc::new(server));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                if let Ok(stream) = server.accept(stream).await {
                    tokio::spawn(async {
                        respond(stream, answer("200 OK", KEYS).as_bytes()).await;
                    });
                }
            }
        });
        let url = format!("https://localhost:{port}/jwks").parse().unwrap();
        assert!(fetch(&url, &Roots::File(file)).await.is_ok());
        let error = fetch_keys(&url).await.unwrap_err().to_string();
        assert!(error.contains("UnknownIssuer"), "{error}");
    }
}
