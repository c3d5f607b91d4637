//! `cargo xtask stage … check` before a gateway that behaves well, before one that behaves as AWS's documentation and
//! its users say that AWS does, and before one that gets everything wrong.
use std::collections::BTreeMap;
use std::process::Command;

use serde_json::{Value, json};
use tests::{AUDIENCE, Fixture, ISSUER, SECRET, create_secret, database, sql, xtask};

use crate::gateway::{Answered, Asked, BURST, Behaviour, Gateway, ORIGIN};
use crate::tools::{success, tool, with_aws};

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
fn stack() -> Fixture {
    let aws = Fixture::start("aws", &[]);
    let settings = json!({
        "BETTER_AUTH_SECRET": SECRET, "JWT_ISSUER": ISSUER, "JWT_AUDIENCE": AUDIENCE,
        "DATABASE_URL": database().functions_url,
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
    aws
}

/// `cargo xtask stage dev check` of functions behind a gateway, with a browser's throttle and a short wait.
fn check(aws: &Fixture, behaviour: Behaviour, options: &[&str]) -> (Option<i32>, String) {
    let variables = [
        ("BETTER_AUTH_SECRET", SECRET),
        ("JWT_ISSUER", ISSUER),
        ("JWT_AUDIENCE", AUDIENCE),
        ("DATABASE_URL", &database().functions_url),
    ];
    let gateway = Gateway::start(STACK, behaviour, &aws.url, &variables);
    let mut command = with_aws(xtask(), &aws.url);
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
fn others(text: &str) -> BTreeMap<String, (String, String)> {
    let report: Value = text.parse().unwrap_or_else(|_| panic!("{text}"));
    let member = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
    let rows = report["rows"].as_array().unwrap().iter().filter(|row| row["verdict"] != "ok");
    let rows = rows.map(|row| {
        assert_eq!(row.get("do").is_some(), row["verdict"] != "not asked", "{row}");
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
fn left() -> Vec<String> {
    sql(
        &database().url,
        "SELECT user_id FROM tasks WHERE user_id LIKE 'check-%' UNION ALL SELECT user_id FROM idempotency_keys WHERE user_id LIKE 'check-%'",
    )
}

#[test]
fn a_stage_that_works_is_told_from_what_aws_does_otherwise() {
    let aws = stack();
    let (status, text) = check(&aws, GOOD, &["--burst", "--wait", "30"]);
    assert_eq!(status, Some(0), "{text}");
    assert!(text.contains("task-api-dev works") && text.contains(" 0 not asked"), "{text}");
    assert_eq!(left(), Vec::<String>::new());

    let (status, text) = check(&aws, LIKE_AWS, &["--burst", "--wait", "30", "--json"]);
    assert_eq!(status, Some(3), "{text}");
    let like_aws = [
        ("WWW-Authenticate of a 401", "differs", "x-amzn-remapped-www-authenticate"),
        ("a 429 that a browser can read", "differs", "without CORS headers"),
    ];
    assert_eq!(others(&text), expected(&like_aws));
}

/// One wrong for each row, and what then comes to it.
const WRONG: &[(&str, fn(&Asked, &mut Answered), &str)] = &[(
    "create",
    |_, answered| {
        if answered.status == 201 {
            drop(answered.headers.remove("location"))
        }
    },
    "201, etag",
)];

#[test]
fn every_row_tells_what_is_wrong() {
    let aws = stack();
    let wrong = Behaviour {
        throttles: false,
        records: false,
        changes: |asked, answered| WRONG.iter().for_each(|(_, change, _)| change(asked, answered)),
        ..LIKE_AWS
    };
    let (status, text) = check(&aws, wrong, &["--burst", "--wait", "0", "--json"]);
    assert_eq!(status, Some(1), "{text}");
    println!("{text}");
}
