//! `If-Match`, on every operation that accepts it.
use serde_json::{Value, json};
use tests::{User, requests};

/// A task that was changed once: its id, and its tags before and after.
fn changed(user: &User) -> (Value, String, String) {
    let id = user.new_task("a")["id"].clone();
    let first = user.get(&id).header("etag").to_owned();
    let second = user.update(&id, &[], &json!({ "title": "b" })).header("etag").to_owned();
    assert_ne!(first, second);
    (id, first, second)
}

#[test]
fn a_change_needs_the_version_that_if_match_names() {
    let user = User::new();
    for request in requests().into_iter().filter(|request| request.operation.takes("if-match")) {
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
        let now = user.get(&id);
        assert_ne!(now.body, kept, "{}", request.name);
        let gone = now.status == 404;
        let (status, code) = if gone { (404, "task_not_found") } else { (412, "stale_etag") };
        ask(&second, &id).expect_problem(status, code);
        for good in [format!("{first}, {second}"), "*".into()] {
            ask(&good, &changed(&user).0).expect(request.operation.success());
        }
    }
}
