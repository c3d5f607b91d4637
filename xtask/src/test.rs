//! `cargo xtask test`: every test, with its setup.
use std::ffi::OsStr;
use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use shared::DatabaseUrl;

use crate::gateway::{self, Gateway};
use crate::login::{self, Access};
use crate::postgres::Mode;
use crate::process::Output;
use crate::{
    fixture, frontend, generate, migrate, pgbouncer, postgres, project, settings, soak, tools,
};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Run only the frontend's tests; with arguments, only the browser tests that they choose.
    #[arg(long)]
    frontend: bool,
    /// Run only `cargo test --workspace`, or the browser tests, with these arguments: names of
    /// tests, options.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// The tests that break the network and the server.
const FAULTS: &str = "faults::";
/// The duration of the load in a test run.
const LOAD_SECONDS: u64 = 20;
/// Release binaries that link in seconds instead of minutes, for tests that do not measure speed.
const QUICK_RELEASE: [(&str, &str); 2] =
    [("CARGO_PROFILE_RELEASE_LTO", "off"), ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")];

pub(crate) fn run(options: &Options) -> Result<()> {
    let path = tools::path_with_cargo_lambda()?;
    postgres::ensure_programs()?;
    let whole = options.arguments.is_empty();
    if whole {
        generate::check()?;
        pgbouncer::program()?;
    }
    let chromium = if (whole || options.frontend) && frontend::exists() {
        frontend::ensure_packages()?;
        Some(chromium()?)
    } else {
        None
    };
    println!("Building the functions …");
    gateway::build()?;
    let given = options.arguments.iter().map(String::as_str).collect::<Vec<_>>();
    if !options.frontend {
        if whole {
            backend(&path)?;
        } else {
            cargo_test(&path, &[&["--workspace"][..], &given].concat())?;
        }
    }
    if let Some(chromium) = chromium {
        if whole {
            for script in ["lint", "typecheck", "test"] {
                println!("The frontend: npm run {script} …");
                frontend::script(script, &[], &[])?;
            }
        }
        browser(&path, &chromium, "test:browser", &given)?;
    }
    Ok(())
}

fn cargo_test(path: &OsStr, arguments: &[&str]) -> Result<()> {
    let mut command = project::cargo();
    command.env("PATH", path).envs(QUICK_RELEASE).arg("test").args(arguments);
    tools::run(&mut command).context("the tests failed")
}

/// Every test except the frontend's.
fn backend(path: &OsStr) -> Result<()> {
    cargo_test(path, &["--workspace", "--", "--skip", FAULTS])?;
    // Alone, since they measure time; built in the workspace, so that nothing is compiled again.
    cargo_test(path, &["--workspace", "--test", "api", FAULTS])?;

    println!("The tests of the API again, through PgBouncer …");
    let mut command = project::cargo();
    command.env("PATH", path).env("TASK_API_TESTS_THROUGH", "pgbouncer");
    command.args(["test", "--quiet", "--workspace", "--test", "api", "--"]);
    // These do not use the shared services, read the server's log, or take long.
    let direct = [FAULTS, "clients::", "failures::", "hostile::", "migrations::", "statements::"];
    command.args(direct.iter().flat_map(|module| ["--skip", module]));
    tools::run(&mut command).context("the tests through PgBouncer failed")?;

    // What is deployed runs only on Linux.
    if cfg!(target_os = "linux") { soak::load(LOAD_SECONDS, &QUICK_RELEASE) } else { Ok(()) }
}

/// Runs a script of the frontend's tests against the built app, the gateway and the database.
pub(crate) fn browser(
    path: &OsStr,
    chromium: &Path,
    script: &str,
    arguments: &[&str],
) -> Result<()> {
    let folder = fixture::folder()?;
    let log =
        |name: &str| Ok::<_, std::io::Error>(Output::File(File::create(folder.path().join(name))?));
    let chosen = settings::variable(settings::DATABASE_URL).map(|url| url.parse()).transpose()?;
    let (owner_url, functions_url, app_database_url, _server): (DatabaseUrl, _, _, _) =
        if let Some(chosen) = chosen {
            migrate::migrate(&chosen)?;
            frontend::migrate(&chosen)?;
            (chosen.clone(), chosen.clone(), chosen, None)
        } else {
            let (server, functions_url) =
                fixture::database(folder.path(), &Mode::TESTED, log("database")?)?;
            frontend::migrate(&server.url)?;
            let app = login::grant(&server.url, Access::App, &Access::App.local())?;
            (server.url, functions_url, app, Some(server.process))
        };

    let (gateway_port, app_port) = (postgres::free_port()?, postgres::free_port()?);
    let gateway_url = format!("http://127.0.0.1:{gateway_port}");
    let app_url = format!("http://localhost:{app_port}");
    let secret = settings::random_text()?;
    let [issuer, audience] = settings::TOKEN_DEFAULTS;
    let variables = [
        ("DATABASE_URL", app_database_url.expose()),
        ("BETTER_AUTH_SECRET", &secret),
        ("BETTER_AUTH_SECRETS", ""),
        issuer,
        audience,
        ("NEXT_PUBLIC_API_URL", &gateway_url),
        ("NEXT_PUBLIC_APP_URL", &app_url),
        ("BETTER_AUTH_URL", &app_url),
        // The tests act as many clients on this machine.
        ("TRUSTED_PROXIES", "127.0.0.0/8"),
    ];
    println!("The frontend: npm run build …");
    frontend::script("build", &[], &variables)?;
    let gateway = Gateway { path, port: gateway_port, concurrency: 2, watch: false };
    let of_functions = [("DATABASE_URL", functions_url.expose())];
    let _gateway = gateway.start(variables.into_iter().chain(of_functions), log("api")?)?;
    let _app = frontend::start("start", app_port, variables.into_iter(), log("app")?)?;

    println!("The frontend: npm run {script} …");
    let chromium = chromium.to_string_lossy();
    let app_log = folder.path().join("app").to_string_lossy().into_owned();
    let urls = [
        ("APP_URL", app_url.as_str()),
        ("API_URL", &gateway_url),
        ("CHROMIUM", &chromium),
        ("DATABASE_OWNER_URL", owner_url.expose()),
        ("APP_LOG", &app_log),
    ];
    let outcome = frontend::script(script, arguments, &[&variables[..], &urls].concat());
    if outcome.is_err() {
        for name in ["api", "app"] {
            let text = std::fs::read_to_string(folder.path().join(name)).unwrap_or_default();
            println!("The end of the log of {name}:");
            let lines: Vec<&str> = text.lines().rev().take(40).collect();
            lines.iter().rev().for_each(|line| println!("  {line}"));
        }
    }
    outcome
}

/// The browser: named by `CHROMIUM`, else an installed one, else Debian's, if we may install it.
pub(crate) fn chromium() -> Result<PathBuf> {
    if let Some(named) = settings::variable("CHROMIUM") {
        return Ok(named.into());
    }
    let find = || {
        let names = ["chromium", "chromium-browser", "google-chrome"];
        let mac = PathBuf::from("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome");
        names.into_iter().find_map(tools::on_path).or_else(|| mac.is_file().then_some(mac))
    };
    tools::debian("Chromium", "chromium", find)?
        .context("the browser tests need Chromium: install it, or name it in CHROMIUM")
}
