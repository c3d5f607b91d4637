//! Which creates of tasks are the same.
use serde_json::json;
use tests::{database, embedded_stack, sql};

use super::User;

#[test]
fn the_same_task_as_different_json_is_the_same() {
    let user = User::new();
    let first = user.create_once("key-1", &json!({ "title": "t", "description": "d" })).expect(201);
    for body in [
        json!({ "description": "d", "title": " t " }),
        json!({ "title": "t", "description": "d", "x": 1 }),
        json!({ "title": "t", "description": "d", "completed": false }),
    ] {
        let again = user.create_once("key-1", &body);
        assert_eq!(again.header("idempotent-replayed"), "true");
        assert_eq!(again.expect(201), first);
    }
    assert_eq!(user.list("").expect(200), json!([first]));
}

#[test]
fn the_same_key_for_another_task_is_refused() {
    let user = User::new();
    let first = user.create_once("key", &json!({ "title": "t" })).expect(201);
    for other in [
        json!({ "title": "T" }),
        json!({ "title": "t", "description": "" }),
        json!({ "title": "t", "description": "d" }),
        json!({ "title": "t", "completed": true }),
    ] {
        assert_eq!(user.create_once("key", &other).faults(), ["Idempotency-Key"]);
    }
    assert_eq!(user.create_once("key", &json!({ "title": "" })).faults(), ["title"]);
    assert_eq!(user.list("").expect(200), json!([first]));
}

/// What a key stores stays the same as fields are added: those with their default are left out.
#[test]
fn a_key_that_an_older_version_stored_gives_its_answer_again() {
    let user = User::of(embedded_stack());
    let id = &user.id;
    for (key, hashed, body) in [
        ("alone", r#"title\000"t"\000"#, json!({ "title": "t" })),
        (
            "both",
            r#"title\000"t"\000description\000"d"\000"#,
            json!({ "title": "t", "description": "d" }),
        ),
    ] {
        let row = format!("SELECT '{id}', '{key}', sha256('{hashed}'), 17");
        sql(&database().url, &user.resource.insert_keys(&row));
        let reply = user.create_once(key, &body);
        assert_eq!((reply.status, reply.header("idempotent-replayed")), (201, "true"), "{key}");
        assert_eq!((&reply.body["id"], &reply.body["completed"]), (&json!(17), &json!(false)));
    }
}
