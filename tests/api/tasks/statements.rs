//! Every statement of the tasks, and the plans of their list, according to PostgreSQL.
use std::collections::BTreeSet;

use serde_json::Value;
use tests::{
    Executed, Reply, Request, Statement, as_user, database, embedded_stack, operation, requests,
    sql,
};
use tokio_postgres::types::Type;

use super::User;

#[test]
fn a_request_runs_each_statement_of_the_tasks() {
    let user = User::of(embedded_stack());
    let of_tasks = |request: &Request| request.operation.resource() == Some(user.resource);
    for request in requests().into_iter().filter(of_tasks) {
        let mut stale = request.clone();
        if request.operation.takes("if-match") {
            stale = stale.with_header("if-match", "\"x\"");
        }
        for request in [&request, &stale] {
            user.ask(request, 1);
        }
    }
    // Each combination of filters, and what else has no example in the document.
    for filters in user.resource.filters() {
        user.list(&format!("?{filters}")).expect(200);
    }
    user.ask(&operation("clear-tasks").example().with_query("all=true"), 1).expect(200);
    let executed = Executed::of(&user);
    let executed: BTreeSet<_> = executed.iter().map(|statement| statement.name).collect();
    let known: BTreeSet<_> =
        user.resource.statements().map(|statement| statement.name.as_str()).collect();
    assert_eq!(executed, known, "left: executed; right: the statements of the tasks");
}

/// The plan for a page of the user's open or completed tasks after this id: the generic one that
/// the server caches, planned without these values.
fn explain(user: &User, completed: Option<&str>, after: &str) -> Value {
    let name = if completed.is_some() { "list_by_completed" } else { "list" };
    let Statement { sql: text, types, .. } = user.resource.statement(name);
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
    let call = user.resource.statement("list").call_with(&values);
    let explain = "LOAD 'auto_explain'; SET auto_explain.log_min_duration = 0; \
        SET auto_explain.log_nested_statements = on";
    sql(&database().url, &format!("{explain}; {}", [call.as_str(); 7].join("; ")));
    let log = database().log();
    let lines: Vec<_> = log.lines().collect();
    let of_tasks = lines.windows(2).filter(|pair| pair[0].contains(" on tasks "));
    let conditions =
        of_tasks.map(|pair| pair[1]).filter(|line| line.contains("Index Cond: ((user_id = "));
    let (without, with): (Vec<_>, Vec<_>) = conditions.partition(|line| line.contains("$1"));
    assert_eq!((without.len(), with), (7, Vec::new()));
}
