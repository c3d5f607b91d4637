//! Tokens for local use.
use anyhow::{Context, Result, anyhow};
use jiff::SignedDuration;
use shared::{AuthConfig, Claims, Use};

use crate::env_file::EnvFile;
use crate::settings;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// The user's id, the token's `sub`.
    #[arg(long, default_value = "dev-user")]
    user: String,
    /// How long it is valid, such as `90s`, `10m` or `12h`.
    #[arg(long, default_value = "10m", value_parser = seconds)]
    ttl: u64,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let file = EnvFile::load()?;
    println!("{}", sign(&file, &options.user, options.ttl)?);
    Ok(())
}

/// A token for `user` that functions with these settings accept for `ttl` seconds.
pub(crate) fn sign(file: &EnvFile, user: &str, ttl: u64) -> Result<String> {
    let config = AuthConfig::parse(Use::Local, |name| settings::get(file, name))
        .context("`cargo xtask dev` makes a .env with these settings")?;
    let secret = config.secrets.first().ok_or_else(|| anyhow!("there is no secret"))?;
    Ok(shared::sign(&Claims::new(&config, user, ttl), secret)?)
}

fn seconds(text: &str) -> Result<u64, String> {
    let duration: SignedDuration = text.parse().map_err(|error: jiff::Error| error.to_string())?;
    u64::try_from(duration.as_secs()).map_err(|_| "must not be negative".to_owned())
}
