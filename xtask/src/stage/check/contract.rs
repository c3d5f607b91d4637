//! Rows about the API's contract, which does not depend on the platform.
use anyhow::Result;
use serde_json::json;

use super::Check;
use super::api::{Answer, Call};
use super::row::Came::{self, Text};
use super::row::Row;
use super::row::Side::Product;

/// The function's log has the reason for a different answer, if the request reached it.
const LOG: &str = "see the function's log (docs/operate.md#logs); if it has no line, the answer is the gateway's: see the access log";

/// In this order: the first creates the task that the others use.
pub(super) static ROWS: &[Row] = &[
    Row {
        name: "create",
        expected: "201, location, etag",
        ask: create,
        of: Product,
        otherwise: LOG,
    },
    Row {
        name: "list",
        expected: "200, the task",
        ask: |check| {
            let answer = check.api.tasks("GET", "").send()?;
            let listed = answer.body == json!([check.task()?]);
            Ok(Text(answer.and("the task", listed)))
        },
        of: Product,
        otherwise: LOG,
    },
    Row {
        name: "get",
        expected: "200, etag",
        ask: |check| of_task(check, "GET", |call| call).map(|answer| Text(answer.with(&["etag"]))),
        of: Product,
        otherwise: LOG,
    },
    Row {
        name: "get, If-None-Match: its ETag",
        expected: "304, etag",
        ask: |check| {
            let etag = check.etag()?;
            let answer = of_task(check, "GET", |call| call.header("if-none-match", etag))?;
            let came = answer.with(&["etag"]);
            Ok(Text(if answer.body == json!("") { came } else { format!("{came}, a body") }))
        },
        of: Product,
        otherwise: LOG,
    },
    Row {
        name: "no token",
        expected: "401 missing_token",
        ask: |check| Ok(Text(check.api.tasks("GET", "").send_bare()?.text())),
        of: Product,
        otherwise: "requests without a token must reach the functions: remove what answers before them",
    },
    Row {
        name: "another user's tasks",
        expected: "403 wrong_user",
        ask: |check| {
            Ok(Text(check.api.of("GET", &format!("{}-else", check.api.user), "").send()?.text()))
        },
        of: Product,
        otherwise: LOG,
    },
    Row {
        name: "update, If-Match: stale",
        expected: "412 stale_etag",
        ask: |check| {
            let change = json!({ "title": "A lost change" });
            let answer =
                of_task(check, "PUT", |call| call.header("if-match", "\"0\"").json(&change))?;
            Ok(Text(answer.text()))
        },
        of: Product,
        otherwise: LOG,
    },
    Row {
        name: "create, a body of 65 KiB",
        expected: "413 body_too_large",
        ask: |check| {
            let large = json!({ "title": "x".repeat(65 * 1024) });
            Ok(Text(check.api.tasks("POST", "").json(&large).send()?.text()))
        },
        of: Product,
        otherwise: LOG,
    },
    Row {
        name: "create, a title that is a number",
        expected: "422 invalid_request, title",
        ask: |check| {
            let answer = check.api.tasks("POST", "").json(&json!({ "title": 7 })).send()?;
            let named = answer.body.pointer("/errors/0/field") == Some(&json!("title"));
            Ok(Text(answer.and("title", named)))
        },
        of: Product,
        otherwise: LOG,
    },
    Row {
        name: "create without a body",
        expected: "422 invalid_request",
        ask: |check| Ok(Text(check.api.tasks("POST", "").body(Vec::new()).send()?.text())),
        of: Product,
        otherwise: "415: the gateway adds a Content-Type, which the function must ignore",
    },
    Row {
        name: "update without a body",
        expected: "422 invalid_request",
        ask: |check| Ok(Text(of_task(check, "PUT", |call| call.body(Vec::new()))?.text())),
        of: Product,
        otherwise: "415: the gateway adds a Content-Type, which the function must ignore",
    },
    Row {
        name: "update, If-Match: its ETag",
        expected: "200, etag",
        ask: |check| {
            let etag = check.etag()?;
            let change = json!({ "title": "Checked" });
            let answer = of_task(check, "PUT", |call| call.header("if-match", etag).json(&change))?;
            Ok(Text(answer.with(&["etag"])))
        },
        of: Product,
        otherwise: LOG,
    },
    Row {
        name: "complete",
        expected: "200, completed",
        ask: |check| {
            let path = format!("/{}/complete", check.task_id()?);
            let answer =
                check.api.tasks("PATCH", &path).json(&json!({ "completed": true })).send()?;
            Ok(Text(answer.and("completed", answer.member("completed") == &json!(true))))
        },
        of: Product,
        otherwise: LOG,
    },
    Row {
        name: "the next page, by its Link",
        expected: "200, the task",
        ask: next_page,
        of: Product,
        otherwise: "the Link contains the token's user: compare it with the path in the access log",
    },
    Row {
        name: "delete",
        expected: "200, the task",
        ask: |check| {
            let answer = of_task(check, "DELETE", |call| call)?;
            Ok(Text(answer.and("the task", Some(answer.member("id")) == check.task()?.get("id"))))
        },
        of: Product,
        otherwise: LOG,
    },
];

/// Runs at the end, even after failures.
pub(super) static CLEAR: Row = Row {
    name: "clear: nothing stays behind",
    expected: "200, nothing is left",
    ask: |check| {
        // Each request deletes up to 10,000 rows; there are fewer than a hundred.
        let cleared = check.api.tasks("DELETE", "?all=true").send()?;
        let left = check.api.tasks("GET", "").send()?;
        let empty = cleared.member("more") == &json!(false) && left.body == json!([]);
        Ok(Text(cleared.and("nothing is left", empty)))
    },
    of: Product,
    otherwise: "delete the rest by hand: the user's id begins with check-, and no real user has it",
};

fn create(check: &Check) -> Result<Came> {
    let task = json!({ "title": "A check of the deployment" });
    let answer = check.api.tasks("POST", "").json(&task).send()?;
    let came = answer.with(&["location", "etag"]);
    let etag = answer.header("etag").unwrap_or_default().to_owned();
    if answer.status == 201 {
        // It cannot be set already: this row runs only once.
        let _ = check.created.set((answer.body, etag));
    }
    Ok(Text(came))
}

fn next_page(check: &Check) -> Result<Came> {
    let newer = json!({ "title": "A newer task" });
    check.api.tasks("POST", "").json(&newer).send()?;
    let page = check.api.tasks("GET", "?limit=1").send()?;
    let link = page.header("link").unwrap_or_default();
    let Some((target, _)) = link.strip_prefix('<').and_then(|link| link.split_once('>')) else {
        return Ok(Text(format!("{}, no Link", page.text())));
    };
    let next = check.api.at("GET", target.to_owned()).send()?;
    let older = next.body.pointer("/0/id") == check.task()?.get("id");
    Ok(Text(next.and("the task", older)))
}

/// Requests the task.
fn of_task(
    check: &Check,
    method: &'static str,
    with: impl FnOnce(Call<'_>) -> Call<'_>,
) -> Result<Answer> {
    let path = format!("/{}", check.task_id()?);
    with(check.api.tasks(method, &path)).send()
}
