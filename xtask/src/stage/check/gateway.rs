//! Rows about API Gateway: how it changes requests and answers.
use anyhow::Result;
use serde_json::json;
use ureq::http::HeaderName;

use super::Check;
use super::api::Seen;
use super::row::Came::{self, Text, Unasked};
use super::row::Row;
use super::row::Side::{Platform, Product};

const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];
/// The request headers of clients.
const SENT: [&str; 5] =
    ["authorization", "content-type", "idempotency-key", "if-match", "if-none-match"];
const IDS: &str = "say in docs/api.md#token that such ids are not served; 403: the path arrives in another encoding; 200: its query is lost";

pub(super) static ROWS: &[Row] = &[
    Row {
        name: "preflight of a browser",
        expected: "every method, every header",
        ask: preflight,
        of: Product,
        otherwise: "set AllowedOrigins in samconfig.toml to the frontend's origins; the rest is CorsConfiguration in template.yaml",
    },
    Row {
        name: "WWW-Authenticate of a 401",
        expected: "www-authenticate",
        ask: |check| {
            let answer = check.api.tasks("GET", "").send_bare()?;
            let ends = |name: &&str| name.ends_with("www-authenticate");
            let name = answer.headers.keys().map(HeaderName::as_str).find(ends);
            Ok(Text(name.unwrap_or("none").to_owned()))
        },
        of: Platform,
        otherwise: "nothing: no client should depend on it, and ours reads the code in the body",
    },
    Row {
        name: "headers of a 304",
        expected: "cache-control, etag, x-content-type-options",
        ask: headers_of_304,
        of: Platform,
        otherwise: "without an ETag, or with a Content-Type, a cache may drop its entry: let the client keep the ETag of the 200",
    },
    Row {
        name: "no-store and nosniff on every answer",
        expected: "on all",
        ask: |check| Ok(Text(missing_on(check, |seen| seen.guarded))),
        of: Platform,
        otherwise: "the gateway's own answers have neither: put no cache between it and the browser",
    },
    Row {
        name: "answers that a browser can read",
        expected: "on all",
        ask: |check| {
            if check.api.origin.is_none() {
                return Ok(Unasked("the stack names no AllowedOrigins".to_owned()));
            }
            Ok(Text(missing_on(check, |seen| seen.readable)))
        },
        of: Platform,
        otherwise: "a browser reports those without CORS headers as a network error, and so must the client",
    },
    Row {
        name: "user id with %2F in the path, a /",
        expected: "404 of the gateway",
        ask: |check| user_id(check, "/x", "%2Fx"),
        of: Platform,
        otherwise: "422: such ids are served after all; remove the exception from docs/api.md#token",
    },
    Row {
        name: "user id with %252F in the path, a %2F",
        expected: "422 invalid_request",
        ask: |check| user_id(check, "%2Fx", "%252Fx"),
        of: Platform,
        otherwise: IDS,
    },
    Row {
        name: "user id with a ?",
        expected: "422 invalid_request",
        ask: |check| user_id(check, "?x", "%3Fx"),
        of: Platform,
        otherwise: IDS,
    },
    Row {
        name: "user id with a #",
        expected: "422 invalid_request",
        ask: |check| user_id(check, "#x", "%23x"),
        of: Platform,
        otherwise: IDS,
    },
    Row {
        name: "user id with a space and an umlaut",
        expected: "422 invalid_request",
        ask: |check| user_id(check, " ü", "%20%C3%BC"),
        of: Platform,
        otherwise: IDS,
    },
    Row {
        name: "a body that is not UTF-8",
        expected: "422 invalid_request",
        ask: |check| {
            let call = check.api.tasks("POST", "").header("content-type", "application/json");
            Ok(Text(call.body(b"{\"title\":\"\xff\"}".to_vec()).send()?.text()))
        },
        of: Platform,
        otherwise: "201: the gateway replaces invalid bytes, also in the stored text; a client that sends UTF-8 is not affected",
    },
    Row {
        name: "two Idempotency-Key headers",
        expected: "joined with a comma",
        ask: two_keys,
        of: Platform,
        otherwise: "nothing: a client sends one, and a repeat of the request has the same",
    },
];

fn preflight(check: &Check) -> Result<Came> {
    if check.api.origin.is_none() {
        return Ok(Unasked("the stack names no AllowedOrigins".to_owned()));
    }
    let call = check.api.tasks("OPTIONS", "").header("access-control-request-method", "PUT");
    let answer = call.header("access-control-request-headers", &SENT.join(",")).once()?;
    let allowed = |name, wanted: &[&str]| {
        let given = answer.header(name).unwrap_or_default().to_ascii_lowercase();
        let given: Vec<&str> = given.split(',').map(str::trim).collect();
        wanted.iter().all(|one| given.contains(&one.to_ascii_lowercase().as_str()))
    };
    let allows = answer.header("access-control-allow-origin") == check.api.origin.as_deref();
    Ok(Text(match () {
        () if !(200..300).contains(&answer.status) || !allows => {
            format!("{}, which does not allow the origin", answer.text())
        }
        () if !allowed("access-control-allow-methods", &METHODS) => "not every method".to_owned(),
        () if !allowed("access-control-allow-headers", &SENT) => "not every header".to_owned(),
        () => "every method, every header".to_owned(),
    }))
}

fn headers_of_304(check: &Check) -> Result<Came> {
    let task = check.api.tasks("POST", "").json(&json!({ "title": "Not modified" })).send()?;
    let etag = task.header("etag").unwrap_or_default();
    let path = format!("/{}", task.member("id"));
    let answer = check.api.tasks("GET", &path).header("if-none-match", etag).send()?;
    let telling = ["cache-control", "content-type", "etag", "x-content-type-options"];
    let came: Vec<_> =
        telling.into_iter().filter(|name| answer.headers.contains_key(*name)).collect();
    Ok(Text(came.join(", ")))
}

/// The statuses of the answers that lack something.
fn missing_on(check: &Check, has: fn(&Seen) -> bool) -> String {
    let seen = check.api.seen();
    let mut missing: Vec<_> =
        seen.iter().filter(|seen| !has(seen)).map(|seen| seen.status).collect();
    missing.sort_unstable();
    missing.dedup();
    match missing.as_slice() {
        [] => "on all".to_owned(),
        missing => {
            let missing: Vec<_> = missing.iter().map(ToString::to_string).collect();
            format!("not on {}", missing.join(", "))
        }
    }
}

/// Lists a user's tasks with an invalid query: a 422 shows that the path's user was the token's,
/// and that the query arrived.
fn user_id(check: &Check, end: &str, in_path: &str) -> Result<Came> {
    let token = check.api.token(&format!("{}{end}", check.api.user))?;
    let path = format!("{}{in_path}", check.api.user);
    let answer = check.api.of("GET", &path, "?limit=none").header("authorization", &token);
    Ok(Text(answer.send_bare()?.text()))
}

/// Which of two keys was used: a create with only that key is a replay.
fn two_keys(check: &Check) -> Result<Came> {
    let task = json!({ "title": "Two keys" });
    let create = |keys: &[&str]| {
        let call = check.api.tasks("POST", "").json(&task);
        keys.iter().fold(call, |call, key| call.header("idempotency-key", key)).send()
    };
    let both = create(&["one", "two"])?;
    if both.status != 201 {
        return Ok(Text(both.text()));
    }
    for (keys, what) in
        [("one,two", "joined with a comma"), ("one", "the first alone"), ("two", "the last alone")]
    {
        if create(&[keys])?.headers.contains_key("idempotent-replayed") {
            return Ok(Text(what.to_owned()));
        }
    }
    Ok(Text("none of them".to_owned()))
}
