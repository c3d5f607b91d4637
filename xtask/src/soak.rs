//! `cargo xtask soak`: the load, the long form of what `test` does for a minute.
use anyhow::{Context, Result};

use crate::{project, tools};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// How long the load lasts.
    #[arg(long, default_value_t = 10)]
    minutes: u64,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    load(options.minutes * 60)
}

/// The functions as they are deployed.
pub(crate) fn build_functions() -> Result<()> {
    println!("Building the functions as they are deployed …");
    let mut build = project::cargo();
    build.env("PATH", tools::path_with_cargo_lambda()?).args(["lambda", "build", "--release"]);
    tools::run(&mut build).context("the functions do not compile")
}

/// A mixed load on the release binaries, then a burst of them.
pub(crate) fn load(seconds: u64) -> Result<()> {
    build_functions()?;
    let mut soak = project::cargo();
    soak.args(["run", "--quiet", "--package", "bench", "--", "soak", "--seconds"]);
    tools::run(soak.arg(seconds.to_string())).context("the load did not pass")
}
