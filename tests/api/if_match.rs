//! `If-Match` and `If-None-Match`, on every operation that accepts them.
use serde_json::{Value, json};
use tests::{Reply, Request, User, requests};

/// A task that was changed once: its id, and its tags before and after.
fn changed(user: &User) -> (Value, String, String) {
    let id = user.new_task("a")["id"].clone();
    let first = user.get(&id).header("etag").to_owned();
    let second = user.update(&id, &[], &json!({ "title": "b" })).header("etag").to_owned();
    assert_ne!(first, second);
    (id, first, second)
}

/// The requests that accept a header.
fn taking(header: &str) -> impl Iterator<Item = Request> {
    requests().into_iter().filter(move |request| request.operation.takes(header))
}

#[test]
fn a_request_needs_the_version_that_if_match_names() {
    let user = User::new();
    assert!(taking("if-match").any(|request| request.operation.reads()));
    for request in taking("if-match") {
        let ask =
            |tag: &str, id: &Value| user.ask(&request.clone().with_header("if-match", tag), id);
        let (id, first, second) = changed(&user);
        let kept = user.get(&id).expect(200);
        let unquoted = &second[1..second.len() - 1];
        for stale in [&first, "\"x\"", &format!("W/{second}"), unquoted, ""] {
            ask(stale, &id).expect_problem(412, "stale_etag");
        }
        assert_eq!(user.get(&id).expect(200), kept, "{}", request.name);
        for any in [&first, "*"] {
            ask(any, &json!(1)).expect_problem(404, "task_not_found");
        }

        ask(&second, &id).expect(request.operation.success());
        if !request.operation.reads() {
            let now = user.get(&id);
            assert_ne!(now.body, kept, "{}", request.name);
            let gone = now.status == 404;
            let (status, code) = if gone { (404, "task_not_found") } else { (412, "stale_etag") };
            ask(&second, &id).expect_problem(status, code);
        }
        for good in [format!("{first}, {second}"), "*".into()] {
            ask(&good, &changed(&user).0).expect(request.operation.success());
        }
    }
}

#[test]
fn a_change_needs_a_version_that_if_none_match_does_not_name() {
    let user = User::new();
    let writes = || taking("if-none-match").filter(|request| !request.operation.reads());
    assert!(writes().count() > 4, "update by PUT and by PATCH, delete, complete");
    for request in writes() {
        let ask = |headers: &[(&'static str, &str)], id: &Value| -> Reply {
            let with = |request: Request, (name, value): &(&'static str, &str)| {
                request.with_header(name, value)
            };
            user.ask(&headers.iter().fold(request.clone(), with), id)
        };
        let (id, first, second) = changed(&user);
        let kept = user.get(&id).expect(200);
        for seen in [&second, &format!("W/{second}"), &format!("{first}, {second}"), "*"] {
            let reply = ask(&[("if-none-match", seen)], &id);
            let problem = reply.expect_problem(412, "stale_etag");
            let detail =
                "The task has changed since it was read, or `If-None-Match` names its version.";
            assert_eq!(problem["detail"], detail);
            ask(&[("if-none-match", seen)], &json!(1)).expect_problem(404, "task_not_found");
        }
        // Both must hold.
        for headers in [
            [("if-match", second.as_str()), ("if-none-match", second.as_str())],
            [("if-match", "*"), ("if-none-match", &second)],
            [("if-match", &first), ("if-none-match", "\"x\"")],
        ] {
            ask(&headers, &id).expect_problem(412, "stale_etag");
        }
        assert_eq!(user.get(&id).expect(200), kept, "{}", request.name);

        ask(&[("if-none-match", &first)], &id).expect(request.operation.success());
        for good in [
            &[("if-none-match", "\"x\"")][..],
            &[("if-none-match", &first), ("if-match", "*")],
            &[("if-none-match", &first), ("if-match", &second)],
        ] {
            let (id, ..) = changed(&user);
            ask(good, &id).expect(request.operation.success());
        }
    }
}
