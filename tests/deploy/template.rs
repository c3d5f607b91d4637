//! Rules for the template that linters cannot check, for each stage as SAM translates it.
use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use tests::routes;

use crate::cloudformation::Stack;
use crate::shape::{kinds_of_lines, statements};
use crate::tools::{STAGES, resolved, root, sam, stack, success, translated};

/// Settings that the template offers but no stage uses.
pub const OPTIONS: [&str; 10] = [
    "Architecture=arm64",
    "AllowedOrigins=https://a.example,https://b.example",
    "AlarmEmail=operator@app.example",
    "DomainName=api.app.example",
    "CertificateArn=arn:aws:acm:us-east-1:123456789012:certificate/00000000-0000-0000-0000-000000000000",
    "HostedZoneId=Z0123456789",
    "DisableDefaultEndpoint=true",
    "Tracing=Active",
    "MonthlyBudget=20",
    "PermissionsBoundary=task-api-prod-boundary",
];

/// This test writes the file if it differs, so that the diff of a change shows what is deployed. What
/// there is of functions and routes is generated from the document.
#[test]
fn what_a_template_makes_is_reviewed() {
    let file = root().join("tests/deploy/resources.txt");
    let made = kinds_of_lines(&resolved(translated("prod", &OPTIONS))).join("\n") + "\n";
    if std::fs::read_to_string(&file).unwrap_or_default() != made {
        std::fs::write(&file, made).unwrap();
        panic!("tests/deploy/resources.txt is written anew: commit it if its diff is as meant");
    }
}

#[test]
fn the_linters_find_nothing() {
    success(sam("sam").args(["validate", "--lint"]));
    let folder = tempfile::tempdir().unwrap();
    let stages = STAGES.map(|stage| (stage, translated(stage, &[])));
    let all = stages.into_iter().chain([("options", translated("prod", &OPTIONS))]);
    // SAM replaces parameters by their values (W2001); for W3011 see the template.
    let mut lint = sam("cfn-lint");
    lint.args(["--ignore-checks", "W2001", "W3011", "--template"]);
    for (name, translated) in all {
        let file = folder.path().join(format!("{name}.json"));
        std::fs::write(&file, translated["template"].to_string()).unwrap();
        lint.arg(file);
    }
    success(&mut lint);
}

#[test]
fn the_stages_are_those_that_the_template_allows() {
    let text = std::fs::read_to_string(root().join("samconfig.toml")).unwrap();
    // What `sam build` also needs is in a section for all commands.
    let sections =
        text.lines().filter_map(|line| line.strip_prefix('[')?.strip_suffix(".global.parameters]"));
    assert_eq!(sections.collect::<Vec<_>>(), STAGES);
    // Of `sam deploy`; prod also asks.
    let deploy = |stage: &str| {
        let rest = text.split_once(&format!("[{stage}.deploy.parameters]\n")).unwrap().1;
        rest.replace(stage, "STAGE").lines().take(5).map(str::to_owned).collect::<Vec<_>>()
    };
    assert!(STAGES.iter().all(|stage| deploy(stage) == deploy("dev")), "{text}");
    let stage = &translated("dev", &[])["template"]["Parameters"]["Stage"];
    assert_eq!(stage["AllowedValues"], json!(STAGES));
    // With a default, an environment missing in samconfig.toml would deploy that stage.
    assert_eq!(stage.get("Default"), None);
}

#[test]
fn the_roles_may_do_what_they_must() {
    for name in STAGES {
        let stack = stack(name);
        assert_eq!(roles(stack), ["CanaryRole", "FunctionRole"]);
        let functions = stack.of_type("AWS::Lambda::Function");
        assert!(functions.iter().all(|function| function["Role"] == "FunctionRole.Arn"));
        let own = "us-east-1:123456789012";
        let may = |actions: &[&str], resource: String| json!({ "Effect": "Allow", "Action": actions, "Resource": [resource] });
        let functions = [
            may(
                &["logs:CreateLogStream", "logs:PutLogEvents"],
                format!("/aws/lambda/task-api-{name}.Arn"),
            ),
            may(
                &["secretsmanager:GetSecretValue"],
                format!("arn:aws:secretsmanager:{own}:secret:task-api/{name}-??????"),
            ),
        ];
        let canary = [
            may(&["cloudwatch:DescribeAlarms"], "*".to_owned()),
            may(
                &[
                    "lambda:GetAlias",
                    "lambda:GetProvisionedConcurrencyConfig",
                    "lambda:UpdateAlias",
                ],
                format!("arn:aws:lambda:{own}:function:task-api-{name}-*"),
            ),
        ];
        for (role, service, expected) in [
            ("FunctionRole", "lambda.amazonaws.com", functions),
            ("CanaryRole", "codedeploy.amazonaws.com", canary),
        ] {
            assert_eq!(statements(stack, role), expected);
            let role = &stack.resources[role]["Properties"];
            let trust = json!([{ "Effect": "Allow", "Principal": { "Service": service }, "Action": "sts:AssumeRole" }]);
            assert_eq!(role["AssumeRolePolicyDocument"]["Statement"], trust);
            assert_eq!(role.get("PermissionsBoundary"), None);
        }
    }
}

#[test]
fn a_boundary_limits_every_role() {
    let bounded = resolved(translated("prod", &OPTIONS));
    for role in roles(&bounded) {
        let boundary = "arn:aws:iam::123456789012:policy/task-api-prod-boundary";
        assert_eq!(bounded.resources[role]["Properties"]["PermissionsBoundary"], boundary);
    }
}

fn roles(stack: &Stack) -> Vec<&str> {
    let roles = stack.resources.iter().filter(|(_, made)| made["Type"] == "AWS::IAM::Role");
    roles.map(|(id, _)| id.as_str()).collect()
}

#[test]
fn a_setting_that_changes_makes_a_version() {
    // SAM publishes a version if the code or the resource's text changes. Values from the table of
    // stages are in neither, so each such setting must be in the version's description.
    let made = |translated: &Value| {
        let stack = resolved(translated.clone());
        let functions = stack.of_type("AWS::Lambda::Function").into_iter().cloned();
        let functions = functions.map(|mut function| {
            // Not part of a version.
            function.as_object_mut().unwrap().remove("ReservedConcurrentExecutions");
            function
        });
        let versions = stack.of_type("AWS::Lambda::Version").into_iter();
        let described = versions.map(|version| version["Description"].clone());
        (functions.collect::<Vec<_>>(), described.collect::<Vec<_>>())
    };
    let prod = translated("prod", &[]);
    let (functions, versions) = made(&prod);
    assert_eq!(functions.len(), versions.len());
    let mut of_functions = Vec::new();
    for setting in prod["template"]["Mappings"]["Stages"]["prod"].as_object().unwrap().keys() {
        let mut changed = prod.clone();
        changed["template"]["Mappings"]["Stages"]["prod"][setting] = json!("another");
        let (other_functions, other_versions) = made(&changed);
        assert_eq!(other_functions != functions, other_versions != versions, "{setting}");
        if other_functions != functions {
            of_functions.push(setting.as_str());
        }
    }
    assert_eq!(of_functions, ["LogLevel", "MemorySize", "SystemLogLevel"]);
    assert_ne!(made(&translated("prod", &["Tracing=Active"])).1, versions);
}

#[test]
fn no_secret_is_in_the_template() {
    let text = std::fs::read_to_string(root().join("template.yaml")).unwrap();
    for dynamic in ["{{resolve:", "NoEcho", "BETTER_AUTH_SECRET", "DATABASE_URL"] {
        assert!(!text.contains(dynamic), "{dynamic}");
    }
    for name in translated("dev", &[])["template"]["Parameters"].as_object().unwrap().keys() {
        let name = name.to_ascii_lowercase();
        let telling = ["secret", "password", "token", "url"];
        assert!(!telling.iter().any(|word| name.contains(word)), "{name}");
    }
    for name in STAGES {
        for function in stack(name).of_type("AWS::Lambda::Function") {
            // The secret's name, but none of its contents.
            let variables = json!({
                "APP_SECRET_ID": format!("task-api/{name}"),
                "SERVICE_NAME": format!("task-api-{name}"),
            });
            assert_eq!(function["Environment"]["Variables"], variables);
        }
    }
}

#[test]
fn cors_is_that_of_the_contract() {
    for name in STAGES {
        let api = &stack(name).only("AWS::ApiGatewayV2::Api")["Body"];
        let cors = &api["x-amazon-apigateway-cors"];
        let set = |name: &str| -> BTreeSet<String> {
            cors[name].as_array().unwrap().iter().map(|v| v.as_str().unwrap().to_owned()).collect()
        };
        let expected = |list: &str| list.split(' ').map(str::to_owned).collect::<BTreeSet<_>>();
        assert_eq!(
            set("allowHeaders"),
            expected("authorization content-type idempotency-key if-match if-none-match")
        );
        assert_eq!(
            set("exposeHeaders"),
            expected("etag link location idempotent-replayed retry-after date")
        );
        assert_eq!(set("allowMethods"), routes().into_iter().map(|(method, ..)| method).collect());
        assert_eq!(cors["allowCredentials"], true);
        let is_origin = |text: &String| text.starts_with("http") && !text.contains('*');
        assert!(set("allowOrigins").iter().all(is_origin));
    }
}

#[test]
fn every_log_ends_some_day_and_access_logs_name_nobody() {
    for name in STAGES {
        let groups = stack(name).of_type("AWS::Logs::LogGroup");
        assert_eq!(groups.len(), 2, "that of the functions, and the access log");
        let kept = groups.iter().map(|group| group["RetentionInDays"].as_u64().unwrap());
        assert!(kept.max() <= Some(90));
        let access = &stack(name).only("AWS::ApiGatewayV2::Stage")["AccessLogSettings"];
        let format = access["Format"].as_str().unwrap();
        for personal in ["sourceIp", "path", "userAgent", "authorizer", "identity"] {
            assert!(!format.contains(personal), "{personal}");
        }
        // Whatever value API Gateway inserts, also a dash, the line is JSON.
        let line: Value = format.parse().unwrap();
        assert!(line.as_object().unwrap().values().all(Value::is_string) && !format.contains('\n'));
    }
}

#[test]
fn staging_and_prod_are_watched() {
    assert!(stack("dev").of_type("AWS::CloudWatch::Alarm").is_empty());
    for name in ["staging", "prod"] {
        let stack = stack(name);
        let alarms = stack.of_type("AWS::CloudWatch::Alarm");
        assert_eq!(alarms.len(), 6);
        for alarm in &alarms {
            for actions in ["AlarmActions", "OKActions"] {
                assert_eq!(alarm[actions], json!(["AWS::SNS::Topic"]), "{alarm:#}");
            }
            // Without requests, as at night, there is no alarm.
            assert_eq!(alarm["TreatMissingData"], "notBreaching");
        }
        let watched = json!(alarms).to_string();
        for metric in ["5xx", "4xx", "Count", "Latency", "FunctionErrors", "Failures"] {
            assert!(watched.contains(&format!(r#""MetricName":"{metric}""#)), "{metric}");
        }
        let metric = &stack.only("AWS::Logs::MetricFilter")["MetricTransformations"][0];
        let alarm = stack.find("AWS::CloudWatch::Alarm", |a| a["MetricName"] == "FunctionErrors");
        assert_eq!(alarm["Namespace"], metric["MetricNamespace"]);
        assert_eq!(alarm["MetricName"], metric["MetricName"]);
        assert!(stack.of_type("AWS::SNS::Subscription").is_empty());
    }
}

#[test]
fn a_flood_of_requests_is_an_alarm_before_it_is_a_bill() {
    for name in STAGES {
        let stack = stack(name);
        let stage = stack.only("AWS::ApiGatewayV2::Stage");
        let rate = stage["DefaultRouteSettings"]["ThrottlingRateLimit"].as_u64().unwrap();
        assert!((1..=1000).contains(&rate), "{name}: {rate}");
        let alarms = stack.of_type("AWS::CloudWatch::Alarm").into_iter();
        for alarm in alarms.filter(|a| ["Count", "4xx"].iter().any(|of| a["MetricName"] == *of)) {
            assert_eq!(alarm["Statistic"], "Sum");
            // Far below what the throttle allows over that time.
            let limit = alarm["Threshold"].as_u64().unwrap();
            let let_through = rate * alarm["Period"].as_u64().unwrap();
            assert!(limit > 0 && limit * 4 < let_through, "{name}: {limit} of {let_through}");
        }
        assert!(stack.of_type("AWS::Budgets::Budget").is_empty());
    }
}

#[test]
fn a_function_answers_before_lambda_ends_it_and_lambda_before_api_gateway_does() {
    for name in STAGES {
        for function in stack(name).of_type("AWS::Lambda::Function") {
            let timeout = Duration::from_secs(function["Timeout"].as_u64().unwrap());
            assert!(shared::REQUEST_LIMIT + Duration::from_secs(1) <= timeout);
            // API Gateway's fixed limit.
            assert!(timeout < Duration::from_secs(30));
        }
    }
}

#[test]
fn without_a_domain_of_ones_own_the_api_is_at_api_gateways() {
    let stack = stack("prod");
    assert_eq!(stack.outputs["ApiUrl"], "AWS::ApiGatewayV2::Api.ApiEndpoint");
    let server = &stack.only("AWS::ApiGatewayV2::Api")["Body"]["servers"][0];
    let endpoint = &server["x-amazon-apigateway-endpoint-configuration"];
    assert_eq!(endpoint["disableExecuteApiEndpoint"], false);
}
