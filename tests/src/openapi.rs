//! The contract in `functions/openapi.yaml`, and checks of answers against it.
use std::collections::{BTreeSet, HashMap};
use std::sync::{LazyLock, Mutex};

use jsonschema::Validator;
use serde_json::{Value, json};

use crate::operation::all;
use crate::{Operation, Reply};

/// The document.
pub(crate) static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_saphyr::from_str(include_str!("../../functions/openapi.yaml")).unwrap());

/// Method, path and function.
pub type Route = (String, String, String);

/// The routes that the document describes.
pub fn routes() -> BTreeSet<Route> {
    let route = |operation: &Operation| {
        (operation.method.clone(), operation.path.to_owned(), operation.function.to_owned())
    };
    all().iter().map(route).collect()
}

/// The functions of all operations.
pub fn functions() -> BTreeSet<&'static str> {
    all().iter().map(|operation| operation.function).collect()
}

/// The codes that a failure may have.
pub fn failure_codes() -> impl Iterator<Item = &'static str> {
    let codes = &DOCUMENT["components"]["schemas"]["Problem"]["properties"]["code"]["enum"];
    codes.as_array().unwrap().iter().map(|code| code.as_str().unwrap())
}

/// Checks an answer against the document: its status must be one of the operation's, with the
/// headers and the body as described.
pub(crate) fn check(method: &str, path: &str, reply: &Reply) {
    let Some(template) = template(path) else { return };
    let method = method.to_ascii_lowercase();
    let pointer = responses(template, &method) + &format!("/{}", reply.status);
    let (at, response) = follow(&pointer);
    for (name, header) in response["headers"].as_object().into_iter().flatten() {
        let reference = header["$ref"].as_str().unwrap().trim_start_matches('#');
        let header = resolve(header);
        match reply.headers.get(name).map(|value| value.to_str().unwrap()) {
            Some(value) => {
                // A number in a header is text.
                let value = value.parse().map_or_else(|_| json!(value), |n: u64| json!(n));
                validate(&format!("{reference}/schema"), &value);
            }
            None => assert_ne!(header["required"], json!(true), "{name} is missing: {reply:#?}"),
        }
    }
    let content_type = reply.header("content-type");
    if content_type.is_empty() {
        assert_eq!(response.get("content"), None, "{pointer} has a body");
    } else {
        let content = format!("{at}/content/{}", escape(content_type));
        validate(&format!("{content}/schema"), &reply.body);
        if reply.status >= 400 {
            let code = &reply.body["code"];
            let examples = examples(DOCUMENT.pointer(&content).unwrap());
            let of_code =
                examples.iter().find(|example| examples.len() == 1 || example["code"] == *code);
            assert_eq!(of_code.unwrap()["title"], reply.body["title"], "{pointer}");
            let code = format!("`{}`", code.as_str().unwrap());
            assert!(response["description"].as_str().unwrap().contains(&code), "{pointer}: {code}");
        }
    }
}

/// Checks that each failure of each operation has an example of its own.
pub fn check_examples() {
    for operation in all() {
        let responses = operation.responses().filter(|(status, _)| *status >= 400);
        for (status, pointer) in responses {
            let (at, response) = follow(&pointer);
            let [(content_type, content)] =
                response["content"].as_object().unwrap().iter().collect::<Vec<_>>()[..]
            else {
                panic!("{pointer}");
            };
            let at = format!("{at}/content/{}", escape(content_type));
            let examples = examples(content);
            assert!(!examples.is_empty(), "{pointer}");
            for example in examples {
                validate(&format!("{at}/schema"), example);
                if status == 429 {
                    assert!(example["message"].is_string(), "{pointer}");
                } else {
                    assert_eq!(
                        content["schema"],
                        json!({ "$ref": "#/components/schemas/Problem" })
                    );
                    assert_eq!(example["status"], status, "{pointer}");
                }
            }
        }
    }
}

/// The example of a failure of an operation.
pub(crate) fn failure(template: &str, method: &str, status: u16) -> &'static Value {
    let (_, response) = follow(&format!("{}/{status}", responses(template, method)));
    examples(&response["content"]["application/problem+json"])[0]
}

/// The example of a content, or its examples.
fn examples(content: &'static Value) -> Vec<&'static Value> {
    match content["examples"].as_object() {
        Some(examples) => examples.values().map(|example| &example["value"]).collect(),
        None => content.get("example").into_iter().collect(),
    }
}

/// The pointer to the responses of an operation.
pub(crate) fn responses(template: &str, method: &str) -> String {
    format!("/paths/{}/{method}/responses", escape(template))
}

/// The path in the document that a request's path matches.
fn template(path: &str) -> Option<&'static str> {
    let path = path.split('?').next().unwrap_or_default();
    let templates = DOCUMENT["paths"].as_object().unwrap().keys();
    templates.map(String::as_str).find(|template| {
        let (mut ours, mut theirs) = (path.split('/'), template.split('/'));
        loop {
            match (ours.next(), theirs.next()) {
                (None, None) => return true,
                (Some(ours), Some(theirs)) if theirs == ours || theirs.starts_with('{') => {}
                _ => return false,
            }
        }
    })
}

/// A value, with its `$ref` resolved.
pub(crate) fn resolve(value: &'static Value) -> &'static Value {
    let Some(reference) = value["$ref"].as_str() else { return value };
    follow(reference.trim_start_matches('#')).1
}

/// The value at a pointer, with its `$ref` resolved, and its final pointer.
fn follow(pointer: &str) -> (String, &'static Value) {
    let value = DOCUMENT.pointer(pointer).unwrap_or_else(|| panic!("{pointer} is not described"));
    match value["$ref"].as_str() {
        Some(reference) => follow(reference.trim_start_matches('#')),
        None => (pointer.to_owned(), value),
    }
}

fn validate(pointer: &str, value: &Value) {
    static VALIDATORS: Mutex<Option<HashMap<String, &'static Validator>>> = Mutex::new(None);
    let mut validators = VALIDATORS.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let validator =
        *validators.get_or_insert_default().entry(pointer.to_owned()).or_insert_with(|| {
            let mut schema = DOCUMENT.clone();
            // A URI fragment cannot contain braces.
            schema["$ref"] = json!(format!("#{pointer}").replace('{', "%7B").replace('}', "%7D"));
            Box::leak(Box::new(jsonschema::options().build(&schema).unwrap()))
        });
    drop(validators);
    if let Err(error) = validator.validate(value) {
        panic!("{pointer}: {error} at {}: {value:#}", error.instance_path());
    }
}

/// A key escaped for a JSON pointer.
fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}
