//! One fault of the gateway for each row of the check.
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::sleep;
use std::time::Duration;

use crate::gateway::{Answered, Asked};

pub(super) type Wrong = fn(&Asked, &mut Answered);

/// One fault for each row, and the result it causes; a star matches any text. Faults apply in order
/// to the same answer.
pub(super) const WRONG: &[(&str, Wrong, &str)] = &[
    ("create", |_, to| to.lose("location"), "201, etag"),
    (
        "list",
        |asked, to| {
            if asked.lists() && to.status == 200 {
                to.body = "[]".into();
            }
        },
        "200, []",
    ),
    (
        "get",
        |asked, to| {
            if asked.of_task("GET") && to.status == 200 {
                to.lose("etag");
            }
        },
        "200",
    ),
    (
        "get, If-None-Match: its ETag",
        |_, to| {
            if to.status == 304 {
                (to.status, to.body) = (200, "{}".into());
            }
        },
        "200, etag, a body",
    ),
    (
        "no token",
        |asked, to| {
            if !asked.has("authorization") && to.status == 401 {
                to.status = 403;
            }
        },
        "403 missing_token",
    ),
    (
        "another user's tasks",
        |asked, to| {
            if asked.path.contains("-else/") {
                to.status = 404;
            }
        },
        "404 wrong_user",
    ),
    (
        "update, If-Match: stale",
        |_, to| {
            if to.status == 412 {
                to.replace(502);
            }
        },
        "502 of the gateway",
    ),
    (
        "create, a body of 65 KiB",
        |_, to| {
            if to.status == 413 {
                to.replace(413);
            }
        },
        "413 of the gateway",
    ),
    (
        "create, a title that is a number",
        |asked, to| {
            if asked.body.starts_with(b"{\"title\":7") {
                to.replace(400);
            }
        },
        r#"400 of the gateway, {"message":"replaced"}"#,
    ),
    (
        "create without a body",
        |asked, to| {
            if asked.method == "POST" && asked.body.is_empty() {
                to.replace(411);
            }
        },
        "411 of the gateway",
    ),
    (
        "update without a body",
        |asked, to| {
            if asked.method == "PUT" && asked.body.is_empty() {
                to.replace(411);
            }
        },
        "411 of the gateway",
    ),
    (
        "update, If-Match: its ETag",
        |asked, to| {
            if asked.method == "PUT" {
                to.lose("etag");
            }
        },
        "200",
    ),
    (
        "complete",
        |asked, to| {
            if asked.method == "PATCH" {
                to.replace(502);
            }
        },
        r#"502 of the gateway, {"message":"replaced"}"#,
    ),
    ("the next page, by its Link", |_, to| to.lose("link"), "200, no Link"),
    (
        "delete",
        |asked, to| {
            if asked.of_task("DELETE") {
                to.replace(502);
            }
        },
        r#"502 of the gateway, {"message":"replaced"}"#,
    ),
    (
        "preflight of a browser",
        |asked, to| {
            if asked.method == "OPTIONS" {
                *to = Answered::own(403, "Forbidden");
            }
        },
        "403 of the gateway, which does not allow the origin",
    ),
    ("WWW-Authenticate of a 401", |_, to| to.lose("x-amzn-remapped-www-authenticate"), "none"),
    (
        "headers of a 304",
        |asked, to| {
            if asked.has("if-none-match") {
                to.set("content-type", "text/html");
            }
        },
        "cache-control, content-type, etag, x-content-type-options",
    ),
    // The statuses of the answers replaced above.
    ("no-store and nosniff on every answer", |_, _| {}, "not on 400, 411, 413, 502"),
    (
        "answers that a browser can read",
        |_, to| {
            if to.status == 413 {
                to.lose("access-control-allow-origin");
            }
        },
        "not on 413",
    ),
    (
        "user id with %2F in the path, a /",
        |asked, to| {
            if asked.path.contains("%2F") {
                to.invalid();
            }
        },
        "422 invalid_request",
    ),
    (
        "user id with %252F in the path, a %2F",
        |asked, to| {
            if asked.path.contains("%252F") {
                to.replace(404);
            }
        },
        "404 of the gateway",
    ),
    (
        "user id with a ?",
        |asked, to| {
            if asked.path.contains("%3F") {
                to.status = 200;
            }
        },
        "200",
    ),
    (
        "user id with a #",
        |asked, to| {
            if asked.path.contains("%23") {
                to.replace(403);
            }
        },
        "403 of the gateway",
    ),
    (
        "user id with a space and an umlaut",
        |asked, to| {
            if asked.path.contains("%20") {
                to.replace(400);
            }
        },
        "400 of the gateway",
    ),
    (
        "a body that is not UTF-8",
        |asked, to| {
            if asked.body.contains(&0xff) {
                to.status = 201;
            }
        },
        "201",
    ),
    (
        "two Idempotency-Key headers",
        |asked, to| match asked.headers.get("idempotency-key").map(|key| key.to_str().unwrap()) {
            Some("one,two") => to.lose("idempotent-replayed"),
            Some("one") => to.set("idempotent-replayed", "true"),
            _ => {}
        },
        "the first alone",
    ),
    (
        "the first request of each operation",
        |asked, to| {
            if asked.method == "PUT" && to.status == 200 {
                sleep(Duration::from_millis(3100));
            }
        },
        "* ms, PUT /api/{user}/tasks/{task}",
    ),
    (
        "warm: 20 lists, one after the other",
        // Except those of the burst, which are 401.
        |asked, to| {
            if asked.lists() && to.status == 200 {
                sleep(Duration::from_millis(550));
            }
        },
        "* ms, at most * ms",
    ),
    (
        "cold: 8 lists at once",
        |asked, to| {
            static LISTS: AtomicUsize = AtomicUsize::new(0);
            // After the faults of the rows before.
            if asked.lists() && to.status == 200 && LISTS.fetch_add(1, Ordering::Relaxed) > 20 {
                to.replace(503);
            }
        },
        "8 failed",
    ),
    (
        "clear: nothing stays behind",
        |asked, to| {
            if asked.query == "all=true" {
                to.body = r#"{"deleted":9,"more":true}"#.into();
            }
        },
        r#"200, {"deleted":9,"more":true}"#,
    ),
    ("a burst beyond the throttle", |_, _| {}, "429 to 0 of 400, other than 401 to 0"),
    // The answers above already lack CORS headers.
    ("a 429 that a browser can read", |_, _| {}, "no request was refused"),
    ("log of the functions", |_, _| {}, "0 lines, no cold start"),
    ("metrics TaskApi", |_, _| {}, "0 requests, 0 cold starts"),
    ("access log of the gateway", |_, _| {}, "0 lines, none for these requests"),
    ("trace of a request that asks for one", |_, _| {}, "no trace"),
    ("queries of the dashboard", |_, _| {}, "In the functions: nothing"),
    (
        "an invocation of list-tasks",
        |asked, to| {
            if asked.path.starts_with("/2015-03-31/") {
                to.set("x-amz-function-error", "Unhandled");
            }
        },
        "FunctionError \"Unhandled\"",
    ),
];
