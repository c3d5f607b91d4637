//! How a function handles its settings at start.
use std::process::Command;

use serde_json::json;
use tests::{
    Fixture, Https, ISSUER, SECRET, Token, User, any_resource, aws_variables, create_secret,
    database_url, function, now, operations, request, stack,
};

const URL: &str = "postgres://user:HUSH@127.0.0.1:1/tasks";
const NEXT: &str = "the-secret-that-comes-next-has-32-bytes-too";

/// The output of a function that refuses to start.
fn refusal(mut function: Command) -> String {
    let output = function.output().unwrap();
    assert!(!output.status.success());
    let text =
        String::from_utf8(output.stderr).unwrap() + &String::from_utf8(output.stdout).unwrap();
    assert!(!text.contains("HUSH"), "{text}");
    text
}

#[test]
fn a_function_names_all_that_is_missing() {
    for operation in operations() {
        let text = refusal(function(operation.function, &[]));
        assert!(text.contains("BETTER_AUTH_SECRET is missing"), "{text}");
        assert!(text.contains("DATABASE_URL is missing"), "{text}");
    }
}

#[test]
fn during_a_rotation_tokens_of_every_secret_are_accepted() {
    let secrets = format!("2:{NEXT}, 1:{SECRET}");
    // With a list, the single secret neither signs nor verifies.
    let retired = "a-secret-that-was-retired-long-ago-and-leaked";
    let stack = Fixture::gateway(&[
        ("BETTER_AUTH_SECRET", retired),
        ("BETTER_AUTH_SECRETS", &secrets),
        ("DATABASE_URL", database_url()),
    ]);
    let user = User::of(&stack);
    for secret in [NEXT, SECRET] {
        let token = Token::of(&user.id).secret(secret);
        assert_eq!(user.with_token(&token).read().expect(200), json!([]));
    }
    for secret in [retired, &secrets, "a-secret-that-nobody-ever-configured-here"] {
        let token = Token::of(&user.id).secret(secret);
        user.with_token(&token).read().expect_problem(401, "invalid_token");
    }
}

#[test]
fn without_issuer_and_audience_configured_none_is_asked_for() {
    let stack = Fixture::gateway(&[
        ("JWT_ISSUER", ""),
        ("JWT_AUDIENCE", ""),
        ("DATABASE_URL", database_url()),
    ]);
    let user = User::of(&stack);
    for (issuer, audience) in [(json!(null), json!(null)), (json!("x"), json!("y"))] {
        let token = Token::of(&user.id).with("iss", issuer).with("aud", audience);
        assert_eq!(user.with_token(&token).read().expect(200), json!([]));
    }
}

#[test]
fn a_function_reads_its_settings_from_secrets_manager() {
    let aws = Fixture::start("aws", &[]);
    let secret = json!({
        "BETTER_AUTH_SECRET": SECRET,
        "DATABASE_URL": database_url(),
        "JWT_ISSUER": "https://nobody.example",
    });
    create_secret(&aws.url, "task-api/test", &secret.to_string());
    let mut variables = aws_variables(&aws.url, "task-api/test").to_vec();
    variables.push(("BETTER_AUTH_SECRET", ""));
    let stack = Fixture::gateway(&variables);
    // JWT_ISSUER is also set in the environment, which wins.
    let user = User::of(&stack);
    assert_eq!(user.read().expect(200), json!([]));

    let any = any_resource().get().function;
    // Over HTTPS, the endpoint must have a trusted certificate.
    let https = Https::before(&aws.url, database_url());
    let [authority, missing] = [https.authority.to_str().unwrap(), "task-api/none"];
    let over_https = aws_variables(&https.url, missing);
    let unknown = refusal(function(any, &over_https));
    assert!(unknown.contains("UnknownIssuer"), "{unknown}");
    let trusted = [&over_https[..], &[("AWS_CA_BUNDLE", authority)]].concat();
    let trusted = refusal(function(any, &trusted));
    assert!(trusted.contains("ResourceNotFound"), "{trusted}");
    let no_file = [&over_https[..], &[("AWS_CA_BUNDLE", "/nowhere.pem")]].concat();
    let no_file = refusal(function(any, &no_file));
    assert!(no_file.contains("AWS_CA_BUNDLE") && no_file.contains("/nowhere.pem"), "{no_file}");

    let missing = refusal(function(any, &aws_variables(&aws.url, "task-api/none")));
    assert!(missing.contains("APP_SECRET_ID") && missing.contains("ResourceNotFound"), "{missing}");
    create_secret(&aws.url, "task-api/bad", "HUSH: no JSON");
    let bad = refusal(function(any, &aws_variables(&aws.url, "task-api/bad")));
    assert!(bad.contains("not a JSON object"), "{bad}");
    create_secret(&aws.url, "task-api/weak", &json!({ "BETTER_AUTH_SECRET": "HUSH" }).to_string());
    let weak = refusal(function(any, &aws_variables(&aws.url, "task-api/weak")));
    assert!(weak.contains("has 4 bytes") && weak.contains("DATABASE_URL is missing"), "{weak}");
    // A stage requires issuer and audience; their absence is reported with all other errors.
    assert!(weak.contains("JWT_ISSUER is missing") && weak.contains("JWT_AUDIENCE is missing"));
    let named = json!({ "BETTER_AUTH_SECRET": SECRET, "DATABASE_URL": URL, "JWT_ISSUER": ISSUER });
    create_secret(&aws.url, "task-api/unnamed", &named.to_string());
    let unnamed = refusal(function(any, &aws_variables(&aws.url, "task-api/unnamed")));
    assert!(unnamed.contains("JWT_AUDIENCE is missing"), "{unnamed}");
    assert!(!unnamed.contains("JWT_ISSUER") && !unnamed.contains("DATABASE_URL"), "{unnamed}");
}

#[test]
fn a_token_that_is_valid_for_longer_than_allowed_is_refused() {
    let stack = Fixture::gateway(&[("JWT_MAX_LIFETIME", "3600"), ("DATABASE_URL", database_url())]);
    let user = User::of(&stack);
    let now = now();
    for (lifetime, status) in [(3600, 200), (3660, 401)] {
        let token = Token::of(&user.id).with("iat", json!(now)).with("exp", json!(now + lifetime));
        assert_eq!(user.with_token(&token).read().status, status, "{lifetime}");
    }
}

#[test]
fn the_gateway_answers_a_preflight_by_itself() {
    let url = format!("{}/api/u/{}", stack().url, any_resource().name);
    let preflight = tests::send(
        "OPTIONS",
        &url,
        &[
            ("origin", "http://localhost:3000"),
            ("access-control-request-method", "POST"),
            (
                "access-control-request-headers",
                "authorization,content-type,idempotency-key,if-match",
            ),
        ],
        "",
    );
    assert_eq!(preflight.status, 200);
    let allowed = preflight.header("access-control-allow-headers").to_ascii_lowercase();
    assert!(
        ["authorization", "idempotency-key", "if-match"].iter().all(|name| allowed.contains(name))
    );
    let answer = request("GET", &url, &[("origin", "http://localhost:3000")], "");
    assert!(!answer.header("access-control-allow-origin").is_empty());
    let exposed = answer.header("access-control-expose-headers");
    assert_eq!(exposed, "ETag, Link, Location, Idempotent-Replayed, Retry-After, Date");
}
