//! `cargo xtask stage … prepare` proves a login before it stores it: through a proxy like Neon's,
//! and directly on PostgreSQL.
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use functions::DATABASE_ROLE;
use serde_json::{Value, json};
use tests::{Fixture, JwtApp, Neon, ask_aws, xtask};

use crate::logins::{Stage, local_aws, serves};
use crate::tools::{failure, operator, success, with_aws};

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

/// The URL of a server that answers one request with this.
fn once(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/jwks", listener.local_addr().unwrap());
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 1000]);
        stream.write_all(answer.as_bytes()).unwrap();
    });
    url
}

#[test]
fn the_keys_of_an_app_are_tried_stored_and_replaced() {
    let (aws, server) = (local_aws(), Fixture::start("database", &[]));
    let stage = Stage::new(&aws, "dev", &server);
    let mut app = JwtApp::start("ES256");
    let sign_with = |url: &str| {
        stage.signed_with(&format!("JWT_JWKS_URL={url}"), &stage.owner_url);
    };
    for (url, expected) in [
        ("http://app.example/jwks".to_owned(), "must be an https URL"),
        ("http://127.0.0.1:1/jwks".into(), "it cannot be reached"),
        (
            once("HTTP/1.1 308 x\r\nlocation: https://www.app.example/jwks\r\n\r\n"),
            "it redirects to https://www.app.example/jwks",
        ),
        (once("HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\n{\"keys\":[]}"), "usable keys: none"),
    ] {
        sign_with(&url);
        let said = failure(&mut stage.prepare(&[]));
        assert!(said.contains(expected), "{said}");
        assert_eq!(stored(&stage), Vec::<String>::new());
    }

    let kid = |keys: &Value, index: usize| keys["keys"][index]["kid"].as_str().unwrap().to_owned();
    let first = kid(&app.keys(), 0);
    sign_with(&app.keys_url());
    let said = success(&mut stage.prepare(&[]));
    assert!(said.contains(&format!("usable keys: ES256 {first}; others: 0")), "{said}");
    let stored_keys = || -> Value { stage.secret()["JWT_JWKS"].as_str().unwrap().parse().unwrap() };
    assert_eq!(stored_keys()["keys"].as_array().unwrap().len(), 1);
    let log_key = stage.secret()["LOG_KEY"].clone();
    assert_eq!(log_key.as_str().unwrap().len(), 43);
    assert!(stage.secret().get("BETTER_AUTH_SECRET").is_none());
    let user = success(operator(&aws.url).args(["stage", "dev", "user", "u"]));
    assert!(user.contains(&shared::log_name(&log_key.as_str().unwrap().into(), "u")), "{user}");

    // The app rotates by itself; the command stores what it has now.
    app.rotate();
    app.token();
    let rotate = || success(operator(&aws.url).args(["stage", "dev", "rotate"]));
    let said = rotate();
    assert!(said.contains("These keys are stored; in five minutes"), "{said}");
    assert_eq!(stored_keys()["keys"].as_array().unwrap().len(), 2);
    assert!(rotate().contains("stored already"));
    let finish = success(operator(&aws.url).args(["stage", "dev", "rotate", "--finish"]));
    assert!(finish.contains("no rotation to finish"), "{finish}");

    // While the app is away, its keys stay; those of another app would not.
    let both = stored_keys();
    drop(app);
    let said = success(&mut stage.prepare(&[]));
    assert!(said.contains("The keys in the secret stay."), "{said}");
    assert_eq!((stored_keys(), &stage.secret()["LOG_KEY"]), (both, &log_key));
    sign_with("http://127.0.0.1:1/jwks");
    failure(&mut stage.prepare(&[]));
}
