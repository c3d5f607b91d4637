//! A PostgreSQL server of our own, for local use and for the tests.
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::net::TcpListener;
use std::os::unix::fs::{OpenOptionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustix::process::Signal;
use shared::DatabaseUrl;

use crate::process::{Output, Process};
use crate::settings::{EMBEDDED_USER, random_text};
use crate::{migrate, project, tools};

/// The oldest release that Neon still runs.
const OLDEST: u32 = 14;
const DATABASE: &str = "tasks";

/// A running server; it stops when this is dropped.
pub(crate) struct Server {
    pub(crate) process: Process,
    /// What started it.
    pub(crate) command: Command,
    /// How to connect to it.
    pub(crate) url: DatabaseUrl,
    /// The folder of its programs.
    pub(crate) programs: PathBuf,
}

/// How a server is run.
pub(crate) enum Mode {
    /// Its data outlives it; plain TCP on loopback.
    Kept,
    /// As fast as it goes, for data that is thrown away; with TLS.
    Tested {
        /// How many connections it takes.
        connections: u16,
        /// Whether each statement is in the log.
        log: bool,
    },
}

impl Mode {
    /// For tests that ask for nothing special.
    pub(crate) const TESTED: Self = Self::Tested { connections: 200, log: true };
}

impl Server {
    /// Starts a server on the data in `folder`, which is made where there is none.
    pub(crate) fn start(folder: &Path, mode: &Mode, port: u16, output: Output) -> Result<Self> {
        let account = Account::of_server()?;
        // Ours, not the server's, who could put links into it.
        project::make_private(folder)?;
        let cluster = folder.join("data");
        let made_by = fs::read_to_string(cluster.join("PG_VERSION")).ok();
        let bin = programs(made_by.as_deref().map(str::trim))?;
        let password_file = folder.join("password");
        if made_by.is_none() {
            initialize(&bin, folder, &cluster, &password_file, &account)?;
        }
        let password = fs::read_to_string(&password_file).context("cannot read the password")?;
        stop_orphan(&bin, &cluster, &account, &password);

        let mut query = String::new();
        let mut command = account.command(&bin.join("postgres"));
        command.arg("-D").arg(&cluster);
        let port_setting = format!("port={port}");
        let connections_setting;
        let mut settings = vec![
            "listen_addresses=127.0.0.1",
            &port_setting,
            // Where it would be, others could be in the way, or the path be too long.
            "unix_socket_directories=",
            "log_checkpoints=off",
        ];
        if let Mode::Tested { connections, log } = mode {
            connections_setting = format!("max_connections={connections}");
            let ca = certify(folder, &account)?;
            let ca = ca.display();
            query = format!("?sslmode=verify-full&channel_binding=require&sslrootcert={ca}");
            settings.extend([
                "ssl=on",
                "ssl_cert_file=../server.crt",
                "ssl_key_file=../server.key",
                &connections_setting,
                "fsync=off",
                "synchronous_commit=off",
                "full_page_writes=off",
                "log_line_prefix=%m [%p] %a ",
            ]);
            if *log {
                settings.push("log_statement=all");
            }
        }
        for setting in settings {
            command.arg("-c").arg(setting);
        }
        // SIGINT is its fast shutdown: it does not wait for clients.
        let process = Process::spawn("postgres", &mut command, Signal::INT, output)?;
        let url =
            format!("postgres://{EMBEDDED_USER}:{password}@127.0.0.1:{port}/{DATABASE}{query}");
        let mut server = Self { process, command, url: url.parse()?, programs: bin };
        server.await_database()?;
        Ok(server)
    }

    /// Waits for the server, and makes the database where it is missing.
    fn await_database(&mut self) -> Result<()> {
        let server_url = self.url.with_database("postgres")?;
        let patience = Instant::now() + Duration::from_mins(1);
        loop {
            if let Some(status) = self.process.ended() {
                bail!("the PostgreSQL server did not start ({status})");
            }
            match migrate::create_database(&server_url, DATABASE) {
                Ok(()) => return Ok(()),
                Err(error) if Instant::now() > patience => {
                    return Err(error.context("the PostgreSQL server does not answer"));
                }
                Err(_) => std::thread::sleep(Duration::from_millis(100)),
            }
        }
    }
}

/// A free port of loopback.
pub(crate) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// Who runs the server: PostgreSQL refuses to run as root.
pub(crate) struct Account(Option<(u32, u32)>);

impl Account {
    pub(crate) fn of_server() -> Result<Self> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Self(None));
        }
        let users = fs::read_to_string("/etc/passwd").context("cannot read the users")?;
        let ids = ["postgres", "nobody"].iter().find_map(|name| ids(&users, name));
        ids.map(|ids| Self(Some(ids))).ok_or_else(|| {
            anyhow!("PostgreSQL does not run as root, and there is no user `postgres` or `nobody`")
        })
    }

    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        // Its messages in English, its data in UTF-8, wherever it runs.
        command.env("LC_ALL", "C").current_dir("/");
        if let Some((uid, gid)) = self.0 {
            command.uid(uid).gid(gid);
        }
        command
    }

    fn own(&self, path: &Path) -> Result<()> {
        match self.0 {
            Some((uid, gid)) => Ok(chown(path, Some(uid), Some(gid))?),
            None => Ok(()),
        }
    }
}

/// The user and group ids of a user in the text of `/etc/passwd`.
fn ids(users: &str, name: &str) -> Option<(u32, u32)> {
    let mut fields = users
        .lines()
        .map(|line| line.split(':'))
        .find_map(|mut fields| (fields.next() == Some(name)).then_some(fields.skip(1)))?;
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

/// Makes a new cluster, whole or not at all.
fn initialize(
    bin: &Path,
    folder: &Path,
    cluster: &Path,
    password_file: &Path,
    account: &Account,
) -> Result<()> {
    let draft = folder.join("data.new");
    if draft.exists() {
        fs::remove_dir_all(&draft)?;
    }
    fs::create_dir(&draft).with_context(|| format!("cannot make {}", draft.display()))?;
    account.own(&draft)?;
    write_private(password_file, &random_text()?, account)?;
    let output = account
        .command(&bin.join("initdb"))
        .args(["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync"])
        .arg(format!("--username={EMBEDDED_USER}"))
        .arg("--pwfile")
        .arg(password_file)
        .arg("-D")
        .arg(&draft)
        .output()
        .context("cannot start initdb")?;
    if !output.status.success() {
        bail!("initdb failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    fs::rename(&draft, cluster)?;
    Ok(())
}

/// Stops the server that an earlier run left behind; we hold the lock, so it is nobody's.
fn stop_orphan(bin: &Path, cluster: &Path, account: &Account, password: &str) {
    let Ok(left) = fs::read_to_string(cluster.join("postmaster.pid")) else { return };
    // The process id in the file may be anybody's by now; who answers with this folder is the one.
    let port = left.lines().nth(3).unwrap_or_default();
    let url = format!("postgres://{EMBEDDED_USER}:{password}@127.0.0.1:{port}/postgres");
    let Ok(url) = url.parse() else { return };
    if migrate::data_directory(&url).is_ok_and(|folder| Path::new(&folder) == cluster) {
        let mut stop = account.command(&bin.join("pg_ctl"));
        // Where it fails, the new server says why it cannot start.
        let _ = stop.args(["stop", "--mode=fast", "--silent", "-D"]).arg(cluster).output();
    }
}

/// Writes a file that its owner alone has ever been able to read.
pub(crate) fn write_private(path: &Path, text: &str, account: &Account) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    account.own(path)
}

/// A certificate authority and a server certificate for 127.0.0.1, both new; the path of the first.
fn certify(folder: &Path, account: &Account) -> Result<PathBuf> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    // A name unlike the server's: OpenSSL takes a certificate for self-signed by its names alone.
    params.distinguished_name.push(DnType::CommonName, "authority of a test");
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
    let key = KeyPair::generate()?;
    let names = ["127.0.0.1".to_owned(), "localhost".to_owned()];
    let certificate = CertificateParams::new(names)?.signed_by(&key, &authority)?;
    write_private(&folder.join("server.key"), &key.serialize_pem(), account)?;
    write_private(&folder.join("server.crt"), &certificate.pem(), account)?;
    let ca = folder.join("ca.pem");
    fs::write(&ca, authority.pem())?;
    Ok(ca)
}

/// Sees to it that there are programs of a server.
pub(crate) fn ensure_programs() -> Result<()> {
    programs(None).map(drop)
}

/// The folder of the programs of a server: of the release that made the data, else the newest.
fn programs(made_by: Option<&str>) -> Result<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = installed()
        .into_iter()
        .filter(|bin| bin.join("initdb").exists())
        .filter_map(|bin| Some((release(&bin)?, bin)))
        .filter(|(release, _)| *release >= OLDEST)
        .collect();
    if found.is_empty() {
        let bin = tools::packaged_postgres()?;
        let release =
            release(&bin).ok_or_else(|| anyhow!("the PostgreSQL from PyPI does not run"))?;
        found.push((release, bin));
    }
    found.sort();
    match made_by {
        None => found.pop().map(|(_, bin)| bin).context("no PostgreSQL"),
        Some(made_by) => {
            let of_release = |(release, _): &&(u32, PathBuf)| release.to_string() == made_by;
            found.iter().find(of_release).map(|(_, bin)| bin.clone()).with_context(|| {
                format!("the data was made by PostgreSQL {made_by}, which is not here: install it, or start anew with --fresh")
            })
        }
    }
}

/// Where the common packagers put the programs, and the `PATH`.
fn installed() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> =
        std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).collect();
    for (parent, suffix) in [
        ("/usr/lib/postgresql", "bin"),
        ("/opt/homebrew/opt", "bin"),
        ("/usr/local/opt", "bin"),
        ("/usr", "bin"),
    ] {
        let children = fs::read_dir(parent).into_iter().flatten().filter_map(Result::ok);
        folders.extend(children.map(|child| child.path().join(suffix)));
    }
    folders.retain(|folder| folder.join("postgres").is_file());
    // A link on the PATH may stand alone; its neighbours are where it points.
    let resolved = folders.iter().filter_map(|folder| {
        let postgres = folder.join("postgres").canonicalize().ok()?;
        postgres.parent().map(Path::to_path_buf)
    });
    resolved.collect()
}

fn release(bin: &Path) -> Option<u32> {
    let output = Command::new(bin.join("postgres")).arg("--version").output().ok()?;
    // postgres (PostgreSQL) 17.5 (Debian 17.5-1)
    let text = String::from_utf8(output.stdout).ok()?;
    let version = text.split_whitespace().nth(2)?;
    let digits: String = version.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}
