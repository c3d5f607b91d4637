//! Rules for GitHub's deployment role: who may assume it, and that it cannot extend its own rights.
use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::cloudformation::Stack;
use crate::shape::statements;
use crate::tools::{STAGES, resolved, sam, success, translated};

const TEMPLATE: &str = ".github/deploy-role.yaml";

fn role_stack(stage: &str) -> Stack {
    static ROLE: LazyLock<Value> = LazyLock::new(|| {
        let mut python = sam("python");
        let read = "import json, sys; from samcli.yamlhelper import yaml_parse; \
                    print(json.dumps(yaml_parse(open(sys.argv[1]).read())))";
        success(python.args(["-c", read, TEMPLATE])).parse().unwrap()
    });
    let parameters = json!({
        "Stage": stage, "Repository": "owner-1/repository-2", "ProviderArn": "", "HostedZoneId": "Z0123456789",
    });
    Stack::new("deploy-role", ROLE.clone(), parameters.as_object().unwrap().clone())
}

fn strings(value: &Value) -> impl Iterator<Item = &str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str)
}

#[test]
fn the_linter_finds_nothing_in_the_role() {
    success(sam("cfn-lint").args(["--template", TEMPLATE]));
}

#[test]
fn the_role_is_for_one_environment_of_one_repository() {
    for stage in STAGES {
        let stack = role_stack(stage);
        let trust = &stack.only("AWS::IAM::Role")["AssumeRolePolicyDocument"]["Statement"];
        let condition = json!({ "StringEquals": {
            "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
            "token.actions.githubusercontent.com:sub": format!("repo:owner-1/repository-2:environment:{stage}"),
        } });
        assert_eq!(trust.as_array().unwrap().len(), 1);
        assert_eq!(trust[0]["Condition"], condition);
        assert_eq!(trust[0]["Action"], "sts:AssumeRoleWithWebIdentity");
        assert_eq!(trust[0]["Principal"], json!({ "Federated": "AWS::IAM::OIDCProvider" }));
        let provider = stack.only("AWS::IAM::OIDCProvider");
        assert_eq!(provider["Url"], "https://token.actions.githubusercontent.com");
    }
}

#[test]
fn the_role_cannot_make_itself_more() {
    let stack = role_stack("prod");
    let name = stack.only("AWS::IAM::Role")["RoleName"].as_str().unwrap();
    for statement in statements(&stack, "Role") {
        let actions: Vec<&str> = strings(&statement["Action"]).collect();
        assert!(!actions.contains(&"*") && !actions.contains(&"iam:*"), "{statement}");
        // Only actions for which AWS knows no resource apply to the whole account.
        if strings(&statement["Resource"]).any(|resource| resource == "*") {
            let of_account = |action: &str| {
                ["Describe", "List", "Get", "BatchGet"]
                    .iter()
                    .any(|verb| action.contains(&format!(":{verb}")))
                    || action.starts_with("logs:") && action.contains("LogDelivery")
                    || action == "logs:PutResourcePolicy"
            };
            assert!(actions.iter().all(|action| of_account(action)), "{statement}");
        }
        let iam = actions.iter().filter_map(|action| action.strip_prefix("iam:"));
        for action in iam {
            for resource in strings(&statement["Resource"]) {
                // Only the stage's own roles, which exclude this one, and no policy, such as the
                // boundary.
                assert!(resource.ends_with(":role/task-api-prod-*"), "{resource}");
                assert!(!name.starts_with("task-api-prod-"));
            }
            let condition = &statement["Condition"];
            match action {
                "CreateRole"
                | "AttachRolePolicy"
                | "PutRolePolicy"
                | "PutRolePermissionsBoundary" => {
                    let bounded = json!({ "ArnEquals": { "iam:PermissionsBoundary": "Boundary" } });
                    assert_eq!(*condition, bounded, "{action}");
                }
                "PassRole" => {
                    let services = json!(["lambda.amazonaws.com", "codedeploy.amazonaws.com"]);
                    let passed = json!({ "StringEquals": { "iam:PassedToService": services } });
                    assert_eq!(*condition, passed);
                }
                "DeleteRolePermissionsBoundary" => panic!("a role must stay within the boundary"),
                _ => {}
            }
        }
    }
}

#[test]
fn the_boundary_has_room_for_what_the_roles_of_a_stage_may() {
    for stage in STAGES {
        let boundary = role_stack(stage).resources["Boundary"]["Properties"].clone();
        assert_eq!(boundary["ManagedPolicyName"], format!("task-api-{stage}-boundary"));
        let limit = boundary["PolicyDocument"]["Statement"].as_array().unwrap().clone();
        let may_at_most = |action: &str| {
            limit.iter().any(|statement| match &statement["Action"] {
                Value::String(one) => one == action,
                list => strings(list).any(|one| one == action),
            })
        };
        let stack = resolved(translated(stage, &["Tracing=Active"]));
        let roles = stack.resources.iter().filter(|(_, r)| r["Type"] == "AWS::IAM::Role");
        for (role, _) in roles {
            for statement in statements(&stack, role) {
                for action in strings(&statement["Action"]) {
                    assert!(may_at_most(action), "{role}: the boundary has no {action}");
                }
            }
        }
    }
}

#[test]
fn the_role_may_make_each_kind_of_resource_that_a_stage_has() {
    let stack = role_stack("prod");
    let may: BTreeSet<String> = statements(&stack, "Role")
        .iter()
        .flat_map(|s| strings(&s["Action"]).map(str::to_owned).collect::<Vec<_>>())
        .map(|action| action.split(':').next().unwrap().to_owned())
        .collect();
    let prod = resolved(translated("prod", &["AlarmEmail=o@app.example", "MonthlyBudget=1"]));
    for resource in prod.resources.values() {
        let r#type = resource["Type"].as_str().unwrap();
        let service = r#type.split("::").nth(1).unwrap().to_ascii_lowercase();
        let service = if service == "apigatewayv2" { "apigateway".to_owned() } else { service };
        assert!(may.contains(&service), "{TEMPLATE} has no action for {type}");
    }
    // What the operator's commands read and write.
    let named = json!(statements(&stack, "Role")).to_string();
    let parameters =
        ["owner", "app"].map(|of| format!("parameter/task-api/prod/{of}-database-url"));
    for own in ["secret:task-api/prod-??????", &parameters[0], &parameters[1]] {
        assert!(named.contains(own), "{own}");
    }
    // IAM's limit for a policy.
    for policy in stack.of_type("AWS::IAM::ManagedPolicy") {
        assert!(policy["PolicyDocument"].to_string().len() < 6144);
    }
}
