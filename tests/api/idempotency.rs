//! `Idempotency-Key` on create.
use std::thread;

use serde_json::json;
use tests::{User, database, embedded_stack, sql};

#[test]
fn the_same_key_and_body_give_the_first_answer_again() {
    let user = User::new();
    let first = user.create_once("key-1", &json!({ "title": "t", "description": "d" }));
    assert_eq!((first.status, first.header("idempotent-replayed")), (201, ""));
    // The same task as different JSON.
    for body in [
        json!({ "description": "d", "title": " t " }),
        json!({ "title": "t", "description": "d", "x": 1 }),
        json!({ "title": "t", "description": "d", "completed": false }),
    ] {
        let again = user.create_once("key-1", &body);
        assert_eq!((again.status, again.header("idempotent-replayed")), (201, "true"));
        assert_eq!(again.body, first.body);
        for header in ["etag", "location"] {
            assert_eq!(again.header(header), first.header(header));
        }
    }
    assert_eq!(user.list("").expect(200), json!([first.body]));
}

#[test]
fn the_same_key_with_another_body_is_refused() {
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
        let store = format!(
            "INSERT INTO idempotency_keys (user_id, resource, key, request_hash, row_id) \
             VALUES ('{id}', 'tasks', '{key}', sha256('{hashed}'), 17)"
        );
        sql(&database().url, &store);
        let reply = user.create_once(key, &body);
        assert_eq!((reply.status, reply.header("idempotent-replayed")), (201, "true"), "{key}");
        assert_eq!((&reply.body["id"], &reply.body["completed"]), (&json!(17), &json!(false)));
    }
}

#[test]
fn keys_are_per_user_and_case_sensitive() {
    let (user, other) = (User::new(), User::new());
    let body = json!({ "title": "t" });
    let tasks = [
        user.create_once("key", &body).expect(201),
        user.create_once("Key", &body).expect(201),
        other.create_once("key", &body).expect(201),
        user.create(&body).expect(201),
    ];
    assert_eq!(user.list("").expect(200).as_array().unwrap().len(), 3);
    assert_eq!(other.list("").expect(200), json!([tasks[2]]));
}

#[test]
fn sixteen_creates_at_once_under_one_key_make_one_task() {
    let user = User::new();
    let body = json!({ "title": "once" });
    let replies: Vec<_> = thread::scope(|scope| {
        let create = || user.create_once("burst", &body);
        let threads: Vec<_> = (0..16).map(|_| scope.spawn(create)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let task = user.list("").expect(200)[0].clone();
    assert_eq!(user.list("").expect(200), json!([task]));
    for reply in &replies {
        assert_eq!((reply.status, &reply.body), (201, &task), "{reply:#?}");
    }
    let first = replies.iter().filter(|reply| reply.header("idempotent-replayed").is_empty());
    assert_eq!(first.count(), 1);
}

#[test]
fn a_late_repeat_does_not_bring_a_deleted_task_back() {
    let user = User::new();
    let body = json!({ "title": "t" });
    let task = user.create_once("key", &body).expect(201);
    user.update(&task["id"], &[], &json!({ "title": "changed" })).expect(200);
    assert_eq!(user.create_once("key", &body).expect(201), task);
    user.delete(&task["id"], &[]).expect(200);
    assert_eq!(user.create_once("key", &body).expect(201), task);
    assert_eq!(user.list("").expect(200), json!([]));
}

#[test]
fn a_key_is_1_to_255_visible_ascii_characters() {
    let user = User::new();
    let body = json!({ "title": "t" });
    assert_eq!(user.create_once(&"k".repeat(255), &body).status, 201);
    for bad in ["two words", &"k".repeat(256)] {
        assert_eq!(user.create_once(bad, &body).faults(), ["Idempotency-Key"], "{bad}");
    }
}
