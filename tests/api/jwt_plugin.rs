//! Tokens of Better Auth's plugin `jwt()`, and what happens when its keys cannot be had. The tables
//! of keys and tokens are in `shared/src/keys/set.rs` and
//! `shared/src/auth/verifier/public_key_tests.rs`.
use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use tests::{
    Fixture, JwtApp, Reply, SECRET, Sandbox, Token, any_resource, database_url, function, request,
};

const LOG_KEY: &str = "the-key-of-the-names-in-logs-has-32-bytes";

/// The settings of functions that accept the tokens of an app, with these changes.
fn settings<'a>(
    app: &'a JwtApp,
    keys_url: &'a str,
    changes: &[(&'a str, &'a str)],
) -> Vec<(&'a str, &'a str)> {
    let mut settings = vec![
        ("JWT_JWKS_URL", keys_url),
        ("JWT_ISSUER", app.url.as_str()),
        ("JWT_AUDIENCE", &app.url),
        ("DATABASE_URL", database_url()),
    ];
    settings.extend(changes);
    settings
}

fn list(sandbox: &Sandbox, user: &str, token: &str) -> Reply {
    sandbox.ask_with(token, user, &any_resource().list().example(), 0)
}

fn sandbox(settings: &[(&str, &str)]) -> Sandbox {
    Sandbox::of(function(any_resource().list().function, settings))
}

#[test]
fn tokens_of_the_jwt_plugin_are_accepted_and_its_rotation_refuses_none() {
    for algorithm in ["EdDSA", "ES256", "RS256"] {
        let mut app = JwtApp::start(algorithm);
        let (keys, keys_url, user) = (app.keys().to_string(), app.keys_url(), app.user.clone());
        let token = app.token();

        // Fetched, and stored; stored ones need no app.
        let fetches = sandbox(&settings(&app, &keys_url, &[]));
        assert_eq!(list(&fetches, &user, &token).status, 200, "{algorithm}");
        let away = "http://127.0.0.1:1/jwks";
        let offline = sandbox(&settings(&app, away, &[("JWT_JWKS", &keys)]));
        assert_eq!(list(&offline, &user, &token).status, 200);
        list(&offline, "somebody-else", &token).expect_problem(403, "wrong_user");

        let stores = sandbox(&settings(&app, &keys_url, &[("JWT_JWKS", &keys)]));
        assert_eq!(list(&stores, &user, &token).status, 200);
        app.rotate();
        let next = app.token();
        assert_ne!(next.split('.').next(), token.split('.').next(), "it names the new key");
        for token in [&next, &token] {
            assert_eq!(list(&stores, &user, token).status, 200, "{algorithm}");
        }
        // Other keys are known here, so this one is unknown rather than unavailable.
        list(&offline, &user, &next).expect_problem(401, "invalid_token");

        // With a secret, too, both are accepted; without one, HS256 is not.
        let hs256 = Token::of(&user).with("iss", json!(app.url)).with("aud", json!(app.url)).sign();
        let both = [("JWT_JWKS", keys.as_str()), ("BETTER_AUTH_SECRET", SECRET)];
        let both = sandbox(&settings(&app, away, &both));
        for token in [&token, &hs256] {
            assert_eq!(list(&both, &user, token).status, 200);
        }
        list(&stores, &user, &hs256).expect_problem(401, "invalid_token");
    }
}

#[test]
fn the_local_gateway_fetches_the_keys_and_its_log_names_users_by_the_log_key() {
    let mut app = JwtApp::start("EdDSA");
    let keys_url = app.keys_url();
    let json = ("AWS_LAMBDA_LOG_FORMAT", "JSON");
    let changes = [("BETTER_AUTH_SECRET", ""), ("LOG_KEY", LOG_KEY), json];
    let stack = Fixture::gateway(&settings(&app, &keys_url, &changes));
    let authorization = format!("Bearer {}", app.token());
    let url = format!("{}/api/{}/{}", stack.url, app.user, any_resource().name);
    for _ in 0..2 {
        request("GET", &url, &[("authorization", &authorization)], "").expect(200);
    }
    let name = shared::log_name(&LOG_KEY.into(), &app.user);
    let requests = stack.requests();
    assert_eq!(requests.len(), 2, "{}", stack.log());
    assert!(requests.iter().all(|line| line["user"] == name.as_str()), "{requests:#?}");
    let waited = requests.iter().filter(|line| line["KeysLatency"].is_number());
    assert_eq!(waited.count(), 1, "the second needs no fetch: {requests:#?}");
}

/// The URL of a server that answers each request with this.
fn server(answer: &'static str, padding: usize) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/jwks", listener.local_addr().unwrap());
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            thread::spawn(move || {
                let mut request = [0; 1000];
                let _ = stream.read(&mut request);
                // The function may have enough.
                let _ = stream.write_all(answer.as_bytes());
                let _ = stream.write_all(&vec![b' '; padding]);
                thread::sleep(Duration::from_secs(5));
            });
        }
    });
    url
}

#[test]
fn without_any_key_the_answer_is_503_in_time() {
    let mut app = JwtApp::start("EdDSA");
    let token = app.token();
    let good = "HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\n{\"keys\":[]}";
    let redirect = "HTTP/1.1 302 Found\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n";
    for (name, keys_url) in [
        ("away", "http://127.0.0.1:1/jwks".to_owned()),
        ("untrusted", "https://127.0.0.1:1/jwks".to_owned()),
        ("slow", server("", 0)),
        ("rubbish", server("rubbish", 0)),
        ("empty", server(good, 0)),
        ("10 MB", server("HTTP/1.1 200 OK\r\ncontent-length: 10000000\r\n\r\n", 10_000_000)),
        ("redirect", server(redirect, 0)),
    ] {
        let function = sandbox(&settings(&app, &keys_url, &[]));
        for _ in 0..2 {
            let started = Instant::now();
            let reply = list(&function, &app.user, &token);
            assert!(started.elapsed() < Duration::from_secs(4), "{name}");
            reply.expect_problem(503, "keys_unavailable");
            assert_eq!(reply.header("retry-after"), "10", "{name}");
        }
        // An HMAC is refused as ever, and asks for nothing.
        let hs256 = Token::of(&app.user).sign();
        list(&function, &app.user, &hs256).expect_problem(401, "invalid_token");
        assert!(function.peak_memory().unwrap() < 64 * 1024, "{name}");
    }
}
