//! Row-level security: what the functions' login may not do, and which rows it sees if a statement
//! omits the user.
use tests::{
    DATABASE_ROLE, KEYS_ROW_ID, Resource, Session, Statement, USER_SETTING, User, as_user, bound,
    database, embedded_stack, new_database, resources, sql, statements, try_sql,
};

/// PostgreSQL's `insufficient_privilege`, also used for violated policies.
const REFUSED: &str = "42501";

/// Checks that the login may not do this, with and without a request's transaction.
fn assert_refused(login: &str, attempt: &str) {
    let anyone = as_user("somebody-else", attempt);
    let plain = format!("BEGIN; {attempt}; COMMIT");
    for attempt in [&anyone, &plain] {
        let refused = try_sql(login, attempt);
        println!("{:?} | {attempt}", refused.as_ref().err());
        assert_eq!(refused, Err(REFUSED.into()), "{attempt}");
    }
}

#[test]
fn the_functions_login_may_do_nothing_but_the_operations() {
    let login = &database().functions_url;
    // Like Better Auth's table in the same database.
    let accounts = "CREATE TABLE IF NOT EXISTS account (id text, password text)";
    sql(&database().url, accounts);
    let owner = sql(&database().url, "SELECT current_user").remove(0);
    for attempt in [
        "SELECT * FROM account",
        "SELECT * FROM refinery_schema_history",
        "SELECT passwd FROM pg_shadow",
        "SELECT pg_read_file('/etc/passwd')",
        "COPY (SELECT 1) TO PROGRAM 'true'",
        "CREATE TABLE mine (id int)",
        "CREATE SCHEMA mine",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE ROLE mine",
        &format!("ALTER ROLE {DATABASE_ROLE} BYPASSRLS"),
        &format!("SET LOCAL ROLE {owner}"),
        &format!("SET LOCAL SESSION AUTHORIZATION {owner}"),
        "SET LOCAL session_replication_role = replica",
        "INSERT INTO idempotency_keys VALUES ('another', 'tasks', 'k', '', 1)",
        &format!("UPDATE idempotency_keys SET {KEYS_ROW_ID} = 1"),
    ] {
        assert_refused(login, attempt);
    }
}

#[test]
fn the_functions_login_may_do_nothing_to_a_table_but_the_operations() {
    let login = &database().functions_url;
    for resource in resources() {
        let victim = User::of(embedded_stack()).items(resource);
        let item = victim.add();
        let (id, table) = (&victim.id, &resource.table);
        let policies = format!("SELECT policyname FROM pg_policies WHERE tablename = '{table}'");
        let policy = sql(&database().url, &policies).remove(0);
        let row =
            resource.insert(&resource.kinds()[0], &format!("'{id}'"), "generate_series(1, 1)");
        for attempt in [
            format!("DROP TABLE {table}"),
            format!("TRUNCATE {table}"),
            format!("ALTER TABLE {table} DISABLE ROW LEVEL SECURITY"),
            format!("ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY"),
            format!("CREATE POLICY open ON {table} USING (true)"),
            format!("DROP POLICY {policy} ON {table}"),
            format!("CREATE INDEX ON {table} (id)"),
            format!("SET LOCAL row_security = off; SELECT * FROM {table}"),
            format!("SELECT setval('{table}_id_seq', 1)"),
            format!("UPDATE {table} SET id = id + 1"),
            format!("UPDATE {table} SET created_at = now()"),
            format!("UPDATE {table} SET user_id = '{id}'"),
            row,
            resource.insert_keys(&format!("VALUES ('{id}', 'k', ''::bytea, 1)")),
        ] {
            assert_refused(login, &attempt);
        }
        // The login itself has no rights; the role sees no rows until the user is set.
        assert_eq!(try_sql(login, &format!("SELECT * FROM {table}")), Err(REFUSED.into()));
        // A pattern must match no user; `%` itself may be a user of the hostile requests.
        for nobody in ["", "somebody-else", "user-%"] {
            let seen = sql(login, &as_user(nobody, &format!("SELECT id FROM {table}")));
            assert_eq!(seen, Vec::<String>::new(), "{nobody:?}");
        }
        let unnamed = format!("SET ROLE {DATABASE_ROLE}; SELECT count(*) FROM {table}");
        assert_eq!(sql(login, &unnamed), ["0"]);
        assert_eq!(victim.get(&item["id"]).expect(200), item);
    }
}

#[test]
fn ones_own_keys_may_be_deleted_and_anothers_survive() {
    let login = &database().functions_url;
    let [victim, thief] = [User::of(embedded_stack()), User::of(embedded_stack())];
    for resource in resources() {
        for user in [&victim, &thief] {
            user.ask(&resource.create().example(), "").expect(201);
        }
    }
    assert_eq!(try_sql(login, "DELETE FROM idempotency_keys"), Err(REFUSED.into()));
    let delete = "DELETE FROM idempotency_keys RETURNING user_id";
    for user in [thief, victim] {
        let deleted = sql(login, &as_user(&user.id, delete));
        assert_eq!(deleted, vec![user.id.as_str(); resources().len()]);
    }
}

#[test]
fn nothing_of_a_request_stays_on_its_connection() {
    let left = format!(
        "SELECT current_user || ' ' || session_user || coalesce(current_setting('{USER_SETTING}', true), '')"
    );
    let login = &database().functions_url;
    let name = sql(login, "SELECT session_user").remove(0);
    let after = sql(login, &format!("{}; {left}", as_user("u", "SELECT 1")));
    assert_eq!(after, ["1".to_owned(), format!("{name} {name}")]);
}

/// Parameters for a statement about the victim's last item; apart from the user they are as
/// permissive as possible.
fn parameters(user: &str, statement: &Statement, item: &str) -> Vec<String> {
    let values = statement.types.iter().enumerate().map(|(index, of)| match (index, of.name()) {
        (0, _) => format!("'{user}'"),
        (1, "int8") => item.to_owned(),
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
    // The same ids in each table.
    let ids = ["7001", "7002", "7003"].map(str::to_owned);
    for resource in resources() {
        let [created, changed] = &resource.kinds();
        for (item, id) in [created, changed, created].into_iter().zip(7001..) {
            sql(url, &resource.insert_one(item, id, "victim"));
        }
    }
    let rows = resources().iter().map(|Resource { table, .. }| {
        format!("SELECT '{table}' || item::text AS row FROM {table} item WHERE user_id = 'victim'")
    });
    let rows = rows.collect::<Vec<_>>().join(" UNION ALL ") + " ORDER BY row";
    let before = sql(url, &rows);
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
        // Without row-level security the statement reaches the victim's items, as it does for the
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
        assert_eq!(sql(url, &rows), before, "{name}");
    }
}

/// A function that fits better than PostgreSQL's own.
const PLANTED: &str = "CREATE FUNCTION public.nextval(text) RETURNS bigint LANGUAGE plpgsql \
    AS 'BEGIN RAISE EXCEPTION ''it runs as %'', current_user; END'";

#[test]
fn what_is_planted_in_a_session_or_its_schema_runs_in_no_request() {
    let [url, login] = &new_database();
    // As a database upgraded from PostgreSQL 14 allows, until `cargo xtask migrate` refuses it.
    sql(url, "GRANT CREATE ON SCHEMA public TO PUBLIC");
    let session = Session::open(login);
    session.run(PLANTED);
    for resource in resources() {
        let Resource { table, .. } = resource;
        let id = "7001";
        sql(url, &resource.insert_one(&resource.kinds()[0], 7001, "u"));
        let columns = format!(
            "SELECT string_agg(quote_ident(attname) || ' ' || format_type(atttypid, atttypmod), ', ') \
             FROM pg_attribute WHERE attrelid = '{table}'::regclass AND attnum > 0 AND NOT attisdropped"
        );
        let columns = sql(url, &columns).remove(0);
        session.run(&format!(
            "CREATE TABLE pg_temp.{table} ({columns}); GRANT ALL ON pg_temp.{table} TO PUBLIC"
        ));
        let called = |name: &str| {
            let statement = resource.statement(name);
            session.try_run(&statement.call_with(&parameters("u", statement, id)))
        };
        assert_eq!(called("get"), Ok(vec![id.to_owned()]));
        let created = called("create_once").unwrap();
        let others = format!("SELECT id FROM public.{table} WHERE id <> {id}");
        assert_eq!(sql(url, &others), created);
    }
}
