//! `DELETE /api/{user_id}/tasks`.
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tests::{Reply, Session, database, embedded_stack, sql};

use super::User;

fn clear(user: &User, query: &str) -> Reply {
    user.send("DELETE", &format!("{}{query}", user.path()), &[], "")
}

/// A user with tasks of these titles; the first is completed.
fn user_with(titles: &[&str]) -> (User, Vec<Value>) {
    let user = User::new();
    let tasks: Vec<Value> = titles.iter().map(|title| user.new_task(title)).collect();
    user.complete(&tasks[0]["id"], &[], "").expect(200);
    (user, tasks)
}

#[test]
fn clear_deletes_the_completed_tasks_or_the_open_ones() {
    let (user, _) = user_with(&["done", "open"]);
    let (other, _) = user_with(&["another's", "open"]);
    assert_eq!(clear(&user, "?completed=true").expect(200), json!({ "deleted": 1, "more": false }));
    assert_eq!(user.list("").texts("title"), ["open"]);
    assert_eq!(clear(&user, "?completed=True").expect(200), json!({ "deleted": 0, "more": false }));
    user.new_task("also open");
    assert_eq!(clear(&user, "?completed=0").expect(200), json!({ "deleted": 2, "more": false }));
    assert_eq!(user.list("").expect(200), json!([]));
    assert_eq!(other.list("").texts("title"), ["open", "another's"]);
}

#[test]
fn clear_deletes_everything_of_one_user_and_lets_keys_be_used_again() {
    let (user, _) = user_with(&["done", "open"]);
    let other = User::new();
    for user in [&user, &other] {
        assert_eq!(user.create_once("key", &json!({ "title": "once" })).status, 201);
    }
    assert_eq!(clear(&user, "?all=true").expect(200), json!({ "deleted": 3, "more": false }));
    assert_eq!(user.list("").expect(200), json!([]));
    let again = user.create_once("key", &json!({ "title": "other" }));
    assert_eq!(again.header("idempotent-replayed"), "");
    assert_eq!(again.expect(201)["title"], "other");
    let replayed = other.create_once("key", &json!({ "title": "once" }));
    assert_eq!(replayed.header("idempotent-replayed"), "true");
}

#[test]
fn clear_wants_one_scope_and_names_both_parameters() {
    let (user, _) = user_with(&["done", "open"]);
    for query in ["", "?completed=true&all=true", "?all=false", "?all=1"] {
        let reply = clear(&user, query);
        assert_eq!(reply.faults(), ["query"], "{query}");
        let detail = "query must have exactly one of completed and all=true.";
        assert_eq!(reply.body["detail"], detail, "{query}");
    }
    assert_eq!(clear(&user, "?completed=true&until=yesterday").faults(), ["until"]);
    assert_eq!(user.list("").texts("title"), ["open", "done"]);
    // The last of a repeated parameter wins, and unknown ones are ignored.
    assert_eq!(clear(&user, "?completed=false&completed=true&x=y").expect(200)["deleted"], 1);
    assert_eq!(user.list("").texts("title"), ["open"]);
}

#[test]
fn clear_with_if_match_deletes_nothing() {
    let (user, _) = user_with(&["done", "open"]);
    for tag in ["\"1\"", "*", ""] {
        let clear = |query: &str| {
            let path = format!("{}{query}", user.path());
            user.send("DELETE", &path, &[("if-match", tag)], "")
        };
        let reply = clear("?all=true");
        let problem = reply.expect_problem(412, "stale_etag");
        assert_eq!(problem["detail"], "A request for many rows has no ETag: send no `If-Match`.");
        assert_eq!(clear("").faults(), ["query"]);
    }
    assert_eq!(user.list("").texts("title"), ["open", "done"]);
}

#[test]
fn clear_spares_what_changed_after_a_time() {
    let (user, tasks) = user_with(&["done", "renamed", "left"]);
    user.create_once("key", &json!({ "title": "keyed" })).expect(201);
    let left = user.get(&tasks[2]["id"]).expect(200);
    let until = left["updated_at"].as_str().unwrap();
    user.update(&tasks[1]["id"], &[], &json!({ "title": "renamed later" })).expect(200);
    assert_eq!(clear(&user, &format!("?completed=false&until={until}")).expect(200)["deleted"], 1);
    assert_eq!(user.list("").texts("title"), ["keyed", "renamed later", "done"]);
    // Later keys stay, too: their creates may still be repeated.
    assert_eq!(clear(&user, &format!("?all=true&until={until}")).expect(200)["deleted"], 0);
    let repeated = user.create_once("key", &json!({ "title": "keyed" }));
    assert_eq!(repeated.header("idempotent-replayed"), "true");
    assert_eq!(
        clear(&user, "?all=true&until=2100-01-01T00:00:00%2B02:00").expect(200)["deleted"],
        3
    );
}

#[test]
fn a_task_that_is_reopened_meanwhile_stays() {
    let user = User::of(embedded_stack());
    let [kept, _] = ["kept", "gone"].map(|title| {
        let id = user.new_task(title)["id"].clone();
        user.complete(&id, &[], "").expect(200);
        id
    });
    let session = Session::open(&database().url);
    session.run(&format!(
        "BEGIN; UPDATE tasks SET completed = false WHERE user_id = '{}' AND id = {kept}",
        user.id
    ));
    let cleared = thread::scope(|scope| {
        let clearing = scope.spawn(|| clear(&user, "?completed=true").expect(200));
        let waits = format!(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%{}%'",
            user.resource.statement("clear").routine()
        );
        let started = Instant::now();
        while sql(&database().url, &waits) == ["0"] {
            assert!(started.elapsed() < Duration::from_secs(30), "the clear waits for no lock");
            thread::sleep(Duration::from_millis(20));
        }
        session.run("COMMIT");
        clearing.join().unwrap()
    });
    assert_eq!(cleared, json!({ "deleted": 1, "more": false }));
    assert_eq!(user.list("").texts("title"), ["kept"]);
}

#[test]
fn a_request_deletes_ten_thousand_at_most_and_says_whether_there_is_more() {
    let user = User::of(embedded_stack());
    let id = &user.id;
    let count = |table: &str| {
        sql(&database().url, &format!("SELECT count(*) FROM {table} WHERE user_id = '{id}'"))
            .remove(0)
    };
    let keys = format!("SELECT '{id}', 'key ' || n, ''::bytea, n FROM generate_series(1, 7000) n");
    let fill = format!(
        "INSERT INTO tasks (user_id, title) SELECT '{id}', 'task ' || n FROM generate_series(1, 25000) n; {}",
        user.resource.insert_keys(&keys)
    );
    sql(&database().url, &fill);
    // There are no completed tasks, so nothing is deleted.
    assert_eq!(clear(&user, "?completed=true").expect(200), json!({ "deleted": 0, "more": false }));
    assert_eq!(
        clear(&user, "?completed=false").expect(200),
        json!({ "deleted": 10_000, "more": true })
    );
    // The oldest are deleted first.
    let oldest = format!("SELECT title FROM tasks WHERE user_id = '{id}' ORDER BY id LIMIT 1");
    assert_eq!(sql(&database().url, &oldest), ["task 10001"]);
    for (deleted, more, tasks, keys) in [
        (10_000, true, "5000", "7000"),
        // Tasks first, then as many keys as the limit allows.
        (5_000, true, "0", "2000"),
        (0, false, "0", "0"),
        (0, false, "0", "0"),
    ] {
        let answer = clear(&user, "?all=true").expect(200);
        assert_eq!(answer, json!({ "deleted": deleted, "more": more }));
        assert_eq!((count("tasks").as_str(), count("idempotency_keys").as_str()), (tasks, keys));
    }
}
