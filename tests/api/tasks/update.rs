//! `PUT` and `PATCH /api/{user_id}/tasks/{task_id}`.
use std::thread;

use super::User;
use serde_json::{Value, json};

#[test]
fn update_changes_what_it_names_and_nothing_else() {
    let user = User::new();
    let task = user.create(&json!({ "title": "a", "description": "b" })).expect(201);
    let mut expected = task.clone();
    for (field, value) in [
        ("title", json!("c")),
        ("description", json!("d")),
        ("completed", json!(true)),
        ("description", json!("")),
        ("description", Value::Null),
        ("completed", json!(false)),
        ("title", json!("trimmed")),
    ] {
        let sent = if value == "trimmed" { json!("  trimmed ") } else { value.clone() };
        let updated = user.update(&task["id"], &[], &json!({ field: sent })).expect(200);
        assert!(updated["updated_at"].as_str() > expected["updated_at"].as_str());
        expected[field] = value;
        expected["updated_at"] = updated["updated_at"].clone();
        assert_eq!(updated, expected);
        assert_eq!(user.get(&task["id"]).expect(200), expected);
    }
}

#[test]
fn update_by_patch_is_the_same() {
    let user = User::new();
    let task = user.create(&json!({ "title": "a", "description": "b" })).expect(201);
    let patch =
        |body: Value| user.send("PATCH", &user.path_of(&task["id"]), &[], &body.to_string());
    let patched = patch(json!({ "completed": true }));
    assert_eq!(user.get(&task["id"]).header("etag"), patched.header("etag"));
    let mut expected = task.clone();
    expected["completed"] = json!(true);
    expected["updated_at"] = patched.body["updated_at"].clone();
    assert_eq!(patched.expect(200), expected);
    assert_eq!(patch(json!({})).faults(), ["body"]);
    assert_eq!(user.get(&task["id"]).expect(200), expected);
}

#[test]
fn update_takes_a_whole_task_sent_back() {
    let user = User::new();
    let mut task = user.new_task("a");
    task["title"] = json!("b");
    task["id"] = json!(1);
    task["user_id"] = json!("somebody");
    let id = user.list("").expect(200)[0]["id"].clone();
    let updated = user.update(&id, &[], &task).expect(200);
    assert_eq!(
        (&updated["id"], &updated["user_id"], &updated["title"]),
        (&id, &json!(user.id), &json!("b"))
    );
}

#[test]
fn update_refuses_a_body_that_sets_nothing() {
    let user = User::new();
    let task = user.new_task("a");
    for body in [json!({}), json!({ "id": 1 }), json!({ "Title": "b" })] {
        let reply = user.update(&task["id"], &[], &body);
        assert_eq!(reply.faults(), ["body"]);
        let detail = "body must set at least one of title, description and completed.";
        assert_eq!(reply.body["detail"], detail);
    }
    assert_eq!(user.get(&task["id"]).expect(200), task);
}

#[test]
fn update_names_every_fault_and_changes_nothing() {
    let user = User::new();
    let task = user.new_task("a");
    let body = json!({ "title": null, "description": "\0", "completed": 1 });
    let faults = ["title", "description", "completed"];
    assert_eq!(user.update(&task["id"], &[], &body).faults(), faults);
    let body = json!({ "title": "fine", "completed": null });
    assert_eq!(user.update(&task["id"], &[], &body).faults(), ["completed"]);
    assert_eq!(user.send("PUT", &user.path_of(&task["id"]), &[], "").faults(), ["body"]);
    assert_eq!(user.send("PUT", &user.path_of(&task["id"]), &[], "[]").faults(), ["body"]);
    assert_eq!(user.get(&task["id"]).expect(200), task);
}

#[test]
fn of_many_updates_of_one_version_one_wins() {
    let user = User::new();
    let task = user.new_task("a");
    let etag = user.get(&task["id"]).header("etag").to_owned();
    let statuses: Vec<u16> = thread::scope(|scope| {
        let update = |n: usize| {
            let body = json!({ "title": format!("version {n}") });
            user.update(&task["id"], &[("if-match", &etag)], &body).status
        };
        let threads: Vec<_> = (0..16).map(|n| scope.spawn(move || update(n))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 412).count(), 15, "{statuses:?}");
}
