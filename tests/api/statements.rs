//! One statement a request, and what it costs, as PostgreSQL itself tells.
use std::collections::BTreeSet;

use serde_json::{Value, json};
use shared::DATABASE_ROLE;
use tests::{User, database, embedded_stack, sql};

/// A statement that the server ran for a user: its text and its parameters as literals.
#[derive(Debug)]
pub(crate) struct Statement {
    user: String,
    connection: String,
    text: String,
    parameters: Vec<String>,
}

/// All statements in the server's log that have the user's id as their first parameter.
pub(crate) fn statements_of(user: &User) -> Vec<Statement> {
    let log = database().log().replace("\n\t", "\n ");
    let mut statements: Vec<Statement> = Vec::new();
    let mut text = None;
    // Each line starts `2026-11-23 08:15:00.123 UTC [pid] application `.
    let mut lines = log.lines().peekable();
    while let Some(line) = lines.next() {
        let mut entry = line.to_owned();
        while let Some(continued) = lines.next_if(|next| next.starts_with(' ')) {
            entry = entry + "\n" + continued;
        }
        let Some((_, rest)) = entry.split_once('[') else { continue };
        let Some((connection, rest)) = rest.split_once(']') else { continue };
        if let Some((_, statement)) = rest.split_once("LOG:  execute <unnamed>: ") {
            text = Some((connection.to_owned(), statement.to_owned()));
        } else if let Some((_, parameters)) = rest.split_once("DETAIL:  parameters: ") {
            let text = text.take().filter(|(of, _)| of == connection);
            if !parameters.starts_with(&format!("$1 = '{}'", user.id)) {
                continue;
            }
            let (connection, text) = text.expect("a statement before its parameters");
            let parameters =
                parameters.split(", $").filter_map(|p| Some(p.split_once(" = ")?.1.into()));
            let (user, parameters) = (user.id.clone(), parameters.collect());
            statements.push(Statement { user, connection, text, parameters });
        }
    }
    statements
}

impl Statement {
    /// The statement with its parameters in it.
    pub(crate) fn with_literals(&self) -> String {
        let parameters = self.parameters.iter().enumerate().rev();
        parameters.fold(self.text.clone(), |text, (index, literal)| {
            text.replace(&format!("${}", index + 1), literal)
        })
    }

    /// What the server says it does for it.
    fn explain(&self) -> Value {
        let explain = format!("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {}", self.with_literals());
        let plan: Value = sql(&database().functions_url, &as_user(&self.user, &explain))
            .concat()
            .parse()
            .unwrap();
        plan[0]["Plan"].clone()
    }

    fn pages_read(&self) -> u64 {
        let plan = self.explain();
        plan["Shared Hit Blocks"].as_u64().unwrap() + plan["Shared Read Blocks"].as_u64().unwrap()
    }
}

#[test]
fn every_operation_is_one_statement() {
    let user = User::of(embedded_stack());
    let task = user.new_task("t");
    let id = &task["id"];
    let any = [("if-match", "\"x\"")];
    let requests = [
        user.list("?completed=true&limit=3"),
        user.create_once("key", &json!({ "title": "once" })),
        user.create_once("key", &json!({ "title": "once" })),
        user.create_once("key", &json!({ "title": "other" })),
        user.get(id),
        user.get(1),
        user.update(id, &[], &json!({ "title": "u" })),
        user.update(id, &any, &json!({ "title": "u" })),
        user.update(1, &[], &json!({ "title": "u" })),
        user.complete(id, &[], ""),
        user.complete(id, &[], r#"{"completed":true}"#),
        user.delete(id, &any),
        user.delete(id, &[]),
        user.delete(id, &[]),
    ];
    let statements = statements_of(&user);
    assert_eq!(statements.len(), 1 + requests.len(), "{statements:#?}");

    // Each in a transaction of its own, and nothing else went over these connections: no check, no named statement.
    let connections: BTreeSet<_> = statements.iter().map(|s| &s.connection).collect();
    let log = database().log();
    for connection in connections {
        let lines = log.lines().filter(|line| line.contains(&format!("[{connection}]")));
        let said: Vec<_> = lines
            .filter_map(|line| line.split_once("LOG:  ").or_else(|| line.split_once("ERROR:  ")))
            .map(|(_, said)| match said.split_once("<unnamed>:") {
                Some((execute, _)) => execute,
                None => said.trim_end(),
            })
            .filter(|said| !said.starts_with("connection "))
            .collect();
        let one = ["statement: BEGIN", "execute ", "execute ", "statement: COMMIT"];
        for transaction in said.chunks(one.len()) {
            // The last one may be under way.
            assert!(one.starts_with(transaction), "{transaction:#?} of {said:#?}");
        }
    }
}

/// Statements in the transaction that a request of the user makes.
pub(crate) fn as_user(user: &str, statements: &str) -> String {
    format!(
        "BEGIN; SET LOCAL ROLE {DATABASE_ROLE}; SET LOCAL task_api.user_id = '{user}'; {statements}; COMMIT"
    )
}

#[test]
fn a_page_costs_the_same_however_deep_and_however_many_tasks_there_are() {
    const TASKS: usize = 501_000;
    let user = User::of(embedded_stack());
    // Half a million done, and open ones only at the far end.
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

    let statements = statements_of(&user);
    let [first, _offset, deep, open, _offset_done, deep_done] = statements.as_slice() else {
        panic!("{statements:#?}")
    };
    let baseline = first.pages_read();
    assert!(baseline < 20, "{baseline} pages for 51 rows: {:#}", first.explain());
    for other in [deep, open, deep_done] {
        let pages = other.pages_read();
        assert!(
            pages <= baseline + 5,
            "{pages} pages, {baseline} for the first: {:#}",
            other.explain()
        );
    }
    sql(&database().url, &format!("DELETE FROM tasks WHERE user_id = '{}'", user.id));
}
