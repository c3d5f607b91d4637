//! Prepares a stage: its secret, tables and logins.
mod concurrency;
mod proof;
mod questions;

use std::io::{IsTerminal, stdin};
use std::path::PathBuf;

use anyhow::{Context, Result};
use shared::DatabaseUrl;

use super::aws;
use super::secret::{Secret, check_database};
use super::{Stage, keys};
use crate::env_file::EnvFile;
use crate::login::{self, Access, End};
use crate::migrate;
use crate::settings::{
    DATABASE_URL, JWKS_URL, LOG_KEY, MAX_LIFETIME, SECRET, SECRETS, random_text,
};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Read settings from a file of NAME=value lines; they replace the stage's.
    #[arg(long, value_name = "FILE")]
    env_file: Option<PathBuf>,
    /// Give the functions, or the app, a new login to the database. The old password expires ten
    /// minutes later, the app's a day later.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "functions")]
    new_login: Option<Access>,
    /// End old logins and their sessions at once, after a password leaked.
    #[arg(long)]
    now: bool,
    /// Do not ask; fail if something is missing.
    #[arg(long)]
    no_prompt: bool,
    /// Only say what would be done.
    #[arg(long)]
    dry_run: bool,
}

pub(crate) fn run(stage: Stage, options: &Options) -> Result<()> {
    let plan = Plan::new(stage, options)?;
    concurrency::tell();
    if options.dry_run { plan.preview() } else { plan.carry_out(options.now) }
}

/// The current state, and the planned changes.
struct Plan {
    stage: Stage,
    secret: Secret,
    /// Whether the secret exists, and whether it is written.
    exists: bool,
    changed: bool,
    /// The table owner's URL, now and before, and whether they differ.
    owner_url: DatabaseUrl,
    stored_url: Option<String>,
    moved: bool,
    functions: Login,
    app: Login,
}

/// A login of the stage.
struct Login {
    access: Access,
    used: Option<DatabaseUrl>,
    /// Whether it is replaced.
    renewed: bool,
}

impl Plan {
    /// Reads the current state and asks for missing settings; changes nothing.
    fn new(stage: Stage, options: &Options) -> Result<Self> {
        let existing = Secret::read(stage)?;
        let exists = existing.is_some();
        let mut secret = existing.unwrap_or_else(Secret::empty);
        let keys_url = secret.get(JWKS_URL).map(str::to_owned);
        let stored_url = aws::parameter(&stage.owner_url())?;
        let mut owner_url = stored_url.clone();
        let mut changed = false;
        if let Some(path) = &options.env_file {
            let file = EnvFile::read(path)?;
            changed |= questions::take(&mut secret, &file)?;
            owner_url = file.get(DATABASE_URL).or(owner_url);
        }
        if !options.no_prompt && !options.dry_run && stdin().is_terminal() {
            changed |= questions::ask(&mut secret, &mut owner_url)?;
        }
        changed |= keys::store_if_reachable(&mut secret, keys_url.as_deref())?;
        if [SECRET, SECRETS, LOG_KEY].iter().all(|name| secret.get(name).is_none()) {
            changed |= secret.set(LOG_KEY, &random_text()?);
        }
        let (max_lifetime, a_day) = MAX_LIFETIME;
        if secret.get(max_lifetime).is_none() {
            changed |= secret.set(max_lifetime, a_day);
        }
        let incomplete = "the settings are incomplete: run this in a terminal, or pass --env-file";
        secret.tokens_config().context(incomplete)?;
        let owner_url = owner_url.context("DATABASE_URL of the tables' owner is missing");
        let owner_url: DatabaseUrl = owner_url.context(incomplete)?.parse()?;
        // Checked before anything is stored: running functions must not get settings that do not
        // work.
        check_database(&owner_url)?;
        migrate::check(&owner_url)?;

        let moved = stored_url.as_deref() != Some(owner_url.expose());
        let login = |access, url: Option<&str>| -> Result<Login> {
            // After a move, the old URL need not be valid here: it may name a file of another
            // machine.
            let used = match url.map(str::parse).transpose() {
                Err(_) if moved => None,
                used => used?,
            };
            let renewed = moved || options.new_login == Some(access) || used.is_none();
            Ok(Login { access, used, renewed })
        };
        let functions = login(Access::Functions, secret.get(DATABASE_URL))?;
        let app = login(Access::App, aws::parameter(&stage.app_url())?.as_deref())?;
        changed |= functions.renewed || !exists;
        Ok(Self { stage, secret, exists, changed, owner_url, stored_url, moved, functions, app })
    }

    /// Prints what would be done.
    fn preview(&self) -> Result<()> {
        match migrate::pending(&self.owner_url)?.as_slice() {
            [] => println!("The database is up to date."),
            pending => println!("Would migrate the database: {}.", pending.join(", ")),
        }
        for login in [&self.functions, &self.app] {
            if login.renewed {
                println!("Would give the {} a new login to the database.", login.access.who());
            }
        }
        let id = self.stage.secret();
        if self.changed {
            println!("Would write the secret {id}.");
        } else {
            println!("The secret {id} is unchanged: {}.", self.secret.names());
        }
        Ok(())
    }

    fn carry_out(mut self, now: bool) -> Result<()> {
        // A new database needs its tables before its logins. On the current one the logins come
        // first: an open session may hold up a migration, which must not delay a new login.
        if self.moved {
            migrate::migrate(&self.owner_url)?;
        }
        let (functions_url, app_url) = self.log_in()?;
        self.write_secret(&functions_url)?;
        if self.app.renewed {
            aws::set_parameter(&self.stage.app_url(), app_url.expose())?;
            println!("The app's {DATABASE_URL} is in the parameter {}.", self.stage.app_url());
        }
        self.retire([&functions_url, &app_url], now)?;
        if !self.moved {
            migrate::migrate(&self.owner_url)?;
        }
        // Stored last, so that an interrupted run is repeated in full.
        if self.moved {
            aws::set_parameter(&self.stage.owner_url(), self.owner_url.expose())?;
        }
        let stage = self.stage.name();
        println!(
            "Next: sam build --config-env {stage} && sam deploy --config-env {stage}, then cargo xtask stage {stage} check"
        );
        Ok(())
    }

    /// The URLs of both logins; new ones have passed their proof. If one fails, none is left
    /// behind.
    fn log_in(&self) -> Result<(DatabaseUrl, DatabaseUrl)> {
        let functions = self.functions.url(self.stage, &self.owner_url)?;
        let app = self.app.url(self.stage, &self.owner_url);
        if app.is_err() && self.functions.renewed {
            let name = functions.user().unwrap_or_default();
            login::withdraw(&self.owner_url, name)?;
        }
        Ok((functions, app?))
    }

    fn write_secret(&mut self, functions_url: &DatabaseUrl) -> Result<()> {
        let id = self.stage.secret();
        self.secret.set(DATABASE_URL, functions_url.expose());
        self.secret.config()?;
        let names = self.secret.names();
        if !self.exists {
            aws::create_secret(&id, &self.secret.text()?)?;
            println!("The secret {id} is created: {names}.");
        } else if self.changed {
            aws::change_secret(&id, &self.secret.text()?)?;
            println!(
                "The secret {id} is changed: {names}. Running functions read it within five minutes."
            );
        } else {
            println!("The secret {id} is unchanged: {names}.");
        }
        Ok(())
    }

    /// Ends the unused logins, also in the previous database.
    fn retire(&self, used: [&DatabaseUrl; 2], now: bool) -> Result<()> {
        retire(self.stage, used, &self.owner_url, now)?;
        let Some(old) = self.stored_url.as_ref().filter(|_| self.moved) else { return Ok(()) };
        // Running functions use the old database until they read the secret again.
        let retired = old.parse().map_err(anyhow::Error::from);
        if let Err(error) = retired.and_then(|old| retire(self.stage, used, &old, now)) {
            println!("The old database keeps its logins: {error:#}.");
        }
        Ok(())
    }
}

impl Login {
    /// The login's URL: the current one, or that of a new login with the unused one of two names.
    fn url(&self, stage: Stage, owner_url: &DatabaseUrl) -> Result<DatabaseUrl> {
        if let Some(used) = self.used.as_ref().filter(|_| !self.renewed) {
            return Ok(used.clone());
        }
        let [a, b] = stage.logins(self.access);
        let next = if self.used.as_ref().is_some_and(|url| url.user() == Some(&a)) { b } else { a };
        let url = login::grant(owner_url, self.access, &next)?;
        match proof::proven(url, self.access) {
            Ok(url) => {
                let who = if self.access == Access::App { "app logs" } else { "functions log" };
                println!("The {who} in to the database as {next}.");
                Ok(url)
            }
            Err(error) => {
                login::withdraw(owner_url, &next).with_context(|| format!("{error:#}"))?;
                Err(error.context(format!(
                    "the new login {next} failed its check and was dropped; nothing is stored"
                )))
            }
        }
    }
}

/// Ends a stage's unused logins.
fn retire(stage: Stage, used: [&DatabaseUrl; 2], owner_url: &DatabaseUrl, now: bool) -> Result<()> {
    // The functions read their settings every five minutes; the app needs a deployment.
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
