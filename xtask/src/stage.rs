//! `cargo xtask stage`: what a stage needs besides `sam deploy`: its secret, its tables and logins,
//! and a check.
mod aws;
mod check;
mod deployed;
mod keys;
mod prepare;
mod rotate;
mod secret;
mod test;
mod user;

use std::process::ExitCode;

use anyhow::{Result, ensure};
use clap::{Subcommand, ValueEnum};

use crate::login::Access;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// The stage, as in samconfig.toml.
    #[arg(value_enum)]
    stage: Stage,
    #[command(subcommand)]
    step: Step,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Stage {
    Dev,
    Staging,
    Prod,
}

#[derive(Subcommand)]
enum Step {
    /// Before a deployment: create or complete the secret, migrate the tables, create the database
    /// logins.
    Prepare(prepare::Options),
    /// After a deployment: ask each operation as a throwaway user, and AWS what it recorded. The
    /// exit status is 1 if the API fails, and 3 if only AWS behaves differently than expected.
    Check(check::Options),
    /// Run tests of the API against the stage, which leave their users' data behind; not in `prod`.
    Test(test::Options),
    /// Print the keyed hash by which the logs name a user.
    User(user::Options),
    /// Rotate the secret that signs tokens: put a new one before the old one; with --finish, remove
    /// the old one. Store the public keys of an app that signs with its own.
    Rotate(rotate::Options),
}

impl Stage {
    fn name(self) -> &'static str {
        match self {
            Self::Dev => "dev",
            Self::Staging => "staging",
            Self::Prod => "prod",
        }
    }

    /// The stack's name in samconfig.toml.
    fn stack(self) -> String {
        format!("task-api-{}", self.name())
    }

    /// The secret that template.yaml lets the functions read.
    fn secret(self) -> String {
        format!("task-api/{}", self.name())
    }

    /// The Systems Manager parameter with the owner's URL, which no function may read.
    fn owner_url(self) -> String {
        format!("/task-api/{}/owner-database-url", self.name())
    }

    /// The Systems Manager parameter with the app's URL.
    fn app_url(self) -> String {
        format!("/task-api/{}/app-database-url", self.name())
    }

    /// The two logins of the functions or of the app; one of them is in use.
    fn logins(self, access: Access) -> [String; 2] {
        ["a", "b"].map(|suffix| format!("{}_{}_{suffix}", access.role(), self.name()))
    }
}

pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let tests = matches!(options.step, Step::Test(_));
    ensure!(!tests || options.stage != Stage::Prod, "tests leave data behind: not in prod");
    println!("{}", aws::sign_in()?);
    match &options.step {
        Step::Prepare(step) => prepare::run(options.stage, step)?,
        Step::Check(step) => return check::run(options.stage, step),
        Step::Test(step) => test::run(options.stage, step)?,
        Step::User(step) => user::run(options.stage, step)?,
        Step::Rotate(step) => rotate::run(options.stage, step)?,
    }
    Ok(ExitCode::SUCCESS)
}
