//! `cargo xtask`: the developer's and the operator's commands.
mod bench;
mod database_url;
mod dev;
mod env_file;
mod event;
mod fixture;
mod frontend;
mod gateway;
mod generate;
mod login;
mod migrate;
mod pgbouncer;
mod postgres;
mod privileges;
mod process;
mod project;
mod resource;
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
    /// Write what follows from the operations of `functions/openapi.yaml`.
    Generate(generate::Options),
    /// Make a second resource beside one that is there, from its files.
    Resource(resource::Options),
    /// Measure the release binaries beside other backends and write `bench/REPORT.md`.
    Bench,
    /// Run the long forms of the tests: load, failures, hostile requests, properties.
    Soak(soak::Options),
    /// Make the tables and SQL routines of this version in a database; safe to repeat.
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
        Command::Generate(options) => generate::run(&options),
        Command::Resource(options) => resource::run(&options),
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

#[cfg(test)]
mod tests {
    use super::*;
    use ::tests::{Page, Piece, pages};
    use clap::CommandFactory;
    use clap::error::ErrorKind;

    /// A command in running text may omit required arguments.
    const MENTIONED: [ErrorKind; 3] = [
        ErrorKind::MissingRequiredArgument,
        ErrorKind::MissingSubcommand,
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand,
    ];

    /// The words of a command up to its end, with placeholders replaced by values.
    fn words(command: &str) -> Vec<&str> {
        let command = command.split(['|', '&', '>', ')', ';', '"', '…']).next().unwrap();
        let value = |word| match word {
            "STAGE" => "dev",
            _ if str::chars(word).all(|c| c.is_ascii_uppercase()) => "1",
            _ => word,
        };
        ["cargo xtask"].into_iter().chain(command.split_whitespace().map(value)).collect()
    }

    fn options(command: &clap::Command) -> Vec<String> {
        let ours = command.get_arguments().filter_map(|option| option.get_long());
        let below = command.get_subcommands().flat_map(options);
        ours.map(str::to_owned).chain(below).collect()
    }

    /// The errors in a piece of code on a page.
    fn faults(piece: &Piece) -> Vec<String> {
        let known = options(&Cli::command());
        let option = piece.text.strip_prefix("--").and_then(|text| text.split([' ', '=']).next());
        let option =
            option.filter(|option| !option.is_empty() && !known.iter().any(|of| of == option));
        let commands = piece.text.split("cargo xtask ").skip(1).map(words);
        let refused = commands.filter_map(|words| Cli::try_parse_from(words).err());
        let refused = refused.filter(|error| !MENTIONED.contains(&error.kind()));
        let refused = refused.map(|error| error.to_string().lines().next().unwrap().to_owned());
        option
            .map(|option| format!("no command has --{option}"))
            .into_iter()
            .chain(refused)
            .collect()
    }

    #[test]
    fn every_command_of_the_pages_is_one() {
        let mut found = Vec::new();
        // The report is generated and mentions cargo's options.
        for path in pages().into_iter().filter(|path| path != "bench/REPORT.md") {
            let page = Page::read(&path);
            for piece in page.commands().iter().chain(&page.spans) {
                let faults = faults(piece).into_iter();
                found.extend(faults.map(|fault| format!("{path}:{}: {fault}", piece.line)));
            }
        }
        assert_eq!(found, [""; 0]);
    }

    #[test]
    fn a_command_that_is_none_is_found() {
        let of = |text: &str| faults(&Piece { line: 1, text: text.to_owned() }).len();
        for bad in
            ["cargo xtask deploy", "cargo xtask dev --apu", "cargo xtask stage qa check", "--brust"]
        {
            assert_eq!(of(bad), 1, "{bad}");
        }
    }
}
