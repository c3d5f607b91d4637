//! Servers with the wrong certificate.
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Instant;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, Stream};
use tempfile::NamedTempFile;
use tests::{Fixture, User};

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority(name: &str) -> Authority {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// The TLS configuration of a server with this certificate.
fn tls(authority: &Authority, name: &str, until_year: i32) -> Arc<ServerConfig> {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new([name.to_owned()]).unwrap();
    params.not_after = date_time_ymd(until_year, 1, 1);
    let certificate = params.signed_by(&key, authority).unwrap().der().clone();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider);
    let builder = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    Arc::new(builder.with_single_cert(vec![certificate], key).unwrap())
}

/// A server in PostgreSQL's place.
#[derive(Default)]
struct Impostor {
    shows: Mutex<Option<Arc<ServerConfig>>>,
    /// What it received after the TLS handshake.
    heard: Mutex<Vec<u8>>,
}

impl Impostor {
    fn show(&self, certificate: Arc<ServerConfig>) {
        *self.shows.lock().unwrap() = Some(certificate);
    }

    fn serve(&self, listener: &TcpListener) {
        for client in listener.incoming() {
            let mut client = client.unwrap();
            // A TLS request has eight bytes.
            client.read_exact(&mut [0; 8]).unwrap();
            client.write_all(b"S").unwrap();
            let shown = self.shows.lock().unwrap().clone().unwrap();
            let mut tls = ServerConnection::new(shown).unwrap();
            let mut buffer = [0; 1024];
            // It fails if the client disconnects.
            let heard = Stream::new(&mut tls, &mut client).read(&mut buffer).unwrap_or(0);
            self.heard.lock().unwrap().extend(&buffer[..heard]);
        }
    }
}

#[test]
fn a_server_is_told_nothing_before_its_certificate_is_found_good() {
    let (authority, others) = (authority("ours"), authority("theirs"));
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(authority.pem().as_bytes()).unwrap();
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let impostor = Arc::new(Impostor::default());
    let serving = impostor.clone();
    impostor.show(tls(&authority, "127.0.0.1", 2020));
    thread::spawn(move || serving.serve(&listener));
    let url = format!(
        "postgres://MARKED:MARKED@127.0.0.1:{port}/tasks?sslmode=verify-full&sslrootcert={}",
        file.path().display()
    );
    let stack = Fixture::gateway(&[("DATABASE_URL", &url)]);
    let user = User::of(&stack);
    for (fault, shown, reason) in [
        ("the certificate has expired", tls(&authority, "127.0.0.1", 2020), "expired"),
        ("it is another host's", tls(&authority, "db.example", 2100), "not valid for name"),
        ("an unknown authority's", tls(&others, "127.0.0.1", 2100), "UnknownIssuer"),
        // The rest of the URL is valid, so only the certificate can stop the login.
        ("it is good", tls(&authority, "127.0.0.1", 2100), ""),
    ] {
        impostor.show(shown);
        let lines = stack.log().lines().count();
        let sent = Instant::now();
        user.read().expect_problem(503, "database_unavailable");
        let took = sent.elapsed().as_millis();
        let log: Vec<String> = stack.log().lines().skip(lines).map(str::to_owned).collect();
        let log = log.join("\n");
        let heard = String::from_utf8_lossy(&impostor.heard.lock().unwrap()).into_owned();
        assert!(log.contains(reason), "{fault}: {log}");
        assert_eq!(heard.contains("MARKED"), reason.is_empty(), "{fault}: {heard:?}");
        assert_eq!(log.contains("certificate"), !reason.is_empty(), "{fault}: {log}");
        println!("| {fault} | 1 × 503 | {took} ms | heard {} bytes |", heard.len());
    }
    assert!(!stack.log().contains("MARKED"));
}
