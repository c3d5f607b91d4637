//! A PostgreSQL server for local use and for the tests.
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustix::process::Signal;
use shared::DatabaseUrl;
use tempfile::NamedTempFile;

use crate::database_url::Change;
use crate::process::{Output, Process};
use crate::settings::{EMBEDDED_USER, random_text};
use crate::{migrate, project, tools};

/// The oldest version that Neon supports.
const OLDEST: u32 = 14;
const DATABASE: &str = "tasks";

/// A running server; dropping it stops the server.
pub(crate) struct Server {
    pub(crate) process: Process,
    /// The command that started it.
    pub(crate) command: Command,
    /// The URL of its superuser.
    pub(crate) url: DatabaseUrl,
    /// The folder of its programs.
    pub(crate) programs: PathBuf,
}

/// How to run a server.
pub(crate) enum Mode {
    /// Persistent data; plain TCP on loopback.
    Kept,
    /// Fast, with temporary data; with TLS.
    Tested {
        /// The number of connections that it accepts.
        connections: u16,
        /// Whether each statement is logged.
        log: bool,
    },
}

impl Mode {
    /// The defaults for tests.
    pub(crate) const TESTED: Self = Self::Tested { connections: 200, log: true };
}

impl Server {
    /// Starts a server on the data in `folder`, which is created if it does not exist.
    pub(crate) fn start(folder: &Path, mode: &Mode, port: u16, output: Output) -> Result<Self> {
        let account = Account::of_server()?;
        // Owned by us, not by the server's user, who could place links in it.
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
            // No socket: its default folder may belong to others, or its path be too long.
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
        // SIGINT is a fast shutdown, which does not wait for clients.
        let process = Process::spawn("postgres", &mut command, Signal::INT, output)?;
        let url =
            format!("postgres://{EMBEDDED_USER}:{password}@127.0.0.1:{port}/{DATABASE}{query}");
        let mut server = Self { process, command, url: url.parse()?, programs: bin };
        server.await_database()?;
        Ok(server)
    }

    /// Waits for the server, and creates the database if it is missing.
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

/// A free port on loopback.
pub(crate) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// The user that runs the server: PostgreSQL refuses to run as root.
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
        // Messages in English and data in UTF-8, whatever the system's locale.
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

/// The user and group ids of a user in `/etc/passwd`.
fn ids(users: &str, name: &str) -> Option<(u32, u32)> {
    let mut fields = users
        .lines()
        .map(|line| line.split(':'))
        .find_map(|mut fields| (fields.next() == Some(name)).then_some(fields.skip(1)))?;
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

/// Creates a new cluster atomically.
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

/// Stops the server of an earlier run; we hold the lock, so it is not in use.
fn stop_orphan(bin: &Path, cluster: &Path, account: &Account, password: &str) {
    let Ok(left) = fs::read_to_string(cluster.join("postmaster.pid")) else { return };
    // The process id in the file may have been reused; the server with this data directory is ours.
    let port = left.lines().nth(3).unwrap_or_default();
    let url = format!("postgres://{EMBEDDED_USER}:{password}@127.0.0.1:{port}/postgres");
    let Ok(url) = url.parse() else { return };
    if migrate::data_directory(&url).is_ok_and(|folder| Path::new(&folder) == cluster) {
        let mut stop = account.command(&bin.join("pg_ctl"));
        // If it fails, the new server reports why it cannot start.
        let _ = stop.args(["stop", "--mode=fast", "--silent", "-D"]).arg(cluster).output();
    }
}

/// Writes a file that is readable only by its owner from the start.
pub(crate) fn write_private(path: &Path, text: &str, account: &Account) -> Result<()> {
    let mut file = NamedTempFile::new_in(path.parent().context("a file has no folder")?)?;
    file.write_all(text.as_bytes())?;
    account.own(file.path())?;
    file.persist(path)?;
    Ok(())
}

/// Creates a certificate authority and a server certificate for 127.0.0.1; returns the path of the
/// authority.
fn certify(folder: &Path, account: &Account) -> Result<PathBuf> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    // Unlike the server's name: OpenSSL considers a certificate self-signed if subject and issuer
    // are equal.
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

/// Ensures that the server's programs are installed.
pub(crate) fn ensure_programs() -> Result<()> {
    programs(None).map(drop)
}

/// The folder of the server's programs: of the version that made the data, else the newest.
fn programs(made_by: Option<&str>) -> Result<PathBuf> {
    let with_initdb = installed().into_iter().filter(|bin| bin.join("initdb").exists());
    let mut found: BTreeMap<u32, PathBuf> =
        with_initdb.filter_map(|bin| Some((release(&bin)?, bin))).collect();
    found.retain(|release, _| *release >= OLDEST);
    if found.is_empty() {
        let bin = tools::packaged_postgres()?;
        found.insert(release(&bin).context("the PostgreSQL from PyPI does not run")?, bin);
    }
    let Some(made_by) = made_by else {
        return found.pop_last().map(|(_, bin)| bin).context("no PostgreSQL");
    };
    found.remove(&made_by.parse()?).with_context(|| {
        format!("the data was made by PostgreSQL {made_by}, which is not installed: install it, or start over with --fresh")
    })
}

/// The folders of the common packages, and the `PATH`.
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
    // A link in the `PATH` may be alone; the other programs are beside its target.
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
