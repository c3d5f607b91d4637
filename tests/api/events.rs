//! API Gateway's own events, which differ from those of the local gateway.
use std::fmt::Display;
use std::process::Command;
use std::thread;

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use serde_json::{Value, json};
use tests::{
    Fixture, Operation, Reply, Request, Resource, SECRET, SETTINGS, Stored, Token, User,
    database_url, operation, operations, resources, send, stack, xtask,
};

/// Sends an event directly to a function and returns the HTTP answer that API Gateway would make.
fn invoke(function: &str, event: &Value) -> Reply {
    invoke_at(stack(), function, event)
}

fn invoke_at(gateway: &Fixture, function: &str, event: &Value) -> Reply {
    let url = format!("{}/2015-03-31/functions/{function}/invocations", gateway.url);
    let headers = [("content-type", "application/json")];
    let answer = send("POST", &url, &headers, &event.to_string()).body;
    assert_eq!(answer["isBase64Encoded"], false, "{answer:#}");
    operation(function).read(answer.to_string().as_bytes()).unwrap()
}

/// The event of a request for what is the user's own.
fn event(request: &Request, user: &str, item: impl Display) -> Value {
    request.event(user, item, &Token::of(user).sign())
}

/// Sends a request for what is the user's own.
fn ask(request: &Request, user: &str, item: impl Display) -> Reply {
    invoke(request.operation.function, &event(request, user, item))
}

/// A create of a resource.
fn create(resource: &Resource) -> Request {
    resource.create().example().without_key()
}

#[test]
fn path_parameters_may_be_decoded_already_and_queries_are_not() {
    for id in ["a b", "ünï/cödé", "100%", "who@example.com", "who#1", "what?"] {
        for resource in resources() {
            let [older, newer] = ["older", "newer"].map(|text| {
                let created = ask(&create(resource).with_text(text), id, "");
                let location = created.header("location");
                assert!(location.bytes().all(|b| b.is_ascii_graphic()), "{location}");
                created.expect(201)
            });
            assert_eq!(older["user_id"], id);
            let listed = ask(&resource.list().example().with_query("limit=1"), id, "");
            assert_eq!(listed.expect(200), json!([newer]));
            for item in [older, newer] {
                ask(&resource.delete().example(), id, &item["id"]).expect(200);
            }
        }
    }
}

#[test]
fn a_body_may_be_encoded() {
    for resource in resources() {
        let create = create(resource).with_text("é");
        let plain = ask(&create, "encoded", "").expect(201);
        assert!(plain.to_string().contains("\"é\""), "{plain}");
        let mut event = event(&create, "encoded", "");
        event["body"] = json!(BASE64.encode(&create.body));
        event["isBase64Encoded"] = json!(true);
        let encoded = invoke(create.operation.function, &event).expect(201);
        let members: Value = create.body.parse().unwrap();
        for name in members.as_object().unwrap().keys() {
            assert_eq!(encoded[name], plain[name]);
        }
    }
}

#[test]
fn an_answer_without_a_body_has_none() {
    for resource in resources() {
        let created = ask(&create(resource), "none", "");
        let get = resource.get().example().with_header("if-none-match", created.header("etag"));
        assert_eq!(ask(&get, "none", &created.body["id"]).expect(304), Value::Null);
    }
}

/// An event with everything that API Gateway may send.
fn full_event(operation: &'static Operation, user: &str, item: &Value) -> Value {
    let mut request = operation.example();
    for (name, value) in [("if-none-match", "\"9\""), ("if-match", "\"1\", \"2\"")] {
        if operation.takes(name) {
            request = request.with_header(name, value);
        }
    }
    if request.query.is_empty() {
        request = request.with_query("limit=1&completed=false");
    }
    let mut event = event(&request, user, item);
    if !operation.is_of_an_item() {
        event["pathParameters"]["item_id"] = json!("17");
    }
    event["cookies"] = json!(["a=b"]);
    event["stageVariables"] = json!({ "a": "b" });
    event["requestContext"]["authentication"] = json!({ "clientCert": {
        "clientCertPem": "-", "subjectDN": "CN=x", "issuerDN": "CN=x", "serialNumber": "1",
        "validity": { "notBefore": "Nov 23 08:15:00 2026 GMT", "notAfter": "Nov 23 08:15:00 2027 GMT" },
    } });
    event["requestContext"]["authorizer"] =
        json!({ "jwt": { "claims": { "sub": "somebody-else" }, "scopes": ["a"] } });
    event
}

/// The JSON pointers of all members of a value.
fn members(value: &Value, at: &str, found: &mut Vec<String>) {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(object) => object.iter().map(|(name, v)| (name.clone(), v)).collect(),
        Value::Array(list) => list.iter().enumerate().map(|(i, v)| (i.to_string(), v)).collect(),
        _ => Vec::new(),
    };
    for (name, child) in children {
        let pointer = format!("{at}/{name}");
        members(child, &pointer, found);
        found.push(pointer);
    }
}

fn without(event: &Value, pointer: &str) -> Value {
    let mut event = event.clone();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    match event.pointer_mut(parent).unwrap() {
        Value::Object(object) => drop(object.remove(name)),
        Value::Array(list) => drop(list.remove(name.parse().unwrap())),
        _ => unreachable!(),
    }
    event
}

#[test]
fn any_member_of_an_event_may_be_anything_and_the_function_lives_on() {
    let stack = Fixture::gateway(&[
        ("DATABASE_URL", database_url()),
        ("AWS_LAMBDA_LOG_FORMAT", "JSON"),
        ("SERVICE_NAME", "task-api-test"),
    ]);
    let break_all = |operation: &'static Operation| {
        let (user, function) = (User::of(&stack), operation.function);
        let good = || full_event(operation, &user.id, &user.item_for(operation));
        let succeeds = || {
            invoke_at(&stack, function, &good()).expect(operation.success());
        };
        succeeds();
        let (whole, mut pointers) = (good(), Vec::new());
        members(&whole, "", &mut pointers);
        assert!(pointers.len() > 35, "{pointers:?}");
        for pointer in pointers {
            let wrong = [
                json!(null),
                json!(true),
                json!(-17),
                json!("%"),
                json!("é\0\n"),
                json!([["x"], null]),
                json!({ "x": { "y": null } }),
            ];
            let broken = wrong.into_iter().map(|value| {
                let mut event = whole.clone();
                *event.pointer_mut(&pointer).unwrap() = value;
                event
            });
            for event in broken.chain([without(&whole, &pointer)]) {
                let reply = invoke_at(&stack, function, &event);
                assert!(![413, 503].contains(&reply.status), "{function}: {reply:#?}");
            }
        }
        for event in [json!({}), json!(null), json!([]), json!([{}]), json!("x"), json!(-17)] {
            let status = invoke_at(&stack, function, &event).status;
            assert!([401, 500].contains(&status), "{function}: {event}");
        }
        succeeds();
    };
    // Of functions that start at once, the local gateway may lose one.
    for operation in operations() {
        invoke_at(&stack, operation.function, &json!({}));
    }
    thread::scope(|scope| {
        for operation in operations() {
            scope.spawn(move || break_all(operation));
        }
    });
    // Each function started once, so no event ended its process.
    let log = stack.log();
    let lines = stack.requests();
    for Operation { function, .. } in operations() {
        let of = lines.iter().filter(|line| line["operation"] == *function);
        let starts: Vec<_> = of.map(|line| line["ColdStarts"].as_u64().unwrap()).collect();
        assert!(starts.len() > 300, "{function}: {}", starts.len());
        assert_eq!(starts.iter().sum::<u64>(), 1, "{function}");
    }
    assert!(!log.contains(SECRET));
}

#[test]
fn a_query_that_no_uri_allows_is_refused_and_no_fault_of_ours() {
    let user = User::new();
    let stored = Stored::of(&user);
    for operation in operations() {
        let function = operation.function;
        for query in ["limit=1 &completed=true", "a=\"", "<", "a=#", "é", "\n", "a=\0"] {
            let item = stored.item_for(&operation.example());
            let mut event = full_event(operation, &user.id, item);
            event["rawQueryString"] = json!(query);
            invoke(function, &event).expect_problem(400, "invalid_request");
            // Another user's path is refused before the query is checked.
            event["pathParameters"]["user_id"] = json!("somebody-else");
            invoke(function, &event).expect_problem(403, "wrong_user");
        }
    }
    stored.expect_unchanged();
}

/// Bytes that API Gateway passes on, but the local gateway answers itself.
#[test]
fn what_is_not_ascii_is_refused_or_passed_over() {
    let user = User::new();
    for resource in resources() {
        refuse_or_pass_over(&user, &create(resource));
    }
    for operation in operations() {
        let headers = [("if-none-match", operation.success()), ("if-match", 412)];
        for (header, status) in headers.into_iter().filter(|(header, _)| operation.takes(header)) {
            let mut event = full_event(operation, &user.id, &user.item_for(operation));
            event["headers"][header] = json!("\"é\", W/\"ü\"");
            invoke(operation.function, &event).expect(status);
        }
    }
}

fn refuse_or_pass_over(user: &User, create: &Request) {
    let invoke = |event: &Value| invoke(create.operation.function, event);
    let good = event(create, &user.id, "");
    let mut body = good.clone();
    body["body"] = json!(BASE64.encode(b"{\"title\":\"\xff\"}"));
    body["isBase64Encoded"] = json!(true);
    invoke(&body).expect(422);
    body["body"] = json!("no Base64!");
    assert!([422, 500].contains(&invoke(&body).status));

    let token = good["headers"]["authorization"].as_str().unwrap();
    for (header, value, status) in [
        ("authorization", "Bearer é".to_owned(), 401),
        ("authorization", token.replace("Bearer", "Ｂearer"), 401),
        ("authorization", format!("{token}\u{a0}"), 401),
        ("authorization", format!("{token},{token}"), 401),
        ("authorization", format!("{token}, {token}"), 401),
        ("idempotency-key", "schlüssel".into(), 422),
        ("content-type", "application/jsön".into(), 415),
        ("if-match", "\"é\"".into(), 201),
        ("x-é", "é".into(), 400),
        ("x-other", "a\u{7f}b".into(), 400),
        ("x-other", "a\nb".into(), 400),
        ("idempotency-key", "a\u{7f}b".into(), 400),
        ("content-type", "application/json\u{7f}".into(), 400),
        ("authorization", format!("{token}\u{7f}"), 401),
    ] {
        let mut event = good.clone();
        event["headers"][header] = json!(value);
        let reply = invoke(&event);
        assert_eq!(reply.status, status, "{header}: {value}: {reply:#?}");
    }
}

/// The event of a function that `cargo xtask event` prints for the main stack.
fn printed(function: &str, arguments: &[&str]) -> Value {
    let mut command = xtask();
    command.args(["event", function]).args(arguments).envs(SETTINGS);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().parse().unwrap()
}

#[test]
fn cargo_xtask_event_prints_the_request_with_the_documents_examples() {
    for operation in operations() {
        let mut event = operation.example().event("dev-user", 1, "expired");
        let mut printed = printed(operation.function, &[]);
        assert_ne!(printed["headers"]["authorization"], event["headers"]["authorization"]);
        for event in [&mut event, &mut printed] {
            for name in ["authorization", "idempotency-key"] {
                if let Some(header) = event["headers"].get_mut(name) {
                    assert!(!header.take().as_str().unwrap().is_empty());
                }
            }
            for name in ["time", "timeEpoch"] {
                assert!(!event["requestContext"][name].take().is_null());
            }
        }
        assert_eq!(event, printed);
    }
}

#[test]
fn cargo_lambda_invokes_a_function_with_its_event() {
    let folder = tempfile::tempdir().unwrap();
    let port = stack().url.rsplit(':').next().unwrap();
    let user = User::with_id(stack(), "invoker");
    for operation in operations() {
        let function = operation.function;
        let item = match user.item_for(operation) {
            Value::Null => "1".to_owned(),
            id => id.to_string(),
        };
        let file = folder.path().join(function);
        let event = printed(function, &["--user", &user.id, "--item", &item]);
        std::fs::write(&file, event.to_string()).unwrap();
        let mut command = Command::new("cargo");
        command.args(["lambda", "invoke", function, "--invoke-address", "127.0.0.1"]);
        command.args(["--invoke-port", port, "--data-file"]).arg(&file);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let body = operation.read(&output.stdout).unwrap().expect(operation.success());
        for (name, value) in operation.example_body().as_object().into_iter().flatten() {
            assert_eq!(&body[name], value);
        }
    }
}
