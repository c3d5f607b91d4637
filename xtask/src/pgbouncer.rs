//! A pooler before the database of the tests, as Neon has one: each transaction on whichever connection is free.
use std::fmt::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rustix::process::Signal;
use tokio_postgres::Config;
use tokio_postgres::config::Host;

use crate::postgres::{Account, free_port, write_private};
use crate::process::{Output, Process};
use crate::tools;

/// So few that the functions of the tests must share them.
const CONNECTIONS: u16 = 3;

/// Starts one before the server of `url`, a database of the tests, and returns the URL through it.
pub(crate) fn start(folder: &Path, url: &str, output: Output) -> Result<(String, Process)> {
    let program = program()?;
    let account = Account::of_server()?;
    let port = free_port()?;
    let (base, query) = url.split_once('?').context("the URL names no certificate")?;
    let server: Config = base.parse()?;
    let ca = query.split('&').find_map(|pair| pair.strip_prefix("sslrootcert="));
    let ca = Path::new(ca.context("the URL names no sslrootcert")?);
    // It shows the server's own certificate.
    let certificates = ca.parent().context("the certificate is nowhere")?;
    let (Some(Host::Tcp(host)), Some(server_port)) =
        (server.get_hosts().first(), server.get_ports().first())
    else {
        anyhow::bail!("the URL names no server");
    };
    let user = server.get_user().context("the URL names no user")?;
    let password = String::from_utf8_lossy(server.get_password().context("no password")?);

    let users = folder.join("users");
    write_private(&users, &format!("\"{user}\" \"{password}\"\n"), &account)?;
    let mut text = format!("[databases]\n* = host={host} port={server_port}\n[pgbouncer]\n");
    for (name, value) in [
        ("listen_addr", "127.0.0.1"),
        ("listen_port", &port.to_string()),
        ("unix_socket_dir", ""),
        ("pool_mode", "transaction"),
        ("default_pool_size", &CONNECTIONS.to_string()),
        ("max_client_conn", "200"),
        // It would leave a server that was away alone for 15 s.
        ("server_login_retry", "1"),
        ("auth_type", "scram-sha-256"),
        ("auth_file", &users.display().to_string()),
        ("client_tls_sslmode", "require"),
        ("client_tls_cert_file", &certificates.join("server.crt").display().to_string()),
        ("client_tls_key_file", &certificates.join("server.key").display().to_string()),
        ("server_tls_sslmode", "verify-full"),
        ("server_tls_ca_file", &ca.display().to_string()),
    ] {
        writeln!(text, "{name} = {value}")?;
    }
    let settings = folder.join("pgbouncer.ini");
    write_private(&settings, &text, &account)?;
    let mut command = account.command(&program);
    command.arg(&settings);
    let mut process = Process::spawn("pgbouncer", &mut command, Signal::INT, output)?;
    process.await_port(port)?;
    let through = base.replacen(&format!("{host}:{server_port}"), &format!("127.0.0.1:{port}"), 1);
    // It has no channel binding to offer.
    let query = query.replace("channel_binding=require", "channel_binding=disable");
    Ok((format!("{through}?{query}"), process))
}

/// An installed one, else Debian's, where we may install it.
pub(crate) fn program() -> Result<PathBuf> {
    let find = || {
        // Where Debian has it, but not on everybody's path.
        let usual = PathBuf::from("/usr/sbin/pgbouncer");
        tools::on_path("pgbouncer").or_else(|| usual.is_file().then_some(usual))
    };
    tools::debian("PgBouncer", "pgbouncer", find)?.context("the tests need PgBouncer: install it")
}
