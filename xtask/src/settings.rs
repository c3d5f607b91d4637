//! The settings for local use: the environment, else `.env`, which is created if it is missing.
use anyhow::{Result, anyhow};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use ring::rand::{SecureRandom, SystemRandom};
use shared::DatabaseUrl;

use crate::env_file::EnvFile;

pub(crate) const SECRET: &str = "BETTER_AUTH_SECRET";
pub(crate) const SECRETS: &str = "BETTER_AUTH_SECRETS";
/// Where an app publishes its public keys, and those that are stored.
pub(crate) const JWKS_URL: &str = "JWT_JWKS_URL";
pub(crate) const JWKS: &str = "JWT_JWKS";
pub(crate) const LOG_KEY: &str = "LOG_KEY";
pub(crate) const DATABASE_URL: &str = "DATABASE_URL";

/// The default issuer and audience of tokens.
pub(crate) const TOKEN_DEFAULTS: [(&str, &str); 2] =
    [("JWT_ISSUER", "http://localhost:3000"), ("JWT_AUDIENCE", "task-api")];

/// The longest lifetime of a token, and its default: a day in seconds.
pub(crate) const MAX_LIFETIME: (&str, &str) = ("JWT_MAX_LIFETIME", "86400");

/// The user of the embedded server.
pub(crate) const EMBEDDED_USER: &str = "embedded";

/// A setting from the environment, else from `.env`.
pub(crate) fn get(file: &EnvFile, name: &str) -> Option<String> {
    variable(name).or_else(|| file.get(name))
}

/// A variable of the environment, unless it is empty.
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The database URL from the environment, else from `.env`.
pub(crate) fn database_url(file: &EnvFile) -> Result<Option<DatabaseUrl>> {
    Ok(get(file, DATABASE_URL).map(|url| url.parse()).transpose()?)
}

/// Whether it is the embedded database, whose URL may be rewritten, rather than one that the user
/// chose.
pub(crate) fn is_embedded(url: &DatabaseUrl) -> bool {
    url.user() == Some(EMBEDDED_USER)
}

/// Adds missing settings to `.env`, and the URL of the embedded database if it is used.
pub(crate) fn complete(file: &mut EnvFile, embedded_url: Option<&DatabaseUrl>) -> Result<()> {
    if get(file, SECRET).is_none() && get(file, SECRETS).is_none() {
        file.set(SECRET, &random_text()?);
    }
    for (name, value) in TOKEN_DEFAULTS.into_iter().chain([MAX_LIFETIME]) {
        if file.get(name).is_none() {
            file.set(name, value);
        }
    }
    if let Some(url) = embedded_url {
        file.set(DATABASE_URL, url.expose());
    }
    file.save()
}

/// 32 random bytes in URL-safe Base64.
pub(crate) fn random_text() -> Result<String> {
    let mut bytes = [0; 32];
    let filled = SystemRandom::new().fill(&mut bytes);
    filled.map_err(|_| anyhow!("the system has no random numbers"))?;
    Ok(BASE64URL.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_may_be_valid_for_no_longer_than_on_a_stage() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".env");
        std::fs::write(&path, "JWT_ISSUER=https://mine.example\n").unwrap();
        complete(&mut EnvFile::read(&path).unwrap(), None).unwrap();
        let file = EnvFile::read(&path).unwrap();
        let named = ["JWT_ISSUER", "JWT_AUDIENCE", "JWT_MAX_LIFETIME"].map(|name| file.get(name));
        let expected = ["https://mine.example", "task-api", "86400"];
        assert_eq!(named.each_ref().map(|value| value.as_deref()), expected.map(Some));
    }
}
