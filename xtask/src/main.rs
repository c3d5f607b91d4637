//! `cargo xtask`: the developer's and the operator's commands.
mod bench;
mod dev;
mod env_file;
mod event;
mod fixture;
mod frontend;
mod gateway;
mod login;
mod migrate;
mod node;
mod pgbouncer;
mod postgres;
mod process;
mod project;
mod settings;
mod soak;
mod stage;
mod test;
mod token;
mod tools;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about, disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the task API here: database, migrations, functions, gateway.
    Dev(dev::Options),
    /// Run every test, setting up what they need.
    Test(test::Options),
    /// Measure the release binaries beside other backends and write `bench/REPORT.md`.
    Bench,
    /// Run the long forms of the tests: load, failures, hostile requests, properties.
    Soak(soak::Options),
    /// Migrate the tasks' tables; safe to repeat.
    Migrate(migrate::Options),
    /// Print a valid token, signed with the secret in `.env`.
    Token(token::Options),
    /// Print an API Gateway event for a function, with a valid token.
    Event(event::Options),
    /// Prepare, check or rotate a stage on AWS, with the AWS CLI's credentials.
    Stage(stage::Options),
    /// Install a tool of the tests if it is missing, and print its folder.
    #[command(hide = true)]
    Tool(tools::Options),
    /// Start a fixture of the tests, until standard input ends.
    #[command(hide = true)]
    Fixture(fixture::Options),
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Dev(options) => dev::run(&options),
        Command::Test(options) => test::run(&options),
        Command::Bench => bench::run(),
        Command::Soak(options) => soak::run(&options),
        Command::Migrate(options) => migrate::run(&options),
        Command::Token(options) => token::run(&options),
        Command::Event(options) => event::run(&options),
        Command::Stage(options) => return ended(stage::run(&options)),
        Command::Tool(options) => tools::print_folder(&options),
        Command::Fixture(options) => fixture::run(&options),
    };
    ended(result.map(|()| ExitCode::SUCCESS))
}

fn ended(result: anyhow::Result<ExitCode>) -> ExitCode {
    result.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}
