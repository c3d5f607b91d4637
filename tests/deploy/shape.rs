//! The functions of a stack, its API and its roles.
use serde_json::{Value, json};

use crate::cloudformation::Stack;

/// A stack's functions by name, each with its version, alias, permission and routes.
pub fn functions(stack: &Stack) -> Vec<(String, Value)> {
    let whole = |function: &Value| {
        let name = function["FunctionName"].as_str().unwrap();
        let of_function = |r#type: &str| {
            let mut resources = stack.resources.values();
            let is = |r: &&Value| r["Type"] == r#type && r["Properties"]["FunctionName"] == name;
            resources.find(is).unwrap()
        };
        let alias = of_function("AWS::Lambda::Alias");
        let called = format!("{name}:{}", alias["Properties"]["Name"].as_str().unwrap());
        let routes = integrations(stack).into_iter().filter(|i| i.alias == called);
        let mut permissions = stack.of_type("AWS::Lambda::Permission");
        permissions.retain(|permission| permission["FunctionName"] == *called);
        permissions.sort_by_key(|permission| permission.to_string());
        let shape = json!({
            "function": function,
            "version": of_function("AWS::Lambda::Version"),
            "alias": alias,
            "permissions": permissions,
            "routes": routes.map(|integration| integration.route).collect::<Vec<_>>(),
        });
        (name.to_owned(), shape)
    };
    stack.of_type("AWS::Lambda::Function").into_iter().map(whole).collect()
}

/// An integration of the API, which calls an alias.
pub struct Integration {
    /// Method and path, as in API Gateway.
    pub route: String,
    /// The function's name and the alias's.
    pub alias: String,
    /// As in the body.
    pub settings: Value,
}

/// The integrations in the API's body.
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

/// All rights of a role: statements with sorted lists of actions and resources.
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
    let mut statements: Vec<Value> =
        documents.iter().flat_map(|document| list(&document["Statement"])).map(normal).collect();
    statements.sort_by_key(ToString::to_string);
    statements
}

/// A statement with its actions and resources as lists.
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
