//! `cargo xtask dev`: the whole task API on this machine.
use std::fs::File;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use shared::{Config, Use};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::env_file::EnvFile;
use crate::gateway::{self, Gateway};
use crate::login::{self, Access};
use crate::postgres::{Mode, Server, free_port};
use crate::process::{Output, Process};
use crate::{frontend, migrate, project, settings, token, tools};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Run the API alone, without the frontend.
    #[arg(long)]
    api: bool,
    /// The API's port on 127.0.0.1.
    #[arg(long, default_value_t = 9000)]
    port: u16,
    /// The app's port on 127.0.0.1.
    #[arg(long, default_value_t = 3000)]
    app_port: u16,
    /// Empty the embedded database first.
    #[arg(long)]
    fresh: bool,
}

/// The printed token's lifetime: a working day.
const TOKEN_SECONDS: u64 = 12 * 60 * 60;
const TOKEN_USER: &str = "dev-user";

pub(crate) fn run(options: &Options) -> Result<()> {
    let (_, interrupted) = interruptions()?;
    let _lock = lock()?;
    gateway::check_port(options.port, "--port")?;
    let with_app = !options.api && frontend::exists();
    if with_app {
        gateway::check_port(options.app_port, "--app-port")?;
        frontend::ensure_packages()?;
    }
    let mut file = EnvFile::load()?;

    let mut processes = Vec::new();
    let named = settings::database_url(&file)?;
    let database_url = match named.clone().filter(|url| !settings::is_embedded(url)) {
        Some(_) if options.fresh => {
            bail!("--fresh empties only the embedded database, but DATABASE_URL names another")
        }
        Some(url) => {
            migrate::check(&url)?;
            settings::complete(&mut file, None)?;
            url
        }
        None => {
            let server = embedded_database(named.map(|url| url.port()), options.fresh)?;
            settings::complete(&mut file, Some(&server.url))?;
            processes.push(server.process);
            server.url
        }
    };
    let get = |name: &str| settings::get(&file, name);
    Config::parse(Use::Local, get).context("see .env and the environment")?;
    migrate::migrate(&database_url)?;
    if with_app {
        frontend::migrate(&database_url)?;
    }

    let path = tools::path_with_cargo_lambda()?;
    println!("Building the functions …");
    gateway::build()?;
    let gateway = Gateway { path: &path, port: options.port, concurrency: 1, watch: true };
    // The environment overrides `.env`, also for the functions and the app.
    let from_file = || file.settings().filter(|(name, _)| settings::variable(name).is_none());
    // On a database that the user chose, both log in with its URL.
    let login = |access: Access| {
        let embedded = settings::is_embedded(&database_url);
        embedded.then(|| login::grant(&database_url, access, &access.local())).transpose()
    };
    let functions_url = login(Access::Functions)?;
    let functions_url = functions_url.iter().map(|url| (settings::DATABASE_URL, url.expose()));
    processes.push(gateway.start(from_file().chain(functions_url), Output::NAMED)?);
    let url = format!("http://127.0.0.1:{}", options.port);
    let app_url = format!("http://localhost:{}", options.app_port);
    if with_app {
        let urls = [("NEXT_PUBLIC_API_URL", &url), ("BETTER_AUTH_URL", &app_url)];
        let urls = urls.into_iter().filter(|(name, _)| get(name).is_none());
        let app_database = login(Access::App)?;
        let app_database = app_database.iter().map(|url| (settings::DATABASE_URL, url.expose()));
        let variables =
            from_file().chain(urls.map(|(name, url)| (name, url.as_str()))).chain(app_database);
        let output = Output::NamedWithout(frontend::ITS_URLS);
        let app = frontend::start("dev", options.app_port, variables, output)?;
        processes.push(app);
    }

    let token = token::sign(&file, TOKEN_USER, TOKEN_SECONDS)?;
    println!();
    if with_app {
        println!("The app is at {app_url}.");
    }
    println!("The task API is at {url}. Ctrl-C stops it. Try it:\n");
    println!("  curl -i -H 'Authorization: Bearer {token}' {url}/api/{TOKEN_USER}/tasks\n");

    let outcome = watch(&interrupted, &mut processes);
    println!("\nStopping …");
    // In reverse order, so that the database outlives what uses it.
    while let Some(process) = processes.pop() {
        drop(process);
    }
    outcome
}

/// Delivers Ctrl-C and other termination signals.
pub(crate) fn interruptions() -> Result<(Sender<()>, Receiver<()>)> {
    let (sender, receiver) = channel();
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])?;
    let interrupt = sender.clone();
    thread::spawn(move || {
        for _ in signals.forever() {
            // A second signal during shutdown changes nothing.
            let _ = interrupt.send(());
        }
    });
    Ok((sender, receiver))
}

/// Waits for a signal, or until one of the processes stops.
fn watch(interrupted: &Receiver<()>, processes: &mut [Process]) -> Result<()> {
    loop {
        match interrupted.recv_timeout(Duration::from_millis(200)) {
            Err(RecvTimeoutError::Timeout) => {}
            Ok(()) | Err(RecvTimeoutError::Disconnected) => return Ok(()),
        }
        for process in &mut *processes {
            if let Some(status) = process.ended() {
                bail!("{} stopped ({status}); its last lines say why", process.name());
            }
        }
    }
}

/// Allows one `dev` per checkout: a second one would share the first one's database and stop it.
fn lock() -> Result<File> {
    let lock = File::create(project::local()?.join("dev.lock"))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(_) => bail!("another `cargo xtask dev` of this checkout is running"),
    }
}

/// Starts the embedded server, on the port in `.env` if that is free.
fn embedded_database(port: Option<u16>, fresh: bool) -> Result<Server> {
    let folder = project::local_for_server()?.join("postgres");
    if fresh && folder.exists() {
        std::fs::remove_dir_all(&folder)
            .with_context(|| format!("cannot empty {}", folder.display()))?;
    }
    println!("Starting PostgreSQL on the data in {} …", folder.display());
    let port = match port.filter(|port| gateway::check_port(*port, "").is_ok()) {
        Some(port) => port,
        None => free_port()?,
    };
    Server::start(&folder, &Mode::Kept, port, Output::NAMED)
}
