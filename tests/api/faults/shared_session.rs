//! All functions with many concurrent requests on the few sessions of a pooler that tracks no
//! prepared statements: each request runs its own statement on its own rows.
use std::fs::read_to_string;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::NamedTempFile;
use tests::{
    Fixture, Proxy, Request, Resource, SETTINGS, new_database, requests, resources, sql, try_sql,
};
use tokio_postgres::types::Type;

use super::{Fragile, pause, start};

const USERS: usize = 8;
const ROUNDS: usize = 45;

/// What another client of the pooler may do with a session.
fn others() -> Vec<String> {
    let others = ["SELECT 1", "DISCARD ALL", "PREPARE s0 AS SELECT 1", "DEALLOCATE ALL"];
    let gets = resources().iter().map(another_get);
    others.map(str::to_owned).into_iter().chain(gets).collect()
}

/// Has the name and the parameters of a get that a function has prepared, and returns an item.
fn another_get(resource: &Resource) -> String {
    let get = resource.statement("get");
    let types = get.types.iter().map(Type::name).chain(["text"]).collect::<Vec<_>>().join(", ");
    let columns = get.columns.iter().map(|of| match of.name() {
        "int8" => "1::bigint".to_owned(),
        "text" => "'another'::text".to_owned(),
        "bool" => "true".to_owned(),
        "timestamptz" => "now()".to_owned(),
        other => format!("NULL::{other}"),
    });
    format!("PREPARE s0 ({types}) AS SELECT {}", columns.collect::<Vec<_>>().join(", "))
}

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
        let (mut others, statements) = (0, others());
        while users.iter().any(|user| !user.is_finished()) {
            let _ = try_sql(&pooler.url, &statements[others % statements.len()]);
            others += 1;
            pause(Duration::from_millis(50));
        }
        let requests: usize = users.into_iter().map(|user| user.join().unwrap()).sum();
        println!("| {requests} requests beside {others} of others | as expected | | |");
        assert!(requests > 2000, "{requests}");
    });
    for Resource { table, .. } in resources() {
        assert_eq!(sql(&url, &format!("SELECT count(*) FROM {table}")), ["0"]);
    }
    // Each user has as many keys as another.
    let keys = sql(&url, "SELECT DISTINCT count(*) FROM idempotency_keys GROUP BY user_id");
    assert!(keys.len() <= 1, "{keys:?}");
}

/// The requests of one user, who has no items left at the end; returns their number.
fn live(fragile: &Fragile, index: usize) -> usize {
    let user = format!("shares-{index}");
    let mut count = 0;
    let mut ask = |request: &Request, id: &Value| {
        count += 1;
        let reply = fragile.function(request.operation).ask(&user, request, id);
        assert!(reply.status < 300, "{}: {reply:?}", request.name);
        reply.body
    };
    // Oldest first, by resource.
    let mut held = vec![Vec::new(); resources().len()];
    for round in 0..ROUNDS {
        for (resource, held) in resources().iter().zip(&mut held) {
            let text = format!("{user} in round {round}");
            let create = resource.create().example().with_text(&text);
            let create = create.with_header("idempotency-key", format!("key-{round}"));
            let mut item = ask(&create, &Value::Null);
            expect_sent(&item, &user, &create);
            assert_eq!(ask(&create, &Value::Null), item);
            for request in of_resource(resource, true) {
                let answer = ask(&request, &item["id"]);
                assert_eq!(answer["id"], item["id"], "{}", request.name);
                expect_sent(&answer, &user, &request);
                assert_eq!(answer == item, request.operation.reads(), "{}", request.name);
                item = answer;
            }
            held.push(item.clone());
            let list = resource.list().example();
            assert_eq!(ask(&list, &Value::Null), newest_first(held));
            if round % 2 == 0 {
                assert_eq!(ask(&resource.delete().example(), &item["id"]), item);
                held.pop();
            }
            for request in of_resource(resource, false) {
                let cleared = ask(&request, &Value::Null);
                let left = ask(&list, &Value::Null);
                let before = held.len();
                held.retain(|item| left.as_array().unwrap().contains(item));
                assert_eq!(left, newest_first(held));
                assert_eq!(cleared["deleted"], before - held.len());
            }
        }
    }
    for (resource, held) in resources().iter().zip(held) {
        for item in held {
            assert_eq!(ask(&resource.delete().example(), &item["id"]), item);
        }
    }
    for request in requests().iter().filter(|request| request.operation.resource().is_none()) {
        ask(request, &Value::Null);
    }
    count
}

/// The requests that read or change an item, or those that delete many.
fn of_resource(resource: &'static Resource, an_item: bool) -> impl Iterator<Item = Request> {
    requests().into_iter().filter(move |Request { operation, .. }| {
        operation.resource() == Some(resource)
            && operation.is_of_an_item() == an_item
            && (operation.method == "DELETE") != an_item
    })
}

fn newest_first(items: &[Value]) -> Value {
    items.iter().rev().cloned().collect()
}

/// Checks that an item is the user's, with what the request sets.
fn expect_sent(item: &Value, user: &str, request: &Request) {
    assert_eq!(item["user_id"], user, "{}", request.name);
    let sent: Value = request.body.parse().unwrap_or_default();
    for (name, value) in sent.as_object().into_iter().flatten() {
        assert_eq!(&item[name], value, "{}", request.name);
    }
}

#[test]
fn a_prepared_statement_that_another_client_replaced_never_runs() {
    let [url, functions_url] = new_database();
    // Of requests one after the other, each gets the same session.
    let pooler = Fixture::start("pgbouncer", &[("DATABASE_URL", &functions_url)]);
    let settings = [&SETTINGS[..], &[("DATABASE_URL", &pooler.url)]].concat();
    let run = |statement: &str| drop(sql(&pooler.url, statement));
    for resource in resources() {
        let (id, get, delete) = (7001, resource.get(), resource.delete());
        sql(&url, &resource.insert_one(&resource.kinds()[0], id, "u"));
        // It prepares its own statement, which takes the same parameters.
        let delete = || {
            let log = NamedTempFile::new().unwrap();
            let function = start(delete.function, &settings, &log);
            function.ask("u", &delete.example(), 404).expect(404);
        };
        let another_get = || run(&another_get(resource));
        let replacements: [&dyn Fn(); 4] =
            [&|| (), &|| run("PREPARE s0 AS SELECT 1"), &another_get, &delete];
        for (index, replace) in replacements.iter().enumerate() {
            run("DEALLOCATE ALL");
            let log = NamedTempFile::new().unwrap();
            let function = start(get.function, &settings, &log);
            let ask = || function.ask("u", &get.example(), id).expect(200);
            let lost = || read_to_string(log.path()).unwrap().contains("without names");
            let body = ask();
            assert_eq!((&body["id"], ask()), (&json!(id), body.clone()));
            assert!(!lost(), "{index}: a prepared statement is used");
            run("DEALLOCATE ALL");
            replace();
            assert_eq!(ask(), body, "{index}");
            assert!(lost(), "{index}");
        }
    }
}
