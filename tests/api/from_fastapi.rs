//! The SQL in `docs/coming-from-fastapi.md`, run on the table that the page assumes.
use serde_json::{Value, json};
use tests::{Page, Session, as_user, database, new_database, sql, try_sql, xtask};

const COPY: &str = include_str!("../../docs/coming-from-fastapi.sql");

/// The tutorial's database with the functions' tables, and their owner, who is not a superuser.
struct Moving {
    owner: Session,
    functions_url: String,
}

/// The page's SQL blocks: the table, how to rename it, the misfits, and the clean-up.
fn blocks() -> [String; 4] {
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
fn a_table_that_is_called_tasks_is_renamed_first() {
    let server = database();
    sql(&server.url, "CREATE DATABASE of_the_tutorial");
    let url = server.url.replace("/tasks?", "/of_the_tutorial?");
    let [table, rename, ..] = blocks();
    let theirs = table.replace("CREATE TABLE task (", "CREATE TABLE tasks (");
    assert_ne!(theirs, table);
    sql(&url, &theirs);
    let migrate = || xtask().arg("migrate").env("DATABASE_URL", &url).output().unwrap();
    assert!(!migrate().status.success());
    sql(&url, &rename);
    let migrated = migrate();
    assert!(migrated.status.success(), "{migrated:?}");
    let insert = "INSERT INTO task (user_id, title, completed, created_at, updated_at) VALUES ('ada', 'First', false, now(), now())";
    sql(&url, insert);
    sql(&url, COPY);
    // Both sides continue, each with its own ids.
    sql(&url, insert);
    let next = sql(&url, &as_user("ada", "SELECT nextval('tasks_id_seq')"));
    assert_eq!(
        (sql(&url, "SELECT max(id) FROM task"), next),
        (vec!["2".into()], vec!["1000002".into()])
    );
    assert!(try_sql(&url, COPY).is_ok());
}
