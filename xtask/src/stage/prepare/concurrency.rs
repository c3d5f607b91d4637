//! Compares `prod`'s reserved concurrency with the account's quota: raising it takes days, and a
//! deployment fails without it.
use anyhow::{Context, Result};
use serde_json::Value;

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
    let Some((each, functions)) = reservation(&template, Stage::Prod) else { return Ok(None) };
    let settings = aws::call(&["lambda", "get-account-settings"], None)?;
    let limit =
        |name| settings.pointer(name).and_then(Value::as_u64).context("AWS returned no limit");
    let all = limit("/AccountLimit/ConcurrentExecutions")?;
    let free = limit("/AccountLimit/UnreservedConcurrentExecutions")?;
    let reserves = each * functions;
    if free >= reserves + UNRESERVED || aws::stack(&Stage::Prod.stack())?.is_some() {
        return Ok(None);
    }
    let wanted = all - free + reserves + UNRESERVED;
    Ok(Some(format!(
        "prod cannot be deployed yet: it reserves {each} concurrent executions for each of {functions} functions, {reserves} in all, \
         and {UNRESERVED} must stay free; of the account's {all}, {free} are. To ask for more, which takes days:\n  \
         aws service-quotas request-service-quota-increase --service-code lambda --quota-code {QUOTA} --desired-value {wanted}\n\
         or write `ReservedConcurrency: none` for prod in template.yaml."
    )))
}

/// A stage's reserved concurrency per function, if any, and the number of functions.
fn reservation(template: &str, stage: Stage) -> Option<(u64, u64)> {
    let is_function = |line: &&str| line.trim() == "Type: AWS::Serverless::Function";
    let functions = template.lines().filter(is_function).count();
    let table = template.lines().skip_while(|line| *line != format!("    {}:", stage.name()));
    let values = table.skip(1).take_while(|line| line.starts_with("      "));
    let each = values.map(str::trim).find_map(|line| line.strip_prefix("ReservedConcurrency: "))?;
    Some((each.split(' ').next()?.parse().ok()?, functions.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_the_stages_says_what_is_reserved() {
        let template = std::fs::read_to_string(project::root().join("template.yaml")).unwrap();
        let functions =
            std::fs::read_dir(project::root().join("functions/src/bin")).unwrap().count();
        let reserved = |stage| reservation(&template, stage);
        assert_eq!(reserved(Stage::Prod), Some((40, functions as u64)));
        assert_eq!((reserved(Stage::Dev), reserved(Stage::Staging)), (None, None));
    }
}
