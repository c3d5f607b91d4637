//! `cargo xtask migrate`.
use std::io::Write;
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use tests::{
    DATABASE_ROLE, Resource, Session, any_resource, database, new_database, resources, sql,
    with_name, xtask,
};

#[test]
fn migrations_are_safe_to_run_twice_and_at_once() {
    sql(&database().url, "CREATE DATABASE migrated");
    let url = with_name(&database().url, "migrated");
    let migrate = || {
        let mut command = xtask();
        command.arg("migrate").env("DATABASE_URL", &url);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let printed = |output: Output| {
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let at_once: Vec<_> = (0..4).map(|_| migrate()).collect();
    let mut said: Vec<_> =
        at_once.into_iter().map(|m| printed(m.wait_with_output().unwrap())).collect();
    said.sort();
    assert!(said[0].contains("migrated: V1__"), "{said:?}");
    assert!(said[1..].iter().all(|said| said.contains("up to date")), "{said:?}");
    assert!(printed(migrate().wait_with_output().unwrap()).contains("up to date"));
    for Resource { table, .. } in resources() {
        assert_eq!(sql(&url, &format!("SELECT count(*) FROM {table}")), ["0"]);
    }
}

#[test]
fn a_database_that_cannot_be_migrated_is_one_clear_line() {
    for (url, reason) in [
        ("postgres://user:HUSH@127.0.0.1:1/tasks", "Connection refused"),
        ("mysql://user:HUSH@127.0.0.1/tasks", "not a postgres:// URL"),
    ] {
        let output = xtask().arg("migrate").env("DATABASE_URL", url).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && said.contains(reason), "{said}");
        assert!(
            said.starts_with("error: ") && said.lines().count() == 1 && !said.contains("HUSH"),
            "{said}"
        );
    }
}

#[test]
fn a_password_is_piped_and_never_an_argument() {
    let url = &database().url;
    let refused = xtask().args(["migrate", "--database-url", url]).output().unwrap();
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success() && said.contains("--database-url -"), "{said}");

    let mut piped = xtask();
    piped.args(["migrate", "--database-url", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut piped = piped.spawn().unwrap();
    writeln!(piped.stdin.take().unwrap(), "{url}").unwrap();
    let piped = piped.wait_with_output().unwrap();
    assert!(piped.status.success() && piped.stdout.starts_with(b"The database is up to date"));
}

#[test]
fn a_migration_does_not_wait_for_ever() {
    sql(&database().url, "CREATE DATABASE locked");
    let url = with_name(&database().url, "locked");
    let holder = Session::open(&url);
    let pid =
        holder.run("SELECT pg_backend_pid() FROM pg_advisory_lock(127961897071393)").remove(0);
    let started = Instant::now();
    let output = xtask().arg("migrate").env("DATABASE_URL", &url).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.contains(&format!("the session {pid} of")), "{said}");
    assert!(started.elapsed() < Duration::from_mins(1));
}

/// `public` as in a database upgraded from PostgreSQL 14, where the tables' owner does not own it.
const OF_ANOTHER_OWNER: &str = "ALTER SCHEMA public OWNER TO embedded; \
    GRANT CREATE ON SCHEMA public TO PUBLIC, tenant, web_access";

/// What lets somebody else place objects where requests look them up; the SQL that ends it, and
/// who must run that.
const PLANTS: [(&str, &str, &str); 9] = [
    (OF_ANOTHER_OWNER, "REVOKE CREATE ON SCHEMA public FROM PUBLIC", "embedded"),
    (
        "GRANT CREATE ON DATABASE tenancy TO PUBLIC",
        "REVOKE CREATE ON DATABASE tenancy FROM PUBLIC",
        "tenant",
    ),
    (
        "GRANT CREATE ON SCHEMA public TO planter",
        "REVOKE CREATE ON SCHEMA public FROM planter",
        "embedded",
    ),
    (
        "GRANT CREATE ON SCHEMA public TO better_auth",
        "REVOKE CREATE ON SCHEMA public FROM better_auth",
        "embedded",
    ),
    (
        "GRANT CREATE ON SCHEMA public TO team; GRANT team TO planter",
        "REVOKE team FROM planter",
        "embedded",
    ),
    ("GRANT tenant TO planter", "REVOKE tenant FROM planter", "embedded"),
    // The first schema of a login's default search path has its name.
    (
        "CREATE SCHEMA planter; GRANT CREATE ON SCHEMA planter TO PUBLIC",
        "REVOKE CREATE ON SCHEMA planter FROM PUBLIC",
        "embedded",
    ),
    ("ALTER SCHEMA planter OWNER TO planter", "ALTER SCHEMA planter OWNER TO tenant", "planter"),
    // Planted while anybody could.
    (
        "CREATE FUNCTION public.nextval(text) RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint'; \
         ALTER FUNCTION public.nextval(text) OWNER TO passer_by",
        "DROP ROUTINE public.nextval(text)",
        "passer_by",
    ),
];

#[test]
fn where_others_can_plant_what_requests_would_run_the_sql_that_ends_it_is_printed() {
    let server = &database().url;
    let roles = format!(
        "CREATE ROLE tenant LOGIN PASSWORD 'tenant'; GRANT {DATABASE_ROLE} TO tenant WITH ADMIN OPTION; \
         CREATE ROLE planter LOGIN NOINHERIT IN ROLE {DATABASE_ROLE}; \
         CREATE ROLE better_auth; CREATE ROLE team; CREATE ROLE passer_by; CREATE ROLE web_access"
    );
    sql(server, &roles);
    sql(server, "CREATE DATABASE tenancy OWNER tenant");
    let admin = with_name(server, "tenancy");
    let owner = format!("postgres://tenant:tenant@{}", admin.split_once('@').unwrap().1);
    let migrate = || {
        let output = xtask().arg("migrate").env("DATABASE_URL", &owner).output().unwrap();
        (output.status.success(), String::from_utf8(output.stderr).unwrap())
    };
    for (plant, remedy, by) in PLANTS {
        sql(&admin, plant);
        let (migrated, said) = migrate();
        assert!(!migrated, "{plant}");
        let printed: Vec<_> = said.lines().filter_map(|line| line.strip_prefix("  ")).collect();
        assert!(printed.contains(&format!("{remedy}; -- as {by}").as_str()), "{plant}: {said}");
        sql(&admin, &printed.join("\n"));
        let (migrated, said) = migrate();
        assert!(migrated, "{plant}: {said}");
    }
}

#[test]
fn a_routine_of_another_owner_is_never_called() {
    let [url, _] = &new_database();
    let routine = any_resource().statement("get").routine();
    let owner = format!("SELECT proowner::regrole FROM pg_proc WHERE proname = '{routine}'");
    assert_eq!(sql(url, &owner), ["embedded"]);
    sql(url, &format!("CREATE ROLE early LOGIN; ALTER ROUTINE {routine} OWNER TO early"));
    let output = xtask().arg("migrate").env("DATABASE_URL", url).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    let printed = said.lines().find_map(|line| line.strip_prefix("  ")).unwrap_or_default();
    assert!(printed.starts_with(&format!("DROP ROUTINE public.{routine}(")), "{said}");
    sql(url, printed);
    assert!(xtask().arg("migrate").env("DATABASE_URL", url).output().unwrap().status.success());
    assert_eq!(sql(url, &owner), ["embedded"]);
}

#[test]
fn a_database_of_a_version_before_the_first_release_is_refused_in_one_line() {
    let [url, _] = &new_database();
    sql(url, "ALTER TABLE idempotency_keys RENAME row_id TO task_id");
    let output = xtask().arg("migrate").env("DATABASE_URL", url).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.contains("a version before 0.1.0"), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[test]
fn routines_that_no_version_needs_are_dropped_by_age_and_on_demand() {
    let [url, _] = &new_database();
    let known = any_resource().statement("get").routine();
    let old = "api_tasks_get_0123456789abcdef";
    let day = |routine: &str, days: u32| {
        sql(
            url,
            &format!(
                "DO $$ BEGIN EXECUTE format('COMMENT ON ROUTINE {routine} IS %L', \
                 'Needed by a version that was migrated on ' || current_date - {days}); END $$"
            ),
        );
    };
    sql(url, &format!("CREATE FUNCTION {old}(text) RETURNS int LANGUAGE sql AS 'SELECT 1'"));
    let tidy = |arguments: &[&str]| {
        let mut command = xtask();
        command.args(["migrate", "--tidy"]).args(arguments).env("DATABASE_URL", url);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let there = format!("SELECT proname FROM pg_proc WHERE proname IN ('{old}', '{known}')");
        (
            String::from_utf8(output.stdout).unwrap(),
            sql(url, &format!("{there} ORDER BY proname = '{known}'")),
        )
    };
    let both = [old.to_owned(), known.clone()];
    // Too young, and of this version.
    day(old, 29);
    day(&known, 100);
    let (said, there) = tidy(&["--yes"]);
    assert!(said.contains("no routine") && there == both, "{said}{there:?}");
    day(old, 31);
    let (said, there) = tidy(&[]);
    assert!(said.contains(old) && said.contains("500 `internal`") && there == both, "{said}");
    assert!(tidy(&["--days", "40"]).0.contains("no routine"));
    let (said, there) = tidy(&["--yes"]);
    assert!(said.contains("They are dropped") && there == [known.clone()], "{said}{there:?}");
}
