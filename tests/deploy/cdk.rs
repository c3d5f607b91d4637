//! The stages of the CDK app are those of the template.
use std::process::Command;

use serde_json::Map;

use crate::cloudformation::Stack;
use crate::shape::shape;
use crate::tools::{STAGES, built, stack, success, tool, with_aws};

#[test]
fn the_cdk_makes_the_stacks_that_sam_makes() {
    // CDK builds the functions, too, and finds them compiled.
    built("dev");
    let app = tool("cdk");
    let folder = tempfile::tempdir().unwrap();
    let mut synth = with_aws(Command::new("npx"), "http://127.0.0.1:1");
    synth.current_dir(&app).args(["--no-install", "cdk", "synth", "--quiet", "--output"]);
    success(synth.arg(folder.path()));

    for stage in STAGES {
        let name = format!("task-api-{stage}");
        let file = folder.path().join(format!("{name}.template.json"));
        let template = std::fs::read_to_string(file).unwrap().parse().unwrap();
        let ours = shape(&Stack::new(&name, template, Map::new()));
        let theirs = shape(stack(stage));
        // Part by part, so that a difference is found in what is printed.
        for (part, theirs) in theirs.as_object().unwrap() {
            assert_eq!(ours[part], *theirs, "{name}: {part}");
        }
    }
}
