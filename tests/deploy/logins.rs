//! What `cargo xtask stage … prepare` does about a thief who has a login's password.
use std::process::Command;
use std::sync::LazyLock;
use std::thread::sleep;
use std::time::Duration;

use functions::DATABASE_ROLE;
use serde_json::Value;
use shared::{Database, DatabaseUrl};
use tempfile::TempDir;
use tests::{
    AUDIENCE, Fixture, ISSUER, SECRET, Session, sql, stored_parameter, stored_secret, with_login,
};
use tokio::runtime::Builder;

use crate::tools::{failure, operator, success};

/// The password of a stage's database's owner.
pub const OWNER_PASSWORD: &str = "the-password-of-the-owner";
/// The advisory lock of `cargo xtask migrate`.
const MIGRATION_LOCK: &str = "SELECT pg_advisory_lock(127961897071393)";

/// A separate server, since roles belong to the server and other tests use the same stages.
fn server() -> &'static Fixture {
    static SERVER: LazyLock<Fixture> = LazyLock::new(|| Fixture::start("database", &[]));
    &SERVER
}

pub fn local_aws() -> Fixture {
    Fixture::start("aws", &[])
}

/// A stage that is prepared but not deployed.
pub struct Stage<'a> {
    pub aws: &'a Fixture,
    name: &'static str,
    /// The URL of the server's superuser.
    admin_url: String,
    /// The URL of the database's owner.
    pub owner_url: String,
    folder: TempDir,
}

impl<'a> Stage<'a> {
    /// A stage with its own database, whose owner is not a superuser.
    pub fn new(aws: &'a Fixture, name: &'static str, server: &Fixture) -> Self {
        let owner = format!("owner_of_{name}");
        let make = format!(
            "CREATE ROLE {owner} LOGIN CREATEROLE PASSWORD '{OWNER_PASSWORD}'; \
             GRANT {DATABASE_ROLE} TO {owner} WITH ADMIN OPTION; {}",
            "DO $$ BEGIN CREATE ROLE better_auth; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
        );
        sql(&server.url, &make);
        sql(&server.url, &format!("GRANT better_auth TO {owner} WITH ADMIN OPTION"));
        sql(&server.url, &format!("CREATE DATABASE stage_{name} OWNER {owner}"));
        let admin_url = server.url.replace("/tasks?", &format!("/stage_{name}?"));
        let owner_url = with_login(&admin_url, &owner, OWNER_PASSWORD);
        let stage = Self { aws, name, admin_url, owner_url, folder: tempfile::tempdir().unwrap() };
        stage.settings(&stage.owner_url);
        stage
    }

    pub fn settings(&self, database_url: &str) {
        self.signed_with(&format!("BETTER_AUTH_SECRET={SECRET}"), database_url);
    }

    /// Settings with this one for tokens.
    pub fn signed_with(&self, setting: &str, database_url: &str) {
        let settings = format!(
            "{setting}\nDATABASE_URL={database_url}\nJWT_ISSUER={ISSUER}\nJWT_AUDIENCE={AUDIENCE}\n"
        );
        std::fs::write(self.folder.path().join("settings"), settings).unwrap();
    }

    pub fn prepare(&self, options: &[&str]) -> Command {
        let mut command = operator(&self.aws.url);
        command.args(["stage", self.name, "prepare", "--env-file"]);
        command.arg(self.folder.path().join("settings")).args(options);
        command
    }

    /// The functions' settings.
    pub fn secret(&self) -> Value {
        stored_secret(&self.aws.url, &format!("task-api/{}", self.name)).parse().unwrap()
    }

    /// The functions' `DATABASE_URL`.
    pub fn functions_url(&self) -> String {
        self.secret()["DATABASE_URL"].as_str().unwrap().to_owned()
    }

    /// The app's `DATABASE_URL`.
    pub fn app_url(&self) -> String {
        stored_parameter(&self.aws.url, &format!("/task-api/{}/app-database-url", self.name))
    }

    fn login(&self, access: &str, suffix: &str) -> String {
        format!("{access}_{}_{suffix}", self.name)
    }

    pub fn admin(&self, statement: &str) -> Vec<String> {
        sql(&self.admin_url, statement)
    }

    fn sessions(&self, login: &str) -> Vec<String> {
        self.admin(&format!("SELECT pid FROM pg_stat_activity WHERE usename = '{login}'"))
    }
}

/// The URL with another password.
fn with_password(url: &str, password: &str) -> String {
    let parsed: DatabaseUrl = url.parse().unwrap();
    with_login(url, parsed.user().unwrap(), password)
}

/// Whether the URL can log in.
pub fn logs_in(url: &str) -> bool {
    let database = Database::new(&url.parse().unwrap(), 1).unwrap();
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(database.connection()).is_ok()
}

/// Runs a request's transaction.
pub fn serves(url: &str) -> bool {
    let request = format!(
        "BEGIN; SET LOCAL ROLE {DATABASE_ROLE}; SET LOCAL {DATABASE_ROLE}.user_id = 'u'; SELECT count(*) FROM tasks; COMMIT"
    );
    sql(url, &request) == ["0"]
}

#[test]
fn replacing_a_login_ends_its_sessions() {
    let aws = local_aws();
    let stage = Stage::new(&aws, "dev", server());
    success(&mut stage.prepare(&[]));
    let stolen = stage.functions_url();
    let [a, b] = ["a", "b"].map(|suffix| stage.login(DATABASE_ROLE, suffix));
    assert!(stolen.contains(&format!("//{a}:")) && serves(&stolen));

    // Settings that outlive the session, and a changed password.
    let thief = Session::open(&stolen);
    thief.run(&format!(
        "ALTER ROLE {a} SET row_security = off; ALTER ROLE {a} IN DATABASE stage_dev SET search_path = nowhere; \
         ALTER ROLE {a} PASSWORD 'thief'"
    ));
    let changed = with_password(&stolen, "thief");
    // Locks on the migrations, the tables, and the role itself.
    let locks = [
        MIGRATION_LOCK.to_owned(),
        format!(
            "BEGIN; SET LOCAL ROLE {DATABASE_ROLE}; LOCK TABLE public.tasks IN ACCESS SHARE MODE"
        ),
        format!("BEGIN; ALTER ROLE {a} PASSWORD 'again'"),
    ];
    let held: Vec<Session> = locks.iter().map(|_| Session::open(&changed)).collect();
    held.iter().zip(&locks).for_each(|(session, lock)| drop(session.run(lock)));
    assert_eq!(stage.sessions(&a).len(), 4);
    stage.admin("CREATE ROLE accomplice");
    let version: u32 = stage.admin("SHOW server_version_num")[0].parse().unwrap();
    if version < 160_000 {
        // Before PostgreSQL 15, the thief can do this.
        stage.admin(&format!("GRANT {a} TO accomplice"));
    }

    let said = success(&mut stage.prepare(&["--new-login", "--now"]));
    assert!(said.contains(&format!("log in to the database as {b}")), "{said}");
    assert!(said.contains(&format!("The login {a} has ended")), "{said}");
    assert_eq!(stage.sessions(&a), Vec::<String>::new());
    assert!(!logs_in(&stolen) && !logs_in(&changed) && !logs_in(&with_password(&stolen, "again")));
    let may = |role| format!("SELECT pg_has_role('{role}', '{DATABASE_ROLE}', 'MEMBER')");
    assert_eq!([stage.admin(&may("accomplice")), stage.admin(&may(&a))], [["f"], ["f"]]);
    let second = stage.functions_url();
    assert!(second.contains(&format!("//{b}:")) && serves(&second));

    // The next login reuses the first role, without the thief's changes.
    success(&mut stage.prepare(&["--new-login", "--now"]));
    let third = stage.functions_url();
    assert!(third.contains(&format!("//{a}:")) && serves(&third));
    let settings =
        format!("SELECT setconfig FROM pg_db_role_setting WHERE setrole = '{a}'::regrole");
    assert_eq!(stage.admin(&settings), ["{statement_timeout=4s}"]);
    for old in [&stolen, &changed, &second] {
        assert!(!logs_in(old), "{old}");
    }
}

#[test]
fn a_login_that_is_replaced_without_haste_ends_later_and_with_its_sessions() {
    let aws = local_aws();
    let stage = Stage::new(&aws, "staging", server());
    success(&mut stage.prepare(&[]));
    let (first, app) = (stage.functions_url(), stage.app_url());
    let a = stage.login(DATABASE_ROLE, "a");
    let thief = Session::open(&first);
    thief.run("SELECT 1");
    let said = success(&mut stage.prepare(&["--new-login"]));
    assert!(said.contains(&format!("password of {a} ends in 10 minutes")), "{said}");
    let of_app = stage.login("better_auth", "a");
    let said = success(&mut stage.prepare(&["--new-login=app"]));
    assert!(said.contains(&format!("password of {of_app} ends in 1440 minutes")), "{said}");
    // The old logins still work for clients without the new settings.
    assert!(logs_in(&first) && logs_in(&app) && logs_in(&stage.app_url()));
    assert!(stage.app_url().contains(&stage.login("better_auth", "b")));

    // After ten minutes, the next `prepare` ends open sessions.
    stage.admin(&format!("ALTER ROLE {a} VALID UNTIL '2000-01-01'"));
    assert!(!logs_in(&first) && !stage.sessions(&a).is_empty());
    let said = success(&mut stage.prepare(&[]));
    assert!(said.contains(&format!("The login {a} has ended")), "{said}");
    assert!(said.contains(&format!("The password of {of_app} ends at 20")), "{said}");
    assert_eq!(stage.sessions(&a), Vec::<String>::new());
    let said = success(&mut stage.prepare(&["--now"]));
    assert!(
        said.contains(&format!("The login {of_app} has ended")) && !said.contains(&a),
        "{said}"
    );
    assert!(!logs_in(&app) && serves(&stage.functions_url()));
}

#[test]
fn a_lock_that_somebody_holds_keeps_nobody_from_a_new_login() {
    let server = Fixture::start("database", &[]);
    let aws = local_aws();
    let stage = Stage::new(&aws, "dev", &server);
    success(&mut stage.prepare(&[]));
    let stolen = stage.functions_url();
    let bystander = Session::open(&stage.admin_url);
    bystander.run(MIGRATION_LOCK);
    let said = failure(&mut stage.prepare(&["--new-login", "--now"]));
    assert!(said.contains("holds its lock"), "{said}");
    assert!(!logs_in(&stolen) && serves(&stage.functions_url()));
}

#[test]
fn a_role_that_could_do_more_is_not_adopted() {
    let aws = local_aws();
    let stage = Stage::new(&aws, "prod", server());
    let login = stage.login(DATABASE_ROLE, "a");
    stage.admin("CREATE ROLE mallory");
    for (power, made) in [
        ("SUPERUSER", format!("CREATE ROLE {login} SUPERUSER")),
        ("BYPASSRLS", format!("CREATE ROLE {login} BYPASSRLS")),
        ("CREATEROLE", format!("CREATE ROLE {login} CREATEROLE")),
        ("member of pg_read_all_data", format!("CREATE ROLE {login} IN ROLE pg_read_all_data")),
        ("with the members mallory", format!("CREATE ROLE {login} ROLE mallory")),
        (
            "owner of objects",
            format!("CREATE ROLE {login}; CREATE SCHEMA theirs AUTHORIZATION {login}"),
        ),
        (
            "SELECT ON public.tasks",
            format!("CREATE ROLE {login}; GRANT SELECT ON tasks TO {login}"),
        ),
        (
            "UPDATE (title) ON public.tasks",
            format!("CREATE ROLE {login}; GRANT UPDATE (title) ON tasks TO {login}"),
        ),
        (
            "CREATE ON SCHEMA public",
            format!("CREATE ROLE {login}; GRANT CREATE ON SCHEMA public TO {login}"),
        ),
        (
            "function pg_ls_dir(text)",
            format!("CREATE ROLE {login}; GRANT EXECUTE ON FUNCTION pg_ls_dir(text) TO {login}"),
        ),
        (
            "default privileges",
            format!(
                "CREATE ROLE {login}; \
                 ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO {login}"
            ),
        ),
    ] {
        stage.admin(&made);
        let said = failure(&mut stage.prepare(&[]));
        assert!(said.contains(&login) && said.contains(power), "{power}: {said}");
        stage.admin(&format!("DROP OWNED BY {login}; DROP ROLE {login}"));
    }
    // Nor are the roles that the logins are members of.
    for (role, object, grant) in [
        (DATABASE_ROLE, "account", "SELECT"),
        (DATABASE_ROLE, "tasks", "TRUNCATE"),
        (DATABASE_ROLE, "tasks", "UPDATE (user_id)"),
        (DATABASE_ROLE, "SCHEMA public", "CREATE"),
        ("better_auth", "tasks", "SELECT"),
    ] {
        stage.admin("CREATE TABLE IF NOT EXISTS account (password text)");
        stage.admin(&format!("GRANT {grant} ON {object} TO {role}"));
        let said = failure(&mut stage.prepare(&[]));
        let named = said.contains(role) && said.contains(&format!("{grant} ON "));
        assert!(named && said.contains(object), "{grant} ON {object}: {said}");
        stage.admin(&format!("REVOKE {grant} ON {object} FROM {role}"));
    }
    // What a login has given away of its own, as a thief may, keeps nobody from a new login.
    success(&mut stage.prepare(&[]));
    Session::open(&stage.app_url()).run(&format!(
        "SELECT lo_create(7); GRANT SELECT ON LARGE OBJECT 7 TO {DATABASE_ROLE}, better_auth"
    ));
    success(&mut stage.prepare(&["--new-login"]));
}

#[test]
fn after_a_move_the_old_servers_login_ends_or_the_operator_hears_that_it_does_not() {
    let (old, new) = (Fixture::start("database", &[]), Fixture::start("database", &[]));
    let aws = local_aws();
    let stage = Stage::new(&aws, "staging", &old);
    success(&mut stage.prepare(&[]));
    let first = stage.functions_url();
    let on_new = Stage::new(&aws, "staging", &new);
    let said = success(&mut on_new.prepare(&["--now"]));
    assert!(
        said.contains(&format!("The login {} has ended", stage.login(DATABASE_ROLE, "a"))),
        "{said}"
    );
    assert!(!logs_in(&first) && serves(&stage.functions_url()));

    let gone = stage.functions_url();
    drop(new);
    while logs_in(&gone) {
        sleep(Duration::from_millis(100));
    }
    let said = success(&mut stage.prepare(&["--now"]));
    assert!(said.contains("The old database keeps its logins"), "{said}");
    assert!(serves(&stage.functions_url()));
}
