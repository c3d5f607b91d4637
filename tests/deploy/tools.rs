//! The deployment tools: the SAM CLI, the AWS CLI, the CDK.
use std::collections::HashMap;
use std::process::{Command, Output};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, OnceLock, PoisonError};

use serde_json::Value;
use tests::{apart, documented, xtask};
pub use tests::{root, tool};

use crate::cloudformation::Stack;

/// The stages in samconfig.toml.
pub const STAGES: [&str; 3] = ["dev", "staging", "prod"];

/// A program whose environment has no AWS account except the local AWS at `endpoint`.
pub fn with_aws(command: Command, endpoint: &str) -> Command {
    let mut command = apart(command);
    for name in ["AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_REGION"] {
        command.env_remove(name);
    }
    command
        .current_dir(root())
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env("AWS_DEFAULT_REGION", "us-east-1")
        .env("AWS_ENDPOINT_URL", endpoint)
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .env("SAM_CLI_TELEMETRY", "0");
    command
}

/// A command with the AWS CLI on its `PATH`.
pub fn with_aws_cli(mut command: Command) -> Command {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = [tool("aws")].into_iter().chain(std::env::split_paths(&path));
    command.env("PATH", std::env::join_paths(path).unwrap());
    command
}

/// `cargo xtask` with the AWS CLI, as an operator has it.
pub fn operator(endpoint: &str) -> Command {
    with_aws_cli(with_aws(xtask(), endpoint))
}

/// The SAM CLI, or another program from its folder, without AWS access.
pub fn sam(program: &str) -> Command {
    with_aws(Command::new(tool("sam").join(program)), "http://127.0.0.1:1")
}

/// The output of a command that must succeed.
pub fn success(command: &mut Command) -> String {
    let output = run(command);
    let text = printed(&output);
    assert!(output.status.success(), "{command:?}: {text}");
    String::from_utf8(output.stdout).unwrap()
}

/// The output of a command that must fail.
pub fn failure(command: &mut Command) -> String {
    let output = run(command);
    let text = printed(&output);
    assert!(!output.status.success(), "{command:?}: {text}");
    text
}

fn run(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

fn printed(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// Compiles the functions once with cargo's full parallelism: SAM and CDK would compile them one
/// after the other. The build is the same. While the result is held, nobody else builds: cargo
/// replaces the binaries that another `cargo lambda build` is about to copy.
pub fn compiled() -> MutexGuard<'static, ()> {
    static COMPILED: LazyLock<Mutex<()>> = LazyLock::new(|| {
        let mut cargo = with_aws(Command::new("cargo"), "http://127.0.0.1:1");
        success(cargo.args(["lambda", "build", "--release"]));
        Mutex::default()
    });
    COMPILED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Builds `.aws-sam/build`, once: the stages differ only in the parameters of `sam deploy`. Held
/// while a stage is deployed: SAM makes the bucket that the stages share at the first deployment.
pub fn built() -> MutexGuard<'static, bool> {
    static BUILT: Mutex<bool> = Mutex::new(false);
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    if !*built {
        let _compiled = compiled();
        let command = documented("docs/deploy.md", "sam build --config-env dev");
        success(sam("sam").args(command.split(' ').skip(1)));
        *built = true;
    }
    built
}

/// A stage's template as SAM translates it, with these parameters changed.
pub fn translated(stage: &str, changes: &[&str]) -> Value {
    static KNOWN: LazyLock<Mutex<HashMap<String, Arc<OnceLock<Value>>>>> =
        LazyLock::new(Mutex::default);
    let asked = [&[stage], changes].concat().join(" ");
    let known = KNOWN.lock().unwrap().entry(asked).or_default().clone();
    let translate = || {
        let mut command = sam("python");
        command.arg("tests/deploy/translate.py").arg(stage).args(changes);
        success(&mut command).parse().unwrap()
    };
    known.get_or_init(translate).clone()
}

/// A stage in samconfig.toml.
pub fn stack(stage: &str) -> &'static Stack {
    static STACKS: [OnceLock<Stack>; 3] = [const { OnceLock::new() }; 3];
    let index = STAGES.iter().position(|name| *name == stage).unwrap();
    STACKS[index].get_or_init(|| resolved(translated(stage, &[])))
}

/// The result of [`translated`], resolved.
pub fn resolved(mut translated: Value) -> Stack {
    let parameters = translated["parameters"].as_object().unwrap().clone();
    let name = translated["stack"].as_str().unwrap().to_owned();
    Stack::new(&name, translated["template"].take(), parameters)
}
