//! The stages of the CDK app are those of the template.
use std::path::Path;
use std::process::Command;

use serde_json::{Map, Value, json};

use crate::cloudformation::Stack;
use crate::shape::lines;
use crate::template::OPTIONS;
use crate::tools::{STAGES, compiled, resolved, sam, stack, success, tool, translated, with_aws};

#[test]
fn the_cdk_makes_the_stacks_that_sam_makes() {
    let folder = tempfile::tempdir().unwrap();
    synthesize(folder.path(), &[]);
    for stage in STAGES {
        assert_alike(&synthesized(folder.path(), stage), stack(stage));
    }

    // With every optional setting except arm64, whose target may not be installed.
    let settings = json!({
        "allowedOrigins": ["https://a.example", "https://b.example"],
        "tracing": true,
        "alarms": { "email": "operator@app.example", "monthlyBudget": 20 },
        "domain": {
            "name": "api.app.example",
            "certificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/00000000-0000-0000-0000-000000000000",
            "hostedZoneId": "Z0123456789",
            "disableDefaultEndpoint": true,
        },
        "permissionsBoundary": "task-api-prod-boundary",
        "canary": true,
    });
    let program = format!(
        r#"import {{ App }} from "aws-cdk-lib"; import {{ TaskApi }} from "./lib/task-api.ts"; new TaskApi(new App(), "prod", {settings})"#
    );
    let app = format!("node --import tsx --input-type=module -e '{program}'");
    synthesize(folder.path(), &["--app", &app]);
    let options: Vec<&str> =
        OPTIONS.iter().copied().filter(|option| !option.starts_with("Architecture=")).collect();
    assert_alike(&synthesized(folder.path(), "prod"), &resolved(translated("prod", &options)));
}

fn synthesize(folder: &Path, arguments: &[&str]) {
    let mut synth = with_aws(Command::new("npx"), "http://127.0.0.1:1");
    synth.current_dir(tool("cdk")).args(["--no-install", "cdk", "synth", "--quiet", "--output"]);
    // The CDK builds the functions, too, and finds them compiled.
    let _compiled = compiled();
    success(synth.arg(folder).args(arguments));
}

/// A stage's template from the CDK, translated by SAM for CloudFormation.
fn synthesized(folder: &Path, stage: &str) -> Stack {
    let name = format!("task-api-{stage}");
    let mut translate = sam("python");
    translate.arg("tests/deploy/translate.py");
    translate.arg(folder.join(format!("{name}.template.json"))).arg(&name);
    let translated: Value = success(&mut translate).parse().unwrap();
    // The app sets each parameter: an omitted one would keep the previous deployment's value.
    assert_eq!(translated["parameters"], Value::Object(Map::new()));
    resolved(translated)
}

/// A stage can move from one tool to the other: the resources and their names are the same.
fn assert_alike(ours: &Stack, theirs: &Stack) {
    let (ours, theirs) = (lines(ours), lines(theirs));
    for (ours, theirs) in ours.iter().zip(&theirs) {
        assert_eq!(ours, theirs);
    }
    assert_eq!(ours.len(), theirs.len());
}
