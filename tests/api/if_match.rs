//! `If-Match` and `If-None-Match`, on every operation that accepts them.
use serde_json::{Value, json};
use tests::{Reply, Request, User, operations, requests};

/// An item of the request's resource that was changed once: its id, and its tags before and after.
fn changed(user: &User, request: &Request) -> (Value, String, String) {
    let resource = request.operation.resource().unwrap();
    let created = user.ask(&resource.create().example().without_key(), "");
    let [first, id] = [created.header("etag").to_owned(), created.body["id"].to_string()];
    let update = resource.update().example();
    let second = user.ask(&update, &id).header("etag").to_owned();
    assert!(!first.is_empty() && !second.is_empty() && first != second, "{first} {second}");
    (json!(created.body["id"]), first, second)
}

/// The requests that accept a header: all on an item.
fn taking(header: &str) -> impl Iterator<Item = Request> {
    for operation in operations().iter().filter(|operation| operation.is_of_an_item()) {
        assert!(operation.takes(header), "{} takes no {header}", operation.function);
    }
    requests().into_iter().filter(|request| request.operation.is_of_an_item())
}

/// The item as it is now.
fn now(user: &User, request: &Request, id: &Value) -> Reply {
    user.items(request.operation.resource().unwrap()).get(id)
}

#[test]
fn a_request_needs_the_version_that_if_match_names() {
    let user = User::new();
    assert!(taking("if-match").any(|request| request.operation.reads()));
    for request in taking("if-match") {
        let ask =
            |tag: &str, id: &Value| user.ask(&request.clone().with_header("if-match", tag), id);
        let (id, first, second) = changed(&user, &request);
        let kept = now(&user, &request, &id).expect(200);
        let unquoted = &second[1..second.len() - 1];
        for stale in [&first, "\"x\"", &format!("W/{second}"), unquoted, ""] {
            ask(stale, &id).expect_problem(412, "stale_etag");
        }
        assert_eq!(now(&user, &request, &id).expect(200), kept, "{}", request.name);
        for any in [&first, "*"] {
            ask(any, &json!(1)).expect_failure(&request, 404);
        }

        ask(&second, &id).expect(request.operation.success());
        if !request.operation.reads() {
            let now = now(&user, &request, &id);
            assert_ne!(now.body, kept, "{}", request.name);
            let gone = now.status == 404;
            ask(&second, &id).expect_failure(&request, if gone { 404 } else { 412 });
        }
        for good in [format!("{first}, {second}"), "*".into()] {
            ask(&good, &changed(&user, &request).0).expect(request.operation.success());
        }
    }
}

#[test]
fn a_change_needs_a_version_that_if_none_match_does_not_name() {
    let user = User::new();
    for request in taking("if-none-match").filter(|request| !request.operation.reads()) {
        let ask = |headers: &[(&'static str, &str)], id: &Value| -> Reply {
            let with = |request: Request, (name, value): &(&'static str, &str)| {
                request.with_header(name, value)
            };
            user.ask(&headers.iter().fold(request.clone(), with), id)
        };
        let (id, first, second) = changed(&user, &request);
        let kept = now(&user, &request, &id).expect(200);
        for seen in [&second, &format!("W/{second}"), &format!("{first}, {second}"), "*"] {
            ask(&[("if-none-match", seen)], &id).expect_failure(&request, 412);
            ask(&[("if-none-match", seen)], &json!(1)).expect_failure(&request, 404);
        }
        // Both must hold.
        for headers in [
            [("if-match", second.as_str()), ("if-none-match", second.as_str())],
            [("if-match", "*"), ("if-none-match", &second)],
            [("if-match", &first), ("if-none-match", "\"x\"")],
        ] {
            ask(&headers, &id).expect_problem(412, "stale_etag");
        }
        assert_eq!(now(&user, &request, &id).expect(200), kept, "{}", request.name);

        ask(&[("if-none-match", &first)], &id).expect(request.operation.success());
        for good in [
            &[("if-none-match", "\"x\"")][..],
            &[("if-none-match", &first), ("if-match", "*")],
            &[("if-none-match", &first), ("if-match", &second)],
        ] {
            let (id, ..) = changed(&user, &request);
            ask(good, &id).expect(request.operation.success());
        }
    }
}
