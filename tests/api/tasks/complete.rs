//! `PATCH /api/{user_id}/tasks/{task_id}/complete`.
use std::collections::BTreeSet;
use std::thread;

use super::User;
use serde_json::json;

#[test]
fn complete_without_a_body_toggles() {
    let user = User::new();
    let task = user.new_task("t");
    let headers =
        [&[][..], &[("content-type", "application/json")], &[("content-type", "text/plain")]];
    for (headers, expected) in headers.into_iter().zip([true, false, true]) {
        let reply = user.complete(&task["id"], headers, "");
        assert!(reply.header("etag").starts_with('"'));
        assert_eq!(reply.expect(200)["completed"], expected);
    }
    assert_eq!(user.complete(&task["id"], &[], "{}").expect(200)["completed"], false);
}

#[test]
fn complete_with_a_body_sets() {
    let user = User::new();
    let task = user.new_task("t");
    for expected in [true, true, false, false] {
        let body = json!({ "completed": expected, "id": 1 }).to_string();
        let completed = user.complete(&task["id"], &[], &body).expect(200);
        assert_eq!((&completed["completed"], &completed["title"]), (&json!(expected), &json!("t")));
        assert_eq!(user.get(&task["id"]).expect(200), completed);
    }
}

#[test]
fn complete_refuses_what_it_cannot_mean() {
    let user = User::new();
    let task = user.new_task("t");
    for (body, fault) in [(r#"{"complete":true}"#, "completed"), ("null", "body"), ("{", "body")] {
        assert_eq!(user.complete(&task["id"], &[], body).faults(), [fault], "{body}");
    }
    let form =
        user.complete(&task["id"], &[("content-type", "text/plain")], r#"{"completed":true}"#);
    form.expect_problem(415, "not_json");
    assert_eq!(user.get(&task["id"]).expect(200), task);
}

#[test]
fn forty_toggles_at_once_are_forty_toggles() {
    let user = User::new();
    let task = user.new_task("t");
    let etags: BTreeSet<String> = thread::scope(|scope| {
        let toggle = || {
            let reply = user.complete(&task["id"], &[], "");
            assert_eq!(reply.status, 200, "{reply:#?}");
            reply.header("etag").to_owned()
        };
        let threads: Vec<_> = (0..40).map(|_| scope.spawn(toggle)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    // Each toggle saw the one before it: every version is different.
    assert_eq!(etags.len(), 40);
    assert_eq!(user.get(&task["id"]).expect(200)["completed"], false);
}
