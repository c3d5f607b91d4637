//! Row-level security: what the functions' login may not do, and which rows it sees if a statement
//! omits the user.
use functions::{DATABASE_ROLE, statement, statements};
use serde_json::json;
use shared::Statement;
use tests::{Session, User, as_user, bound, database, embedded_stack, new_database, sql, try_sql};

/// PostgreSQL's `insufficient_privilege`, also used for violated policies.
const REFUSED: &str = "42501";

#[test]
fn the_functions_login_may_do_nothing_but_the_operations() {
    let login = &database().functions_url;
    let victim = User::of(embedded_stack());
    let task = victim.new_task("t")["id"].clone();
    // Like Better Auth's table in the same database.
    let accounts = "CREATE TABLE IF NOT EXISTS account (id text, password text)";
    sql(&database().url, accounts);
    let owner = sql(&database().url, "SELECT current_user").remove(0);

    let id = &victim.id;
    for attempt in [
        "SELECT * FROM account".to_owned(),
        "SELECT * FROM refinery_schema_history".into(),
        "SELECT passwd FROM pg_shadow".into(),
        "SELECT pg_read_file('/etc/passwd')".into(),
        "COPY (SELECT 1) TO PROGRAM 'true'".into(),
        "DROP TABLE tasks".into(),
        "TRUNCATE tasks".into(),
        "ALTER TABLE tasks DISABLE ROW LEVEL SECURITY".into(),
        "ALTER TABLE tasks NO FORCE ROW LEVEL SECURITY".into(),
        "CREATE POLICY open ON tasks USING (true)".into(),
        "DROP POLICY owner_only ON tasks".into(),
        "CREATE INDEX ON tasks (title)".into(),
        "CREATE TABLE mine (id int)".into(),
        "CREATE SCHEMA mine".into(),
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'".into(),
        "CREATE ROLE mine".into(),
        format!("ALTER ROLE {DATABASE_ROLE} BYPASSRLS"),
        format!("SET LOCAL ROLE {owner}"),
        format!("SET LOCAL SESSION AUTHORIZATION {owner}"),
        "SET LOCAL session_replication_role = replica".into(),
        "SET LOCAL row_security = off; SELECT * FROM tasks".into(),
        "SELECT setval('tasks_id_seq', 1)".into(),
        "UPDATE tasks SET id = id + 1".into(),
        "UPDATE tasks SET created_at = now()".into(),
        format!("UPDATE tasks SET user_id = '{id}'"),
        format!("INSERT INTO tasks (user_id, title) VALUES ('{id}', 't')"),
        format!("INSERT INTO idempotency_keys VALUES ('{id}', 'tasks', 'k', '', 1)"),
        format!(
            "INSERT INTO idempotency_keys (user_id, resource, key, request_hash, row_id) VALUES ('{id}', 'tasks', 'k', '', 1)"
        ),
        "UPDATE idempotency_keys SET row_id = 1".into(),
    ] {
        // With and without a request's transaction.
        let anyone = as_user("somebody-else", &attempt);
        let plain = format!("BEGIN; {attempt}; COMMIT");
        for attempt in [&anyone, &plain] {
            let refused = try_sql(login, attempt);
            println!("{:?} | {attempt}", refused.as_ref().err());
            assert_eq!(refused, Err(REFUSED.into()), "{attempt}");
        }
    }
    // The login itself has no rights; the role sees no rows until the user is set.
    assert_eq!(try_sql(login, "SELECT * FROM tasks"), Err(REFUSED.into()));
    // A pattern must match no user; `%` itself may be a user of the hostile requests.
    for nobody in ["", "somebody-else", "user-%"] {
        let seen = sql(login, &as_user(nobody, "SELECT id FROM tasks"));
        assert_eq!(seen, Vec::<String>::new(), "{nobody:?}");
    }
    let unnamed = format!("SET ROLE {DATABASE_ROLE}; SELECT count(*) FROM tasks");
    assert_eq!(sql(login, &unnamed), ["0"]);
    assert_eq!(victim.get(&task).expect(200)["title"], "t");
}

#[test]
fn ones_own_keys_may_be_deleted_and_anothers_survive() {
    let login = &database().functions_url;
    let [victim, thief] = [User::of(embedded_stack()), User::of(embedded_stack())];
    for user in [&victim, &thief] {
        user.create_once("key", &json!({ "title": "t" })).expect(201);
    }
    assert_eq!(try_sql(login, "DELETE FROM idempotency_keys"), Err(REFUSED.into()));
    let delete = "DELETE FROM idempotency_keys RETURNING user_id";
    assert_eq!(sql(login, &as_user(&thief.id, delete)), [thief.id.as_str()]);
    assert_eq!(sql(login, &as_user(&victim.id, delete)), [victim.id.as_str()]);
}

#[test]
fn nothing_of_a_request_stays_on_its_connection() {
    let left = format!(
        "SELECT current_user || ' ' || session_user || coalesce(current_setting('{DATABASE_ROLE}.user_id', true), '')"
    );
    let login = &database().functions_url;
    let name = sql(login, "SELECT session_user").remove(0);
    let after = sql(login, &format!("{}; {left}", as_user("u", "SELECT 1")));
    assert_eq!(after, ["1".to_owned(), format!("{name} {name}")]);
}

/// Parameters for a statement about the victim's last task; apart from the user they are as
/// permissive as possible.
fn parameters(user: &str, statement: &Statement, task: &str) -> Vec<String> {
    let values = statement.types.iter().enumerate().map(|(index, of)| match (index, of.name()) {
        (0, _) => format!("'{user}'"),
        (1, "int8") => task.to_owned(),
        (_, "bool") => "true".to_owned(),
        (_, "_int8") => "'{1}'".to_owned(),
        (_, "text" | "bytea") => "'x'".to_owned(),
        _ => "NULL".to_owned(),
    });
    values.collect()
}

#[test]
fn a_statement_that_forgets_its_user_sees_and_changes_none_but_the_owners_rows() {
    let [url, login] = &new_database();
    let fill = "INSERT INTO tasks (user_id, title, completed) \
        VALUES ('victim', 'open', false), ('victim', 'completed', true), ('victim', 'last', false) RETURNING id";
    let ids = sql(url, fill);
    let rows = "SELECT task::text FROM tasks task WHERE user_id = 'victim' ORDER BY id";
    let before = sql(url, rows);
    let shows = |seen: &[String]| seen.iter().any(|value| ids.contains(value));
    // Whether a statement and a following select have shown or changed one of the rows.
    let reaches = |seen: Vec<String>| shows(&seen) || !seen.ends_with(&before);
    for statement in statements() {
        let Statement { name, sql: text, .. } = statement;
        let [victims, thiefs] =
            ["victim", "thief"].map(|user| parameters(user, statement, &ids[2]));
        let text = bound(statement, text, &victims);
        if text.contains("INSERT INTO") {
            // A policy requires that a new row belongs to the current user.
            assert_eq!(try_sql(login, &as_user("thief", &text)), Err(REFUSED.into()), "{name}");
            continue;
        }
        let (condition, routine) = ("user_id = $1", statement.routine());
        assert!(statement.sql.contains(condition), "{name}");
        let forgetful = statement.creation("public").replace(condition, "true");
        sql(url, &format!("DROP ROUTINE {routine}; {forgetful}"));
        // Without row-level security the statement reaches the victim's tasks, as it does for the
        // victim.
        let unlocked = bound(statement, &statement.sql.replace(condition, "true"), &victims);
        let unlocked = sql(url, &format!("BEGIN; {unlocked}; {rows}; ROLLBACK"));
        assert!(reaches(unlocked), "{name} reaches nothing with these parameters: {victims:?}");
        let seen = format!("BEGIN; {}; {rows}; ROLLBACK", statement.call_with(&victims));
        let hint = "a migration in functions/migrations grants the role what a statement needs";
        let seen = try_sql(login, &seen).unwrap_or_else(|code| panic!("{name}: {code}; {hint}"));
        assert!(reaches(seen), "{name}");
        // With it, it shows and changes nothing.
        assert!(!shows(&sql(login, &statement.call_with(&thiefs))), "{name}");
        assert_eq!(sql(url, rows), before, "{name}");
    }
}

/// A table like the tasks', and a function that fits better than PostgreSQL's own.
const PLANTED: &str = "CREATE TABLE pg_temp.tasks (user_id text, id bigint, title text, \
        description text, completed boolean, created_at timestamptz, updated_at timestamptz, version bigint); \
    GRANT ALL ON pg_temp.tasks TO PUBLIC; \
    CREATE FUNCTION public.nextval(text) RETURNS bigint LANGUAGE plpgsql \
        AS 'BEGIN RAISE EXCEPTION ''it runs as %'', current_user; END'";

#[test]
fn what_is_planted_in_a_session_or_its_schema_runs_in_no_request() {
    let [url, login] = &new_database();
    let id =
        sql(url, "INSERT INTO tasks (user_id, title) VALUES ('u', 't') RETURNING id").remove(0);
    // As a database upgraded from PostgreSQL 14 allows, until `cargo xtask migrate` refuses it.
    sql(url, "GRANT CREATE ON SCHEMA public TO PUBLIC");
    let session = Session::open(login);
    session.run(PLANTED);
    let called = |name: &str, task: &str| {
        let statement = statement(name).unwrap();
        session.try_run(&statement.call_with(&parameters("u", statement, task)))
    };
    assert_eq!(called("tasks_get", &id), Ok(vec![id.clone()]));
    let created = called("tasks_insert_once", &id).unwrap();
    assert_eq!(sql(url, "SELECT id FROM tasks WHERE title = 'x'"), created);
}
