//! A pooler for the test database, as on Neon: each transaction gets any free connection.
use std::fmt::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rustix::process::Signal;
use secrecy::ExposeSecret;
use shared::DatabaseUrl;

use crate::database_url::Change;
use crate::postgres::{Account, free_port, write_private};
use crate::process::{Output, Process};
use crate::tools;

/// Few enough that the functions in the tests must share them.
const CONNECTIONS: u16 = 3;

/// Starts one for this many clients in front of the server of `url`, a test database; returns the
/// URL through it.
pub(crate) fn start(
    folder: &Path,
    url: &DatabaseUrl,
    clients: u16,
    output: Output,
) -> Result<(DatabaseUrl, Process)> {
    let program = program()?;
    let account = Account::of_server()?;
    let port = free_port()?;
    let ca = url.parameter("sslrootcert").context("the URL names no sslrootcert")?;
    // It uses the server's own certificate.
    let certificates = Path::new(&ca).parent().context("the certificate's path has no folder")?;
    let (host, server_port) = (url.host().context("the URL names no server")?, url.port());
    let user = url.user().context("the URL names no user")?;
    let password = url.password().context("the URL has no password")?;

    let users = folder.join("users");
    write_private(&users, &format!("\"{user}\" \"{}\"\n", password.expose_secret()), &account)?;
    let mut text = format!("[databases]\n* = host={host} port={server_port}\n[pgbouncer]\n");
    for (name, value) in [
        ("listen_addr", "127.0.0.1"),
        ("listen_port", &port.to_string()),
        ("unix_socket_dir", ""),
        ("pool_mode", "transaction"),
        ("default_pool_size", &CONNECTIONS.to_string()),
        ("max_client_conn", &clients.to_string()),
        // By default it does not retry an unavailable server for 15 s.
        ("server_login_retry", "1"),
        ("auth_type", "scram-sha-256"),
        ("auth_file", &users.display().to_string()),
        ("client_tls_sslmode", "require"),
        ("client_tls_cert_file", &certificates.join("server.crt").display().to_string()),
        ("client_tls_key_file", &certificates.join("server.key").display().to_string()),
        ("server_tls_sslmode", "verify-full"),
        ("server_tls_ca_file", &ca),
    ] {
        writeln!(text, "{name} = {value}")?;
    }
    let settings = folder.join("pgbouncer.ini");
    write_private(&settings, &text, &account)?;
    let mut command = account.command(&program);
    command.arg(&settings);
    let mut process = Process::spawn("pgbouncer", &mut command, Signal::INT, output)?;
    process.await_port(port)?;
    // It does not support channel binding.
    let through =
        url.with_address("127.0.0.1", port)?.with_parameter("channel_binding", "disable")?;
    Ok((through, process))
}

/// An installed one, else Debian's, if we may install it.
pub(crate) fn program() -> Result<PathBuf> {
    let find = || {
        // Debian installs it outside of most users' `PATH`.
        let usual = PathBuf::from("/usr/sbin/pgbouncer");
        tools::on_path("pgbouncer").or_else(|| usual.is_file().then_some(usual))
    };
    tools::debian("PgBouncer", "pgbouncer", find)?.context("the tests need PgBouncer: install it")
}
