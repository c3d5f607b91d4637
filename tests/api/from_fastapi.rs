//! The SQL in `docs/coming-from-fastapi.md`, run on the table that the page assumes.
use serde_json::{Value, json};
use tests::{Page, Session, as_user, database, new_database, sql, try_sql, with_name, xtask};

const COPY: &str = include_str!("../../docs/coming-from-fastapi.sql");

/// The tutorial's database with the functions' tables, and their owner, who is not a superuser.
struct Moving {
    owner: Session,
    functions_url: String,
}

/// The page's SQL blocks: the table, its new name, the end of the old one, numbers for other ids, the
/// misfits, and the clean-up.
fn blocks() -> [String; 6] {
    let page = Page::read("docs/coming-from-fastapi.md");
    let blocks: Vec<_> = page.blocks("sql").into_iter().map(str::to_owned).collect();
    blocks.try_into().unwrap()
}

impl Moving {
    fn begin() -> Self {
        let [url, functions_url] = new_database();
        let [table, ..] = blocks();
        let owner = Session::open(&url);
        let name = owner.run("SELECT current_database()").remove(0);
        owner.run(&format!(
            "CREATE ROLE owner_of_{name}; GRANT CREATE ON SCHEMA public TO owner_of_{name}; \
             ALTER TABLE tasks OWNER TO owner_of_{name}; SET ROLE owner_of_{name}; {table}"
        ));
        Self { owner, functions_url }
    }

    fn copy(&self) {
        self.owner.run(COPY);
    }

    /// Inserts a task as FastAPI would.
    fn store(&self, id: i64, user: &str, title: &str) {
        self.owner.run(&format!(
            "INSERT INTO task VALUES ({id}, '{user}', '{title}', NULL, false, '2026-01-02 03:04:05.678901', '2026-01-02 03:04:05.678901')"
        ));
    }

    /// Runs statements in a request's transaction.
    fn request(&self, user: &str, statements: &str) -> Vec<String> {
        sql(&self.functions_url, &as_user(user, statements))
    }

    /// A user's tasks as the functions see them.
    fn seen(&self, user: &str) -> Value {
        let list = "SELECT coalesce(jsonb_agg(jsonb_build_array(id, title, completed) ORDER BY id), '[]') FROM tasks";
        self.request(user, list)[0].parse().unwrap()
    }
}

#[test]
fn tasks_keep_their_ids_users_and_times_and_fit_the_limits() {
    let moving = Moving::begin();
    moving.store(7, "ada", "  Buy milk\n");
    moving.store(8, "ada", " \t");
    moving.store(9, "ada", &format!("{} {}", "t".repeat(199), "t".repeat(50)));
    moving.store(10, "grace", "Hers");
    moving.store(11, "", "Of nobody");
    moving.owner.run(
        "ALTER TABLE task ALTER completed DROP NOT NULL, ALTER created_at DROP NOT NULL, ALTER updated_at DROP NOT NULL; \
         UPDATE task SET completed = NULL, description = repeat('ü', 1001), updated_at = NULL WHERE id = 7; \
         UPDATE task SET created_at = NULL, updated_at = NULL WHERE id = 8",
    );
    let [.., misfits, _] = blocks();
    assert_eq!(moving.owner.run(&misfits), ["7", "8", "9", "11"]);
    moving.copy();

    let long = "t".repeat(199);
    let expected = json!([[7, "Buy milk", false], [8, "(no title)", false], [9, long, false]]);
    assert_eq!(moving.seen("ada"), expected);
    assert_eq!(moving.seen("grace"), json!([[10, "Hers", false]]));
    let time = "2026-01-02T03:04:05.678901+00:00";
    let rest = "SELECT jsonb_build_array(version, char_length(description), created_at, updated_at) FROM tasks WHERE id = 7";
    let rest: Value =
        moving.request("ada", &format!("SET LOCAL timezone = 'UTC'; {rest}"))[0].parse().unwrap();
    assert_eq!(rest, json!([1, 1000, time, time]));
    let recent = "SELECT id FROM tasks WHERE created_at > now() - interval '1 minute'";
    assert_eq!(moving.request("ada", recent), ["8"]);
    // Row-level security is as before.
    let forced = "SELECT relforcerowsecurity FROM pg_class WHERE oid = 'tasks'::regclass";
    assert_eq!(moving.owner.run(forced), ["t"]);
    assert_eq!(moving.owner.run("SELECT count(*) FROM tasks"), ["0"]);
}

#[test]
fn a_zone_of_the_column_wins_over_that_of_the_script() {
    let moving = Moving::begin();
    moving.store(1, "ada", "Zoned");
    let zoned = "ALTER TABLE task ALTER created_at TYPE timestamptz USING created_at AT TIME ZONE 'Asia/Karachi'";
    moving.owner.run(zoned);
    moving.copy();
    let hour = "SELECT extract(hour FROM created_at AT TIME ZONE 'UTC')::int FROM tasks";
    assert_eq!(moving.request("ada", hour), ["22"]);
}

#[test]
fn users_who_are_no_texts_are_copied_as_text() {
    for (of, user) in [("integer", "17"), ("uuid", "8d3f0a4e-4b51-4a4c-9d0f-3f6c1a2b7e90")] {
        let moving = Moving::begin();
        moving.owner.run(&format!("ALTER TABLE task ALTER user_id TYPE {of} USING NULL::{of}"));
        moving.store(1, user, "Buy milk");
        let [.., misfits, _] = blocks();
        assert_eq!(moving.owner.run(&misfits), [""; 0]);
        moving.copy();
        assert_eq!(moving.seen(user), json!([[1, "Buy milk", false]]));
    }
}

#[test]
fn ids_that_are_no_numbers_become_numbers_by_age() {
    for (of, id) in [("uuid", "md5(id::text)::uuid"), ("varchar", "'task-' || id")] {
        let moving = Moving::begin();
        for (id, title) in [(1, "Second"), (2, "First"), (3, "Third")] {
            moving.store(id, "ada", title);
        }
        moving.owner.run(&format!(
            "UPDATE task SET created_at = created_at + interval '1 day' WHERE id <> 2; \
             ALTER TABLE task ALTER id DROP DEFAULT, ALTER id TYPE {of} USING {id}"
        ));
        assert!(moving.owner.try_run(COPY).is_err());
        moving.owner.run("ROLLBACK");

        let [_, _, _, numbers, ..] = blocks();
        moving.owner.run(&numbers);
        moving.owner.run(
            "INSERT INTO task (id, user_id, title, completed, created_at, updated_at) \
             VALUES (gen_random_uuid(), 'ada', 'Late', false, now(), now())",
        );
        let copy = COPY.replace("id::bigint AS id", "number AS id");
        for _ in 0..2 {
            assert_eq!(moving.owner.run(&copy), ["1000004"], "no column is left out");
            let titles = moving.request("ada", "SELECT id || ' ' || title FROM tasks ORDER BY id");
            assert_eq!(titles, ["1 First", "2 Second", "3 Third", "4 Late"]);
        }
    }
}

#[test]
fn columns_that_tasks_do_not_have_are_named() {
    let moving = Moving::begin();
    moving.store(1, "ada", "Buy milk");
    moving.owner.run("ALTER TABLE task ADD priority varchar, ADD due date, ADD gone date; ALTER TABLE task DROP gone");
    assert_eq!(moving.owner.run(COPY), ["1000001", "priority", "due"]);
}

#[test]
fn a_repeat_brings_what_changed_in_fastapi_and_keeps_what_the_functions_did() {
    let moving = Moving::begin();
    for id in 1..=6 {
        moving.store(id, "ada", &format!("Task {id}"));
    }
    moving.copy();
    let versions = || moving.request("ada", "SELECT id || ':' || version FROM tasks ORDER BY id");
    let first = versions();
    moving.copy();
    assert_eq!(versions(), first);

    // FastAPI changes 1 and 4, deletes 2 and 5, and creates 7.
    moving.owner.run(
        "UPDATE task SET title = 'Old tab', completed = true WHERE id IN (1, 4); \
         DELETE FROM task WHERE id IN (2, 5)",
    );
    moving.store(7, "ada", "Late");
    // The functions change 4 and 5, delete 6, and create one.
    let own = moving.request(
        "ada",
        "UPDATE tasks SET title = 'New tab', version = version + 1 WHERE id IN (4, 5); \
         DELETE FROM tasks WHERE id = 6; \
         INSERT INTO tasks (id, user_id, title) VALUES (nextval('tasks_id_seq'), 'ada', 'Own') RETURNING id",
    );
    assert_eq!(own, ["1000007"]);
    let expected = json!([
        [1, "Old tab", true],
        [3, "Task 3", false],
        [4, "New tab", false],
        [5, "New tab", false],
        [7, "Late", false],
        [1_000_007, "Own", false],
    ]);
    for _ in 0..2 {
        moving.copy();
        assert_eq!(moving.seen("ada"), expected);
    }
    // The copy changes the task's ETag.
    assert_eq!(versions()[0], "1:2");

    // An empty table does not delete everything.
    moving.owner.run("DELETE FROM task");
    assert_eq!(moving.owner.try_run(COPY).unwrap_err(), "P0001");
    moving.owner.run("ROLLBACK");
    assert_eq!(moving.seen("ada"), expected);
    let [.., clean_up] = blocks();
    moving.owner.run(&clean_up);
    assert_eq!(moving.seen("ada"), expected);
}

#[test]
fn fastapi_continues_while_its_table_tasks_is_renamed() {
    let server = database();
    sql(&server.url, "CREATE DATABASE of_the_tutorial");
    let url = with_name(&server.url, "of_the_tutorial");
    let [table, rename, end_of_the_old_name, ..] = blocks();
    let theirs = table.replace("CREATE TABLE task (", "CREATE TABLE tasks (");
    assert_ne!(theirs, table);
    sql(&url, &theirs);
    // FastAPI's process with the old model, and one with the new.
    let fastapi = Session::open(&url);
    let create = |table: &str| {
        let values = "(user_id, title, completed, created_at, updated_at) VALUES ('ada', 'First', false, now(), now())";
        fastapi.run(&format!("INSERT INTO {table} {values} RETURNING {table}.id")).remove(0)
    };
    let change = |table: &str, id: &str| {
        let set = format!("SET completed = true WHERE {table}.id = {id} RETURNING id");
        fastapi
            .run(&format!("UPDATE {table} {set}; DELETE FROM {table} WHERE id = {id} RETURNING id"))
    };
    let migrate = || xtask().arg("migrate").env("DATABASE_URL", &url).output().unwrap();
    assert_eq!(create("tasks"), "1");
    sql(&url, &rename);
    assert_eq!((create("tasks"), create("task")), ("2".into(), "3".into()));
    assert_eq!(
        (change("tasks", "1"), change("task", "2")),
        (vec!["1".into(); 2], vec!["2".into(); 2])
    );
    assert!(!migrate().status.success());
    sql(&url, &end_of_the_old_name);
    let migrated = migrate();
    assert!(migrated.status.success(), "{migrated:?}");
    sql(&url, COPY);
    // Both sides continue, each with its own ids.
    assert_eq!(create("task"), "4");
    let next = sql(&url, &as_user("ada", "SELECT nextval('tasks_id_seq')"));
    assert_eq!(next, ["1000004"]);
    assert!(try_sql(&url, COPY).is_ok());
}
