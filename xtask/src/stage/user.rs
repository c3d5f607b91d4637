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
    for (key, age) in config.auth.log_keys().zip(1..) {
        let since = if age == 1 { "now" } else { "before" };
        println!("{} ({since})", log_name(key, &options.id));
    }
    Ok(())
}
