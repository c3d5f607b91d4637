//! Compares `prod`'s reserved concurrency with the account's quota: raising it takes days, and a
//! deployment fails without it.
use anyhow::{Context, Result};
use serde_json::Value;

use crate::generate::reserved_concurrency;
use crate::project;
use crate::stage::{Stage, aws};

/// The code of "Concurrent executions" in Service Quotas.
const QUOTA: &str = "L-B99A9384";
/// The concurrency that Lambda requires to stay unreserved.
const UNRESERVED: u64 = 100;

/// Prints a warning, unless `prod` is deployed already; also if the quota cannot be read.
pub(super) fn tell() {
    match message() {
        Ok(Some(message)) => println!("{message}"),
        Ok(None) => {}
        Err(error) => println!("Cannot read the account's concurrency limit: {error:#}."),
    }
}

fn message() -> Result<Option<String>> {
    let template = std::fs::read_to_string(project::root().join("template.yaml"))?;
    let stages = reserved_concurrency(&template)?;
    let Some(Some(reserves)) = stages.get(Stage::Prod.name()) else { return Ok(None) };
    let settings = aws::call(&["lambda", "get-account-settings"], None)?;
    let limit =
        |name| settings.pointer(name).and_then(Value::as_u64).context("AWS returned no limit");
    let all = limit("/AccountLimit/ConcurrentExecutions")?;
    let free = limit("/AccountLimit/UnreservedConcurrentExecutions")?;
    if free >= reserves + UNRESERVED || aws::stack(&Stage::Prod.stack())?.is_some() {
        return Ok(None);
    }
    let wanted = all - free + reserves + UNRESERVED;
    Ok(Some(format!(
        "prod cannot be deployed yet: it reserves {reserves} concurrent executions, \
         and {UNRESERVED} must stay free; of the account's {all}, {free} are. \
         To ask for more, which takes days:\n  \
         aws service-quotas request-service-quota-increase --service-code lambda --quota-code {QUOTA} --desired-value {wanted}\n\
         or write `ReservedConcurrency: none` for prod in template.yaml."
    )))
}
