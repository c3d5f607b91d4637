//! `cargo xtask migrate`.
use std::process::{Output, Stdio};

use tests::{database, sql, xtask};

#[test]
fn migrations_are_safe_to_run_twice_and_at_once() {
    sql(&database().url, "CREATE DATABASE migrated");
    let url = database().url.replace("/tasks?", "/migrated?");
    let migrate = || {
        let mut command = xtask();
        command.args(["migrate", "--database-url", &url]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let printed = |output: Output| {
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let at_once: Vec<_> = (0..4).map(|_| migrate()).collect();
    let mut said: Vec<_> =
        at_once.into_iter().map(|m| printed(m.wait_with_output().unwrap())).collect();
    said.sort();
    assert!(said[0].contains("migrated: V1__tasks"), "{said:?}");
    assert!(said[1..].iter().all(|said| said.contains("up to date")), "{said:?}");
    assert!(printed(migrate().wait_with_output().unwrap()).contains("up to date"));
    assert_eq!(sql(&url, "SELECT count(*) FROM tasks"), ["0"]);
}

#[test]
fn a_database_that_cannot_be_migrated_is_one_clear_line() {
    for (url, reason) in [
        ("postgres://user:HUSH@127.0.0.1:1/tasks", "Connection refused"),
        ("mysql://user:HUSH@127.0.0.1/tasks", "not a postgres:// URL"),
    ] {
        let output = xtask().args(["migrate", "--database-url", url]).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && said.contains(reason), "{said}");
        assert!(
            said.starts_with("error: ") && said.lines().count() == 1 && !said.contains("HUSH"),
            "{said}"
        );
    }
}
