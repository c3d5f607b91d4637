//! TLS: rustls on ring, with the certificates that browsers trust or those in a file.
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, pem::PemObject};
use rustls::{ClientConfig, RootCertStore};

/// The trusted root certificates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Roots {
    /// Those that browsers trust.
    Web,
    /// Those in a file.
    File(PathBuf),
}

/// The TLS configuration of a client that trusts `roots`. That of the web's is made once.
pub(crate) fn client_config(roots: &Roots) -> Result<ClientConfig, String> {
    static WEB: OnceLock<Result<ClientConfig, String>> = OnceLock::new();
    let web = || config(webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect());
    match roots {
        Roots::Web => WEB.get_or_init(web).clone(),
        Roots::File(path) => config(read_roots(path)?),
    }
}

fn config(roots: RootCertStore) -> Result<ClientConfig, String> {
    let mut provider = ring::default_provider();
    // The first group gets a key share: PostgreSQL before 18 accepts no other by default, and would
    // ask for this one at the cost of a round trip.
    provider.kx_groups =
        vec![ring::kx_group::SECP256R1, ring::kx_group::X25519, ring::kx_group::SECP384R1];
    let builder = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

fn read_roots(path: &Path) -> Result<RootCertStore, String> {
    let fault = |reason: &dyn std::fmt::Display| {
        format!("names a certificate file that cannot be read, {}: {reason}", path.display())
    };
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(|e| fault(&e))? {
        store.add(certificate.map_err(|e| fault(&e))?).map_err(|e| fault(&e))?;
    }
    if store.is_empty() { Err(fault(&"it contains no certificate")) } else { Ok(store) }
}
