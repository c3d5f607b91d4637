//! Rules for the template that linters cannot check, for each stage as SAM translates it.
use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use tests::{Route, routes};

use crate::cloudformation::Stack;
use crate::shape::{functions, integrations, statements};
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
    let stage = &translated("dev", &[])["template"]["Parameters"]["Stage"];
    assert_eq!(stage["AllowedValues"], json!(STAGES));
    // With a default, an environment missing in samconfig.toml would deploy that stage.
    assert_eq!(stage.get("Default"), None);
}

#[test]
fn parameters_that_do_not_go_together_are_refused() {
    let refused = |stage: &str, changes: &[&str]| -> Vec<String> {
        let mut translated = translated(stage, &[]);
        for (name, value) in changes.iter().map(|change| change.split_once('=').unwrap()) {
            translated["parameters"][name] = json!(value);
        }
        let stack = resolved(translated);
        stack.refusals().into_iter().map(str::to_owned).collect()
    };
    let certificate = OPTIONS.iter().find(|option| option.starts_with("CertificateArn")).unwrap();
    for (changes, refusal) in [
        (&["DomainName=api.app.example"][..], "DomainName needs CertificateArn"),
        (&["HostedZoneId=Z0123456789"], "HostedZoneId needs DomainName"),
        (&["DisableDefaultEndpoint=true"], "DisableDefaultEndpoint needs DomainName"),
        (&["MonthlyBudget=20"], "MonthlyBudget needs AlarmEmail"),
        (&["Canary=true"], "a canary is rolled back by alarms, and dev has none"),
    ] {
        assert_eq!(refused("dev", changes), [refusal]);
    }
    assert!(refused("prod", &OPTIONS).is_empty());
    assert!(refused("dev", &["DomainName=api.app.example", certificate]).is_empty());
}

#[test]
fn the_routes_are_those_of_the_document() {
    for name in STAGES {
        let stack = stack(name);
        let prefix = format!("task-api-{name}-");
        let routed: BTreeSet<Route> = integrations(stack)
            .iter()
            .map(|integration| {
                let (method, path) = integration.route.split_once(' ').unwrap();
                let function = integration.alias.strip_prefix(&prefix).unwrap();
                let function = function.strip_suffix(":live").unwrap();
                (method.to_owned(), path.to_owned(), function.to_owned())
            })
            .collect();
        let wanted = routes();
        let missing = wanted.difference(&routed).map(|(method, path, function)| {
            format!(
                "{function} is an operation of shared/openapi.yaml, and no function of template.yaml has it: copy the \
                 block of a function below \"The operations of shared/openapi.yaml\", with Binary: {function}, \
                 FunctionName: !Sub ${{AWS::StackName}}-{function}, Method: {method}, Path: '{path}'"
            )
        });
        assert_eq!(missing.collect::<Vec<_>>(), [""; 0]);
        let unknown = routed.difference(&wanted).map(|(method, path, function)| {
            format!("{function} ({method} {path}) of template.yaml is not in shared/openapi.yaml")
        });
        assert_eq!(unknown.collect::<Vec<_>>(), [""; 0]);
        assert_eq!(functions(stack).len(), tests::functions().len(), "a function without a route");
    }
}

#[test]
fn an_operation_is_one_short_block() {
    let text = std::fs::read_to_string(root().join("template.yaml")).unwrap();
    let mut rest = text.lines().count();
    for function in tests::functions() {
        let blocks =
            text.split("\n\n").filter(|block| block.contains(&format!("Binary: {function} ")));
        let [block] = blocks.collect::<Vec<_>>()[..] else {
            panic!("{function} has not one block")
        };
        assert!(block.lines().count() <= 26, "{block}");
        rest -= block.lines().count() + 1;
        assert_eq!(
            text.matches(&format!("{function}\n")).count(),
            1,
            "{function} stands elsewhere, too"
        );
    }
    assert!(rest <= 502, "{rest} lines beside the operations");
}

#[test]
fn api_gateway_may_call_a_function_for_its_own_routes_alone() {
    for name in STAGES {
        for (function, shape) in functions(stack(name)) {
            let routes = shape["routes"].as_array().unwrap();
            let may = |route: &Value| {
                let (method, path) = route.as_str().unwrap().split_once(' ').unwrap();
                let path = path.replace("{user_id}", "*").replace("{task_id}", "*");
                let api = "arn:aws:execute-api:us-east-1:123456789012:AWS::ApiGatewayV2::Api";
                json!({
                    "Action": "lambda:InvokeFunction",
                    "Principal": "apigateway.amazonaws.com",
                    "FunctionName": format!("{function}:live"),
                    "SourceArn": format!("{api}/*/{method}{path}"),
                })
            };
            let mut permissions: Vec<_> = routes.iter().map(may).collect();
            permissions.sort_by_key(Value::to_string);
            assert!(!permissions.is_empty(), "{function}");
            assert_eq!(shape["permissions"], json!(permissions), "{function}");
        }
    }
}

#[test]
fn a_function_may_read_its_secret_and_write_its_log() {
    for name in STAGES {
        let stack = stack(name);
        for function in stack.of_type("AWS::Lambda::Function") {
            assert_eq!(function["Role"], "FunctionRole.Arn");
        }
        let secret =
            format!("arn:aws:secretsmanager:us-east-1:123456789012:secret:task-api/{name}-??????");
        let expected = [
            json!({
                "Effect": "Allow",
                "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
                "Resource": [format!("/aws/lambda/task-api-{name}.Arn")],
            }),
            json!({ "Effect": "Allow", "Action": ["secretsmanager:GetSecretValue"], "Resource": [secret] }),
        ];
        assert_eq!(statements(stack, "FunctionRole"), expected);
        assert_eq!(trusted(stack, "FunctionRole"), "lambda.amazonaws.com");
    }
}

/// The one service that may assume a role.
fn trusted<'a>(stack: &'a Stack, role: &str) -> &'a str {
    let policy = &stack.resources[role]["Properties"]["AssumeRolePolicyDocument"];
    let [statement] = policy["Statement"].as_array().unwrap().as_slice() else {
        panic!("{policy}")
    };
    let service = &statement["Principal"]["Service"];
    let expected = json!({ "Effect": "Allow", "Principal": { "Service": service }, "Action": "sts:AssumeRole" });
    assert_eq!(*statement, expected);
    service.as_str().unwrap()
}

#[test]
fn traces_are_sent_only_where_the_operator_wants_them() {
    // In either mode a client may request a trace; only the right to send one is optional.
    let sends =
        |stack: &Stack| json!(statements(stack, "FunctionRole")).to_string().contains("xray:");
    assert!(STAGES.iter().all(|name| !sends(stack(name))));
    let traced = resolved(translated("prod", &["Tracing=Active"]));
    assert!(sends(&traced));
    for (_, shape) in functions(&traced) {
        assert_eq!(shape["function"]["TracingConfig"], json!({ "Mode": "Active" }));
        // Another mode makes another version.
        let description = &shape["version"]["Properties"]["Description"];
        assert!(description.as_str().unwrap().ends_with("tracing Active"));
    }
}

#[test]
fn a_boundary_limits_every_role() {
    let bounded = resolved(translated("prod", &OPTIONS));
    let roles = bounded.of_type("AWS::IAM::Role");
    assert!(!roles.is_empty());
    for role in roles {
        let boundary = "arn:aws:iam::123456789012:policy/task-api-prod-boundary";
        assert_eq!(role["PermissionsBoundary"], boundary);
    }
    for name in STAGES {
        let roles = stack(name).of_type("AWS::IAM::Role");
        assert!(roles.iter().all(|role| role.get("PermissionsBoundary").is_none()));
    }
}

#[test]
fn no_policy_has_a_star_but_where_aws_knows_no_resource() {
    for name in STAGES {
        let stack = stack(name);
        let roles =
            stack.resources.iter().filter(|(_, resource)| resource["Type"] == "AWS::IAM::Role");
        for (role, _) in roles {
            for statement in statements(stack, role) {
                let actions = statement["Action"].as_array().unwrap();
                assert!(!actions.iter().any(|action| action.as_str().unwrap().contains('*')));
                let everything = statement["Resource"].as_array().unwrap().contains(&json!("*"));
                let lists = actions == &[json!("cloudwatch:DescribeAlarms")];
                assert!(lists || !everything, "{role}: {statement}");
            }
        }
    }
}

#[test]
fn functions_are_set_up_alike() {
    for name in STAGES {
        let memory = if name == "dev" { 128 } else { 256 };
        for (function, shape) in functions(stack(name)) {
            let settings = &shape["function"];
            assert_eq!(settings["Runtime"], "provided.al2023");
            assert_eq!(settings["Handler"], "bootstrap");
            assert_eq!(settings["Architectures"], json!(["x86_64"]));
            assert_eq!(settings["MemorySize"], memory);
            assert_eq!(settings["TracingConfig"], json!({ "Mode": "PassThrough" }));
            assert_eq!(settings["LoggingConfig"]["LogFormat"], "JSON");
            assert_eq!(
                settings["LoggingConfig"]["LogGroup"],
                json!(format!("/aws/lambda/task-api-{name}"))
            );
            let reserved = settings.get("ReservedConcurrentExecutions").is_some();
            assert_eq!(reserved, name == "prod", "{function}");
            // A rollback needs older versions, also those with other settings.
            let kept = json!({ "DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain" });
            for (policy, keeps) in kept.as_object().unwrap() {
                assert_eq!(shape["version"][policy], *keeps);
            }
            // The secret's name, but none of its contents.
            let variables = json!({
                "APP_SECRET_ID": format!("task-api/{name}"),
                "SERVICE_NAME": format!("task-api-{name}"),
            });
            assert_eq!(settings["Environment"]["Variables"], variables);

            // A function answers before Lambda's timeout, which is below API Gateway's.
            let timeout = Duration::from_secs(settings["Timeout"].as_u64().unwrap());
            assert!(shared::REQUEST_LIMIT + Duration::from_secs(1) <= timeout);
            assert!(timeout < Duration::from_secs(30));
        }
        for integration in integrations(stack(name)) {
            let settings = &integration.settings;
            assert_eq!(settings["type"], "aws_proxy");
            assert_eq!(settings["payloadFormatVersion"], "2.0");
            // API Gateway's fixed limit, 30 s.
            assert!(settings.get("timeoutInMillis").is_none());
        }
    }
    let other = resolved(translated("dev", &OPTIONS));
    for (_, shape) in functions(&other) {
        assert_eq!(shape["function"]["Architectures"], json!(["arm64"]));
    }
}

#[test]
fn a_setting_that_changes_makes_a_version() {
    // SAM publishes a version if the code or the resource's text changes. Values from the table of
    // stages are in neither, so each such setting must be in the version's description.
    let translated = translated("prod", &[]);
    let resources = translated["template"]["Resources"].as_object().unwrap();
    let mut described = BTreeSet::new();
    settings_of(&resources["Settings"]["Properties"]["Value"], &mut described);
    for resource in resources.values().filter(|r| r["Type"] == "AWS::Lambda::Function") {
        let mut looked_up = BTreeSet::new();
        settings_of(&resource["Properties"], &mut looked_up);
        // Not part of a version.
        looked_up.remove("ReservedConcurrency");
        assert!(looked_up.len() >= 3, "{looked_up:?}");
        assert_eq!(described, looked_up);
    }
    let versions: Vec<_> =
        resources.values().filter(|r| r["Type"] == "AWS::Lambda::Version").collect();
    assert_eq!(versions.len(), tests::functions().len());
    for version in versions {
        let description = json!({ "Fn::GetAtt": ["Settings", "Value"] });
        assert_eq!(version["Properties"]["Description"], description);
    }
}

/// The settings that a value takes from the table of stages.
fn settings_of(value: &Value, settings: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            if let Some(lookup) = members.get("Fn::FindInMap") {
                settings.insert(lookup[2].as_str().unwrap().to_owned());
            }
            members.values().for_each(|value| settings_of(value, settings));
        }
        Value::Array(items) => items.iter().for_each(|value| settings_of(value, settings)),
        _ => {}
    }
}

#[test]
fn no_secret_is_in_the_template() {
    let text = std::fs::read_to_string(root().join("template.yaml")).unwrap();
    for dynamic in ["{{resolve:", "NoEcho", "BETTER_AUTH_SECRET", "DATABASE_URL"] {
        assert!(!text.contains(dynamic), "{dynamic}");
    }
    let translated = translated("dev", &[]);
    for name in translated["template"]["Parameters"].as_object().unwrap().keys() {
        let name = name.to_ascii_lowercase();
        assert!(
            !["secret", "password", "token", "url"].iter().any(|word| name.contains(word)),
            "{name}"
        );
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
        assert!(
            set("allowOrigins")
                .iter()
                .all(|origin| origin.starts_with("http") && !origin.contains('*'))
        );
    }
}

#[test]
fn every_log_ends_some_day_and_access_logs_name_nobody() {
    for (name, days) in [("dev", 7), ("staging", 30), ("prod", 90)] {
        let stack = stack(name);
        let groups = stack.of_type("AWS::Logs::LogGroup");
        assert_eq!(groups.len(), 2, "that of the functions, and the access log");
        assert!(groups.iter().all(|group| group["RetentionInDays"] == days));
        let access = &stack.only("AWS::ApiGatewayV2::Stage")["AccessLogSettings"];
        assert_eq!(access["DestinationArn"], format!("/aws/vendedlogs/apis/task-api-{name}.Arn"));
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
fn requests_are_throttled() {
    for name in STAGES {
        let settings = &stack(name).only("AWS::ApiGatewayV2::Stage")["DefaultRouteSettings"];
        let limit = |name: &str| settings[name].as_u64().unwrap();
        assert!((1..=1000).contains(&limit("ThrottlingRateLimit")));
        assert!((1..=5000).contains(&limit("ThrottlingBurstLimit")));
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
        // All functions share one log, which also has Lambda's reports of failures.
        let filter = stack.only("AWS::Logs::MetricFilter");
        assert_eq!(filter["LogGroupName"], format!("/aws/lambda/task-api-{name}"));
        assert_eq!(
            filter["FilterPattern"],
            r#"{ ($.type = "platform.report" && $.record.status != "success") || ($.status = 500) }"#
        );
        let [metric] = filter["MetricTransformations"].as_array().unwrap().as_slice() else {
            panic!("{filter:#}")
        };
        let alarm = stack.find("AWS::CloudWatch::Alarm", |a| a["MetricName"] == "FunctionErrors");
        assert_eq!(alarm["Namespace"], metric["MetricNamespace"]);
        assert_eq!(alarm["MetricName"], metric["MetricName"]);
        assert_eq!((&alarm["Statistic"], &alarm["Threshold"]), (&json!("Sum"), &json!(0)));
        assert_eq!(metric["MetricValue"], "1");
        assert!(stack.of_type("AWS::SNS::Subscription").is_empty());
    }
    let subscription = json!({
        "TopicArn": "AWS::SNS::Topic", "Protocol": "email", "Endpoint": "operator@app.example",
    });
    assert_eq!(
        *resolved(translated("prod", &OPTIONS)).only("AWS::SNS::Subscription"),
        subscription
    );
}

#[test]
fn a_new_version_in_prod_is_tried_on_a_tenth_and_rolled_back_by_alarms() {
    for name in STAGES {
        let (stack, is_canary) = (stack(name), name == "prod");
        for (function, shape) in functions(stack) {
            assert_eq!(shape["alias"].get("UpdatePolicy").is_some(), is_canary, "{function}");
        }
        let groups = stack.of_type("AWS::CodeDeploy::DeploymentGroup");
        assert_eq!(groups.len(), if is_canary { functions(stack).len() } else { 0 });
        for group in groups {
            assert_eq!(
                group["DeploymentConfigName"],
                "CodeDeployDefault.LambdaCanary10Percent5Minutes"
            );
            let alarms = group["AlarmConfiguration"]["Alarms"].as_array().unwrap();
            let alarms: Vec<_> =
                alarms.iter().map(|alarm| alarm["Name"].as_str().unwrap()).collect();
            let [errors, database] = alarms[..] else { panic!("{alarms:?}") };
            assert!(
                errors.starts_with("A function did not start") && database.contains("database")
            );
            assert_eq!(group["ServiceRoleArn"], "CanaryRole.Arn");
            assert_eq!(group["AutoRollbackConfiguration"]["Enabled"], true);
            let events = group["AutoRollbackConfiguration"]["Events"].as_array().unwrap();
            assert!(events.contains(&json!("DEPLOYMENT_STOP_ON_ALARM")));
        }
    }
    let aliases = json!({
        "Effect": "Allow",
        "Action": ["lambda:GetAlias", "lambda:GetProvisionedConcurrencyConfig", "lambda:UpdateAlias"],
        "Resource": ["arn:aws:lambda:us-east-1:123456789012:function:task-api-prod-*"],
    });
    let alarms =
        json!({ "Effect": "Allow", "Action": ["cloudwatch:DescribeAlarms"], "Resource": ["*"] });
    assert_eq!(statements(stack("prod"), "CanaryRole"), [alarms, aliases]);
    assert_eq!(trusted(stack("prod"), "CanaryRole"), "codedeploy.amazonaws.com");
}

#[test]
fn a_domain_of_ones_own_is_where_the_api_is() {
    let stack = resolved(translated("prod", &OPTIONS));
    assert_eq!(stack.outputs["ApiUrl"], "https://api.app.example");
    assert_eq!(stack.outputs["DomainTarget"], "AWS::ApiGatewayV2::DomainName.RegionalDomainName");
    assert_eq!(stack.only("AWS::ApiGatewayV2::ApiMapping")["Stage"], "AWS::ApiGatewayV2::Stage");
    assert_eq!(stack.only("AWS::Route53::RecordSet")["Name"], "api.app.example");
    let closed = |stack: &Stack| {
        stack.only("AWS::ApiGatewayV2::Api")["Body"]["servers"][0]["x-amazon-apigateway-endpoint-configuration"]["disableExecuteApiEndpoint"].clone()
    };
    assert_eq!(closed(&stack), true);
    assert_eq!(closed(self::stack("prod")), false);
    let plain = self::stack("prod");
    assert_eq!(plain.outputs["ApiUrl"], "AWS::ApiGatewayV2::Api.ApiEndpoint");
    assert!(plain.of_type("AWS::ApiGatewayV2::DomainName").is_empty());
    assert_eq!(plain.outputs["SecretName"], "task-api/prod");
}

#[test]
fn a_flood_of_requests_is_an_alarm_before_it_is_a_bill() {
    for name in ["staging", "prod"] {
        let stack = stack(name);
        let stage = stack.only("AWS::ApiGatewayV2::Stage");
        let rate = stage["DefaultRouteSettings"]["ThrottlingRateLimit"].as_u64().unwrap();
        for metric in ["Count", "4xx"] {
            let alarm = stack.find("AWS::CloudWatch::Alarm", |a| a["MetricName"] == metric);
            assert_eq!(
                (&alarm["Statistic"], &alarm["Namespace"]),
                (&json!("Sum"), &json!("AWS/ApiGateway"))
            );
            // Far below what the throttle allows over that time.
            let limit = alarm["Threshold"].as_u64().unwrap();
            let let_through = rate * alarm["Period"].as_u64().unwrap();
            assert!(
                limit > 0 && limit * 4 < let_through,
                "{name} {metric}: {limit} of {let_through}"
            );
        }
        assert!(stack.of_type("AWS::Budgets::Budget").is_empty());
    }
    let stack = resolved(translated("dev", &OPTIONS));
    let budget = stack.only("AWS::Budgets::Budget");
    // Number parameters stay text.
    assert_eq!(budget["Budget"]["BudgetLimit"], json!({ "Amount": "20", "Unit": "USD" }));
    for told in budget["NotificationsWithSubscribers"].as_array().unwrap() {
        let operator = json!([{ "SubscriptionType": "EMAIL", "Address": "operator@app.example" }]);
        assert_eq!(told["Subscribers"], operator);
    }
}
