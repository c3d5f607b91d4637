//! Prints a user's name in the logs, which only the stage's secret can derive.
use anyhow::Result;
use shared::log_name;

use super::Stage;
use super::secret::Secret;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// The user's id.
    id: String,
}

pub(crate) fn run(stage: Stage, options: &Options) -> Result<()> {
    let config = Secret::complete(stage)?.config()?;
    for (secret, age) in config.auth.secrets.iter().zip(1..) {
        let since = if age == 1 { "now" } else { "before a rotation" };
        println!("{} ({since})", log_name(secret, &options.id));
    }
    Ok(())
}
