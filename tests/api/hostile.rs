//! Hostile requests: thousands that Schemathesis generates from `functions/openapi.yaml`, and bad ids.
use std::process::Command;

use tests::{SETTINGS, User, apart, operations, requests, root, stack, tool};

/// Requests for each operation, besides the fixed ones; `TASK_API_HOSTILE_CASES` overrides it.
const CASES: &str = "400";

#[test]
fn no_generated_request_gets_an_answer_that_the_document_does_not_promise() {
    let cases = std::env::var("TASK_API_HOSTILE_CASES").unwrap_or_else(|_| CASES.into());
    let mut command = apart(Command::new(tool("schemathesis").join("schemathesis")));
    command
        .current_dir(root().join("tests/schemathesis"))
        .args(["run", "../../functions/openapi.yaml", "--no-color", "--max-examples", &cases])
        .env("API_URL", &stack().url)
        .envs(SETTINGS)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("PYTHONUTF8", "1");
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));

    let (_, summary) = text.split_once(" SUMMARY ").unwrap();
    println!("{summary}");
    // `  3621 generated, 3621 passed, 12 skipped`
    let line = summary.lines().find(|line| line.contains(" generated, ")).unwrap();
    let generated: usize = line.split_whitespace().next().unwrap().parse().unwrap();
    assert!(line.contains(&format!(" {generated} passed")), "{line}");
    // Every operation was tested: Schemathesis does not fail if it gives one up.
    assert!(generated >= operations().len() * cases.parse::<usize>().unwrap(), "{line}");
}

#[test]
fn every_operation_on_an_item_refuses_a_bad_id() {
    let user = User::new();
    for request in requests() {
        let Some(parameter) = request.operation.item_parameter() else { continue };
        for id in ["0", "+1", "%20", "1%00", "9007199254740992", "%D9%A1"] {
            assert_eq!(user.ask(&request, id).faults(), [parameter], "{}: {id}", request.name);
        }
    }
}
