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
    #[arg(long, default_value = "10m")]
    ttl: SignedDuration,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let file = EnvFile::load()?;
    let seconds = options.ttl.as_secs().try_into().context("--ttl must not be negative")?;
    println!("{}", sign(&file, &options.user, seconds)?);
    Ok(())
}

/// A token for `user` that functions with these settings accept for `ttl` seconds.
pub(crate) fn sign(file: &EnvFile, user: &str, ttl: u64) -> Result<String> {
    let config = AuthConfig::parse(Use::Local, |name| settings::get(file, name))
        .context("`cargo xtask dev` makes a .env with these settings")?;
    let secret = config.secrets.first().ok_or_else(|| {
        anyhow!("without BETTER_AUTH_SECRET only the app can sign: get a token from it, as docs/frontend.md says")
    })?;
    Ok(shared::sign(&Claims::new(&config, user, ttl), secret)?)
}
