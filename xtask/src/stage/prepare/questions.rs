//! The sources of a stage's settings: a file, or the operator's answers.
use anyhow::{Result, bail};
use inquire::validator::{StringValidator, Validation, ValueRequiredValidator};
use inquire::{Password, PasswordDisplayMode, Select, Text};
use shared::{AuthConfig, Use};
use url::Url;

use crate::env_file::EnvFile;
use crate::migrate;
use crate::settings::{
    DATABASE_URL, JWKS_URL, MAX_LIFETIME, SECRET, SECRETS, TOKEN_DEFAULTS, random_text,
};
use crate::stage::keys;
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

fn setting_names() -> [&'static str; 6] {
    let [(issuer, _), (audience, _)] = TOKEN_DEFAULTS;
    [SECRET, SECRETS, JWKS_URL, issuer, audience, MAX_LIFETIME.0]
}

/// Asks for missing settings; returns whether any were missing.
pub(super) fn ask(secret: &mut Secret, owner_url: &mut Option<String>) -> Result<bool> {
    let [(issuer, _), (audience, default_audience)] = TOKEN_DEFAULTS;
    let mut changed = false;
    let signs = [SECRET, SECRETS, JWKS_URL].iter().any(|name| secret.get(name).is_some());
    let own_keys = "with its own keys: Better Auth's jwt() plugin, Neon Auth";
    let ways = vec!["with the shared secret: this repository's app and token plugin", own_keys];
    if !signs && Select::new("How does the app sign its tokens?", ways).prompt()? == own_keys {
        let question = format!("{JWKS_URL}, such as https://app.example/api/auth/jwks:");
        let check = checked(|url| keys::read(url).map(drop));
        changed |=
            secret.set(JWKS_URL, Text::new(&question).with_validator(check).prompt()?.trim());
    } else if !signs {
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
        let mut given = Text::new(&question).with_validator(ValueRequiredValidator::new(required));
        // The plugin's issuer and audience are the app's origin.
        let origin = secret.get(JWKS_URL).and_then(|url| Url::parse(url).ok());
        let origin = origin.map(|url| url.origin().ascii_serialization());
        given = match &origin {
            Some(origin) => given.with_default(origin),
            None => given,
        };
        changed |= secret.set(issuer, given.prompt()?.trim());
    }
    if secret.get(audience).is_none() {
        let question = format!("{audience}:");
        let default = secret.get(JWKS_URL).and_then(|_| secret.get(issuer));
        let default = default.unwrap_or(default_audience);
        let given = Text::new(&question).with_default(default).prompt()?;
        changed |= secret.set(audience, given.trim());
    }
    Ok(changed)
}

fn checked(check: impl Fn(&str) -> Result<()> + Clone + 'static) -> impl StringValidator + Clone {
    move |given: &str| {
        Ok(match check(given.trim()) {
            Ok(()) => Validation::Valid,
            Err(fault) => Validation::Invalid(format!("{fault:#}").into()),
        })
    }
}

/// Asks, without echo, until the answer is valid.
fn hidden(question: &str, check: impl Fn(&str) -> Result<()> + Clone + 'static) -> Result<String> {
    let prompt = Password::new(question).without_confirmation().with_validator(checked(check));
    Ok(prompt.with_display_mode(PasswordDisplayMode::Hidden).prompt()?.trim().to_owned())
}
