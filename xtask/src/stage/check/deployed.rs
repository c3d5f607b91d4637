//! What is deployed, according to AWS.
use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::stage::{Stage, aws};

pub(super) struct Deployed {
    pub(super) stack: String,
    /// The API's URL in the stack's outputs.
    pub(super) url: Option<String>,
    /// The parameters of template.yaml.
    parameters: BTreeMap<String, String>,
}

impl Deployed {
    /// The stage's stack.
    pub(super) fn read(stage: Stage) -> Result<Self> {
        let (name, stack) = (stage.name(), stage.stack());
        let found = aws::stack(&stack)?.with_context(|| {
            format!("{stack} is not deployed: sam build --config-env {name} && sam deploy --config-env {name}")
        })?;
        let parameters = pairs(&found, "Parameters", "ParameterKey", "ParameterValue");
        let mut outputs = pairs(&found, "Outputs", "OutputKey", "OutputValue");
        Ok(Self { stack, url: outputs.remove("ApiUrl"), parameters })
    }

    /// An origin that may call the API from a browser.
    pub(super) fn origin(&self) -> Option<String> {
        let origins = self.parameters.get("AllowedOrigins")?;
        origins.split(',').next().filter(|origin| !origin.is_empty()).map(str::to_owned)
    }

    /// Whether it sends traces to X-Ray.
    pub(super) fn traces(&self) -> bool {
        self.parameters.get("Tracing").is_some_and(|tracing| tracing == "Active")
    }

    pub(super) fn function_log(&self) -> String {
        format!("/aws/lambda/{}", self.stack)
    }

    pub(super) fn access_log(&self) -> String {
        format!("/aws/vendedlogs/apis/{}", self.stack)
    }

    /// The throttle's burst limit.
    pub(super) fn burst_limit(&self) -> Result<Option<u32>> {
        let of_stack = ["describe-stack-resources", "--stack-name", &self.stack];
        let describe = [&["cloudformation"], &of_stack[..], &["--logical-resource-id", "Api"]];
        let resources = aws::call(&describe.concat(), None)?;
        let id = resources.pointer("/StackResources/0/PhysicalResourceId").and_then(Value::as_str);
        let get = ["get-stage", "--stage-name", "$default", "--api-id", id.unwrap_or_default()];
        let stage = aws::call(&[&["apigatewayv2"], &get[..]].concat(), None)?;
        let limit = stage.pointer("/DefaultRouteSettings/ThrottlingBurstLimit");
        Ok(limit.and_then(Value::as_u64).and_then(|limit| u32::try_from(limit).ok()))
    }
}

/// Parses a list of objects with a name and a value each.
fn pairs(stack: &Value, list: &str, name: &str, value: &str) -> BTreeMap<String, String> {
    let objects = stack.get(list).and_then(Value::as_array).into_iter().flatten();
    let text = |object: &Value, member: &str| Some(object.get(member)?.as_str()?.to_owned());
    objects.filter_map(|object| Some((text(object, name)?, text(object, value)?))).collect()
}
