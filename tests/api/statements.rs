//! One statement per request, and its plan, according to PostgreSQL.
use std::collections::BTreeSet;

use functions::{statement, statements};
use serde_json::{Value, json};
use shared::Statement;
use tests::{Reply, User, as_user, database, embedded_stack, operation, requests, sql};
use tokio_postgres::types::Type;

/// A statement that the server ran: its definition, and its connection.
#[derive(Debug)]
struct Executed {
    name: &'static str,
    prepared: bool,
    connection: String,
}

/// Every statement in the server's log whose first parameter is the user's id.
fn executed_for(user: &User) -> Vec<Executed> {
    // Each line starts `2026-11-23 08:15:00.123 UTC [pid] application `.
    let log = database().log().replace("\n\t", " ");
    let lines: Vec<_> = log.lines().collect();
    let parameters = format!("DETAIL:  parameters: $1 = '{}'", user.id);
    let of_user = lines.windows(2).filter(|pair| pair[1].contains(&parameters));
    of_user.map(|pair| Executed::read(pair[0])).collect()
}

impl Executed {
    fn read(line: &str) -> Self {
        let (before, said) = line.split_once("LOG:  execute ").expect(line);
        let (prepared, text) = said.split_once(": ").expect(line);
        let called = |known: &&Statement| known.call().text == text.trim_end();
        let hint = "a statement of the store is one of functions::statements()";
        let known = statements().into_iter().find(called);
        let Statement { name, .. } = known.unwrap_or_else(|| panic!("{hint}: {text}"));
        let connection = before.split(['[', ']']).nth(1).unwrap().to_owned();
        Self { name, prepared: prepared != "<unnamed>", connection }
    }
}

#[test]
fn every_request_is_one_statement() {
    let user = User::of(embedded_stack());
    user.new_task("t");
    let mut count = 1;
    for request in requests() {
        let taken = user.create(&json!({ "title": "t" })).expect(201)["id"].clone();
        let mut stale = request.clone();
        if request.operation.takes("if-match") {
            stale = stale.with_header("if-match", "\"x\"");
        }
        // No task, a stale version, the task, and once more after it may be gone.
        for (request, task) in
            [(&request, &json!(1)), (&stale, &taken), (&request, &taken), (&request, &taken)]
        {
            user.ask(request, task);
        }
        count += 5;
    }
    // A reused key, and requests for which the document has no example.
    user.create_once("key", &json!({ "title": "other" })).faults();
    user.ask(&operation("clear-tasks").example().with_query("all=true"), json!(1)).expect(200);
    user.list("?completed=true").expect(200);
    let executed = executed_for(&user);
    assert_eq!(executed.len(), count + 3, "{executed:#?}");
    let names: BTreeSet<_> = executed.iter().map(|statement| statement.name).collect();
    let known: BTreeSet<_> = statements().iter().map(|statement| statement.name.as_str()).collect();
    assert_eq!(names, known, "left: executed; right: functions::statements()");

    // Nothing else used these connections: no check, no BEGIN or COMMIT. The first call of a
    // statement prepares it for the others.
    let connections: BTreeSet<_> = executed.iter().map(|s| &s.connection).collect();
    let log = database().log();
    for connection in connections {
        let lines = log.lines().filter(|line| line.contains(&format!("[{connection}]")));
        let said = lines.filter(|line| ["LOG:  ", "ERROR:  "].iter().any(|of| line.contains(of)));
        let mut prepared = BTreeSet::new();
        for line in said.filter(|line| !line.contains("LOG:  connection ")) {
            let statement = Executed::read(line);
            assert_eq!(statement.prepared, !prepared.insert(statement.name), "{line}");
        }
    }
}

/// The plan for a page of the user's open or completed tasks after this id: the generic one that
/// the server caches, planned without these values.
fn explain(user: &User, completed: Option<&str>, after: &str) -> Value {
    let Statement { sql: text, types, .. } =
        statement(if completed.is_some() { "tasks_list_by_completed" } else { "tasks_list" })
            .unwrap();
    let types: Vec<_> = types.iter().map(Type::name).collect();
    let id = format!("'{}'", user.id);
    let values = [&id, after, "51", "0"].into_iter().chain(completed);
    let explain = format!(
        "SET LOCAL plan_cache_mode = force_generic_plan; PREPARE page({}) AS {text}; \
         EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE page({})",
        types.join(", "),
        values.collect::<Vec<_>>().join(", ")
    );
    let explain = as_user(&user.id, &explain);
    let plan: Value = sql(&database().functions_url, &explain).concat().parse().unwrap();
    plan[0]["Plan"].clone()
}

/// An id above every task.
const LAST: &str = "9223372036854775807";

fn pages_read(plan: &Value) -> u64 {
    plan["Shared Hit Blocks"].as_u64().unwrap() + plan["Shared Read Blocks"].as_u64().unwrap()
}

#[test]
fn a_page_costs_the_same_however_deep_and_however_many_tasks_there_are() {
    const TASKS: usize = 501_000;
    let user = User::of(embedded_stack());
    // Half a million completed tasks, and open ones only at the far end.
    let fill = format!(
        "INSERT INTO tasks (user_id, title, completed) SELECT '{}', 'task ' || n, n > 200 \
         FROM generate_series(1, {TASKS}) n; ANALYZE tasks",
        user.id
    );
    sql(&database().url, &fill);

    let first = user.list("");
    let deep = user.list("?offset=499900");
    let page_10_000 = user.send("GET", deep.next().unwrap(), &[], "");
    assert_eq!(page_10_000.body[0]["title"], "task 1050");
    let open = user.list("?completed=false");
    assert_eq!(open.body[0]["title"], "task 200");
    let deep_done =
        user.send("GET", user.list("?completed=true&offset=499900").next().unwrap(), &[], "");
    assert_eq!(deep_done.body[0]["title"], "task 1050");
    assert_eq!(first.body[0]["title"], format!("task {TASKS}"));

    let before = |page: &Reply| page.body[0]["id"].as_i64().unwrap() + 1;
    let first = explain(&user, None, LAST);
    let baseline = pages_read(&first);
    assert!(baseline < 20, "{baseline} pages for 51 rows: {first:#}");
    for (completed, after) in [
        (None, before(&page_10_000).to_string()),
        (Some("false"), LAST.into()),
        (Some("true"), before(&deep_done).to_string()),
    ] {
        let plan = explain(&user, completed, &after);
        let pages = pages_read(&plan);
        assert!(pages <= baseline + 5, "{pages} pages, {baseline} for the first: {plan:#}");
    }
    assert_planned_without_values(&user);
    sql(&database().url, &format!("DELETE FROM tasks WHERE user_id = '{}'", user.id));
}

/// By default, `PostgreSQL` would plan each list for its values here, where one user has all tasks.
fn assert_planned_without_values(user: &User) {
    let values = [format!("'{}'", user.id), LAST.into(), "51".into(), "0".into()];
    let call = statement("tasks_list").unwrap().call_with(&values);
    let explain = "LOAD 'auto_explain'; SET auto_explain.log_min_duration = 0; \
        SET auto_explain.log_nested_statements = on";
    sql(&database().url, &format!("{explain}; {}", [call.as_str(); 7].join("; ")));
    let log = database().log();
    let conditions = log.lines().filter(|line| line.contains("Index Cond: ((user_id = "));
    let (without, with): (Vec<_>, Vec<_>) = conditions.partition(|line| line.contains("$1"));
    assert_eq!((without.len(), with), (7, Vec::new()));
}
