//! All functions with many concurrent requests on the few sessions of a pooler that tracks no
//! prepared statements: each request runs its own statement on its own rows.
use std::fs::read_to_string;
use std::thread;
use std::time::Duration;

use serde_json::json;
use tempfile::NamedTempFile;
use tests::{Fixture, Proxy, Reply, Request, SETTINGS, new_database, operation, sql, try_sql};

use super::{Fragile, pause, start};

const USERS: usize = 8;
const ROUNDS: usize = 45;

/// What another client of the pooler may do with a session.
const OTHERS: [&str; 5] =
    ["SELECT 1", "DISCARD ALL", "PREPARE s0 AS SELECT 1", "DEALLOCATE ALL", ANOTHER_GET];

/// Has the name and the parameters of a get that a function has prepared, and returns a task.
const ANOTHER_GET: &str = "PREPARE s0 (text, bigint, text) AS \
    SELECT 1::bigint, 'another', NULL, true, now(), now(), 1::bigint";

#[test]
fn what_shares_a_server_session_never_runs_anothers_statement() {
    let [url, functions_url] = new_database();
    let pooler = Fixture::start("pgbouncer", &[("DATABASE_URL", &functions_url)]);
    let proxy = Proxy::before(&pooler.url);
    let through = proxy.url(&pooler.url);
    let several = [("AWS_LAMBDA_MAX_CONCURRENCY", "8")];
    let fragile = Fragile::started(proxy, &through, &url, &several);
    thread::scope(|scope| {
        let users: Vec<_> = (0..USERS)
            .map(|index| {
                scope.spawn({
                    let fragile = &fragile;
                    move || live(fragile, index)
                })
            })
            .collect();
        let mut others = 0;
        while users.iter().any(|user| !user.is_finished()) {
            let _ = try_sql(&pooler.url, OTHERS[others % OTHERS.len()]);
            others += 1;
            pause(Duration::from_millis(50));
        }
        let requests: usize = users.into_iter().map(|user| user.join().unwrap()).sum();
        println!("| {requests} requests beside {others} of others | as expected | | |");
        assert!(requests > 2000, "{requests}");
    });
    assert_eq!(sql(&url, "SELECT count(*) FROM tasks"), ["0"]);
    assert_eq!(sql(&url, "SELECT count(*) FROM idempotency_keys"), ["0"]);
}

/// The requests of one user, who has no tasks left at the end; returns their number.
fn live(fragile: &Fragile, index: usize) -> usize {
    let user = format!("shares-{index}");
    let mut count = 0;
    let mut ask = |function: &str, change: &dyn Fn(Request) -> Request, id: i64| {
        count += 1;
        let request = change(operation(function).example().without_key());
        let reply: Reply = fragile.function(request.operation).ask(&user, &request, id);
        assert!(reply.status < 300, "{function}: {reply:?}");
        reply
    };
    for round in 0..ROUNDS {
        let title = format!("{user} in round {round}");
        let body = json!({ "title": title, "description": user });
        let key = format!("key-{round}");
        let with_key =
            |request: Request| request.with_body(&body).with_header("idempotency-key", &key);
        let created = ask("create-task", &with_key, 0);
        let id = created.body["id"].as_i64().unwrap();
        assert_eq!(
            (&created.body["title"], &created.body["user_id"]),
            (&json!(title), &json!(user))
        );
        assert_eq!(ask("create-task", &with_key, 0).body, created.body);
        assert_eq!(ask("get-task", &|request| request, id).body, created.body);
        let changed = ask("update-task", &|r| r.with_body(json!({ "title": "changed" })), id);
        assert_eq!(changed.body["title"], "changed");
        let listed = ask("list-tasks", &|request| request, 0);
        assert_eq!(listed.body, json!([changed.body]));
        let done = ask("complete-task", &|r| r.with_body(json!({ "completed": true })), id);
        assert_eq!((&done.body["id"], &done.body["completed"]), (&json!(id), &json!(true)));
        if round % 2 == 0 {
            assert_eq!(ask("delete-task", &|request| request, id).body, done.body);
        }
        let cleared = ask("clear-tasks", &|request| request.with_query("all=true"), 0);
        assert_eq!(cleared.body, json!({ "deleted": round % 2, "more": false }));
    }
    count
}

#[test]
fn a_prepared_statement_that_another_client_replaced_never_runs() {
    let [url, functions_url] = new_database();
    // Of requests one after the other, each gets the same session.
    let pooler = Fixture::start("pgbouncer", &[("DATABASE_URL", &functions_url)]);
    let settings = [&SETTINGS[..], &[("DATABASE_URL", &pooler.url)]].concat();
    let task = sql(&url, "INSERT INTO tasks (user_id, title) VALUES ('u', 'kept') RETURNING id");
    let another = |statement: &'static str| {
        let url = &pooler.url;
        move || drop(sql(url, statement))
    };
    // It prepares its own statement, which takes the same parameters.
    let delete = || {
        let log = NamedTempFile::new().unwrap();
        let delete = start("delete-task", &settings, &log);
        delete.ask("u", &operation("delete-task").example(), 404).expect(404);
    };
    let replacements: [&dyn Fn(); 4] =
        [&|| (), &another("PREPARE s0 AS SELECT 1"), &another(ANOTHER_GET), &delete];
    for (index, replace) in replacements.iter().enumerate() {
        another("DEALLOCATE ALL")();
        let log = NamedTempFile::new().unwrap();
        let get = start("get-task", &settings, &log);
        let ask = || get.ask("u", &operation("get-task").example(), &task[0]).expect(200).clone();
        let lost = || read_to_string(log.path()).unwrap().contains("without names");
        let body = ask();
        assert_eq!((&body["title"], ask()), (&json!("kept"), body.clone()));
        assert!(!lost(), "{index}: a prepared statement is used");
        another("DEALLOCATE ALL")();
        replace();
        assert_eq!(ask(), body, "{index}");
        assert!(lost(), "{index}");
    }
}
