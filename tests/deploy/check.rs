//! `cargo xtask stage … check` against three gateways: one that behaves ideally, one that behaves
//! as AWS's documentation and its users report, and one that gets every row wrong.
mod wrong;

use std::collections::BTreeMap;
use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};
use tests::{
    AUDIENCE, Fixture, ISSUER, SECRET, ask_cloudformation, call_aws, create_secret, create_stack,
    new_database, sql, xtask,
};

use self::wrong::WRONG;
use crate::gateway::{BURST, Behaviour, Gateway, ORIGIN};
use crate::tools::{failure, with_aws, with_aws_cli};

const STACK: &str = "task-api-dev";

const GOOD: Behaviour = Behaviour {
    renames: false,
    types: false,
    refuses_readably: true,
    throttles: true,
    records: true,
    changes: |_, _| {},
};

/// The reported behaviour of AWS.
const LIKE_AWS: Behaviour =
    Behaviour { renames: true, types: true, refuses_readably: false, ..GOOD };

/// A stack in a local AWS for the check's requests to AWS, without functions.
struct Stack {
    aws: Fixture,
    /// Its own database, so that remaining rows are visible.
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
    let parameters = [("AllowedOrigins", ORIGIN), ("Tracing", "Active")];
    create_stack(&aws.url, STACK, &template, &parameters).expect(200);
    let described = || ask_cloudformation(&aws.url, "DescribeStacks", &[("StackName", STACK)]);
    while !described().expect(200).to_string().contains("CREATE_COMPLETE") {
        sleep(Duration::from_millis(50));
    }
    // This AWS ignores the throttle in a template.
    let call = |method, path: &str, body: &str| {
        call_aws(&aws.url, "apigateway", method, path, &[], body).expect(200)
    };
    let apis = call("GET", "/v2/apis", "");
    let api = apis["items"][0]["apiId"].as_str().unwrap();
    let throttle = json!({ "throttlingBurstLimit": BURST, "throttlingRateLimit": 50 });
    let settings = json!({ "defaultRouteSettings": throttle }).to_string();
    call("PATCH", &format!("/v2/apis/{api}/stages/$default"), &settings);
    Stack { aws, database }
}

/// `cargo xtask stage dev check` of functions behind a gateway, with the throttle and a short wait.
fn check(stack: &Stack, behaviour: Behaviour, options: &[&str]) -> (Option<i32>, String) {
    let variables = [
        ("BETTER_AUTH_SECRET", SECRET),
        ("JWT_ISSUER", ISSUER),
        ("JWT_AUDIENCE", AUDIENCE),
        ("DATABASE_URL", &stack.database[1]),
    ];
    let aws = &stack.aws.url;
    let gateway = Gateway::start(STACK, behaviour, aws, &variables);
    let mut command = with_aws_cli(with_aws(xtask(), aws));
    for service in ["XRAY", "LAMBDA"] {
        command.env(format!("AWS_ENDPOINT_URL_{service}"), &gateway.url);
    }
    command.args(["stage", "dev", "check", "--url", &gateway.url]).args(options);
    let output = command.output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

/// The rows that are not as expected, with verdict and result.
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

/// The rows about latency, which means nothing on a busy machine.
const TIMED: [&str; 3] = [
    "the first request of each operation",
    "warm: 20 lists, one after the other",
    "cold: 8 lists at once",
];

/// All rows except those.
pub fn untimed(rows: &BTreeMap<String, (String, String)>) -> Vec<&str> {
    rows.keys().map(String::as_str).filter(|row| !TIMED.contains(row)).collect()
}

/// The users of the rows that the checks left in the database.
fn left(stack: &Stack) -> Vec<String> {
    sql(
        &stack.database[0],
        "SELECT user_id FROM tasks UNION ALL SELECT user_id FROM idempotency_keys",
    )
}

#[test]
fn a_stage_that_works_is_told_from_what_aws_does_otherwise() {
    let stack = stack();
    let (status, text) = check(&stack, GOOD, &["--burst", "--wait", "30", "--json"]);
    let others = others(&text);
    assert_eq!(untimed(&others), Vec::<&str>::new(), "{text}");
    assert_eq!(status, Some(if others.is_empty() { 0 } else { 3 }), "{text}");
    assert_eq!(left(&stack), Vec::<String>::new());

    let (status, text) = check(&stack, LIKE_AWS, &["--burst", "--wait", "30"]);
    assert_eq!(status, Some(3), "{text}");
    assert!(text.contains("task-api-dev works"), "{text}");
    let judged =
        |line: &&str| ["differs", "FAILS", "not asked"].iter().any(|v| line.starts_with(v));
    let lines: Vec<&str> = text.lines().filter(judged).collect();
    for (row, came) in [
        ("WWW-Authenticate of a 401", "x-amzn-remapped-www-authenticate"),
        ("a 429 that a browser can read", "without CORS headers"),
    ] {
        let is = |line: &&str| line.contains(row) && line.ends_with(came);
        assert!(lines.iter().any(is), "{row}: {text}");
    }
    let timed = lines.iter().filter(|line| TIMED.iter().any(|row| line.contains(row))).count();
    assert_eq!(lines.len() - timed, 2, "{text}");
    // What to do about each.
    assert_eq!(text.matches("→ ").count(), lines.len(), "{text}");
}

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
    assert_eq!(report["rows"].as_array().unwrap().len(), WRONG.len(), "each row has a fault");
    // It deleted its data, whatever answers it got.
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
