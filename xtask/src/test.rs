//! `cargo xtask test`: every test, set-up included.
use anyhow::{Context, Result};

use crate::{gateway, postgres, project, tools};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// What `cargo test` takes: the names of the tests to run, and its options.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let path = tools::path_with_cargo_lambda()?;
    postgres::ensure_programs()?;
    println!("Building the functions …");
    gateway::build()?;
    let mut command = project::cargo();
    command.env("PATH", path).args(["test", "--workspace"]);
    tools::run(command.args(&options.arguments)).context("the tests did not pass")
}
