//! The URL of a database, parsed once and never printed with its password.
use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret, SecretString};
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

use crate::percent::encoded;
use crate::tls::{self, Roots};

/// PostgreSQL's default.
const DEFAULT_PORT: u16 = 5432;

/// A `postgres://` URL as Neon's console prints it, or any other that libpq accepts.
#[derive(Clone)]
pub struct DatabaseUrl {
    text: SecretString,
    config: Config,
    roots: Option<Roots>,
}

/// What is wrong with a URL, without its secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidUrl(Cow<'static, str>);

impl fmt::Display for InvalidUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DATABASE_URL {}", self.0)
    }
}

impl Error for InvalidUrl {}

impl FromStr for DatabaseUrl {
    type Err = InvalidUrl;

    /// `tokio-postgres` knows neither `sslrootcert` nor the stricter values of `sslmode`, so both
    /// are removed before it parses the rest.
    fn from_str(text: &str) -> Result<Self, InvalidUrl> {
        // A newline at its end would be part of the database's name.
        let text = text.trim();
        if !text.starts_with("postgres://") && !text.starts_with("postgresql://") {
            return Err(InvalidUrl("is not a postgres:// URL".into()));
        }
        let (base, _) = split(text);
        let mut mode = None;
        let mut roots = Roots::Web;
        let mut rest = Vec::new();
        for (name, value) in parameters(text) {
            match name {
                "sslmode" => mode = Some(decoded(value)),
                "sslrootcert" if value == "system" => roots = Roots::Web,
                "sslrootcert" => roots = Roots::File(decoded(value).as_ref().into()),
                _ => rest.push(format!("{name}={value}")),
            }
        }
        let config = format!("{base}?{}", rest.join("&")).parse::<Config>();
        let mut config = config.map_err(|error| {
            let cause = error.source().map_or_else(|| error.to_string(), ToString::to_string);
            InvalidUrl(format!("cannot be read: {cause}").into())
        })?;
        if config.get_hosts().is_empty() {
            return Err(InvalidUrl("names no host".into()));
        }
        let ssl_mode = ssl_mode(mode.as_deref(), is_local(&config))?;
        config.ssl_mode(ssl_mode);
        let roots = (ssl_mode != SslMode::Disable).then_some(roots);
        if let Some(roots) = &roots {
            tls::client_config(roots)
                .map_err(|fault| InvalidUrl(format!("has an sslrootcert that {fault}").into()))?;
        }
        Ok(Self { text: text.into(), config, roots })
    }
}

impl DatabaseUrl {
    /// The whole URL with its password, for the environment of another program.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.text.expose_secret()
    }

    /// The connection settings.
    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    /// The trusted root certificates; `None` without TLS.
    pub(crate) fn roots(&self) -> Option<&Roots> {
        self.roots.as_ref()
    }

    /// The login role.
    #[must_use]
    pub fn user(&self) -> Option<&str> {
        self.config.get_user()
    }

    /// The login's password.
    #[must_use]
    pub fn password(&self) -> Option<SecretString> {
        let password = std::str::from_utf8(self.config.get_password()?).ok()?;
        Some(password.into())
    }

    /// The host of the first server; `None` for a Unix socket.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        match self.config.get_hosts().first()? {
            Host::Tcp(name) => Some(name),
            Host::Unix(_) => None,
        }
    }

    /// The port of the first server.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.config.get_ports().first().copied().unwrap_or(DEFAULT_PORT)
    }

    /// The name of the database.
    #[must_use]
    pub fn database(&self) -> Option<&str> {
        self.config.get_dbname()
    }

    /// The decoded value of a query parameter.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<String> {
        let of_name = |(given, value)| (given == name).then(|| decoded(value).into_owned());
        parameters(self.expose()).filter_map(of_name).last()
    }

    /// Whether the server is on this machine.
    #[must_use]
    pub fn is_local(&self) -> bool {
        is_local(&self.config)
    }

    /// Whether every connection uses TLS.
    #[must_use]
    pub fn requires_tls(&self) -> bool {
        self.config.get_ssl_mode() == SslMode::Require
    }
}

/// Without the password and without the parameters, which may contain another one.
impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = self.expose().split(':').next().unwrap_or_default();
        write!(f, "{scheme}://")?;
        if let Some(user) = self.user() {
            write!(f, "{}@", encoded(user))?;
        }
        if let Some(host) = self.host() {
            write!(f, "{host}:{}", self.port())?;
        }
        write!(f, "/{}", self.database().unwrap_or_default())
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.to_string())
    }
}

impl PartialEq for DatabaseUrl {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

/// Whether TLS is used. Unlike libpq, it never falls back to plain text when an attacker claims
/// that the server has no TLS. A local server may lack a verifiable certificate.
fn ssl_mode(named: Option<&str>, local: bool) -> Result<SslMode, InvalidUrl> {
    match named {
        Some("disable") => Ok(SslMode::Disable),
        None | Some("prefer" | "allow") if local => Ok(SslMode::Disable),
        None | Some("prefer" | "allow" | "require" | "verify-ca" | "verify-full") => {
            Ok(SslMode::Require)
        }
        Some("no-verify") => Err(InvalidUrl(
            "asks for sslmode=no-verify, TLS with anybody: name the server's CA in sslrootcert, \
             or say sslmode=disable"
                .into(),
        )),
        Some(other) => Err(InvalidUrl(format!("has an unknown sslmode, {other:?}").into())),
    }
}

/// If the URL also names addresses (`hostaddr`), these are connected to.
fn is_local(config: &Config) -> bool {
    let is_local = |host: &Host| match host {
        Host::Tcp(name) => {
            name == "localhost" || name.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
        }
        Host::Unix(_) => true,
    };
    config.get_hosts().iter().all(is_local)
        && config.get_hostaddrs().iter().all(IpAddr::is_loopback)
}

fn split(url: &str) -> (&str, &str) {
    url.split_once('?').unwrap_or((url, ""))
}

/// The query parameters, still encoded.
fn parameters(url: &str) -> impl Iterator<Item = (&str, &str)> {
    let pairs = split(url).1.split('&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

fn decoded(value: &str) -> Cow<'_, str> {
    percent_decode_str(value).decode_utf8_lossy()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;
    use tokio_postgres::config::ChannelBinding;

    const NEON: &str = "postgresql://alex:AbC123dEf@ep-cool-darkness-123456-pooler.us-east-2.aws.neon.tech/dbname?sslmode=require&channel_binding=require";

    fn parse(url: &str) -> DatabaseUrl {
        url.parse().unwrap_or_else(|fault| panic!("{url}: {fault}"))
    }

    #[test]
    fn a_url_is_read_as_neon_prints_it() {
        let url = parse(NEON);
        assert!(url.requires_tls() && !url.is_local());
        assert_eq!(url.config().get_channel_binding(), ChannelBinding::Require);
        assert_eq!(url.user(), Some("alex"));
        assert_eq!(url.password().unwrap().expose_secret(), "AbC123dEf");
        assert_eq!(url.host(), Some("ep-cool-darkness-123456-pooler.us-east-2.aws.neon.tech"));
        assert_eq!((url.port(), url.database()), (5432, Some("dbname")));
        assert_eq!(url.parameter("sslmode").as_deref(), Some("require"));
        assert_eq!(url.parameter("sslrootcert"), None);
        assert_eq!(url.roots(), Some(&Roots::Web));
        assert_eq!(url.expose(), NEON);
        // As a file or a form may hand it over.
        let padded = parse(&format!(" {NEON}\n"));
        assert_eq!(
            (padded.expose(), padded.parameter("channel_binding").as_deref()),
            (NEON, Some("require"))
        );
        assert_eq!(parse("postgres://h/d\n").database(), Some("d"));
    }

    #[test]
    fn every_sslmode_of_libpq_is_known() {
        for (url, mode) in [
            ("postgres://h/d?sslmode=disable", SslMode::Disable),
            ("postgres://h/d?sslmode=prefer", SslMode::Require),
            ("postgres://h/d?sslmode=allow", SslMode::Require),
            ("postgres://h/d", SslMode::Require),
            ("postgres://192.0.2.1/d", SslMode::Require),
            ("postgres://localhost.example/d", SslMode::Require),
            ("postgres:///d?host=localhost,h", SslMode::Require),
            ("postgres://[::1]/d", SslMode::Disable),
            ("postgres://localhost/d?hostaddr=192.0.2.1", SslMode::Require),
            ("postgres://localhost/d?hostaddr=127.0.0.1", SslMode::Disable),
            ("postgres://h/d?hostaddr=127.0.0.1", SslMode::Require),
            ("postgres://localhost/d", SslMode::Disable),
            ("postgres://127.0.0.1/d?sslmode=prefer", SslMode::Disable),
            ("postgres:///d?host=/var/run/postgresql", SslMode::Disable),
            ("postgres://localhost/d?sslmode=require", SslMode::Require),
            ("postgres://h/d?sslmode=verify-ca", SslMode::Require),
            ("postgres://h/d?application_name=x&sslmode=verify-full", SslMode::Require),
        ] {
            let parsed = parse(url);
            assert_eq!(parsed.config().get_ssl_mode(), mode, "{url}");
            assert_eq!(parsed.roots().is_some(), mode != SslMode::Disable, "{url}");
            assert_eq!(parsed.requires_tls(), mode == SslMode::Require, "{url}");
        }
    }

    #[test]
    fn a_private_ca_is_named_by_sslrootcert() {
        let missing = "postgres://h/d?sslmode=verify-full&sslrootcert=%2Fca%20dir%2Fca.pem";
        let fault = missing.parse::<DatabaseUrl>().unwrap_err().to_string();
        assert!(fault.contains("sslrootcert") && fault.contains("/ca dir/ca.pem"), "{fault}");
        assert_eq!(parse("postgres://h/d?sslrootcert=system").roots(), Some(&Roots::Web));

        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a ca.pem");
        let authority = rcgen::generate_simple_self_signed(["ca".to_owned()]).unwrap();
        std::fs::write(&file, authority.cert.pem()).unwrap();
        let file_in_url = encoded(file.to_str().unwrap());
        let url = parse(&format!("postgres://h/d?sslrootcert={file_in_url}"));
        assert_eq!(url.roots(), Some(&Roots::File(file.clone())));
        assert_eq!(url.parameter("sslrootcert").as_deref().map(Path::new), Some(file.as_path()));
    }

    #[test]
    fn a_bad_url_is_refused_without_its_password() {
        for (url, reason) in [
            ("", "not a postgres:// URL"),
            ("mysql://u:HUSH@h/d", "not a postgres:// URL"),
            ("host=h password=HUSH", "not a postgres:// URL"),
            ("postgres://u:HUSH@h:x/d", "invalid value for option `port`"),
            ("postgres://u:HUSH@h/d?sslmode=maybe", "unknown sslmode"),
            ("postgres://u:HUSH@h/d?sslmode=no-verify", "sslrootcert"),
            ("postgres://u:HUSH@h/d?pgbouncer=true", "unknown option `pgbouncer`"),
        ] {
            let fault = url.parse::<DatabaseUrl>().err();
            let fault = fault.unwrap_or_else(|| panic!("{url} was read"));
            assert!(fault.to_string().contains(reason), "{fault}");
            assert!(!format!("{fault} {fault:?}").contains("HUSH"), "{fault}");
        }
    }

    #[test]
    fn it_is_printed_without_its_secrets() {
        let url = parse("postgres://u%40x:HUSH@h:1/d?application_name=HUSH");
        assert_eq!(url.to_string(), "postgres://u%40x@h:1/d");
        assert_eq!(format!("{url:?}"), "\"postgres://u%40x@h:1/d\"");
    }
}
