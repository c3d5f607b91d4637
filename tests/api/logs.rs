//! The functions' log at each of Lambda's levels.
use serde_json::{Value, json};
use tests::{
    Fixture, Operation, SECRET, Token, User, any_resource, database_url, operations, requests,
    resources,
};

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
    let unknown = Token::of(&user.id).secret("HUSH-a-secret-that-nobody-ever-configured");
    let stranger = user.with_token(&unknown);
    // Those with a valid token, and the others.
    let (mut valid, mut others) = (0, 0);
    for request in requests() {
        let item = user.item_for(request.operation);
        let request = request.with_text(MARK);
        stranger.ask(&request, &item).expect_problem(401, "invalid_token");
        user.ask(&request, &item).expect(request.operation.success());
        others += 1;
        valid += 1 + usize::from(!item.is_null());
        if let Ok(Value::Object(mut members)) = request.body.parse() {
            members.values_mut().for_each(|value| *value = json!([MARK]));
            user.ask(&request.with_body(Value::Object(members)), &item).faults();
            valid += 1;
        }
    }
    for resource in resources() {
        let list = user.items(resource).list(&format!("?after={MARK}"));
        assert_eq!(list.faults(), ["after"]);
        valid += 1;
    }
    // Events that no gateway sends.
    for Operation { function, .. } in operations() {
        let url = format!("{}/2015-03-31/functions/{function}/invocations", stack.url);
        for event in [json!({ "headers": MARK }), json!(MARK), json!({ "rawQueryString": [MARK] })]
        {
            tests::send("POST", &url, &[], &event.to_string());
            others += 1;
        }
    }

    let lines = stack.requests();
    assert_eq!(lines.len(), valid + others, "{lines:#?}");
    // Only the secret and the id derive the name; a plain hash of the id does not.
    let name = shared::log_name(&SECRET.into(), &user.id);
    let named = lines.iter().filter(|line| line["user"] == name.as_str()).count();
    assert_eq!(named, valid, "all but those without a valid token: {lines:#?}");
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
    user.read().expect_problem(503, "database_unavailable");
    user.items(any_resource()).list("?limit=0").faults();
    let lines = stack.requests();
    let [line] = lines.as_slice() else { panic!("{lines:#?}") };
    assert_eq!(line["level"], "WARN");
    assert_eq!((&line["status"], &line["code"]), (&json!(503), &json!("database_unavailable")));
    assert!(line["reason"].as_str().unwrap().contains("refused"), "{line:#}");
    assert_eq!(line["DatabaseRetries"], 3);
    assert_eq!(line["operation"], any_resource().list().function);
    let metrics = &line["_aws"]["CloudWatchMetrics"][1];
    assert_eq!(metrics["Dimensions"], json!([["service", "code"]]));
    assert_eq!(metrics["Metrics"][0]["Name"], "Failures");
    assert!(!stack.log().contains("HUSH"));
}
