//! The stages of the CDK app are those of the template.
use std::path::Path;
use std::process::Command;

use serde_json::{Map, Value, json};

use crate::cloudformation::Stack;
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
    let mut differences = Vec::new();
    compare("", &made(ours), &made(theirs), &mut differences);
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// A stack's resources, without the location of the code.
fn made(stack: &Stack) -> Value {
    let resource = |(id, resource): (&String, &Value)| {
        let mut resource = resource.clone();
        if let Some(properties) = resource.get_mut("Properties").and_then(Value::as_object_mut) {
            properties.remove("Code");
        }
        // A version's logical id ends in a hash.
        let length =
            if resource["Type"] == "AWS::Lambda::Version" { id.len() - 10 } else { id.len() };
        (id[..length].to_owned(), resource)
    };
    let resources: Map<_, _> = stack.resources.iter().map(resource).collect();
    json!({ "resources": resources, "outputs": stack.outputs })
}

/// Records where two values differ, and how.
fn compare(at: &str, ours: &Value, theirs: &Value, differences: &mut Vec<String>) {
    match (ours, theirs) {
        (Value::Object(a), Value::Object(b)) => {
            for name in a.keys().chain(b.keys().filter(|name| !a.contains_key(*name))) {
                compare(&format!("{at}/{name}"), &ours[name], &theirs[name], differences);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (index, (ours, theirs)) in a.iter().zip(b).enumerate() {
                compare(&format!("{at}/{index}"), ours, theirs, differences);
            }
        }
        (ours, theirs) => {
            // CloudFormation also accepts a number as text.
            let text = |value: &Value| value.as_str().map_or(value.to_string(), str::to_owned);
            if text(ours) != text(theirs) {
                differences.push(format!("{at}: {ours} is not {theirs}"));
            }
        }
    }
}
