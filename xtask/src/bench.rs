//! `cargo xtask bench`: measures the functions beside FastAPI and Hono.
use anyhow::{Context, Result};

use crate::{postgres, project, soak, tools};

/// The functions without the AWS SDK, to measure its cost.
const LEAN: &str = "target/lambda-without-secrets-manager";

pub(crate) fn run() -> Result<()> {
    postgres::ensure_programs()?;
    soak::build_functions(&[])?;
    let mut lean = project::cargo();
    lean.env("PATH", tools::path_with_cargo_lambda()?);
    lean.args(["lambda", "build", "--release", "--no-default-features", "--lambda-dir", LEAN]);
    tools::run(&mut lean).context("the functions do not compile without the AWS SDK")?;
    let mut floor = project::cargo();
    floor.args(["build", "--release", "--package", "floor"]);
    tools::run(&mut floor).context("the function that does nothing does not compile")?;
    let mut report = project::cargo();
    report.args(["run", "--quiet", "--profile", "harness", "--package", "bench", "--", "report"]);
    tools::run(&mut report).context("the benchmark failed")
}
