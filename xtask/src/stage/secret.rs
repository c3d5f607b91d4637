//! A stage's secret: a JSON object of settings, whose values are never printed.
use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};
use shared::{AuthConfig, Config, DatabaseUrl, Use};

use super::Stage;
use super::aws;
use crate::settings::variable;

/// Settings by name.
pub(crate) struct Secret(BTreeMap<String, String>);

impl Secret {
    /// The stage's secret; `None` if it does not exist yet.
    pub(crate) fn read(stage: Stage) -> Result<Option<Self>> {
        let Some(text) = aws::secret(&stage.secret())? else { return Ok(None) };
        // Without the parser's message, which may quote the secret.
        match serde_json::from_str(&text) {
            Ok(settings) => Ok(Some(Self(settings))),
            Err(_) => bail!("the secret {} is not a JSON object of strings", stage.secret()),
        }
    }

    /// The stage's secret, which must exist and have every setting.
    pub(crate) fn complete(stage: Stage) -> Result<Self> {
        let name = stage.name();
        let Some(secret) = Self::read(stage)? else {
            bail!("there is no secret {}: run `cargo xtask stage {name} prepare`", stage.secret());
        };
        secret.config()?;
        Ok(secret)
    }

    pub(crate) fn empty() -> Self {
        Self(BTreeMap::new())
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Sets a setting; returns whether it changed.
    pub(crate) fn set(&mut self, name: &str, value: &str) -> bool {
        self.0.insert(name.to_owned(), value.to_owned()).as_deref() != Some(value)
    }

    pub(crate) fn remove(&mut self, name: &str) {
        self.0.remove(name);
    }

    pub(crate) fn names(&self) -> String {
        self.0.keys().cloned().collect::<Vec<_>>().join(", ")
    }

    pub(crate) fn text(&self) -> Result<String> {
        Ok(serde_json::to_string(&self.0)?)
    }

    /// Every error in the settings for tokens, if there are any.
    pub(crate) fn tokens_config(&self) -> Result<AuthConfig> {
        AuthConfig::parse(Use::Stage, |name| self.get(name).map(str::to_owned))
            .context("the functions would not start with this secret")
    }

    /// The settings as the functions parse them, or every error in them.
    pub(crate) fn config(&self) -> Result<Config> {
        let config = Config::parse(Use::Stage, |name| self.get(name).map(str::to_owned))
            .context("the functions would not start with this secret")?;
        check_database(&config.database_url)?;
        Ok(config)
    }
}

/// Refuses what `Config` allows for local use: a database on this machine, or one without TLS.
pub(crate) fn check_database(url: &DatabaseUrl) -> Result<()> {
    // A local AWS may use a local database.
    if url.is_local() && variable("AWS_ENDPOINT_URL").is_none() {
        bail!(
            "DATABASE_URL names a database on this machine, which a function on AWS cannot reach"
        );
    }
    ensure!(url.requires_tls(), "DATABASE_URL must ask for TLS: add sslmode=require");
    Ok(())
}
