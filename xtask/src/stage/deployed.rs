//! What is deployed, according to CloudFormation.
use anyhow::{Context, Result};
use serde_json::Value;

use super::{Stage, aws};

pub(super) struct Deployed {
    pub(super) stack: String,
    described: Value,
}

impl Deployed {
    /// The stage's stack.
    pub(super) fn read(stage: Stage) -> Result<Self> {
        let (name, stack) = (stage.name(), stage.stack());
        let described = aws::stack(&stack)?.with_context(|| {
            format!("{stack} is not deployed: sam build --config-env {name} && sam deploy --config-env {name}")
        })?;
        Ok(Self { stack, described })
    }

    /// The API's URL in the outputs.
    pub(super) fn url(&self) -> Result<&str> {
        self.find("Output", "ApiUrl").context("the stack has no output ApiUrl")
    }

    /// The topic that gets alarms, if the stage has alarms.
    pub(super) fn alarm_topic(&self) -> Option<&str> {
        self.find("Output", "AlarmTopicArn")
    }

    /// An origin that may call the API from a browser.
    pub(super) fn origin(&self) -> Result<&str> {
        let origins = self.find("Parameter", "AllowedOrigins");
        let first = origins.and_then(|origins| origins.split(',').next());
        first.context("the stack has no parameter AllowedOrigins")
    }

    pub(super) fn function_log(&self) -> String {
        format!("/aws/lambda/{}", self.stack)
    }

    pub(super) fn access_log(&self) -> String {
        format!("/aws/vendedlogs/apis/{}", self.stack)
    }

    /// The value of an output or a parameter.
    fn find(&self, kind: &str, name: &str) -> Option<&str> {
        let mut all = self.described.get(format!("{kind}s"))?.as_array()?.iter();
        let found =
            all.find(|each| each.get(format!("{kind}Key")).is_some_and(|key| key == name))?;
        found.get(format!("{kind}Value"))?.as_str()
    }
}
