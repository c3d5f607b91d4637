//! The functions' log at each of Lambda's levels.
use serde_json::json;
use tests::{Fixture, SECRET, Token, User, database_url};

const MARK: &str = "HUSH-what-a-user-writes";

fn start(level: &str, database_url: &str) -> Fixture {
    Fixture::gateway(&[
        ("AWS_LAMBDA_LOG_FORMAT", "JSON"),
        ("AWS_LAMBDA_LOG_LEVEL", level),
        ("SERVICE_NAME", "task-api-test"),
        ("DATABASE_URL", database_url),
    ])
}

#[test]
fn at_no_level_a_secret_a_token_or_a_text_is_logged() {
    let stack = start("TRACE", database_url());
    let user = User::of(&stack);
    let task = user.create(&json!({ "title": MARK, "description": MARK })).expect(201);
    user.update(&task["id"], &[], &json!({ "title": format!("{MARK}!") })).expect(200);
    user.update(&task["id"], &[], &json!({ "title": "" , "description": [MARK] })).faults();
    let unknown = Token::of(&user.id).secret("HUSH-a-secret-that-nobody-ever-configured");
    user.with_token(&unknown).list("").expect_problem(401, "invalid_token");
    assert_eq!(user.list(&format!("?after={MARK}")).faults(), ["after"]);

    // An event that no gateway sends.
    let url = format!("{}/2015-03-31/functions/list-tasks/invocations", stack.url);
    for event in [json!({ "headers": MARK }), json!(MARK), json!({ "rawQueryString": [MARK] })] {
        tests::send("POST", &url, &[], &event.to_string());
    }

    let lines = stack.requests();
    assert_eq!(lines.len(), 8, "{lines:#?}");
    // Only the secret and the id derive the name; a plain hash of the id does not.
    let name = shared::log_name(&SECRET.into(), &user.id);
    let named = lines.iter().filter(|line| line["user"] == name.as_str()).count();
    assert_eq!(named, 4, "all but those without a valid token: {lines:#?}");
    let log = stack.log();
    let password = database_url().split(['/', ':', '@']).nth(4).unwrap();
    assert!(password.len() > 5);
    for hushed in [MARK, "HUSH", SECRET, &user.id, &Token::of(&user.id).sign()[..40], password] {
        assert!(!log.contains(hushed), "{hushed}");
    }
}

#[test]
fn at_a_higher_level_only_what_failed_is_logged() {
    let stack = start("WARN", "postgres://user:HUSH-password@127.0.0.1:1/none");
    let user = User::of(&stack);
    user.list("").expect_problem(503, "database_unavailable");
    user.list("?limit=0").faults();
    let lines = stack.requests();
    let [line] = lines.as_slice() else { panic!("{lines:#?}") };
    assert_eq!(line["level"], "WARN");
    assert_eq!((&line["status"], &line["code"]), (&json!(503), &json!("database_unavailable")));
    assert!(line["reason"].as_str().unwrap().contains("refused"), "{line:#}");
    assert_eq!(line["DatabaseRetries"], 3);
    assert_eq!(line["operation"], "list-tasks");
    let metrics = &line["_aws"]["CloudWatchMetrics"][1];
    assert_eq!(metrics["Dimensions"], json!([["service", "code"]]));
    assert_eq!(metrics["Metrics"][0]["Name"], "Failures");
    assert!(!stack.log().contains("HUSH"));
}
