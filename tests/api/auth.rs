//! Authentication and authorization over HTTP. The table of invalid tokens is in
//! `shared/src/auth/verifier/tests.rs`.
use serde_json::{Value, json};
use tests::{
    Reply, Stored, Token, User, any_resource, now, operations, request, requests, resources, stack,
};

const SYMPTOMS: &str = include_str!("../../docs/api.md");

/// Lists with these `Authorization` headers.
fn list_with(user: &User, authorization: &[&str]) -> Reply {
    let headers: Vec<_> = authorization.iter().map(|value| ("authorization", *value)).collect();
    let path = user.items(any_resource()).path();
    request("GET", &format!("{}{path}", stack().url), &headers, "")
}

/// Checks that the answer is as expected: `ok`, or a failure's code.
fn expect(user: &User, authorization: &str, expected: &str) {
    let reply = list_with(user, &[authorization]);
    let (status, challenge) = match expected {
        "ok" => (200, ""),
        "wrong_user" => (403, ""),
        "missing_token" => (401, "Bearer"),
        _ => (401, "Bearer error=\"invalid_token\""),
    };
    let code = reply.body["code"].as_str().unwrap_or("ok");
    assert_eq!((reply.status, code), (status, expected), "{authorization}");
    assert_eq!(reply.header("www-authenticate"), challenge, "{authorization}");
    if status == 401 {
        let detail = reply.body["detail"].as_str().unwrap();
        assert!(SYMPTOMS.contains(detail), "docs/api.md does not explain: {detail}");
    }
    let answer = format!("{} {:?}", reply.body, reply.headers);
    for part in authorization.split([' ', '.', ',']).filter(|part| part.len() > 10) {
        assert!(!answer.contains(part), "{answer} quotes {authorization}");
    }
}

#[test]
fn every_operation_refuses_a_missing_token_and_says_how_to_send_one() {
    let owner = User::new();
    let stored = Stored::of(&owner);
    for request in requests() {
        let target = request.target(&owner.id, stored.item_for(&request));
        let url = format!("{}{target}", stack().url);
        for authorization in [&[][..], &["Basic dTpw"], &["Bearer"], &["Bearer "]] {
            let headers: Vec<_> = authorization.iter().map(|v| ("authorization", *v)).collect();
            let reply = tests::request(&request.operation.method, &url, &headers, &request.body);
            reply.expect_problem(401, "missing_token");
            assert_eq!(reply.header("www-authenticate"), "Bearer");
        }
    }
    stored.expect_unchanged();
}

#[test]
fn every_operation_refuses_another_users_path() {
    let (owner, other) = (User::new(), User::new());
    let stored = Stored::of(&owner);
    for request in requests() {
        let reply = other.ask_for(&owner.id, &request, stored.item_for(&request));
        reply.expect_problem(403, "wrong_user");
    }
    stored.expect_unchanged();
}

#[test]
fn every_operation_hides_what_is_another_users() {
    let (owner, other) = (User::new(), User::new());
    let stored = Stored::of(&owner);
    for request in requests() {
        for request in [request.clone(), request.with_header("if-match", "\"1\"")] {
            let reply = other.ask(&request, stored.item_for(&request));
            if request.operation.is_of_an_item() {
                reply.expect_failure(&request, 404);
            }
            let answer = format!("{} {:?}", reply.body, reply.headers);
            assert!(!answer.contains(&owner.id), "{}: {answer}", request.name);
        }
    }
    for resource in resources() {
        let others = other.items(resource).list("?limit=100").expect(200);
        assert!(
            others.as_array().unwrap().iter().all(|item| item["user_id"] == other.id),
            "{others:#}"
        );
    }
    stored.expect_unchanged();
}

#[test]
fn each_failure_of_a_token_has_its_code_and_no_answer_quotes_the_token() {
    let (user, other) = (User::new(), User::new());
    let token = || Token::of(&user.id);
    let good = token().sign();
    for (expected, authorization) in [
        ("ok", format!("Bearer {good}")),
        ("ok", format!("bEARER  {good} ")),
        ("missing_token", format!("Token {good}")),
        ("missing_token", format!("Bearer\t{good}")),
        ("invalid_token", "Bearer vI9gbY1W8vQ2C0J6mXo4dT5kE7rLhZsA".into()),
        ("invalid_token", format!("Bearer {good}, Bearer {good}")),
        ("invalid_token", format!("Bearer {}", token().secret("another secret").sign())),
        ("invalid_token", format!("Bearer {}", token().header(r#"{"alg":"none"}"#).sign())),
        ("invalid_token", format!("Bearer {}.", token().header(r#"{"alg":"none"}"#).unsigned())),
        ("invalid_token", format!("Bearer {}", token().header(r#"{"alg":"EdDSA"}"#).sign())),
        ("invalid_token", format!("Bearer {}", token().with("iat", json!(now() + 300)).sign())),
        ("invalid_token", format!("Bearer {}", token().with("nbf", json!("soon")).sign())),
        ("invalid_token", format!("Bearer {}", token().with("exp", Value::Null).sign())),
        ("invalid_token", format!("Bearer {}", token().with("exp", json!("soon")).sign())),
        ("invalid_token", format!("Bearer {}", token().with("sub", Value::Null).sign())),
        ("invalid_token", format!("Bearer {}", token().with("sub", json!(17)).sign())),
        ("invalid_token", format!("Bearer {}", token().with("iss", json!("elsewhere")).sign())),
        ("invalid_token", format!("Bearer {}", token().with("aud", json!("elsewhere")).sign())),
        ("expired_token", format!("Bearer {}", token().with("exp", json!(now() - 31)).sign())),
        ("wrong_user", format!("Bearer {}", token().with("sub", json!(other.id)).sign())),
    ] {
        expect(&user, &authorization, expected);
    }
    // Gateways combine two headers in different ways; an invalid one in front must always fail.
    for bad in ["Bearer x.y.z", "Basic dTpw", "Bearer"] {
        assert_eq!(list_with(&user, &[bad, &format!("Bearer {good}")]).status, 401, "{bad}");
    }
}

#[test]
fn a_token_may_be_as_long_as_a_header() {
    let user = User::new();
    // API Gateway allows 10,240 bytes for all headers; the local gateway allows more.
    for size in [4_000, 7_000, 45_000] {
        let token = Token::of(&user.id).with("x", json!("x".repeat(size)));
        expect(&user, &format!("Bearer {}", token.sign()), "ok");
        let unknown = token.clone().secret("nobody-ever-configured-this-secret").sign();
        expect(&user, &format!("Bearer {unknown}"), "invalid_token");
        for filler in ["a", ".", "=", "%", "A.A."] {
            let token = filler.repeat(size / filler.len());
            expect(&user, &format!("Bearer {token}"), "invalid_token");
        }
    }
}

#[test]
fn a_path_counts_raw_and_decoded_once() {
    for (id, path) in [
        ("a b", "a%20b"),
        ("ünï/cödé", "%C3%BCn%C3%AF%2Fc%C3%B6d%C3%A9"),
        ("100%25", "100%25"),
        ("who@example.com", "who%40example.com"),
        ("who@example.com", "who@example.com"),
    ] {
        let user = User::with_id(stack(), id);
        for resource in resources() {
            let create = resource.create().example().without_key().with_text(id);
            let reply = user.ask_for(path, &create, "");
            assert_eq!(reply.clone().expect(201)["user_id"], id);
            let location = reply.header("location").to_owned();
            assert_eq!(user.send("GET", &location, &[], "").expect(200), reply.body);
            user.send("DELETE", &location, &[], "").expect(200);
        }
    }
}

#[test]
fn token_before_path_before_body_before_item() {
    let (user, other) = (User::new(), User::new());
    let bad_body = "x".repeat(70_000);
    let nobody = user.with_token(&Token::of(&user.id).secret("another secret"));
    for operation in operations().iter().filter(|operation| operation.takes_a_body()) {
        let form = operation.example().with_header("content-type", "text/plain");
        let large = form.clone().with_body(&bad_body);
        nobody.ask_for(&other.id, &large, 0).expect_problem(401, "invalid_token");
        user.ask_for(&other.id, &large, 0).expect_problem(403, "wrong_user");
        user.ask(&large, 0).expect_problem(413, "body_too_large");
        user.ask(&form.with_body("{"), 0).expect_problem(415, "not_json");
        let broken = operation.example().with_body("{");
        user.ask(&broken, 1).expect_problem(422, "invalid_request");
        if operation.is_of_an_item() {
            user.ask(&operation.example(), 1).expect_failure(&operation.example(), 404);
        }
    }
}
