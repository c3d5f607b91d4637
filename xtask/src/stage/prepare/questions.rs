//! The sources of a stage's settings: a file, or the operator's answers.
use anyhow::{Result, bail};
use inquire::validator::{Validation, ValueRequiredValidator};
use inquire::{Password, PasswordDisplayMode, Text};
use shared::{AuthConfig, Use};

use crate::env_file::EnvFile;
use crate::migrate;
use crate::settings::{DATABASE_URL, MAX_LIFETIME, SECRET, SECRETS, TOKEN_DEFAULTS, random_text};
use crate::stage::secret::{Secret, check_database};

/// Copies the settings in a file to the secret; returns whether they change anything.
pub(super) fn take(secret: &mut Secret, file: &EnvFile) -> Result<bool> {
    let mut changed = false;
    for name in setting_names() {
        let Some(value) = file.get(name) else { continue };
        let signs = name == SECRET || name == SECRETS;
        if signs && secret.get(SECRETS).is_some_and(|rotated| rotated != value) {
            bail!(
                "the file's {name} would undo a rotation: remove it from the file, and change the secret with rotate"
            );
        }
        changed |= secret.set(name, &value);
    }
    Ok(changed)
}

fn setting_names() -> [&'static str; 5] {
    let [(issuer, _), (audience, _)] = TOKEN_DEFAULTS;
    [SECRET, SECRETS, issuer, audience, MAX_LIFETIME.0]
}

/// Asks for missing settings; returns whether any were missing.
pub(super) fn ask(secret: &mut Secret, owner_url: &mut Option<String>) -> Result<bool> {
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
        let required = "It is required: tokens of other issuers must be refused.";
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

/// Asks, without echo, until the answer is valid.
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
