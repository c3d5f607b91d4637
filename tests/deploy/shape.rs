//! What a stack is, said the same way of a SAM template and of a CDK app.
use serde_json::{Map, Value, json};

use crate::cloudformation::Stack;

/// Everything of a stack that an operator or a client could notice.
pub fn shape(stack: &Stack) -> Value {
    let stage = stack.only("AWS::ApiGatewayV2::Stage");
    let mut shape = json!({
        "api": stack.only("AWS::ApiGatewayV2::Api")["Body"],
        "stage": picked(stage, &["StageName", "AutoDeploy", "DefaultRouteSettings"]),
        "dashboard": stack.only("AWS::CloudWatch::Dashboard")["DashboardBody"].as_str().unwrap().parse::<Value>().unwrap(),
        "outputs": stack.outputs,
        "access log": stage["AccessLogSettings"]["Format"].as_str().unwrap().parse::<Value>().unwrap(),
        "functions": {}, "alarms": {}, "logs": {}, "other": {},
    });
    for function in stack.of_type("AWS::Lambda::Function") {
        let name = function["FunctionName"].as_str().unwrap();
        shape["functions"][name] = self::function(stack, name, function);
    }
    for alarm in stack.of_type("AWS::CloudWatch::Alarm") {
        shape["alarms"][alarm["AlarmDescription"].as_str().unwrap()] = alarm.clone();
    }
    for group in stack.of_type("AWS::Logs::LogGroup") {
        shape["logs"][group["LogGroupName"].as_str().unwrap()] = group["RetentionInDays"].clone();
    }
    for r#type in [
        "ApiGatewayV2::DomainName",
        "Logs::MetricFilter",
        "SSM::Parameter",
        "ApiGatewayV2::ApiMapping",
        "Route53::RecordSet",
        "SNS::Topic",
        "SNS::Subscription",
        "Budgets::Budget",
    ] {
        shape["other"][r#type] = json!(stack.of_type(&format!("AWS::{type}")));
    }
    numbers(&mut shape);
    shape
}

/// A function with what it may, what calls it, and how a new version reaches its callers.
fn function(stack: &Stack, name: &str, function: &Value) -> Value {
    let alias = stack.find("AWS::Lambda::Alias", |alias| alias["FunctionName"] == name);
    let called = format!("{name}:{}", alias["Name"].as_str().unwrap());
    let permission =
        stack.find("AWS::Lambda::Permission", |p| p["FunctionName"] == called.as_str());
    let of_function = |r#type: &str| {
        let mut resources = stack.resources.values();
        let is = |r: &&Value| r["Type"] == r#type && r["Properties"]["FunctionName"] == name;
        resources.find(is).unwrap()
    };
    let mut function = function.clone();
    let role = function["Role"].as_str().unwrap().trim_end_matches(".Arn").to_owned();
    for own in ["Code", "Tags", "Role"] {
        function.as_object_mut().unwrap().remove(own);
    }
    json!({
        "function": function,
        "assumed by": trust(&stack.resources[&role]["Properties"]["AssumeRolePolicyDocument"]),
        "may": statements(stack, &role),
        "boundary": stack.resources[&role]["Properties"].get("PermissionsBoundary"),
        "permission": picked(permission, &["Action", "Principal", "SourceArn"]),
        "routes": integrations(stack).into_iter().filter(|i| i.alias == called).map(|i| i.route).collect::<Vec<_>>(),
        "version": version(of_function("AWS::Lambda::Version")),
        "canary": of_function("AWS::Lambda::Alias").get("UpdatePolicy").map(|_| deployment(stack)),
    })
}

/// What the API does with a request: it calls an alias.
pub struct Integration {
    /// Method and path, as API Gateway has them.
    pub route: String,
    /// A function's name, and the alias's.
    pub alias: String,
    /// As the body has them.
    pub settings: Value,
}

/// The integrations of the API's body.
pub fn integrations(stack: &Stack) -> Vec<Integration> {
    let paths = stack.only("AWS::ApiGatewayV2::Api")["Body"]["paths"].as_object().unwrap();
    let operations = paths.iter().flat_map(|(path, item)| {
        item.as_object().unwrap().iter().map(move |(method, operation)| (method, path, operation))
    });
    let integration = |(method, path, operation): (&String, &String, &'_ Value)| {
        let settings = &operation["x-amazon-apigateway-integration"];
        let uri = settings["uri"].as_str().unwrap();
        let alias = uri.split_once("/functions/").unwrap().1.trim_end_matches("/invocations");
        let route = format!("{} {path}", method.to_ascii_uppercase());
        Integration { route, alias: alias.to_owned(), settings: settings.clone() }
    };
    operations.map(integration).collect()
}

fn version(version: &Value) -> Value {
    let mut shape = picked(version, &["DeletionPolicy", "UpdateReplacePolicy"]);
    shape["Description"] = version["Properties"]["Description"].clone();
    shape
}

fn trust(policy: &Value) -> Value {
    json!(
        policy["Statement"]
            .as_array()
            .unwrap()
            .iter()
            .map(|s| picked(s, &["Effect", "Principal", "Action"]))
            .map(normal)
            .collect::<Vec<_>>()
    )
}

/// How a new version is brought to its callers; the same for every function.
fn deployment(stack: &Stack) -> Value {
    let groups = stack.of_type("AWS::CodeDeploy::DeploymentGroup");
    let settings = |group: &&Value| {
        let role = group["ServiceRoleArn"].as_str().unwrap().trim_end_matches(".Arn");
        let mut settings = picked(
            group,
            &[
                "AlarmConfiguration",
                "AutoRollbackConfiguration",
                "DeploymentConfigName",
                "DeploymentStyle",
            ],
        );
        let events = settings["AutoRollbackConfiguration"]["Events"].as_array_mut().unwrap();
        events.sort_by_key(ToString::to_string);
        settings["may"] = json!(statements(stack, role));
        let trust = &stack.resources[role]["Properties"]["AssumeRolePolicyDocument"];
        settings["assumed by"] = self::trust(trust);
        settings
    };
    assert_eq!(groups.len(), stack.of_type("AWS::Lambda::Function").len());
    assert!(groups.iter().all(|group| settings(group) == settings(&groups[0])));
    settings(&groups[0])
}

/// All that a role may, each statement with lists of actions and resources, in one order.
pub fn statements(stack: &Stack, role: &str) -> Vec<Value> {
    let properties = &stack.resources[role]["Properties"];
    let empty = vec![];
    let list = |value: &Value| value.as_array().unwrap_or(&empty).clone();
    let mut documents: Vec<Value> = list(&properties["Policies"])
        .iter()
        .map(|policy| policy["PolicyDocument"].clone())
        .collect();
    for policy in list(&properties["ManagedPolicyArns"]) {
        let policy = policy.as_str().unwrap();
        let own = stack.resources.get(policy).unwrap_or_else(|| panic!("{policy} is not ours"));
        documents.push(own["Properties"]["PolicyDocument"].clone());
    }
    for policy in stack
        .of_type("AWS::IAM::Policy")
        .into_iter()
        .chain(stack.of_type("AWS::IAM::ManagedPolicy"))
    {
        if list(&policy["Roles"]).contains(&json!(role)) {
            documents.push(policy["PolicyDocument"].clone());
        }
    }
    let mut statements: Vec<Value> =
        documents.iter().flat_map(|document| list(&document["Statement"])).map(normal).collect();
    statements.sort_by_key(ToString::to_string);
    statements
}

/// A statement whose actions and resources are lists.
fn normal(mut statement: Value) -> Value {
    for name in ["Action", "Resource"] {
        if statement[name].is_string() {
            statement[name] = json!([statement[name]]);
        }
        if let Some(list) = statement[name].as_array_mut() {
            list.sort_by_key(ToString::to_string);
        }
    }
    let members = statement.as_object_mut().unwrap();
    members.retain(|name, value| !value.is_null() && name != "Sid");
    statement
}

fn picked(value: &Value, names: &[&str]) -> Value {
    let members =
        names.iter().filter_map(|name| Some(((*name).to_owned(), value.get(name)?.clone())));
    Value::Object(members.collect::<Map<_, _>>())
}

/// CloudFormation takes a number as its digits, too.
fn numbers(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Ok(number) = text.parse::<i64>() {
                *value = json!(number);
            } else if let Ok(truth) = text.parse::<bool>() {
                *value = json!(truth);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(numbers),
        Value::Object(members) => members.values_mut().for_each(numbers),
        _ => {}
    }
}
