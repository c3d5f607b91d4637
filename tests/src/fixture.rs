//! The services that tests use; each is a process that ends with the test run.
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, Mutex, OnceLock, PoisonError};

use serde_json::Value;

use crate::{SETTINGS, as_lambda, operations, sql, with_name};

/// A database, a pooler, a gateway or an AWS: a process of `cargo xtask fixture`, unless it is a
/// deployed stage.
pub struct Fixture {
    /// Its URL; for a database, the superuser's.
    pub url: String,
    /// The functions' URL of a database.
    pub functions_url: String,
    /// The folder of a database server's programs.
    pub programs: PathBuf,
    log: PathBuf,
    /// The process ends when its standard input is closed, however the test ends.
    process: Option<(Child, ChildStdin)>,
}

impl Fixture {
    /// Starts a fixture with these variables in its environment; empty ones are removed.
    pub fn start(fixture: &str, variables: &[(&str, &str)]) -> Self {
        Self::start_with(&[fixture], variables)
    }

    /// A gateway whose functions have the main stack's settings, except for these.
    pub fn gateway(changes: &[(&str, &str)]) -> Self {
        Self::start("gateway", &[&SETTINGS, changes].concat())
    }

    /// As [`Fixture::start`], with options of the fixture.
    pub fn start_with(arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        Self::start_by(xtask(), arguments, variables)
    }

    /// As [`Fixture::start_with`], of another checkout.
    pub fn start_in(checkout: &Path, arguments: &[&str]) -> Self {
        let mut xtask = cargo();
        xtask.current_dir(checkout).args(["xtask"]);
        Self::start_by(xtask, arguments, &[])
    }

    fn start_by(mut command: Command, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        command.arg("fixture").args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        for name in [
            "BETTER_AUTH_SECRET",
            "BETTER_AUTH_SECRETS",
            "DATABASE_URL",
            "APP_SECRET_ID",
            "JWT_ISSUER",
            "JWT_AUDIENCE",
            "JWT_JWKS_URL",
            "JWT_JWKS",
            "LOG_KEY",
            "JWT_MAX_LIFETIME",
        ] {
            command.env_remove(name);
        }
        let mut child = command.envs(variables.iter().copied()).spawn().unwrap();
        let stdin = child.stdin.take().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        // It may print what it installs before the line of JSON.
        let ready = lines.into_iter().find(|line| line.starts_with('{'));
        let ready: Value =
            ready.unwrap_or_else(|| panic!("{arguments:?} did not start")).parse().unwrap();
        let text = |name: &str| ready[name].as_str().unwrap_or_default().to_owned();
        Self {
            url: text("url"),
            functions_url: text("functions_url"),
            programs: text("programs").into(),
            log: text("log").into(),
            process: Some((child, stdin)),
        }
    }

    /// Tells a database to `restart`, or to `crash` and restart.
    pub fn tell(&mut self, what: &str) {
        let (_, stdin) = self.process.as_mut().unwrap();
        writeln!(stdin, "{what}").unwrap();
    }

    /// Its output so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// The request log of a gateway's functions.
    pub fn requests(&self) -> Vec<Value> {
        let log = self.log();
        let lines = log.lines().filter_map(|line| line.parse::<Value>().ok());
        lines.filter(|line| line["message"] == "request").collect()
    }
}

/// The gateway that most tests share: its settings are those of a stage, with TLS.
pub fn stack() -> &'static Fixture {
    static STACK: OnceLock<Fixture> = OnceLock::new();
    STACK.get_or_init(|| {
        if let Some(url) = deployed() {
            let (functions_url, programs, log) = Default::default();
            return Fixture { url, functions_url, programs, log, process: None };
        }
        // Several requests of one function at once, so that they run concurrently in the database.
        let arguments = ["gateway", "--concurrency", "4"];
        let database = [("DATABASE_URL", database_url())];
        Fixture::start_with(&arguments, &[&SETTINGS[..], &database].concat())
    })
}

/// The URL of the stage that `cargo xtask stage STAGE test` runs the tests against.
pub(crate) fn deployed() -> Option<String> {
    std::env::var("TASK_API_TESTS_URL").ok()
}

/// The main stack's functions URL: that of `DATABASE_URL`, migrated, else the embedded database's,
/// through a pooler if the run is to use one.
pub fn database_url() -> &'static str {
    static URL: OnceLock<String> = OnceLock::new();
    URL.get_or_init(|| {
        if is_pooled() {
            static POOLER: OnceLock<Fixture> = OnceLock::new();
            let variables = [("DATABASE_URL", database().functions_url.as_str())];
            return POOLER.get_or_init(|| Fixture::start("pgbouncer", &variables)).url.clone();
        }
        let Some(url) = chosen_database() else { return database().functions_url.clone() };
        let migrated = xtask().arg("migrate").env("DATABASE_URL", &url).status().unwrap();
        assert!(migrated.success());
        url
    })
}

fn is_pooled() -> bool {
    std::env::var("TASK_API_TESTS_THROUGH").is_ok_and(|through| through == "pgbouncer")
}

fn chosen_database() -> Option<String> {
    std::env::var("DATABASE_URL").ok().filter(|url| !url.is_empty())
}

/// A gateway on the embedded database, which logs every statement.
pub fn embedded_stack() -> &'static Fixture {
    static STACK: OnceLock<Fixture> = OnceLock::new();
    if chosen_database().is_none() && !is_pooled() {
        return stack();
    }
    STACK.get_or_init(|| Fixture::gateway(&[("DATABASE_URL", &database().functions_url)]))
}

/// The embedded database: the main stack's, unless a `DATABASE_URL` names another.
pub fn database() -> &'static Fixture {
    static DATABASE: OnceLock<Fixture> = OnceLock::new();
    DATABASE.get_or_init(|| {
        // Tests that run side by side start every function, each with a connection.
        let connections = (30 * operations().len()).to_string();
        Fixture::start_with(&["database", "--connections", &connections], &[])
    })
}

/// A new, migrated database on the server of [`database`]: its URL and the functions' URL.
pub fn new_database() -> [String; 2] {
    static TEMPLATE: OnceLock<()> = OnceLock::new();
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let server = database();
    let urls = |name: &str| [&server.url, &server.functions_url].map(|url| with_name(url, name));
    TEMPLATE.get_or_init(|| {
        sql(&server.url, "CREATE DATABASE migrated_once");
        let [url, _] = urls("migrated_once");
        let migrated = xtask().arg("migrate").env("DATABASE_URL", &url).output().unwrap();
        assert!(migrated.status.success(), "{migrated:?}");
    });
    let name = format!("copy_{}", COUNT.fetch_add(1, Ordering::Relaxed));
    sql(&server.url, &format!("CREATE DATABASE {name} TEMPLATE migrated_once"));
    urls(&name)
}

/// The project's root.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// `cargo xtask`, built once: cargo takes time to find nothing to do, and waits for other builds.
pub fn xtask() -> Command {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    let build = || {
        let mut build = cargo();
        build.args(["build", "--quiet", "--package", "xtask"]);
        build.args(["--message-format", "json-render-diagnostics"]).stderr(Stdio::inherit());
        let output = build.output().unwrap();
        assert!(output.status.success());
        let messages = String::from_utf8(output.stdout).unwrap();
        let messages = messages.lines().map(|line| line.parse::<Value>().unwrap());
        let mut programs = messages.filter(|message| message["target"]["name"] == "xtask");
        programs.find_map(|program| program["executable"].as_str().map(PathBuf::from)).unwrap()
    };
    let mut command = apart(Command::new(PROGRAM.get_or_init(build)));
    command.current_dir(root());
    command
}

/// The folder of a tool, which is installed if it is missing.
pub fn tool(name: &'static str) -> PathBuf {
    static FOLDERS: LazyLock<Mutex<HashMap<&str, PathBuf>>> = LazyLock::new(Mutex::default);
    let mut folders = FOLDERS.lock().unwrap_or_else(PoisonError::into_inner);
    let install = || {
        let output = xtask().args(["tool", name]).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().into()
    };
    folders.entry(name).or_insert_with(install).clone()
}

fn cargo() -> Command {
    let mut command = apart(Command::new("cargo"));
    command.current_dir(root());
    command
}

/// A command that may start cargo, without the variables that the running cargo sets for this
/// package: some build scripts would read them and rebuild.
pub fn apart(mut command: Command) -> Command {
    for (name, _) in std::env::vars() {
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            command.env_remove(name);
        }
    }
    command
}

/// A function's compiled binary, with only these settings and an unreachable Runtime API.
pub fn function(name: &str, variables: &[(&str, &str)]) -> Command {
    static BUILT: OnceLock<()> = OnceLock::new();
    BUILT.get_or_init(|| {
        assert!(cargo().args(["build", "--quiet"]).status().unwrap().success());
    });
    // This test's binary is in target/debug/deps.
    let deps = std::env::current_exe().unwrap();
    let mut command = Command::new(deps.parent().unwrap().parent().unwrap().join(name));
    as_lambda(&mut command, name);
    command.env("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:1").envs(variables.iter().copied());
    command
}
