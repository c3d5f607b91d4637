//! `cargo xtask stage … check` of a stage in the local AWS: one that works, and one that is broken
//! on purpose.
use std::collections::BTreeSet;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tests::{
    AUDIENCE, Fixture, ISSUER, JwtApp, SECRET, ask_aws, ask_cloudformation, call_aws,
    create_secret, create_stack, database_url, operations, resources, send,
};

use crate::logins::Stage;
use crate::tools::{failure, operator};

/// What a check printed.
pub struct Checked {
    status: Option<i32>,
    pub text: String,
}

impl Checked {
    /// Runs a check of a stage, which must stay small and erase what it created.
    pub fn run(stage: &Stage, mut check: Command) -> Self {
        let output = check.output().unwrap();
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        let last = text.lines().last().unwrap_or_default();
        let numbers = last.split(' ').filter_map(|word| word.parse::<usize>().ok());
        let [requests, refused] = numbers.collect::<Vec<_>>()[..] else { panic!("{text}") };
        let count = operations().len();
        assert!((2 * count..=2 * count + 40).contains(&requests), "{text}");
        assert!((count + 1..=count + 20).contains(&refused), "{text}");
        for table in resources().iter().map(|of| of.table.as_str()).chain(["idempotency_keys"]) {
            let left = format!("SELECT user_id FROM {table} WHERE user_id LIKE 'check-%'");
            assert_eq!(stage.admin(&left), Vec::<String>::new(), "{text}");
        }
        Self { status: output.status.code(), text }
    }

    /// Checks the exit status, and which rows are not as expected: name, verdict, actual answer
    /// up to a time.
    pub fn expect(&self, status: i32, others: &[(&str, &str, &str)]) {
        let verdicts = ["not asked", "differs", "FAILS"];
        let lines = self.text.lines();
        let rows = lines.filter(|line| verdicts.iter().any(|verdict| line.starts_with(verdict)));
        let rows: BTreeSet<_> = rows
            .map(|line| {
                let cells = line.split("  ").map(str::trim).filter(|cell| !cell.is_empty());
                let [verdict, name, _, actual] = cells.collect::<Vec<_>>()[..] else {
                    panic!("{line}")
                };
                (name, verdict, actual.split(" in ").next().unwrap())
            })
            .collect();
        assert_eq!(rows, others.iter().copied().collect(), "{}", self.text);
        assert_eq!(self.status, Some(status), "{}", self.text);
    }
}

/// Records what AWS would, and this AWS does not: a report of Lambda, the access log, a metric.
pub fn record(aws: &str, stack: &str) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() + 55;
    let metrics = json!({ "durationMs": 3.25, "maxMemoryUsedMB": 18, "initDurationMs": 36.5 });
    let report = json!({ "type": "platform.report", "record": { "metrics": metrics } });
    let access = json!({ "requestId": "id", "route": "$default", "status": "404" });
    for (group, line) in [
        (format!("/aws/lambda/{stack}"), report),
        (format!("/aws/vendedlogs/apis/{stack}"), access),
    ] {
        let mut put = json!({ "logGroupName": group, "logStreamName": now.to_string() });
        ask_aws(aws, "Logs_20140328.CreateLogStream", &put);
        put["logEvents"] = json!([{ "timestamp": now * 1000, "message": line.to_string() }]);
        ask_aws(aws, "Logs_20140328.PutLogEvents", &put);
    }
    let dimension = "MetricData.member.1.Dimensions.member.1";
    let put = format!(
        "Action=PutMetricData&Namespace=TaskApi&MetricData.member.1.MetricName=Latency\
         &MetricData.member.1.Value=3&MetricData.member.1.Timestamp={now}\
         &{dimension}.Name=service&{dimension}.Value={stack}"
    );
    form(aws, &put);
}

/// A call of CloudWatch.
fn form(aws: &str, fields: &str) {
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let fields = format!("Version=2010-08-01&{fields}");
    call_aws(aws, "monitoring", "POST", "/", &form, &fields).expect(200);
}

/// A stack as the check sees it, without an API, whose alarm is on.
fn silent_stack(aws: &str, settings: &Value) {
    create_secret(aws, "task-api/staging", &settings.to_string());
    let mail =
        json!({ "TopicArn": { "Ref": "Topic" }, "Protocol": "email", "Endpoint": "o@app.example" });
    let alarm = json!({
        "AlarmName": "task-api-staging-DatabaseAlarm", "Namespace": "N", "MetricName": "M", "Period": 60,
        "Statistic": "Sum", "EvaluationPeriods": 1, "ComparisonOperator": "GreaterThanThreshold", "Threshold": 0,
    });
    let template = json!({
        "Parameters": { "AllowedOrigins": { "Type": "String" } },
        "Resources": {
            "Topic": { "Type": "AWS::SNS::Topic" },
            "Mail": { "Type": "AWS::SNS::Subscription", "Properties": mail },
            "Alarm": { "Type": "AWS::CloudWatch::Alarm", "Properties": alarm },
        },
        "Outputs": {
            "ApiUrl": { "Value": "http://127.0.0.1:1" }, "AlarmTopicArn": { "Value": { "Ref": "Topic" } },
        },
    });
    let origins = [("AllowedOrigins", "https://app.example")];
    create_stack(aws, "task-api-staging", &template, &origins).expect(200);
    let stack = [("StackName", "task-api-staging")];
    let described = || ask_cloudformation(aws, "DescribeStacks", &stack).expect(200).to_string();
    while !described().contains("CREATE_COMPLETE") {
        sleep(Duration::from_millis(50));
    }
    form(
        aws,
        "Action=SetAlarmState&AlarmName=task-api-staging-DatabaseAlarm&StateValue=ALARM&StateReason=a",
    );
}

#[test]
fn a_stage_that_does_not_answer_fails_and_its_alarms_are_listed() {
    let aws = Fixture::start("aws", &[]);
    silent_stack(
        &aws.url,
        &json!({
            "BETTER_AUTH_SECRET": SECRET, "JWT_ISSUER": ISSUER, "JWT_AUDIENCE": AUDIENCE,
            "DATABASE_URL": "postgres://functions:password@127.0.0.1/tasks?sslmode=require",
        }),
    );
    let said = failure(operator(&aws.url).args(["stage", "staging", "check", "--wait", "0"]));
    let silent =
        said.lines().filter(|line| line.starts_with("FAILS") && line.contains("no answer"));
    // And the two rows on the gateway that this repository is responsible for, and the removal.
    assert_eq!(silent.count(), operations().len() + 3, "{said}");
    let row = |start: &str, end: &str| {
        said.lines().any(|line| line.starts_with(start) && line.ends_with(end))
    };
    assert!(row("differs    alarms that are on", "  task-api-staging-DatabaseAlarm"), "{said}");
    assert!(row("ok         who receives alarms", "  1 of 1 confirmed it"), "{said}");
    assert!(!said.contains("o@app.example"), "{said}");
    assert!(
        said.ends_with("task-api-staging does not work: 0 requests, 0 of them refused.\n"),
        "{said}"
    );
}

#[test]
fn where_only_the_app_can_sign_a_throwaway_user_of_it_is_asked_for() {
    let (aws, mut app) = (Fixture::start("aws", &[]), JwtApp::start("EdDSA"));
    let settings = json!({
        "JWT_JWKS_URL": app.keys_url(), "JWT_JWKS": app.keys().to_string(), "LOG_KEY": SECRET,
        "JWT_ISSUER": app.url, "JWT_AUDIENCE": app.url, "DATABASE_URL": database_url(),
    });
    silent_stack(&aws.url, &settings);
    let variables = settings.as_object().unwrap().iter();
    let variables = variables.map(|(name, value)| (name.as_str(), value.as_str().unwrap()));
    let gateway = [("BETTER_AUTH_SECRET", "")].into_iter().chain(variables).collect::<Vec<_>>();
    let gateway = Fixture::gateway(&gateway);
    let check = |token: &str| {
        let mut check = operator(&aws.url);
        check.args(["stage", "staging", "check", "--wait", "0", "--url", &gateway.url]);
        failure(check.env("CHECK_TOKEN", token))
    };
    // The gateway's own rows are not those of API Gateway.
    let said = check(&app.token());
    let verdict = |start: &str| {
        let row = said.lines().find(|line| line[9..].trim().starts_with(start)).expect(start);
        row[..9].trim().to_owned()
    };
    for operation in operations() {
        assert_eq!(verdict(operation.function), "ok", "{said}");
    }
    assert_eq!(verdict("a user id with other characters"), "not asked", "{said}");
    assert_eq!(verdict("erase what was created"), "ok", "{said}");
    // What a user of the app has is not erased.
    let token = app.token();
    let tasks = format!("{}/api/{}/tasks", gateway.url, app.user);
    let bearer =
        [("authorization", &*format!("Bearer {token}")), ("content-type", "application/json")];
    send("POST", &tasks, &bearer, r#"{"title":"mine"}"#).expect(201);
    assert!(check(&token).contains("needs a valid token of a throwaway user"));
    assert_eq!(send("GET", &tasks, &bearer, "").expect(200).as_array().unwrap().len(), 1);
    assert!(check("").contains("put the token of a throwaway user into CHECK_TOKEN"));
}

#[test]
fn the_tests_of_the_api_never_run_against_prod() {
    let mut command = operator("http://127.0.0.1:1");
    let said = failure(command.args(["stage", "prod", "test", "get::"]));
    assert!(said.contains("not in prod"), "{said}");
}
