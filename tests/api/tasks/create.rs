//! `POST /api/{user_id}/tasks`.
use serde_json::{Value, json};
use tests::stack;

use super::User;

fn title_of(user: &User, title: &str) -> Value {
    user.create(&json!({ "title": title })).expect(201)["title"].clone()
}

#[test]
fn create_answers_with_the_task_its_location_and_its_etag() {
    let user = User::new();
    let reply = user.create(&json!({ "title": "buy milk", "description": "two litres" }));
    let task = reply.clone().expect(201);
    let id = task["id"].as_i64().unwrap();
    let created_at = task["created_at"].as_str().unwrap();
    assert_eq!(
        task,
        json!({
            "id": id, "user_id": user.id, "title": "buy milk", "description": "two litres",
            "completed": false, "created_at": created_at, "updated_at": created_at,
        })
    );
    assert!((1..1 << 53).contains(&id));
    // 2026-11-23T08:15:00.123456Z
    assert_eq!((created_at.len(), &created_at[10..11], &created_at[26..]), (27, "T", "Z"));
    assert_eq!(reply.header("location"), user.path_of(id));
    assert!(reply.header("etag").starts_with('"'));
    assert_eq!(reply.header("idempotent-replayed"), "");

    let got = user.get(id);
    assert_eq!(got.header("etag"), reply.header("etag"));
    assert_eq!(got.expect(200), task);
}

#[test]
fn create_takes_a_title_alone() {
    let user = User::new();
    for body in [json!({ "title": "t" }), json!({ "title": "t", "description": null })] {
        assert_eq!(user.create(&body).expect(201)["description"], Value::Null);
    }
    let empty = user.create(&json!({ "title": "t", "description": "" }));
    assert_eq!(empty.expect(201)["description"], "");
}

#[test]
fn create_takes_a_task_that_is_completed_already() {
    let user = User::new();
    for completed in [true, false] {
        let body = json!({ "title": "t", "completed": completed });
        for reply in [user.create(&body), user.create_once(&completed.to_string(), &body)] {
            let task = reply.expect(201);
            assert_eq!(task["completed"], completed);
            assert_eq!(user.get(&task["id"]).expect(200), task);
        }
    }
}

#[test]
fn create_ignores_what_it_does_not_know() {
    let user = User::new();
    let body = json!({
        "title": "t", "id": 1, "user_id": "somebody", "version": 9, "created_at": 0, "x": [{}],
    });
    let task = user.create(&body).expect(201);
    assert_eq!((&task["user_id"], &task["completed"]), (&json!(user.id), &json!(false)));
    assert_ne!(task["id"], 1);
}

#[test]
fn create_trims_the_title_and_keeps_the_rest_as_it_is() {
    let user = User::new();
    assert_eq!(title_of(&user, "  two  words\n"), "two  words");
    for odd in [
        "' OR 1=1 --",
        "<script>alert(1)</script>",
        "日本語 👩‍👩‍👧 e\u{301}",
        "\u{202e}rtl",
        "\\u0000",
        "\u{1}",
    ] {
        let body = json!({ "title": odd, "description": format!("  {odd}\n") });
        let task = user.create(&body).expect(201);
        assert_eq!((&task["title"], &task["description"]), (&json!(odd), &body["description"]));
        assert_eq!(user.get(&task["id"]).expect(200), task);
    }
}

#[test]
fn create_counts_characters_not_bytes() {
    let user = User::new();
    for character in ["x", "é", "日", "👍"] {
        let (title, description) = (character.repeat(200), character.repeat(1000));
        let task = user.create(&json!({ "title": title, "description": description })).expect(201);
        assert_eq!((&task["title"], &task["description"]), (&json!(title), &json!(description)));
        assert_eq!(user.create(&json!({ "title": title + character })).faults(), ["title"]);
        let long = json!({ "title": "t", "description": description + character });
        assert_eq!(user.create(&long).faults(), ["description"]);
    }
    // Trimmed before its length is checked.
    assert_eq!(
        title_of(&user, &format!("{}{}", " ".repeat(300), "x".repeat(200))),
        "x".repeat(200)
    );
}

#[test]
fn create_refuses_a_blank_title() {
    let user = User::new();
    for blank in ["", " ", "\n\t", "\u{2003}\u{3000}"] {
        assert_eq!(user.create(&json!({ "title": blank })).faults(), ["title"]);
    }
}

#[test]
fn create_names_every_fault() {
    let user = User::new();
    for (body, faults) in [
        (json!({}), &["title"][..]),
        (
            json!({ "title": true, "description": 1, "completed": null }),
            &["title", "description", "completed"],
        ),
        (json!({ "title": "nul \0", "description": "nul \0" }), &["title", "description"]),
    ] {
        let reply = user.create(&body);
        assert_eq!(reply.faults(), faults, "{body}");
        let detail = reply.body["detail"].as_str().unwrap();
        assert!(faults.iter().all(|field| detail.contains(field)), "{detail}");
        assert!(detail.matches("U+0000").count() <= 1, "{detail}");
    }
    assert_eq!(user.list("").expect(200), json!([]));
}

#[test]
fn create_refuses_a_body_that_is_no_json_object() {
    let user = User::new();
    let deep = "[".repeat(10_000);
    for body in [
        "",
        " ",
        "{",
        "}",
        "null",
        "true",
        "1",
        "\"title\"",
        "[]",
        "[{\"title\":\"t\"}]",
        "{\"title\":\"t\"}}",
        "{'title':'t'}",
        "{title:\"t\"}",
        "{\"title\":\"t\",}",
        "{\"title\":\"\\ud800\"}",
        "{\"title\":\"a\nb\"}",
        "{\"title\":NaN}",
        "\u{feff}{\"title\":\"t\"}",
        "title=t",
        &deep,
    ] {
        let reply = user.send("POST", &user.path(), &[("content-type", "application/json")], body);
        assert_eq!(reply.faults(), ["body"], "{body}");
    }
    assert_eq!(user.list("").expect(200), json!([]));
}

#[test]
fn create_takes_the_last_of_repeated_members() {
    let user = User::new();
    let task = user.send("POST", &user.path(), &[], r#"{"title":"first","title":"last"}"#);
    assert_eq!(task.expect(201)["title"], "last");
}

#[test]
fn create_takes_a_body_without_a_content_type_as_json() {
    let user = User::new();
    let url = format!("{}{}", stack().url, user.path());
    let bearer = format!("Bearer {}", tests::Token::of(&user.id).sign());
    let reply = tests::request(
        "POST",
        &url,
        &[("authorization", &bearer), ("content-type", "")],
        r#"{"title":"t"}"#,
    );
    assert_eq!(reply.status, 201);
}

#[test]
fn create_refuses_an_encoded_body() {
    let user = User::new();
    let create = |encoding: &str, body: &str| {
        user.send("POST", &user.path(), &[("content-encoding", encoding)], body)
    };
    for encoding in ["gzip", "br", "identity, gzip", "x"] {
        let reply = create(encoding, r#"{"title":"t"}"#);
        let problem = reply.expect_problem(415, "not_json");
        assert_eq!(problem["detail"], "Send the body without `Content-Encoding`.");
    }
    assert_eq!(create("Identity", r#"{"title":"t"}"#).status, 201);
    // Without a body there is nothing that is encoded.
    assert_eq!(create("gzip", "").faults(), ["body"]);
}

#[test]
fn create_refuses_more_than_64_kib() {
    let user = User::new();
    let body = |bytes: usize| {
        let empty = json!({ "title": "t", "padding": "" }).to_string();
        json!({ "title": "t", "padding": "x".repeat(bytes - empty.len()) }).to_string()
    };
    let create = |bytes| user.send("POST", &user.path(), &[], &body(bytes));
    assert_eq!(create(65_536).status, 201);
    create(65_537).expect_problem(413, "body_too_large");
    create(200_000).expect_problem(413, "body_too_large");
}
