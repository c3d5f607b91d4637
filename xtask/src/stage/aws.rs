//! AWS, through the operator's AWS CLI with its profiles, single sign-on and region.
use std::io::Write;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::settings::variable;

const INSTALL: &str =
    "https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html";

/// The value goes through a pipe, so it is not in the list of processes.
pub(super) const FROM_INPUT: &str = "file:///dev/stdin";

/// The account that is signed in to, or how to sign in.
pub(crate) fn sign_in() -> Result<String> {
    // SAM and the AWS CLI prefer different variables: the secret could be in another region than
    // the functions.
    let region = variable("AWS_DEFAULT_REGION");
    if variable("AWS_REGION").is_some_and(|other| region.as_ref() != Some(&other)) {
        bail!(
            "AWS_REGION and AWS_DEFAULT_REGION differ: set both to the same region, or only the second"
        );
    }
    let identity = call(&["sts", "get-caller-identity"], None).map_err(|error| {
        if error.is::<std::io::Error>() {
            return error.context(format!("the AWS CLI cannot be started: {INSTALL}"));
        }
        error.context(
            "cannot sign in to AWS: run `aws configure sso` or `aws configure` once, then `aws sso login`, \
             and set AWS_PROFILE to the profile and, if it has no region, AWS_DEFAULT_REGION",
        )
    })?;
    let account = text(&identity, "/Account");
    let region = region.as_deref().unwrap_or("the profile's region");
    Ok(format!("AWS account {account}, {region}."))
}

/// A secret's text; `None` if it does not exist.
pub(crate) fn secret(name: &str) -> Result<Option<String>> {
    let get = ["secretsmanager", "get-secret-value", "--secret-id", name];
    match call(&get, None) {
        Ok(secret) => Ok(Some(text(&secret, "/SecretString").to_owned())),
        Err(error) if error.to_string().contains("ResourceNotFoundException") => Ok(None),
        Err(error) => Err(error.context(format!("cannot read the secret {name}"))),
    }
}

pub(crate) fn create_secret(name: &str, text: &str) -> Result<()> {
    let create = ["secretsmanager", "create-secret", "--name", name];
    call(&[&create[..], &["--secret-string", FROM_INPUT]].concat(), Some(text))
        .with_context(|| format!("cannot create the secret {name}"))?;
    Ok(())
}

pub(crate) fn change_secret(name: &str, text: &str) -> Result<()> {
    let put = ["secretsmanager", "put-secret-value", "--secret-id", name];
    call(&[&put[..], &["--secret-string", FROM_INPUT]].concat(), Some(text))
        .with_context(|| format!("cannot change the secret {name}"))?;
    Ok(())
}

/// The value of a Systems Manager parameter; `None` if it does not exist.
pub(crate) fn parameter(name: &str) -> Result<Option<String>> {
    match call(&["ssm", "get-parameter", "--with-decryption", "--name", name], None) {
        Ok(parameter) => Ok(Some(text(&parameter, "/Parameter/Value").to_owned())),
        Err(error) if error.to_string().contains("ParameterNotFound") => Ok(None),
        Err(error) => Err(error.context(format!("cannot read the parameter {name}"))),
    }
}

/// Creates or changes an encrypted parameter.
pub(crate) fn set_parameter(name: &str, text: &str) -> Result<()> {
    let put = ["ssm", "put-parameter", "--overwrite", "--type", "SecureString", "--name", name];
    call(&[&put[..], &["--value", FROM_INPUT]].concat(), Some(text))
        .with_context(|| format!("cannot change the parameter {name}"))?;
    Ok(())
}

/// A deployed stack; `None` if it does not exist.
pub(crate) fn stack(stack: &str) -> Result<Option<Value>> {
    let describe = ["cloudformation", "describe-stacks", "--stack-name", stack];
    match call(&describe, None) {
        Ok(mut stacks) => Ok(stacks.pointer_mut("/Stacks/0").map(Value::take)),
        Err(error) if error.to_string().contains("does not exist") => Ok(None),
        Err(error) => Err(error.context(format!("cannot look up the stack {stack}"))),
    }
}

/// Runs an AWS CLI command; a failure has the CLI's message.
pub(super) fn call(arguments: &[&str], input: Option<&str>) -> Result<Value> {
    let mut command = Command::new("aws");
    command.args(arguments).args(["--output", "json"]);
    command.env("AWS_PAGER", "").stdin(Stdio::piped());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    if let (Some(mut stdin), Some(input)) = (child.stdin.take(), input) {
        stdin.write_all(input.as_bytes())?;
    }
    let output = child.wait_with_output()?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr).trim());
    }
    if output.stdout.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(&output.stdout).context("the AWS CLI's answer is not JSON")
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}
