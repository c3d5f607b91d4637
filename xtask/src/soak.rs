//! `cargo xtask soak`: the long forms of tests that `test` keeps short.
use std::process::Command;

use anyhow::{Context, Result};

use crate::{frontend, project, resource, test, tools};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// The duration of the load.
    #[arg(long, default_value_t = 10)]
    minutes: u64,
}

/// Requests that Schemathesis makes for each operation.
const HOSTILE_CASES: &str = "3000";
/// Inputs for each property test: half an hour on two cores.
const PROPERTY_CASES: &str = "1000000";

pub(crate) fn run(options: &Options) -> Result<()> {
    load(options.minutes * 60, &[])?;
    if frontend::exists() {
        println!("The app, while its database fails at random …");
        frontend::ensure_packages()?;
        let path = tools::path_with_cargo_lambda()?;
        test::browser(&path, &test::chromium()?, "test:faults", &[])?;
    }
    println!("Hostile requests, {HOSTILE_CASES} an operation …");
    let mut hostile = project::cargo();
    hostile.env("PATH", tools::path_with_cargo_lambda()?);
    hostile.env("TASK_API_HOSTILE_CASES", HOSTILE_CASES);
    hostile.args(["test", "--workspace", "--test", "api", "hostile", "--", "--nocapture"]);
    tools::run(&mut hostile).context("the hostile requests failed")?;
    println!("Property tests, {PROPERTY_CASES} cases each …");
    let mut properties = project::cargo();
    properties.env("PROPTEST_CASES", PROPERTY_CASES);
    properties.args(["test", "--release", "--package", "shared", "--lib"]);
    tools::run(&mut properties).context("a property test failed")?;
    println!("Every test with a second resource …");
    resource::whole_trial()
}

/// The functions as deployed, unless these variables change how they are built.
pub(crate) fn build_functions(variables: &[(&str, &str)]) -> Result<()> {
    println!("Building the release functions …");
    let mut build = project::cargo();
    build.env("PATH", tools::path_with_cargo_lambda()?).envs(variables.iter().copied());
    build.args(["lambda", "build", "--release"]);
    tools::run(&mut build).context("the functions do not compile")
}

/// A mixed load on the release binaries, built with these variables, then a burst.
pub(crate) fn load(seconds: u64, variables: &[(&str, &str)]) -> Result<()> {
    build_functions(variables)?;
    // Built in the workspace, whose dependencies the tests have compiled; cargo puts it beside this
    // binary.
    let mut build = project::cargo();
    tools::run(build.args(["build", "--quiet", "--workspace", "--bin", "bench"]))?;
    let mut soak = Command::new(std::env::current_exe()?.with_file_name("bench"));
    soak.current_dir(project::root()).args(["soak", "--seconds", &seconds.to_string()]);
    tools::run(&mut soak).context("the load failed")
}
