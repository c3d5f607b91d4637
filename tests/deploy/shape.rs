//! A stack as lines, its API and its roles.
use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use tests::{functions, routes};

use crate::cloudformation::Stack;

/// The resources of a stack and its outputs, a line of JSON each, without the location of the code.
pub fn lines(stack: &Stack) -> Vec<String> {
    let resource = |(id, resource): (&String, &Value)| {
        let mut resource = as_text(resource);
        if let Some(properties) = resource.get_mut("Properties").and_then(Value::as_object_mut) {
            properties.remove("Code");
        }
        // A version's logical id ends in a hash.
        let length =
            if resource["Type"] == "AWS::Lambda::Version" { id.len() - 10 } else { id.len() };
        format!("{} {resource}", &id[..length])
    };
    let outputs = stack.outputs.iter().map(|(name, value)| format!("output {name} {value}"));
    stack.resources.iter().map(resource).chain(outputs).collect()
}

/// The same with each kind of function, permission and integration once, so that it says nothing of
/// which operations there are.
pub fn kinds_of_lines(stack: &Stack) -> Vec<String> {
    let mut lines = lines(stack);
    for (method, path, function) in routes() {
        let segments = path.split('/').map(|part| if part.starts_with('{') { "*" } else { part });
        let route = format!("/{method}{}\"", segments.collect::<Vec<_>>().join("/"));
        for line in lines.iter_mut().filter(|line| line.contains(&format!("-{function}:live\""))) {
            *line = line.replace(&route, "/ITS ROUTE\"");
        }
    }
    for function in functions() {
        let id: String = function.split('-').map(capitalized).collect();
        for line in &mut lines {
            *line = line.replace(&format!("-{function}:live/"), "-EACH:live/");
            if let Some(rest) = line.strip_prefix(&format!("{id}Function")) {
                *line = format!("EachFunction{}", rest.replace(function, "EACH"));
            }
        }
    }
    let kinds: BTreeSet<_> = lines.iter().map(|line| kind(line)).collect();
    kinds.into_iter().collect()
}

/// A line without what differs between functions.
fn kind(line: &str) -> String {
    let (id, json) = line.split_once(' ').unwrap();
    let Ok(mut resource) = json.parse::<Value>() else { return line.to_owned() };
    let Some(properties) = resource.get_mut("Properties") else { return line.to_owned() };
    if let Some(paths) = properties["Body"]["paths"].as_object() {
        let operations = paths.values().filter_map(Value::as_object).flat_map(Map::values);
        let integrations = operations.map(|of| of["x-amazon-apigateway-integration"].to_string());
        properties["Body"]["paths"] = json!(integrations.collect::<BTreeSet<_>>());
    } else if properties["Handler"].is_string() {
        properties["Description"] = json!("ITS SUMMARY");
        properties["ReservedConcurrentExecutions"] = json!("ITS SHARE");
    }
    format!("{id} {resource}")
}

fn capitalized(word: &str) -> String {
    word[..1].to_ascii_uppercase() + &word[1..]
}

/// The value with its numbers and booleans as text, which CloudFormation also accepts.
fn as_text(value: &Value) -> Value {
    match value {
        Value::Object(members) => members.iter().map(|(k, v)| (k.clone(), as_text(v))).collect(),
        Value::Array(items) => items.iter().map(as_text).collect(),
        Value::String(_) => value.clone(),
        other => json!(other.to_string()),
    }
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
