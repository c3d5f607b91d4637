//! Before a deployment: the secret and the tables.
use std::io::{BufRead, IsTerminal, Write, stdin, stdout};
use std::path::PathBuf;
use std::thread;

use anyhow::{Context, Result, bail};
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use shared::AuthConfig;

use super::Stage;
use super::aws;
use super::secret::{Secret, check_database};
use crate::env_file::EnvFile;
use crate::settings::{DATABASE_URL, SECRET, SECRETS, TOKEN_DEFAULTS, random_text};
use crate::{dev, migrate};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Take the settings from a file of NAME=value lines; those it has replace those of the secret.
    #[arg(long, value_name = "FILE")]
    env_file: Option<PathBuf>,
    /// Say what is missing instead of asking for it.
    #[arg(long)]
    no_prompt: bool,
    /// Say what would be done.
    #[arg(long)]
    dry_run: bool,
}

pub(crate) fn run(stage: Stage, options: &Options) -> Result<()> {
    let id = stage.secret();
    let existing = Secret::read(stage)?;
    let exists = existing.is_some();
    let mut secret = existing.unwrap_or_else(Secret::empty);
    let mut changed = false;
    if let Some(path) = &options.env_file {
        changed |= take(&mut secret, &EnvFile::read(path)?)?;
    }
    if !options.no_prompt && !options.dry_run && stdin().is_terminal() {
        changed |= ask(&mut secret)?;
    }
    secret.config().with_context(|| {
        format!(
            "the secret {id} is not complete: run this in a terminal, or correct it with --env-file"
        )
    })?;

    // First the database: settings that do not work must not reach functions that run.
    let url = secret.get(DATABASE_URL).unwrap_or_default();
    migrate::check(url)?;
    if options.dry_run {
        match migrate::pending(url)?.as_slice() {
            [] => println!("The database is up to date."),
            pending => println!("Would migrate the database: {}.", pending.join(", ")),
        }
    } else {
        migrate::migrate(url)?;
    }

    let names = secret.names();
    match (exists, changed, options.dry_run) {
        (true, false, _) => println!("The secret {id} is as it should be: {names}."),
        (_, _, true) => println!("Would write the secret {id}: {names}."),
        (false, ..) => {
            aws::create_secret(&id, &secret.text()?)?;
            println!("The secret {id} is created: {names}.");
        }
        (true, ..) => {
            aws::change_secret(&id, &secret.text()?)?;
            println!(
                "The secret {id} is changed: {names}. Functions that run read it within five minutes."
            );
        }
    }
    if !options.dry_run {
        let stage = stage.name();
        println!(
            "Next: sam build --config-env {stage} && sam deploy --config-env {stage}, then cargo xtask stage {stage} check"
        );
    }
    Ok(())
}

/// Takes the settings that a file has, and says whether they change anything.
fn take(secret: &mut Secret, file: &EnvFile) -> Result<bool> {
    let mut changed = false;
    for name in setting_names() {
        let Some(value) = file.get(name) else { continue };
        let signs = name == SECRET || name == SECRETS;
        if signs && secret.get(SECRETS).is_some_and(|rotated| rotated != value) {
            bail!(
                "the file's {name} would undo a rotation: take it out of the file, and change the secret with rotate"
            );
        }
        changed |= secret.set(name, &value);
    }
    Ok(changed)
}

fn setting_names() -> [&'static str; 5] {
    let [(issuer, _), (audience, _)] = TOKEN_DEFAULTS;
    [SECRET, SECRETS, DATABASE_URL, issuer, audience]
}

/// Asks for what is missing, and says whether anything was.
fn ask(secret: &mut Secret) -> Result<bool> {
    let [(issuer, _), (audience, default_audience)] = TOKEN_DEFAULTS;
    let mut changed = false;
    restore_terminal_when_interrupted()?;
    if secret.get(SECRET).is_none() && secret.get(SECRETS).is_none() {
        let question = format!("{SECRET}, Better Auth's secret (empty: a new one)");
        let value = prompt(&question, true, |given| {
            let name_it = |name: &str| (name == SECRET).then(|| given.to_owned());
            if given.is_empty() { Ok(()) } else { Ok(AuthConfig::parse(name_it).map(drop)?) }
        })?;
        let value = if value.is_empty() { random_text()? } else { value };
        changed |= secret.set(SECRET, &value);
    }
    if secret.get(DATABASE_URL).is_none() {
        let value =
            prompt(&format!("{DATABASE_URL}, as Neon's console prints it"), true, |given| {
                check_database(given)?;
                migrate::check(given)
            })?;
        changed |= secret.set(DATABASE_URL, &value);
    }
    let anything = |_: &str| Ok(());
    if secret.get(issuer).is_none() && changed {
        let value =
            prompt(&format!("{issuer}, the frontend's URL (empty: any issuer)"), false, anything)?;
        changed |= !value.is_empty() && secret.set(issuer, &value);
    }
    if secret.get(audience).is_none() && changed {
        let value = prompt(&format!("{audience} (empty: {default_audience})"), false, anything)?;
        let value = if value.is_empty() { default_audience.to_owned() } else { value };
        changed |= secret.set(audience, &value);
    }
    Ok(changed)
}

/// Ctrl-C at a hidden prompt would leave a terminal that shows nothing.
fn restore_terminal_when_interrupted() -> Result<()> {
    let shown = tcgetattr(stdin())?;
    let (_, interrupted) = dev::interruptions()?;
    thread::spawn(move || {
        if interrupted.recv().is_ok() {
            let _ = tcsetattr(stdin(), OptionalActions::Now, &shown);
            println!();
            std::process::exit(130);
        }
    });
    Ok(())
}

/// Asks on the terminal until the answer will do; what is secret is not shown as it is typed.
fn prompt(question: &str, hidden: bool, check: impl Fn(&str) -> Result<()>) -> Result<String> {
    loop {
        let answer = answer(question, hidden)?;
        match check(&answer) {
            Ok(()) => return Ok(answer),
            Err(fault) => println!("  {fault:#}"),
        }
    }
}

fn answer(question: &str, hidden: bool) -> Result<String> {
    let terminal = stdin();
    let shown = tcgetattr(&terminal)?;
    if hidden {
        let mut quiet = shown.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        tcsetattr(&terminal, OptionalActions::Now, &quiet)?;
    }
    print!("{question}: ");
    stdout().flush()?;
    let mut line = String::new();
    let read = terminal.lock().read_line(&mut line);
    if hidden {
        tcsetattr(&terminal, OptionalActions::Now, &shown)?;
        println!();
    }
    if read? == 0 {
        bail!("nothing was entered");
    }
    Ok(line.trim().to_owned())
}
