//! The events of API Gateway itself, which differ from those of the local gateway.
use std::process::Command;

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use serde_json::{Value, json};
use tests::{AUDIENCE, ISSUER, SECRET, Token, now, routes, send, stack, xtask};

/// Sends an event straight to a function, and returns what it answers to API Gateway.
fn invoke(function: &str, event: &Value) -> Value {
    let url = format!("{}/2015-03-31/functions/{function}/invocations", stack().gateway.url);
    send("POST", &url, &[("content-type", "application/json")], &event.to_string()).body
}

/// An event as API Gateway's payload format 2.0 has it.
fn event(method: &str, route: &str, path: &str, parameters: &Value, user: &str) -> Value {
    json!({
        "version": "2.0",
        "routeKey": format!("{method} {route}"),
        "rawPath": path,
        "rawQueryString": "",
        "headers": {
            "authorization": format!("Bearer {}", Token::of(user).sign()),
            "content-type": "application/json",
            "host": "abc123.execute-api.eu-central-1.amazonaws.com",
            "x-forwarded-for": "203.0.113.7", "x-forwarded-port": "443", "x-forwarded-proto": "https",
        },
        "requestContext": {
            "accountId": "123456789012", "apiId": "abc123",
            "domainName": "abc123.execute-api.eu-central-1.amazonaws.com", "domainPrefix": "abc123",
            "http": {
                "method": method, "path": path, "protocol": "HTTP/1.1",
                "sourceIp": "203.0.113.7", "userAgent": "test",
            },
            "requestId": "id", "routeKey": format!("{method} {route}"), "stage": "$default",
            "time": "23/Nov/2026:08:15:00 +0000", "timeEpoch": now() * 1000,
        },
        "pathParameters": parameters,
        "isBase64Encoded": false,
    })
}

fn create_event(user: &str, body: &Value) -> Value {
    let path = format!("/api/{user}/tasks");
    let mut event = event("POST", "/api/{user_id}/tasks", &path, &json!({ "user_id": user }), user);
    event["body"] = body.clone();
    event
}

#[test]
fn path_parameters_may_be_decoded_already() {
    for user in ["a b", "ünï/cödé", "100%", "who@example.com"] {
        let created = invoke("create-task", &create_event(user, &json!(r#"{"title":"t"}"#)));
        assert_eq!(created["statusCode"], 201, "{created:#}");
        assert_eq!(created["isBase64Encoded"], false);
        let task: Value = created["body"].as_str().unwrap().parse().unwrap();
        assert_eq!(task["user_id"], user);
        let location = created["headers"]["location"].as_str().unwrap();
        assert!(location.bytes().all(|b| b.is_ascii_graphic()), "{location}");

        let id = task["id"].to_string();
        let parameters = json!({ "user_id": user, "task_id": id });
        let path = format!("/api/{user}/tasks/{id}");
        let route = "/api/{user_id}/tasks/{task_id}";
        let deleted = invoke("delete-task", &event("DELETE", route, &path, &parameters, user));
        assert_eq!(deleted["statusCode"], 200, "{deleted:#}");
    }
}

#[test]
fn a_body_may_be_encoded() {
    let mut event = create_event("encoded", &json!(BASE64.encode(r#"{"title":"é"}"#)));
    event["isBase64Encoded"] = json!(true);
    let created = invoke("create-task", &event);
    assert_eq!(created["statusCode"], 201, "{created:#}");
    assert!(created["body"].as_str().unwrap().contains(r#""title":"é""#));
}

#[test]
fn an_answer_without_a_body_has_none() {
    let created = invoke("create-task", &create_event("none", &json!(r#"{"title":"t"}"#)));
    let task: Value = created["body"].as_str().unwrap().parse().unwrap();
    let id = task["id"].to_string();
    let path = format!("/api/none/tasks/{id}");
    let parameters = json!({ "user_id": "none", "task_id": id });
    let mut event = event("GET", "/api/{user_id}/tasks/{task_id}", &path, &parameters, "none");
    event["headers"]["if-none-match"] = created["headers"]["etag"].clone();
    let got = invoke("get-task", &event);
    assert_eq!((&got["statusCode"], got["body"].as_str().unwrap_or_default()), (&json!(304), ""));
}

#[test]
fn a_broken_event_costs_its_own_answer_alone() {
    let good = create_event("broken", &json!(r#"{"title":"t"}"#));
    for field in [
        "headers",
        "requestContext",
        "pathParameters",
        "rawPath",
        "rawQueryString",
        "body",
        "version",
        "isBase64Encoded",
    ] {
        for broken in [json!(null), json!(17), json!("%"), json!(["x"])] {
            let mut event = good.clone();
            event[field] = broken;
            let answer = invoke("create-task", &event);
            let status = answer["statusCode"].as_u64().unwrap();
            assert!([201, 401, 403, 415, 422, 500].contains(&status), "{field}: {answer:#}");
            let body: Value = answer["body"].as_str().unwrap().parse().unwrap();
            assert_eq!(body.get("code").is_none(), status == 201, "{field}: {answer:#}");
        }
    }
    for event in [json!({}), json!(null), json!([]), json!("x"), json!(17)] {
        let answer = invoke("create-task", &event);
        assert!([401, 500].contains(&answer["statusCode"].as_u64().unwrap()), "{answer:#}");
    }
    assert_eq!(invoke("create-task", &good)["statusCode"], 201);
}

/// The event of a function that `cargo xtask event` prints for the main stack.
fn printed(function: &str, arguments: &[&str]) -> Value {
    let mut command = xtask();
    command.args(["event", function]).args(arguments);
    command
        .env("BETTER_AUTH_SECRET", SECRET)
        .env("JWT_ISSUER", ISSUER)
        .env("JWT_AUDIENCE", AUDIENCE);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().parse().unwrap()
}

#[test]
fn the_files_are_complete_events_but_for_what_grows_old() {
    for (method, path, function) in routes() {
        let file = format!("{}/../events/{function}.json", env!("CARGO_MANIFEST_DIR"));
        let mut file: Value = std::fs::read_to_string(file).unwrap().parse().unwrap();
        let mut printed = printed(&function, &[]);
        assert_eq!(printed["routeKey"], format!("{method} {path}"));
        assert_ne!(printed["headers"]["authorization"], file["headers"]["authorization"]);
        for event in [&mut file, &mut printed] {
            for name in ["authorization", "idempotency-key"] {
                if let Some(header) = event["headers"].get_mut(name) {
                    assert!(!header.take().as_str().unwrap().is_empty());
                }
            }
            for name in ["time", "timeEpoch"] {
                assert!(!event["requestContext"][name].take().is_null());
            }
        }
        assert_eq!(file, printed);
        // Every member that API Gateway always sends.
        let sent = event(&method, &path, "/", &json!({}), "u");
        let members =
            |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        for (sent, file) in [(&sent, &file), (&sent["requestContext"], &file["requestContext"])] {
            assert!(members(sent).iter().all(|name| file.get(name).is_some()), "{function}");
        }
    }
}

#[test]
fn cargo_lambda_invokes_a_function_with_its_event() {
    let folder = tempfile::tempdir().unwrap();
    let port = stack().gateway.url.rsplit(':').next().unwrap();
    let invoke = |function: &str, task: &Value| -> (Value, Value) {
        let file = folder.path().join(function);
        let event = printed(function, &["--user", "invoker", "--task", &task.to_string()]);
        std::fs::write(&file, event.to_string()).unwrap();
        let mut command = Command::new("cargo");
        command.args([
            "lambda",
            "invoke",
            function,
            "--invoke-address",
            "127.0.0.1",
            "--invoke-port",
            port,
        ]);
        let output = command.arg("--data-file").arg(&file).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let answer: Value = String::from_utf8(output.stdout).unwrap().parse().unwrap();
        let body = answer["body"].as_str().unwrap_or_default().parse().unwrap_or_default();
        (answer["statusCode"].clone(), body)
    };
    let (status, task) = invoke("create-task", &json!(1));
    assert_eq!((status, &task["title"]), (json!(201), &json!("Buy milk")));
    let rest = ["get-task", "update-task", "complete-task", "list-tasks", "delete-task"];
    for function in rest {
        assert_eq!(invoke(function, &task["id"]).0, 200, "{function}");
    }
}
