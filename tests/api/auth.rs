//! Who may.
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use serde_json::{Value, json};
use tests::{Reply, SECRET, Token, User, now, request, stack};

/// Every operation on a task, by its method and the end of its path.
const OPERATIONS: [(&str, &str, &str); 6] = [
    ("GET", "", ""),
    ("POST", "", r#"{"title":"mine now"}"#),
    ("GET", "/{id}", ""),
    ("PUT", "/{id}", r#"{"title":"mine now"}"#),
    ("DELETE", "/{id}", ""),
    ("PATCH", "/{id}/complete", ""),
];

fn list_with(user: &User, authorization: &[&str]) -> Reply {
    let headers: Vec<_> = authorization.iter().map(|value| ("authorization", *value)).collect();
    request("GET", &format!("{}{}", stack().gateway.url, user.tasks()), &headers, "")
}

fn list_with_token(user: &User, token: &str) -> Reply {
    list_with(user, &[&format!("Bearer {token}")])
}

fn refused(user: &User, token: &str) -> bool {
    let reply = list_with_token(user, token);
    let code = reply.body["code"].as_str().unwrap_or_default();
    if reply.status == 401 {
        assert_eq!(reply.header("www-authenticate"), "Bearer error=\"invalid_token\"");
        assert!(["invalid_token", "expired_token"].contains(&code), "{reply:#?}");
    }
    reply.status == 401
}

#[test]
fn every_operation_refuses_a_missing_token_and_says_how_to_send_one() {
    let owner = User::new();
    let task = owner.new_task("mine");
    for (method, path, body) in OPERATIONS {
        let path = path.replace("{id}", &task["id"].to_string());
        let url = format!("{}{}{path}", stack().gateway.url, owner.tasks());
        for authorization in [&[][..], &["Basic dTpw"], &["Bearer"], &["Bearer "]] {
            let headers: Vec<_> = authorization.iter().map(|v| ("authorization", *v)).collect();
            let reply = request(method, &url, &headers, body);
            reply.expect_problem(401, "missing_token");
            assert_eq!(reply.header("www-authenticate"), "Bearer");
        }
    }
    assert_eq!(owner.get(&task["id"]).expect(200), task);
}

#[test]
fn every_operation_refuses_another_users_path() {
    let (owner, other) = (User::new(), User::new());
    let task = owner.new_task("mine");
    for (method, path, body) in OPERATIONS {
        let path = owner.tasks() + &path.replace("{id}", &task["id"].to_string());
        other.send(method, &path, &[], body).expect_problem(403, "wrong_user");
    }
    assert_eq!(owner.list("").expect(200), json!([task]));
}

#[test]
fn every_operation_hides_another_users_task() {
    let (owner, other) = (User::new(), User::new());
    let task = owner.new_task("mine");
    for (method, path, body) in OPERATIONS.into_iter().filter(|(_, path, _)| !path.is_empty()) {
        let path = other.tasks() + &path.replace("{id}", &task["id"].to_string());
        for headers in [&[][..], &[("if-match", "\"1\"")]] {
            other.send(method, &path, headers, body).expect_problem(404, "task_not_found");
        }
    }
    assert_eq!(other.list("").expect(200), json!([]));
    assert_eq!(owner.list("").expect(200), json!([task]));
}

#[test]
fn the_scheme_is_case_insensitive() {
    let user = User::new();
    let token = Token::of(&user.id).sign();
    for scheme in ["Bearer", "bearer", "BEARER"] {
        assert_eq!(list_with(&user, &[&format!("{scheme} {token}")]).expect(200), json!([]));
    }
}

#[test]
fn a_token_of_another_algorithm_is_refused() {
    let user = User::new();
    let token = Token::of(&user.id);
    let unsigned = token.clone().header(r#"{"alg":"none"}"#).unsigned();
    for broken in
        [format!("{unsigned}."), unsigned.clone(), format!("{unsigned}.{}", BASE64URL.encode("x"))]
    {
        assert!(refused(&user, &broken));
    }
    for algorithm in
        ["HS384", "HS512", "RS256", "ES256", "EdDSA", "none", "None", "hs256", "HS256 ", ""]
    {
        let header = json!({ "alg": algorithm, "typ": "JWT" }).to_string();
        assert!(refused(&user, &token.clone().header(&header).sign()), "{algorithm}");
    }
}

#[test]
fn a_token_with_injected_header_fields_is_not_believed() {
    let user = User::new();
    let own_key = "a-key-that-the-attacker-knows-and-we-do-not-";
    let jwk = json!({ "kty": "oct", "k": BASE64URL.encode(own_key) });
    for field in [
        json!({ "jwk": jwk }),
        json!({ "jku": "https://evil.example/jwks.json" }),
        json!({ "x5u": "https://evil.example/cert.pem" }),
        json!({ "kid": "../../../dev/null" }),
        json!({ "kid": "' OR 1=1 --" }),
    ] {
        let mut header = json!({ "alg": "HS256" });
        header.as_object_mut().unwrap().extend(field.as_object().unwrap().clone());
        let token = Token::of(&user.id).header(&header.to_string());
        assert!(refused(&user, &token.clone().secret(own_key).sign()), "{field}");
        assert!(refused(&user, &token.secret("").sign()), "{field}");
    }
    for critical in
        [r#"{"alg":"HS256","crit":["exp"]}"#, r#"{"alg":"HS256","b64":false,"crit":["b64"]}"#]
    {
        assert!(refused(&user, &Token::of(&user.id).header(critical).sign()), "{critical}");
    }
}

#[test]
fn a_token_signed_with_another_secret_is_refused() {
    let user = User::new();
    let token = Token::of(&user.id);
    for secret in [
        "",
        "secret",
        &SECRET[1..],
        &format!("{SECRET}\n"),
        "better-auth-secret-12345678901234567890",
    ] {
        assert!(refused(&user, &token.clone().secret(secret).sign()), "{secret:?}");
    }
    let decoded_as_base64 = "dGhlLXNlY3JldC1vZi10aGUtdGVzdHMtaGFzLW1vcmUtdGhhbi0zMi1ieXRlcw";
    assert!(refused(&user, &token.secret(decoded_as_base64).sign()));
}

#[test]
fn a_token_that_is_no_token_is_refused() {
    let user = User::new();
    let good = Token::of(&user.id).sign();
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let (header, claims) = signed.split_once('.').unwrap();
    let mut last = signature.chars().next_back().unwrap();
    // The other letters that a lenient decoder takes for the same last byte.
    last = char::from_u32(u32::from(last) + 1).unwrap();
    for broken in [
        "x".into(),
        "..".into(),
        "null".into(),
        signed.to_owned(),
        format!("{signed}."),
        format!("{good}.{signature}"),
        format!("{good}=="),
        format!("{}{last}", &good[..good.len() - 1]),
        format!("{header}.{claims}a.{signature}"),
        format!("{header}.{}.{signature}", BASE64URL.encode("{}")),
        format!("{header}.{}.{signature}", BASE64URL.encode("[]")),
        format!("{signature}.{claims}.{header}"),
        format!("{good} {good}"),
        format!("{good},{good}"),
        format!("{signed}.{}", base64::engine::general_purpose::STANDARD.encode([0xfb; 32])),
        good.to_uppercase(),
        "a".repeat(5000),
    ] {
        assert!(refused(&user, &broken), "{broken}");
    }
    assert_eq!(list_with_token(&user, &good).status, 200);
}

#[test]
fn a_token_needs_its_claims() {
    let user = User::new();
    let token = || Token::of(&user.id);
    let far = now() + 3600;
    for (broken, code) in [
        (token().with("exp", json!(now() - 31)), "expired_token"),
        (token().with("exp", json!(600)), "expired_token"),
        (token().with("exp", Value::Null), "invalid_token"),
        (token().with("exp", json!(far.to_string())), "invalid_token"),
        (token().with("exp", json!(-1)), "invalid_token"),
        (token().with("nbf", json!(now() + 90)), "invalid_token"),
        (token().with("nbf", json!("soon")), "invalid_token"),
        (token().with("iat", json!(now() + 90)), "invalid_token"),
        (token().with("iat", json!({})), "invalid_token"),
        (token().with("iss", Value::Null), "invalid_token"),
        (token().with("iss", json!("http://localhost:3001")), "invalid_token"),
        (token().with("aud", Value::Null), "invalid_token"),
        (token().with("aud", json!("task-api-2")), "invalid_token"),
        (token().with("aud", json!(["a", "b"])), "invalid_token"),
        (token().with("sub", Value::Null), "invalid_token"),
        (token().with("sub", json!("")), "invalid_token"),
        (token().with("sub", json!(17)), "invalid_token"),
        (token().with("sub", json!("\0")), "invalid_token"),
    ] {
        let reply = list_with_token(&user, &broken.sign());
        reply.expect_problem(401, code);
    }
    for good in [
        token().with("exp", json!(now() - 5)),
        token().with("nbf", json!(now() + 5)),
        token().with("iat", json!(now() + 5)),
        token().with("iat", Value::Null),
        token().with("aud", json!(["elsewhere", "task-api"])),
        token().with("email", json!("someone@else.example")),
    ] {
        assert_eq!(list_with_token(&user, &good.sign()).expect(200), json!([]));
    }
}

#[test]
fn the_user_is_sub_and_nothing_else() {
    let user = User::new();
    let mut token = Token::of(&user.id).with("sub", Value::Null);
    for claim in ["id", "userId", "user_id", "uid", "email", "name"] {
        token = token.with(claim, json!(user.id));
    }
    token = token.with("user", json!({ "id": user.id }));
    assert!(refused(&user, &token.sign()));
    let other = User::new();
    let reply = list_with_token(&user, &token.with("sub", json!(other.id)).sign());
    reply.expect_problem(403, "wrong_user");
}

/// Better Auth signs mail links and its cookie cache with HS256 under the same secret.
#[test]
fn what_better_auth_signs_for_other_purposes_is_refused() {
    let user = User::new();
    let mail =
        json!({ "email": "a@b.example", "userId": user.id, "iat": now(), "exp": now() + 3600 });
    let session_data = json!({
        "session": { "id": "s", "userId": user.id, "token": "t", "expiresAt": "2027-01-01T00:00:00.000Z" },
        "user": { "id": user.id, "email": "a@b.example" },
        "updatedAt": now() * 1000, "version": "1", "iat": now(), "exp": now() + 300,
    });
    for claims in [mail, session_data] {
        for header in [r#"{"alg":"HS256"}"#, r#"{"alg":"HS256","typ":"JWT"}"#] {
            let token = Token { claims: claims.clone(), ..Token::of(&user.id).header(header) };
            assert!(refused(&user, &token.sign()), "{claims}");
        }
    }
    // A session's token: 32 opaque characters.
    assert!(refused(&user, "vI9gbY1W8vQ2C0J6mXo4dT5kE7rLhZsA"));
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
        let path = format!("/api/{path}/tasks");
        let title = json!({ "title": id }).to_string();
        let reply = user.send("POST", &path, &[], &title);
        assert_eq!(reply.clone().expect(201)["user_id"], id);
        let location = reply.header("location").to_owned();
        assert_eq!(user.send("GET", &location, &[], "").expect(200), reply.body);
        user.send("DELETE", &location, &[], "").expect(200);
    }
    let user = User::with_id(stack(), "a/b");
    user.send("GET", "/api/a%252Fb/tasks", &[], "").expect_problem(403, "wrong_user");
    user.send("GET", "/api/A%2FB/tasks", &[], "").expect_problem(403, "wrong_user");
}

#[test]
fn token_before_path_before_body_before_task() {
    let (user, other) = (User::new(), User::new());
    let bad_body = "x".repeat(70_000);
    let nobody = user.with_token(&Token::of(&user.id).secret("another secret"));
    let form = [("content-type", "text/plain")];
    for method in ["PUT", "PATCH"] {
        let path = |owner: &User, id: &str| match method {
            "PATCH" => owner.task(id) + "/complete",
            _ => owner.task(id),
        };
        nobody
            .send(method, &path(&other, "0"), &form, &bad_body)
            .expect_problem(401, "invalid_token");
        user.send(method, &path(&other, "0"), &form, &bad_body).expect_problem(403, "wrong_user");
        user.send(method, &path(&user, "0"), &form, &bad_body)
            .expect_problem(413, "body_too_large");
        user.send(method, &path(&user, "0"), &form, "{").expect_problem(415, "not_json");
        user.send(method, &path(&user, "1"), &[], "{").expect_problem(422, "invalid_request");
        let body = r#"{"completed":true}"#;
        user.send(method, &path(&user, "1"), &[], body).expect_problem(404, "task_not_found");
    }
}

#[test]
fn another_path_is_another_users() {
    let user = User::new();
    for path in ["", " ", "null", "undefined", ".", "*", "%00", "%FF", "'--"] {
        let path = format!("/api/{}/tasks", path.replace(' ', "%20"));
        if path != "/api//tasks" && path != "/api/./tasks" {
            user.send("GET", &path, &[], "").expect_problem(403, "wrong_user");
        }
    }
}
