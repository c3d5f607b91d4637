//! Before a deployment: the secret and the tables.
use std::io::{BufRead, IsTerminal, Write, stdin, stdout};
use std::path::PathBuf;
use std::thread;

use anyhow::{Context, Result, bail};
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

use super::Stage;
use super::aws::Aws;
use super::secret::Secret;
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

pub(crate) fn run(aws: &Aws, stage: Stage, options: &Options) -> Result<()> {
    let name = stage.secret();
    let existing = Secret::read(aws, stage)?;
    let exists = existing.is_some();
    let mut secret = existing.unwrap_or_else(Secret::empty);
    let mut changed = false;
    if let Some(path) = &options.env_file {
        let file = EnvFile::read(path)?;
        for name in setting_names() {
            if let Some(value) = file.get(name) {
                changed |= secret.set(name, &value);
            }
        }
    }
    if secret.config().is_err() && !options.no_prompt && stdin().is_terminal() {
        changed |= ask(&mut secret)?;
    }
    secret.config().with_context(|| {
        format!("the secret {name} is not complete: run this in a terminal, or with --env-file")
    })?;

    let names = secret.names();
    match (exists, changed, options.dry_run) {
        (true, false, _) => println!("The secret {name} is as it should be: {names}."),
        (_, _, true) => println!("Would write the secret {name}: {names}."),
        (false, ..) => {
            aws.create_secret(&name, &secret.text()?)?;
            println!("The secret {name} is created: {names}.");
        }
        (true, ..) => {
            aws.change_secret(&name, &secret.text()?)?;
            println!(
                "The secret {name} is changed: {names}. Functions that run read it within five minutes."
            );
        }
    }
    let url = secret.get(DATABASE_URL).unwrap_or_default();
    if options.dry_run {
        match migrate::pending(url)?.as_slice() {
            [] => println!("The database is up to date."),
            pending => println!("Would migrate the database: {}.", pending.join(", ")),
        }
    } else {
        migrate::migrate(url)?;
        let stage = stage.name();
        println!(
            "Next: sam build && sam deploy --config-env {stage}, then cargo xtask stage {stage} check"
        );
    }
    Ok(())
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
        let given = prompt(&format!("{SECRET}, Better Auth's secret (empty: a new one)"), true)?;
        let value = if given.is_empty() { random_text()? } else { given };
        changed |= secret.set(SECRET, &value);
    }
    if secret.get(DATABASE_URL).is_none() {
        let value = prompt(&format!("{DATABASE_URL}, as Neon's console prints it"), true)?;
        changed |= secret.set(DATABASE_URL, &value);
    }
    if secret.get(issuer).is_none() {
        let value = prompt(&format!("{issuer}, the frontend's URL (empty: any issuer)"), false)?;
        changed |= !value.is_empty() && secret.set(issuer, &value);
    }
    if secret.get(audience).is_none() {
        let value = prompt(&format!("{audience} (empty: {default_audience})"), false)?;
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

/// Asks on the terminal; what is secret is not shown as it is typed.
fn prompt(question: &str, hidden: bool) -> Result<String> {
    let terminal = stdin();
    let before = tcgetattr(&terminal)?;
    if hidden {
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        tcsetattr(&terminal, OptionalActions::Now, &quiet)?;
    }
    print!("{question}: ");
    stdout().flush()?;
    let mut line = String::new();
    let read = terminal.lock().read_line(&mut line);
    if hidden {
        tcsetattr(&terminal, OptionalActions::Now, &before)?;
        println!();
    }
    if read? == 0 {
        bail!("nothing was entered");
    }
    Ok(line.trim().to_owned())
}
