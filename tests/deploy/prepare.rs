//! `cargo xtask stage … prepare` proves a login before it stores it: through a proxy like Neon's,
//! and directly on PostgreSQL.
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use functions::DATABASE_ROLE;
use serde_json::json;
use tests::{Fixture, Neon, ask_aws, xtask};

use crate::logins::{Stage, local_aws, serves};
use crate::tools::{failure, success, with_aws};

/// The messages of Neon's proxy.
fn refused(user: &str) -> String {
    format!("password authentication failed for user '{user}'")
}

/// A stage's logins in its database.
fn logins(stage: &Stage) -> Vec<String> {
    stage.admin("SELECT rolname FROM pg_roles WHERE rolname ~ '_dev_[ab]$' ORDER BY 1")
}

/// The names of all secrets and parameters.
fn stored(stage: &Stage) -> Vec<String> {
    let names = |target, list: &str| -> Vec<String> {
        let answer = ask_aws(&stage.aws.url, target, &json!({}));
        let listed = answer[list].as_array().unwrap().iter();
        listed.map(|one| one["Name"].as_str().unwrap().to_owned()).collect()
    };
    let parameters = names("AmazonSSM.DescribeParameters", "Parameters");
    [names("secretsmanager.ListSecrets", "SecretList"), parameters].concat()
}

#[test]
fn a_login_that_neons_proxy_hears_of_late_is_waited_for() {
    let (aws, server) = (local_aws(), Fixture::start("database", &[]));
    let stage = Stage::new(&aws, "dev", &server);
    let neon = Neon::before(&stage.owner_url);
    stage.settings(&neon.url(&stage.owner_url));
    let first = OnceLock::new();
    neon.refuse(move |user| {
        let late = user.starts_with(DATABASE_ROLE)
            && first.get_or_init(Instant::now).elapsed() < Duration::from_secs(5);
        late.then(|| refused(user))
    });
    let started = Instant::now();
    let said = success(&mut stage.prepare(&[]));
    assert!(started.elapsed() > Duration::from_secs(5), "{said}");
    assert_eq!(logins(&stage), ["api_request_dev_a", "better_auth_dev_a"]);
    // The proxy supports direct TLS, so that is stored.
    for url in [stage.functions_url(), stage.app_url()] {
        assert!(url.contains("sslnegotiation=direct"), "{url}");
    }
    assert!(serves(&stage.functions_url()));
}

#[test]
fn a_login_that_is_refused_for_good_is_neither_stored_nor_left_behind() {
    let (aws, server) = (local_aws(), Fixture::start("database", &[]));
    let stage = Stage::new(&aws, "dev", &server);
    let neon = Neon::before(&stage.owner_url);
    stage.settings(&neon.url(&stage.owner_url));
    for login in ["api_request_dev_a", "better_auth_dev_a"] {
        neon.refuse(move |user| (user == login).then(|| refused(user)));
        let said = failure(&mut stage.prepare(&[]));
        assert!(said.contains(&refused(login)) && said.contains("nothing is stored"), "{said}");
        assert_eq!((logins(&stage), stored(&stage)), (Vec::new(), Vec::new()));
    }

    // The login in use stays.
    neon.refuse(|_| None);
    success(&mut stage.prepare(&[]));
    let parameters = ["app", "owner"].map(|whose| format!("/task-api/dev/{whose}-database-url"));
    assert_eq!(stored(&stage), [&["task-api/dev".to_owned()][..], &parameters].concat());
    let (functions, app) = (stage.functions_url(), stage.app_url());
    neon.refuse(|user| (user == "api_request_dev_b").then(|| refused(user)));
    let said = failure(&mut stage.prepare(&["--new-login", "--now"]));
    assert!(said.contains(&refused("api_request_dev_b")), "{said}");
    assert_eq!(logins(&stage), ["api_request_dev_a", "better_auth_dev_a"]);
    assert_eq!((stage.functions_url(), stage.app_url()), (functions.clone(), app));
    assert!(serves(&functions));
}

#[test]
fn a_login_that_row_security_does_not_hold_is_refused() {
    let (aws, server) = (local_aws(), Fixture::start("database", &[]));
    let stage = Stage::new(&aws, "dev", &server);
    success(&mut stage.prepare(&[]));
    let functions = stage.functions_url();
    // PostgreSQL before 17 does not support direct TLS.
    let version: u32 = stage.admin("SHOW server_version_num")[0].parse().unwrap();
    assert_eq!(functions.contains("sslnegotiation=direct"), version >= 170_000, "{functions}");

    stage.admin("ALTER TABLE tasks DISABLE ROW LEVEL SECURITY");
    let said = failure(&mut stage.prepare(&["--new-login"]));
    assert!(said.contains("row-level security does not hold"), "{said}");
    assert_eq!(logins(&stage), ["api_request_dev_a", "better_auth_dev_a"]);
    assert_eq!(stage.functions_url(), functions);
    stage.admin("ALTER TABLE tasks ENABLE ROW LEVEL SECURITY");
    success(&mut stage.prepare(&["--new-login"]));
}

#[test]
fn where_others_may_create_what_requests_would_run_nothing_is_prepared() {
    let (aws, server) = (local_aws(), Fixture::start("database", &[]));
    let stage = Stage::new(&aws, "dev", &server);
    // As in a database upgraded from PostgreSQL 14.
    stage.admin(
        "ALTER SCHEMA public OWNER TO embedded; \
         GRANT CREATE ON SCHEMA public TO PUBLIC, owner_of_dev",
    );
    let said = failure(&mut stage.prepare(&[]));
    assert!(said.contains("REVOKE CREATE ON SCHEMA public FROM PUBLIC; -- as embedded"), "{said}");
    assert_eq!((logins(&stage), stored(&stage)), (Vec::new(), Vec::new()));
    stage.admin("REVOKE CREATE ON SCHEMA public FROM PUBLIC");
    success(&mut stage.prepare(&[]));
    stage.admin("GRANT CREATE ON SCHEMA public TO better_auth_dev_a");
    for options in [&[][..], &["--dry-run"]] {
        let said = failure(&mut stage.prepare(options));
        assert!(said.contains("REVOKE CREATE ON SCHEMA public FROM better_auth_dev_a"), "{said}");
    }
}

#[test]
fn what_prod_reserves_is_told_before_a_deployment_ends_at_it() {
    let server = Fixture::start("database", &[]);
    let small = Fixture::start("aws", &[("LAMBDA_ACCOUNT_CONCURRENCY", "10")]);
    let said = success(&mut Stage::new(&small, "dev", &server).prepare(&["--dry-run"]));
    assert!(said.contains("prod cannot be deployed yet"), "{said}");
    assert!(said.contains("--quota-code L-B99A9384 --desired-value 380"), "{said}");
    let large = Fixture::start("aws", &[("LAMBDA_ACCOUNT_CONCURRENCY", "1000")]);
    let said = success(&mut Stage::new(&large, "prod", &server).prepare(&["--dry-run"]));
    assert!(!said.contains("concurrent executions"), "{said}");
}

#[test]
fn where_the_aws_cli_is_missing_it_is_said_where_to_get_it() {
    let mut command = with_aws(xtask(), "http://127.0.0.1:1");
    let said = failure(command.env("PATH", "/nowhere").args(["stage", "dev", "check"]));
    assert!(said.contains("the AWS CLI cannot be started: https://docs.aws.amazon.com/"), "{said}");
}
