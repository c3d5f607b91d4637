//! The stages of the CDK app are those of the template.
use std::process::Command;

use serde_json::Value;

use crate::shape::shape;
use crate::tools::{STAGES, built, resolved, sam, stack, success, tool, with_aws};

#[test]
fn the_cdk_makes_the_stacks_that_sam_makes() {
    // CDK builds the functions, too, and finds them compiled.
    let _built = built("dev");
    let app = tool("cdk");
    let folder = tempfile::tempdir().unwrap();
    let mut synth = with_aws(Command::new("npx"), "http://127.0.0.1:1");
    synth.current_dir(&app).args(["--no-install", "cdk", "synth", "--quiet", "--output"]);
    success(synth.arg(folder.path()));

    for stage in STAGES {
        let name = format!("task-api-{stage}");
        let file = folder.path().join(format!("{name}.template.json"));
        let mut translate = sam("python");
        translate.arg("tests/deploy/translate.py").arg(&file).arg(&name);
        let translated: Value = success(&mut translate).parse().unwrap();
        // Each is given by the app: a parameter would keep the value of the deployment before.
        assert_eq!(translated["parameters"], Value::Object(serde_json::Map::new()));
        let ours = shape(&resolved(translated));
        let theirs = shape(stack(stage));
        let mut differences = Vec::new();
        compare(&name, &ours, &theirs, &mut differences);
        assert!(differences.is_empty(), "{}", differences.join("\n"));
    }
}

/// Notes where two values differ, and how.
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
            if ours != theirs {
                differences.push(format!("{at}: {ours} is not {theirs}"));
            }
        }
    }
}
