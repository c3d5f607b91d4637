//! Before a deployment: the secret, the tables and the functions' login.
use std::io::{IsTerminal, stdin};
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use inquire::validator::{Validation, ValueRequiredValidator};
use inquire::{Password, PasswordDisplayMode, Text};
use shared::{AuthConfig, DatabaseUrl, Use};

use super::Stage;
use super::aws;
use super::secret::{Secret, check_database};
use crate::env_file::EnvFile;
use crate::login::{self, Access, End};
use crate::migrate;
use crate::settings::{DATABASE_URL, SECRET, SECRETS, TOKEN_DEFAULTS, random_text};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Take the settings from a file of NAME=value lines; those it has replace those of the stage.
    #[arg(long, value_name = "FILE")]
    env_file: Option<PathBuf>,
    /// Give the functions, or the app, another login to the database. The password of the old one ends ten minutes
    /// later, that of the app a day later.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "functions")]
    new_login: Option<Access>,
    /// End the logins that are not in use at once, with their sessions: for a password that leaked.
    #[arg(long)]
    now: bool,
    /// Say what is missing instead of asking for it.
    #[arg(long)]
    no_prompt: bool,
    /// Say what would be done.
    #[arg(long)]
    dry_run: bool,
}

/// The longest that a token may be valid, in seconds. Whoever wants longer ones says so in the secret.
const MAX_LIFETIME: &str = "JWT_MAX_LIFETIME";
const A_DAY: &str = "86400";

pub(crate) fn run(stage: Stage, options: &Options) -> Result<()> {
    let id = stage.secret();
    let existing = Secret::read(stage)?;
    let exists = existing.is_some();
    let mut secret = existing.unwrap_or_else(Secret::empty);
    let stored_url = aws::parameter(&stage.owner_url())?;
    let mut owner_url = stored_url.clone();
    let mut changed = false;
    if let Some(path) = &options.env_file {
        let file = EnvFile::read(path)?;
        changed |= take(&mut secret, &file)?;
        owner_url = file.get(DATABASE_URL).or(owner_url);
    }
    if !options.no_prompt && !options.dry_run && stdin().is_terminal() {
        changed |= ask(&mut secret, &mut owner_url)?;
    }
    if secret.get(MAX_LIFETIME).is_none() {
        changed |= secret.set(MAX_LIFETIME, A_DAY);
    }
    let incomplete =
        || format!("{id} is not complete: run this in a terminal, or correct it with --env-file");
    secret.tokens_config().with_context(incomplete)?;
    let owner_url: DatabaseUrl = owner_url
        .with_context(|| format!("{DATABASE_URL} of the tables' owner is missing"))
        .with_context(incomplete)?
        .parse()?;

    // First the database: settings that do not work must not reach functions that run.
    check_database(&owner_url)?;
    migrate::check(&owner_url)?;
    let moved = stored_url.as_deref() != Some(owner_url.expose());
    // A URL may name a file of another machine: of a database that is left, it need not be readable.
    let in_use = |url: Option<&str>| match url.map(str::parse::<DatabaseUrl>).transpose() {
        Err(_) if moved => Ok(None),
        url => url,
    };
    let app_url = in_use(aws::parameter(&stage.app_url())?.as_deref())?;
    let functions_url = in_use(secret.get(DATABASE_URL))?;
    let logs_in = moved || options.new_login == Some(Access::Functions) || functions_url.is_none();
    let app_logs_in = moved || options.new_login == Some(Access::App) || app_url.is_none();
    let names = secret.names();
    if options.dry_run {
        preview(&owner_url, [("functions", logs_in), ("app", app_logs_in)])?;
        if changed || logs_in || !exists {
            println!("Would write the secret {id}.");
        } else {
            println!("The secret {id} is as it should be: {names}.");
        }
        return Ok(());
    }

    // A database that is new to the functions needs its tables first. On one that they use, nobody may delay a new
    // login, and a session may hold up a migration.
    if moved {
        migrate::migrate(&owner_url)?;
    }
    if logs_in {
        let url = log_in(stage, Access::Functions, functions_url.as_ref(), &owner_url)?;
        secret.set(DATABASE_URL, url.expose());
    }
    let functions_url = secret.config()?.database_url;
    if !exists {
        aws::create_secret(&id, &secret.text()?)?;
        println!("The secret {id} is created: {}.", secret.names());
    } else if changed || logs_in {
        aws::change_secret(&id, &secret.text()?)?;
        println!(
            "The secret {id} is changed: {}. Functions that run read it within five minutes.",
            secret.names()
        );
    } else {
        println!("The secret {id} is as it should be: {names}.");
    }
    let app_url = match app_url {
        Some(url) if !app_logs_in => url,
        used => {
            let url = log_in(stage, Access::App, used.as_ref(), &owner_url)?;
            aws::set_parameter(&stage.app_url(), url.expose())?;
            println!("Its {DATABASE_URL} is in the parameter {}.", stage.app_url());
            url
        }
    };
    let used = [&functions_url, &app_url];
    retire(stage, used, &owner_url, options.now)?;
    if let Some(old) = stored_url.filter(|_| moved) {
        // Functions that run use the old database until they read the secret again.
        let retired = old.parse().map_err(anyhow::Error::from);
        if let Err(error) = retired.and_then(|old| retire(stage, used, &old, options.now)) {
            println!("The old database keeps its logins: {error:#}.");
        }
    }
    if !moved {
        migrate::migrate(&owner_url)?;
    }
    // Last, so that what was interrupted is done again.
    if moved {
        aws::set_parameter(&stage.owner_url(), owner_url.expose())?;
    }
    let stage = stage.name();
    println!(
        "Next: sam build --config-env {stage} && sam deploy --config-env {stage}, then cargo xtask stage {stage} check"
    );
    Ok(())
}

/// Says what would be done to the database.
fn preview(owner_url: &DatabaseUrl, logins: [(&str, bool); 2]) -> Result<()> {
    match migrate::pending(owner_url)?.as_slice() {
        [] => println!("The database is up to date."),
        pending => println!("Would migrate the database: {}.", pending.join(", ")),
    }
    for (who, logs_in) in logins {
        if logs_in {
            println!("Would give the {who} a new login to the database.");
        }
    }
    Ok(())
}

/// Makes the login of the two that is not in use, and returns the URL with it.
fn log_in(
    stage: Stage,
    access: Access,
    used: Option<&DatabaseUrl>,
    owner_url: &DatabaseUrl,
) -> Result<DatabaseUrl> {
    let [a, b] = stage.logins(access);
    let next = if used.is_some_and(|url| url.user() == Some(&a)) { b } else { a };
    let url = login::grant(owner_url, access, &next)?;
    let who = if access == Access::App { "app logs" } else { "functions log" };
    println!("The {who} in to the database as {next}.");
    Ok(url)
}

/// Ends the logins of a stage that are not in use.
fn retire(stage: Stage, used: [&DatabaseUrl; 2], owner_url: &DatabaseUrl, now: bool) -> Result<()> {
    // The functions read their settings every five minutes; the app has to be deployed anew.
    for (access, minutes) in [(Access::Functions, 10), (Access::App, 24 * 60)] {
        let end = if now { End::Now } else { End::In(minutes) };
        for login in stage.logins(access) {
            if used.iter().all(|url| url.user() != Some(&login))
                && let Some(done) = login::retire(owner_url, &login, end)?
            {
                println!("{done}");
            }
        }
    }
    Ok(())
}

/// Takes the settings that a file has for the secret, and says whether they change anything.
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
    [SECRET, SECRETS, issuer, audience, MAX_LIFETIME]
}

/// Asks for what is missing, and says whether anything was.
fn ask(secret: &mut Secret, owner_url: &mut Option<String>) -> Result<bool> {
    let [(issuer, _), (audience, default_audience)] = TOKEN_DEFAULTS;
    let mut changed = false;
    if secret.get(SECRET).is_none() && secret.get(SECRETS).is_none() {
        let question = format!("{SECRET}, Better Auth's secret (empty: a new one):");
        let value = hidden(&question, |given| {
            let name_it = |name: &str| (name == SECRET).then(|| given.to_owned());
            if given.is_empty() {
                Ok(())
            } else {
                Ok(AuthConfig::parse(Use::Local, name_it).map(drop)?)
            }
        })?;
        let value = if value.is_empty() { random_text()? } else { value };
        changed |= secret.set(SECRET, &value);
    }
    if owner_url.is_none() {
        let given = hidden(&format!("{DATABASE_URL}, as Neon's console prints it:"), |given| {
            let url = given.parse()?;
            check_database(&url)?;
            migrate::check(&url)
        })?;
        *owner_url = Some(given);
        changed = true;
    }
    if secret.get(issuer).is_none() {
        let question = format!("{issuer}, the frontend's URL:");
        let required = "It is required: a token of another issuer must not count.";
        let given = Text::new(&question).with_validator(ValueRequiredValidator::new(required));
        changed |= secret.set(issuer, given.prompt()?.trim());
    }
    if secret.get(audience).is_none() {
        let question = format!("{audience}:");
        let given = Text::new(&question).with_default(default_audience).prompt()?;
        changed |= secret.set(audience, given.trim());
    }
    Ok(changed)
}

/// Asks until the answer will do, which is not shown as it is typed.
fn hidden(question: &str, check: impl Fn(&str) -> Result<()> + Clone + 'static) -> Result<String> {
    let validator = move |given: &str| {
        Ok(match check(given.trim()) {
            Ok(()) => Validation::Valid,
            Err(fault) => Validation::Invalid(format!("{fault:#}").into()),
        })
    };
    let prompt = Password::new(question).without_confirmation().with_validator(validator);
    Ok(prompt.with_display_mode(PasswordDisplayMode::Hidden).prompt()?.trim().to_owned())
}
