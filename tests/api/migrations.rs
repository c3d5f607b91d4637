//! `cargo xtask migrate`.
use std::io::Write;
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use tests::{Session, database, sql, xtask};

#[test]
fn migrations_are_safe_to_run_twice_and_at_once() {
    sql(&database().url, "CREATE DATABASE migrated");
    let url = database().url.replace("/tasks?", "/migrated?");
    let migrate = || {
        let mut command = xtask();
        command.arg("migrate").env("DATABASE_URL", &url);
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
        let output = xtask().arg("migrate").env("DATABASE_URL", url).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && said.contains(reason), "{said}");
        assert!(
            said.starts_with("error: ") && said.lines().count() == 1 && !said.contains("HUSH"),
            "{said}"
        );
    }
}

#[test]
fn a_password_is_piped_and_never_an_argument() {
    let url = &database().url;
    let refused = xtask().args(["migrate", "--database-url", url]).output().unwrap();
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success() && said.contains("--database-url -"), "{said}");

    let mut piped = xtask();
    piped.args(["migrate", "--database-url", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut piped = piped.spawn().unwrap();
    writeln!(piped.stdin.take().unwrap(), "{url}").unwrap();
    let piped = piped.wait_with_output().unwrap();
    assert!(piped.status.success() && piped.stdout.starts_with(b"The database is up to date"));
}

#[test]
fn a_migration_does_not_wait_for_ever() {
    sql(&database().url, "CREATE DATABASE locked");
    let url = database().url.replace("/tasks?", "/locked?");
    let holder = Session::open(&url);
    let pid =
        holder.run("SELECT pg_backend_pid() FROM pg_advisory_lock(127961897071393)").remove(0);
    let started = Instant::now();
    let output = xtask().arg("migrate").env("DATABASE_URL", &url).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.contains(&format!("the session {pid} of")), "{said}");
    assert!(started.elapsed() < Duration::from_mins(1));
}
