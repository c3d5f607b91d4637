//! `cargo xtask stage … check` before a gateway that behaves well, before one that behaves as AWS's documentation and
//! its users say that AWS does, and before one that gets everything wrong.
use std::collections::BTreeMap;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};
use tests::{AUDIENCE, Fixture, ISSUER, SECRET, create_secret, new_database, sql, xtask};

use crate::gateway::{Answered, Asked, BURST, Behaviour, Gateway, ORIGIN};
use crate::tools::{failure, success, tool, with_aws};

const STACK: &str = "task-api-dev";

const GOOD: Behaviour = Behaviour {
    renames: false,
    types: false,
    refuses_readably: true,
    throttles: true,
    records: true,
    changes: |_, _| {},
};

/// What AWS is said to do.
const LIKE_AWS: Behaviour =
    Behaviour { renames: true, types: true, refuses_readably: false, ..GOOD };

/// A stack in a local AWS: what `stage check` asks AWS about, and no function.
struct Stack {
    aws: Fixture,
    /// Of its own, so that it is seen what is left in it.
    database: [String; 2],
}

fn stack() -> Stack {
    let (aws, database) = (Fixture::start("aws", &[]), new_database());
    let settings = json!({
        "BETTER_AUTH_SECRET": SECRET, "JWT_ISSUER": ISSUER, "JWT_AUDIENCE": AUDIENCE,
        "DATABASE_URL": database[1],
    });
    create_secret(&aws.url, "task-api/dev", &settings.to_string());
    let group = |name: &str| json!({ "Type": "AWS::Logs::LogGroup", "Properties": { "LogGroupName": name } });
    let dashboard = json!({ "widgets": [
        { "type": "metric", "properties": { "title": "In the functions", "stat": "p50",
            "metrics": [["TaskApi", "Latency", "service", STACK], [".", "DatabaseLatency", ".", "."]] } },
        { "type": "log", "properties": { "title": "The last failures",
            "query": format!("SOURCE '/aws/lambda/{STACK}' | fields @timestamp, reason | filter level in ['WARN'] | limit 5") } },
    ] });
    let template = json!({
        "Parameters": { "AllowedOrigins": { "Type": "String" }, "Tracing": { "Type": "String" } },
        "Resources": {
            "Api": { "Type": "AWS::ApiGatewayV2::Api", "Properties": { "Name": STACK, "ProtocolType": "HTTP" } },
            "Stage": { "Type": "AWS::ApiGatewayV2::Stage", "Properties": {
                "ApiId": { "Ref": "Api" }, "StageName": "$default", "AutoDeploy": true } },
            "FunctionLogs": group(&format!("/aws/lambda/{STACK}")),
            "AccessLogs": group(&format!("/aws/vendedlogs/apis/{STACK}")),
            "Dashboard": { "Type": "AWS::CloudWatch::Dashboard", "Properties": {
                "DashboardName": STACK, "DashboardBody": dashboard.to_string() } },
        },
        "Outputs": { "ApiUrl": { "Value": "http://127.0.0.1:1" } },
    });
    let cli = |arguments: &[&str]| {
        let mut command = with_aws(Command::new(tool("aws").join("aws")), &aws.url);
        success(command.args(arguments).args(["--output", "text"]))
    };
    let origin = format!("ParameterKey=AllowedOrigins,ParameterValue={ORIGIN}");
    let create = ["cloudformation", "create-stack", "--stack-name", STACK, "--template-body"];
    let parameters = ["--parameters", &origin, "ParameterKey=Tracing,ParameterValue=Active"];
    cli(&[&create[..], &[&template.to_string()], &parameters].concat());
    // This AWS does not read the throttle in a template.
    let api = cli(&["apigatewayv2", "get-apis", "--query", "Items[0].ApiId"]);
    let throttle = format!("ThrottlingBurstLimit={BURST},ThrottlingRateLimit=50");
    let update =
        ["apigatewayv2", "update-stage", "--stage-name", "$default", "--api-id", api.trim()];
    cli(&[&update[..], &["--default-route-settings", &throttle]].concat());
    Stack { aws, database }
}

/// `cargo xtask stage dev check` of functions behind a gateway, with a browser's throttle and a short wait.
fn check(stack: &Stack, behaviour: Behaviour, options: &[&str]) -> (Option<i32>, String) {
    let variables = [
        ("BETTER_AUTH_SECRET", SECRET),
        ("JWT_ISSUER", ISSUER),
        ("JWT_AUDIENCE", AUDIENCE),
        ("DATABASE_URL", &stack.database[1]),
    ];
    let aws = &stack.aws.url;
    let gateway = Gateway::start(STACK, behaviour, aws, &variables);
    let mut command = with_aws(xtask(), aws);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = [tool("aws")].into_iter().chain(std::env::split_paths(&path));
    command.env("PATH", std::env::join_paths(path).unwrap());
    for service in ["XRAY", "LAMBDA"] {
        command.env(format!("AWS_ENDPOINT_URL_{service}"), &gateway.url);
    }
    command.args(["stage", "dev", "check", "--url", &gateway.url]).args(options);
    let output = command.output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

/// The rows that are not as expected, with how they are judged and what came.
pub fn others(text: &str) -> BTreeMap<String, (String, String)> {
    let report: Value = text.parse().unwrap_or_else(|_| panic!("{text}"));
    let member = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
    let rows = report["rows"].as_array().unwrap().iter().filter(|row| row["verdict"] != "ok");
    let rows = rows.map(|row| {
        assert_eq!(row["do"].is_string(), row["verdict"] != "not asked", "{row}");
        (member(row, "asked"), (member(row, "verdict"), member(row, "came")))
    });
    rows.collect()
}

fn expected(rows: &[(&str, &str, &str)]) -> BTreeMap<String, (String, String)> {
    let owned = |(row, verdict, came): &(&str, &str, &str)| {
        ((*row).to_owned(), ((*verdict).to_owned(), (*came).to_owned()))
    };
    rows.iter().map(owned).collect()
}

/// What is left of all that the checks made.
fn left(stack: &Stack) -> Vec<String> {
    sql(
        &stack.database[0],
        "SELECT user_id FROM tasks UNION ALL SELECT user_id FROM idempotency_keys",
    )
}

#[test]
fn a_stage_that_works_is_told_from_what_aws_does_otherwise() {
    let stack = stack();
    let (status, text) = check(&stack, GOOD, &["--burst", "--wait", "30"]);
    assert_eq!(status, Some(0), "{text}");
    assert!(text.contains("task-api-dev works") && text.contains(" 0 not asked"), "{text}");
    assert_eq!(left(&stack), Vec::<String>::new());

    let (status, text) = check(&stack, LIKE_AWS, &["--burst", "--wait", "30", "--json"]);
    assert_eq!(status, Some(3), "{text}");
    let like_aws = [
        ("WWW-Authenticate of a 401", "differs", "x-amzn-remapped-www-authenticate"),
        ("a 429 that a browser can read", "differs", "without CORS headers"),
    ];
    assert_eq!(others(&text), expected(&like_aws));
}

type Wrong = fn(&Asked, &mut Answered);

/// One wrong for each row, and what then comes to it; a star stands for any text. The later ones see what the
/// earlier ones made of an answer.
const WRONG: &[(&str, Wrong, &str)] = &[
    ("create", |_, to| to.lose("location"), "201, etag"),
    (
        "list",
        |asked, to| {
            if asked.lists() && to.status == 200 {
                to.body = "[]".into()
            }
        },
        "200, []",
    ),
    (
        "get",
        |asked, to| {
            if asked.of_task("GET") && to.status == 200 {
                to.lose("etag")
            }
        },
        "200",
    ),
    (
        "get, If-None-Match: its ETag",
        |_, to| {
            if to.status == 304 {
                (to.status, to.body) = (200, "{}".into())
            }
        },
        "200, etag, a body",
    ),
    (
        "no token",
        |asked, to| {
            if !asked.has("authorization") && to.status == 401 {
                to.status = 403
            }
        },
        "403 missing_token",
    ),
    (
        "the tasks of somebody else",
        |asked, to| {
            if asked.path.contains("-else/") {
                to.status = 404
            }
        },
        "404 wrong_user",
    ),
    (
        "update, If-Match: stale",
        |_, to| {
            if to.status == 412 {
                to.replace(502)
            }
        },
        "502 of the gateway",
    ),
    (
        "create, a body of 65 KiB",
        |_, to| {
            if to.status == 413 {
                to.replace(413)
            }
        },
        "413 of the gateway",
    ),
    (
        "create, a title that is a number",
        |asked, to| {
            if asked.body.starts_with(b"{\"title\":7") {
                to.replace(400)
            }
        },
        r#"400 of the gateway, {"message":"replaced"}"#,
    ),
    (
        "create without a body",
        |asked, to| {
            if asked.method == "POST" && asked.body.is_empty() {
                to.replace(411)
            }
        },
        "411 of the gateway",
    ),
    (
        "update without a body",
        |asked, to| {
            if asked.method == "PUT" && asked.body.is_empty() {
                to.replace(411)
            }
        },
        "411 of the gateway",
    ),
    (
        "update, If-Match: its ETag",
        |asked, to| {
            if asked.method == "PUT" {
                to.lose("etag")
            }
        },
        "200",
    ),
    (
        "complete",
        |asked, to| {
            if asked.method == "PATCH" {
                to.replace(502)
            }
        },
        r#"502 of the gateway, {"message":"replaced"}"#,
    ),
    ("the next page, by its Link", |_, to| to.lose("link"), "200, no Link"),
    (
        "delete",
        |asked, to| {
            if asked.of_task("DELETE") {
                to.replace(502)
            }
        },
        r#"502 of the gateway, {"message":"replaced"}"#,
    ),
    (
        "preflight of a browser",
        |asked, to| {
            if asked.method == "OPTIONS" {
                *to = Answered::own(403, "Forbidden")
            }
        },
        "403 of the gateway, which does not allow the origin",
    ),
    ("WWW-Authenticate of a 401", |_, to| to.lose("x-amzn-remapped-www-authenticate"), "none"),
    (
        "headers of a 304",
        |asked, to| {
            if asked.has("if-none-match") {
                to.set("content-type", "text/html")
            }
        },
        "cache-control, content-type, etag, x-content-type-options",
    ),
    // Those that are replaced above.
    ("no-store and nosniff on every answer", |_, _| {}, "not on 400, 411, 413, 502"),
    (
        "answers that a browser can read",
        |_, to| {
            if to.status == 413 {
                to.lose("access-control-allow-origin")
            }
        },
        "not on 413",
    ),
    (
        "user id with %2F in the path, a /",
        |asked, to| {
            if asked.path.contains("%2F") {
                to.invalid()
            }
        },
        "422 invalid_request",
    ),
    (
        "user id with %252F in the path, a %2F",
        |asked, to| {
            if asked.path.contains("%252F") {
                to.replace(404)
            }
        },
        "404 of the gateway",
    ),
    (
        "user id with a ?",
        |asked, to| {
            if asked.path.contains("%3F") {
                to.status = 200
            }
        },
        "200",
    ),
    (
        "user id with a #",
        |asked, to| {
            if asked.path.contains("%23") {
                to.replace(403)
            }
        },
        "403 of the gateway",
    ),
    (
        "user id with a space and an umlaut",
        |asked, to| {
            if asked.path.contains("%20") {
                to.replace(400)
            }
        },
        "400 of the gateway",
    ),
    (
        "a body that is no UTF-8",
        |asked, to| {
            if asked.body.contains(&0xff) {
                to.status = 201
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
                sleep(Duration::from_millis(3100))
            }
        },
        "3* ms, PUT /api/{user}/tasks/{task}",
    ),
    (
        "warm: 20 lists, one after the other",
        |asked, _| {
            if asked.lists() && asked.has("authorization") {
                sleep(Duration::from_millis(550))
            }
        },
        "5* ms, at most * ms",
    ),
    (
        "cold: 8 lists at once",
        |asked, to| {
            static LISTS: AtomicUsize = AtomicUsize::new(0);
            // After those of the rows before.
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
                to.body = r#"{"deleted":9,"more":true}"#.into()
            }
        },
        r#"200, {"deleted":9,"more":true}"#,
    ),
    ("a burst beyond the throttle", |_, _| {}, "429 to 0 of 400, something else than 401 to 0"),
    // It is seen above to have no CORS headers.
    ("a 429 that a browser can read", |_, _| {}, "no request was refused"),
    ("log of the functions", |_, _| {}, "0 lines, no cold start"),
    ("metrics TaskApi", |_, _| {}, "0 requests, 0 cold starts"),
    ("access log of the gateway", |_, _| {}, "0 lines, none of them of these requests"),
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

#[test]
fn every_row_tells_what_is_wrong() {
    let stack = stack();
    let wrong = Behaviour {
        throttles: false,
        records: false,
        changes: |asked, answered| WRONG.iter().for_each(|(_, change, _)| change(asked, answered)),
        ..LIKE_AWS
    };
    let (status, text) = check(&stack, wrong, &["--burst", "--wait", "0", "--json"]);
    assert_eq!(status, Some(1), "{text}");
    let others = others(&text);
    for (row, _, wanted) in WRONG {
        let (_, came) = others.get(*row).unwrap_or_else(|| panic!("{row} is as expected: {text}"));
        let (mut rest, mut matches) = (came.as_str(), true);
        for part in wanted.split('*') {
            matches &= rest.find(part).is_some_and(|at| {
                rest = &rest[at + part.len()..];
                true
            });
        }
        assert!(matches && came.starts_with(wanted.split('*').next().unwrap()), "{row}: {came}");
    }
    let report: Value = text.parse().unwrap();
    assert_eq!(report["rows"].as_array().unwrap().len(), WRONG.len(), "each row has a wrong");
    // Whatever it heard, it left nothing behind.
    assert_eq!(left(&stack), Vec::<String>::new());
}

#[test]
fn a_burst_in_prod_needs_a_second_word() {
    let mut command = with_aws(xtask(), "http://127.0.0.1:1");
    let said = failure(command.args(["stage", "prod", "check", "--burst"]));
    assert!(said.contains("--yes"), "{said}");
    let said =
        failure(with_aws(xtask(), "http://127.0.0.1:1").args(["stage", "dev", "check", "--yes"]));
    assert!(said.contains("--burst"), "{said}");
}
