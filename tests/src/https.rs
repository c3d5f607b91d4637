//! An HTTPS proxy for an HTTP server.
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use shared::DatabaseUrl;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::sandbox::runtime;

/// A server on loopback with the certificate of a database server.
pub struct Https {
    /// Its URL.
    pub url: String,
    /// The file of the certificate's authority.
    pub authority: PathBuf,
}

impl Https {
    /// In front of the server at an `http` URL, with the certificate of the database server in a
    /// URL.
    pub fn before(url: &str, database_url: &str) -> Self {
        let database_url: DatabaseUrl = database_url.parse().unwrap();
        let server = url.strip_prefix("http://").unwrap().trim_end_matches('/').to_owned();
        let tls = acceptor(&database_url, b"http/1.1");
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        runtime().spawn(async move {
            let listener = TcpListener::from_std(listener).unwrap();
            while let Ok((client, _)) = listener.accept().await {
                // Either side may disconnect.
                let (tls, server) = (tls.clone(), server.clone());
                runtime().spawn(async move { serve(client, &tls, &server).await.ok() });
            }
        });
        Self { url: format!("https://127.0.0.1:{port}"), authority: authority(&database_url) }
    }
}

async fn serve(client: TcpStream, tls: &TlsAcceptor, server: &str) -> Result<()> {
    client.set_nodelay(true)?;
    let mut client = tls.accept(client).await?;
    let mut server = TcpStream::connect(server).await?;
    server.set_nodelay(true)?;
    copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}

fn authority(database_url: &DatabaseUrl) -> PathBuf {
    database_url.parameter("sslrootcert").unwrap().into()
}

/// A TLS configuration with the certificate of the database server in a URL.
pub(crate) fn acceptor(database_url: &DatabaseUrl, protocol: &[u8]) -> TlsAcceptor {
    let authority = authority(database_url);
    let config = server_config(authority.parent().unwrap(), protocol).unwrap();
    Arc::new(config).into()
}

fn server_config(folder: &Path, protocol: &[u8]) -> Result<ServerConfig> {
    let certificate = CertificateDer::from_pem_file(folder.join("server.crt"))?;
    let key = PrivateKeyDer::from_pem_file(folder.join("server.key"))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider);
    let builder = builder.with_safe_default_protocol_versions()?.with_no_client_auth();
    let mut config = builder.with_single_cert(vec![certificate], key)?;
    config.alpn_protocols = vec![protocol.to_vec()];
    Ok(config)
}
