//! AWS, through the operator's AWS CLI with its profiles, single sign-on and region.
use std::io::Write;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::settings::variable;

const INSTALL: &str =
    "https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html";

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
    let secret = look_up(&get, "ResourceNotFoundException")?;
    Ok(secret.map(|secret| text(&secret, "/SecretString").to_owned()))
}

pub(crate) fn create_secret(name: &str, text: &str) -> Result<()> {
    store(&["secretsmanager", "create-secret", "--name", name, "--secret-string"], text)
}

pub(crate) fn change_secret(name: &str, text: &str) -> Result<()> {
    store(&["secretsmanager", "put-secret-value", "--secret-id", name, "--secret-string"], text)
}

/// The value of a Systems Manager parameter; `None` if it does not exist.
pub(crate) fn parameter(name: &str) -> Result<Option<String>> {
    let get = ["ssm", "get-parameter", "--with-decryption", "--name", name];
    let parameter = look_up(&get, "ParameterNotFound")?;
    Ok(parameter.map(|parameter| text(&parameter, "/Parameter/Value").to_owned()))
}

/// Creates or changes an encrypted parameter.
pub(crate) fn set_parameter(name: &str, text: &str) -> Result<()> {
    let put = ["ssm", "put-parameter", "--overwrite", "--type", "SecureString", "--name", name];
    store(&[&put[..], &["--value"]].concat(), text)
}

/// A deployed stack; `None` if it does not exist.
pub(crate) fn stack(stack: &str) -> Result<Option<Value>> {
    let describe = ["cloudformation", "describe-stacks", "--stack-name", stack];
    let stacks = look_up(&describe, "does not exist")?;
    Ok(stacks.and_then(|mut stacks| stacks.pointer_mut("/Stacks/0").map(Value::take)))
}

/// The answer to a question about one thing; `None` if the failure says that it is `missing`.
fn look_up(arguments: &[&str], missing: &str) -> Result<Option<Value>> {
    match call(arguments, None) {
        Err(error) if error.to_string().contains(missing) => Ok(None),
        answer => answer.map(Some).with_context(|| format!("aws {}", arguments.join(" "))),
    }
}

/// Runs a command whose last argument is the value, which goes through a pipe: others may see the
/// list of processes.
fn store(arguments: &[&str], value: &str) -> Result<()> {
    call(&[arguments, &["file:///dev/stdin"]].concat(), Some(value))
        .with_context(|| format!("aws {}", arguments.join(" ")))?;
    Ok(())
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
