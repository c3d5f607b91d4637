//! Clients that code generators make of `functions/openapi.yaml`: they pass their type checkers, and
//! their scripts in `tests/clients/` page to the end.
use std::process::Command;

use serde_json::json;
use tests::{Token, User, apart, resource, root, stack, tool};

/// Runs these steps in a folder with the script, and compares what the last one prints.
fn assert_pages(program: &'static str, script: &str, steps: &[&[&str]]) {
    let user = User::new().items(resource("tasks"));
    for title in ["1", "2", "3", "4", "5"] {
        user.create(&json!({ "title": title, "completed": title == "3" })).expect(201);
    }

    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(root().join("tests/clients").join(script), folder.path().join(script)).unwrap();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = [tool(program)].into_iter().chain(std::env::split_paths(&path));
    let path = std::env::join_paths(path).unwrap();
    let document = root().join("functions/openapi.yaml");
    let mut printed = String::new();
    for step in steps {
        let mut command = apart(Command::new(step[0]));
        let arguments = step[1..].iter().map(|argument| match *argument {
            "DOCUMENT" => document.as_os_str(),
            other => other.as_ref(),
        });
        command.args(arguments).current_dir(&folder).env("PATH", &path);
        command.env("API_URL", &stack().url).env("USER_ID", &user.id);
        command.env("TOKEN", Token::of(&user.id).sign());
        let output = command.output().unwrap();
        printed = String::from_utf8_lossy(&output.stdout).into_owned();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{step:?}: {printed}{said}");
    }
    let detail = "body must set at least one of title, description and completed.";
    assert_eq!(printed.lines().collect::<Vec<_>>(), ["5", "4", "2", "1", detail]);
}

#[test]
fn a_generated_python_client_pages_to_the_end() {
    let generate = ["openapi-python-client", "generate", "--path", "DOCUMENT", "--meta", "none"];
    // The generator's own `client.py` is not strictly typed.
    let check = ["mypy", "--strict", "--follow-imports", "silent", "--cache-dir", "/dev/null"];
    assert_pages(
        "python-client",
        "page.py",
        &[
            &[&generate[..], &["--output-path", "client"]].concat(),
            &[&check[..], &["page.py", "client/api", "client/models"]].concat(),
            &["python", "page.py"],
        ],
    );
}

#[test]
fn a_generated_typescript_client_pages_to_the_end() {
    let compile = ["tsc", "--strict", "--target", "es2022", "--lib", "es2022,dom,dom.iterable"];
    assert_pages(
        "typescript-client",
        "page.ts",
        &[
            &["openapi-ts", "--input", "DOCUMENT", "--output", "client"],
            &[&compile[..], &["--module", "commonjs", "page.ts"]].concat(),
            &["node", "page.js"],
        ],
    );
}
