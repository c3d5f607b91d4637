//! The operations of `functions/openapi.yaml`.
use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::Reply;
use crate::http::check;
use crate::openapi::{DOCUMENT, failure, resolve, responses};
use crate::request::{KEY, Request};
use crate::resource::{Resource, resources};

/// An operation of the API.
#[derive(Debug, Clone)]
pub struct Operation {
    /// The function that serves it: its `x-function`.
    pub function: &'static str,
    /// The HTTP method, in upper case.
    pub method: String,
    /// With `{user_id}` and, for an operation on an item, the parameter of its id.
    pub path: &'static str,
    pub(crate) described: &'static Value,
    parameters: Vec<&'static Value>,
}

/// The operation of each function; `update-task` also serves PATCH, which is in [`requests`](crate::requests).
pub fn operations() -> &'static [Operation] {
    static OPERATIONS: LazyLock<Vec<Operation>> =
        LazyLock::new(|| all().iter().filter(|operation| operation.is_main()).cloned().collect());
    &OPERATIONS
}

/// Every operation of the document.
pub(crate) fn all() -> &'static [Operation] {
    static ALL: LazyLock<Vec<Operation>> = LazyLock::new(|| {
        let paths = DOCUMENT["paths"].as_object().unwrap().iter();
        paths.flat_map(|(path, item)| of_path(path, item)).collect()
    });
    &ALL
}

fn of_path(path: &'static str, item: &'static Value) -> impl Iterator<Item = Operation> {
    let members = item.as_object().unwrap().iter();
    let operations = members.filter(|(name, _)| *name != "parameters");
    operations.map(move |(method, described)| {
        let method = method.to_ascii_uppercase();
        let function = described["x-function"].as_str();
        let function = function.unwrap_or_else(|| {
            panic!("{method} {path} of functions/openapi.yaml has no x-function")
        });
        let lists = [&item["parameters"], &described["parameters"]];
        let parameters = lists.into_iter().filter_map(Value::as_array).flatten().map(resolve);
        Operation { function, method, path, described, parameters: parameters.collect() }
    })
}

/// The operation of a function.
pub fn operation(function: &str) -> &'static Operation {
    let found = operations().iter().find(|operation| operation.function == function);
    found.unwrap_or_else(|| panic!("functions/openapi.yaml has no operation of {function}"))
}

impl Operation {
    /// Whether it has its function's name: `updateTask` is the main operation of `update-task`.
    fn is_main(&self) -> bool {
        let id = self.described["operationId"].as_str().unwrap();
        self.function.replace('-', "") == id.to_ascii_lowercase()
    }

    /// The resource that it is for; none for an operation of the platform.
    pub fn resource(&self) -> Option<&'static Resource> {
        resources().iter().find(|resource| Some(resource.name) == name_in(self.path))
    }

    /// The parameter of its item's id, if it is on one item.
    pub fn item_parameter(&self) -> Option<&'static str> {
        self.names_in("path").into_iter().find(|name| *name != "user_id")
    }

    /// Whether it is on one item of its resource.
    pub fn is_of_an_item(&self) -> bool {
        self.item_parameter().is_some()
    }

    /// The document's example of its failure with this status.
    pub fn failure(&self, status: u16) -> &'static Value {
        failure(self.path, &self.method.to_ascii_lowercase(), status)
    }

    /// Whether it only reads.
    pub fn reads(&self) -> bool {
        self.method == "GET"
    }

    /// Its `x-repeat`: what makes it safe to repeat after an unknown outcome, if not everything.
    pub fn repeat(&self) -> Option<&'static str> {
        self.described["x-repeat"].as_str()
    }

    /// The names of its parameters in this place.
    pub fn names_in(&self, place: &str) -> Vec<&'static str> {
        let there = self.parameters.iter().filter(|parameter| parameter["in"] == place);
        there.filter_map(|parameter| parameter["name"].as_str()).collect()
    }

    /// Whether it has a header of this name.
    pub fn takes(&self, header: &str) -> bool {
        let names = self.parameters.iter().filter_map(|parameter| parameter["name"].as_str());
        names.into_iter().any(|name| name.eq_ignore_ascii_case(header))
    }

    /// Whether it accepts a body.
    pub fn takes_a_body(&self) -> bool {
        !self.described["requestBody"].is_null()
    }

    /// Its success status.
    pub fn success(&self) -> u16 {
        self.responses().map(|(status, _)| status).min().unwrap()
    }

    /// The status of each of its responses, with the pointer to it.
    pub(crate) fn responses(&self) -> impl Iterator<Item = (u16, String)> {
        let all = responses(self.path, &self.method.to_ascii_lowercase());
        let statuses = self.described["responses"].as_object().unwrap().keys();
        statuses.map(move |status| (status.parse().unwrap(), format!("{all}/{status}")))
    }

    /// The answer that API Gateway makes of a function's result, after the checks that apply to
    /// every answer.
    pub fn read(&self, answer: &[u8]) -> anyhow::Result<Reply> {
        let reply = Reply::read(answer)?;
        check(&self.method, self.path, &reply);
        Ok(reply)
    }

    /// The request with every part for which the document has an example.
    pub fn example(&'static self) -> Request {
        let key = self.takes(KEY).then(|| (KEY, "key".to_owned()));
        let function = self.function.to_owned();
        Request {
            name: if self.is_main() { function } else { format!("{function} by {}", self.method) },
            operation: self,
            query: self.example_query(),
            headers: key.into_iter().collect(),
            body: if self.takes_a_body() { self.example_body().to_string() } else { String::new() },
        }
    }

    /// Its requests, with and without the optional parts.
    pub fn requests(&'static self) -> Vec<Request> {
        let whole = self.example();
        let (keyless, bodiless) = (whole.clone().without_key(), whole.clone().without_body());
        let mut requests = vec![whole, keyless.clone(), bodiless, keyless.without_body()];
        requests.sort_by(|a, b| a.name.cmp(&b.name));
        requests.dedup_by(|a, b| a.name == b.name);
        requests
    }

    /// The document's example of its body; null if it takes none.
    pub fn example_body(&self) -> Value {
        if !self.takes_a_body() {
            return Value::Null;
        }
        let examples = &self.body()["examples"];
        let function = self.function;
        assert!(!examples.is_null(), "the schema of the body of {function} needs `examples`");
        examples[0].clone()
    }

    /// The schema of its body.
    fn body(&self) -> &'static Value {
        resolve(&self.described["requestBody"]["content"]["application/json"]["schema"])
    }

    /// Whether a member of its body is free text.
    pub(crate) fn is_text(&self, member: &str) -> bool {
        let of = resolve(&self.body()["properties"][member]);
        let is_string = of["type"] == "string" || of["type"] == json!(["string", "null"]);
        is_string && of["enum"].is_null() && of["format"].is_null()
    }

    fn example_query(&self) -> String {
        let query = self.parameters.iter().filter(|parameter| parameter["in"] == "query");
        let text = |value: &Value| value.as_str().map_or(value.to_string(), str::to_owned);
        let pairs = query.filter_map(|parameter| {
            let name = parameter["name"].as_str()?;
            let missing = parameter["required"] == true && parameter["example"].is_null();
            assert!(!missing, "the parameter {name} of {} needs an `example`", self.function);
            Some(format!("{name}={}", text(parameter.get("example")?)))
        });
        pairs.collect::<Vec<_>>().join("&")
    }
}

/// The name of the resource in a path.
pub(crate) fn name_in(path: &'static str) -> Option<&'static str> {
    path.strip_prefix("/api/{user_id}/")?.split('/').next()
}
