//! The operations of the document.
use anyhow::{Context, Result, ensure};
use serde_json::Value;

pub(super) const DOCUMENT: &str = "functions/openapi.yaml";

/// In the order of the lists.
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// All operations, by path and method.
pub(super) struct Operations<'d>(Vec<Operation<'d>>);

/// An operation of the document.
pub(super) struct Operation<'d> {
    pub(super) function: &'d str,
    /// In upper case.
    pub(super) method: String,
    pub(super) path: &'d str,
    /// Those of the path and of the operation.
    parameters: Vec<&'d Value>,
    described: &'d Value,
    document: &'d Value,
}

impl<'d> Operations<'d> {
    pub(super) fn of(document: &'d Value) -> Result<Self> {
        let mut all = Vec::new();
        let paths = document.get("paths").and_then(Value::as_object);
        let paths = paths.context("the document has no paths")?;
        for (path, item) in paths {
            for method in METHODS {
                let Some(described) = item.get(method) else { continue };
                let lists = [item.get("parameters"), described.get("parameters")];
                let parameters = lists.into_iter().flatten().filter_map(Value::as_array).flatten();
                let parameters = parameters.map(|parameter| resolved(document, parameter));
                let (method, parameters) =
                    (method.to_ascii_uppercase(), parameters.collect::<Result<_>>()?);
                let mut operation =
                    Operation { function: "", method, path, parameters, described, document };
                operation.function = operation.text("x-function")?;
                all.push(operation);
            }
        }
        let operations = Self(all);
        for Operation { function, .. } in &operations.0 {
            let mains = operations.mains().filter(|main| main.function == *function).count();
            ensure!(
                mains == 1,
                "{DOCUMENT}: one operation of {function} must have it as operationId, in camel case"
            );
        }
        Ok(operations)
    }

    pub(super) fn all(&self) -> &[Operation<'d>] {
        &self.0
    }

    /// The main operation of each function, which has its name.
    pub(super) fn mains(&self) -> impl Iterator<Item = &Operation<'d>> {
        self.0.iter().filter(|operation| operation.is_main())
    }

    /// The other operations of a main one's function.
    pub(super) fn others(&self, main: &Operation<'d>) -> impl Iterator<Item = &Operation<'d>> {
        self.0.iter().filter(|of| of.function == main.function && !of.is_main())
    }
}

impl<'d> Operation<'d> {
    fn is_main(&self) -> bool {
        let id = text(self.described, "operationId");
        id.is_some_and(|id| id.eq_ignore_ascii_case(&self.function.replace('-', "")))
    }

    /// One of its texts, such as its summary.
    pub(super) fn text(&self, name: &str) -> Result<&'d str> {
        text(self.described, name).with_context(|| self.missing(name))
    }

    fn missing(&self, what: &str) -> String {
        format!("{} {} of {DOCUMENT} has no {what}", self.method, self.path)
    }

    fn parameters_in(&self, place: &str) -> impl Iterator<Item = &'d Value> {
        self.parameters.iter().copied().filter(move |of| text(of, "in") == Some(place))
    }

    /// The names of its parameters in the path, the query or the headers.
    pub(super) fn names(&self, place: &str) -> impl Iterator<Item = &'d str> {
        self.parameters_in(place).filter_map(|parameter| text(parameter, "name"))
    }

    /// The schema of its body, if it takes one.
    pub(super) fn body(&self) -> Result<Option<&'d Value>> {
        let schema = self.described.pointer("/requestBody/content/application~1json/schema");
        schema.map(|schema| resolved(self.document, schema)).transpose()
    }

    /// The example of its body.
    pub(super) fn example_body(&self) -> Result<Option<String>> {
        let Some(schema) = self.body()? else { return Ok(None) };
        let example = schema.pointer("/examples/0");
        Ok(Some(example.with_context(|| self.missing("`examples` of its body"))?.to_string()))
    }

    /// The parameters of the query that have an example.
    pub(super) fn example_query(&self) -> Result<Vec<(String, String)>> {
        let mut examples = Vec::new();
        for parameter in self.parameters_in("query") {
            let name = text(parameter, "name").context("a parameter without a name")?;
            match parameter.get("example") {
                Some(Value::String(example)) => examples.push((name.to_owned(), example.clone())),
                Some(example) => examples.push((name.to_owned(), example.to_string())),
                None => {
                    let required = parameter.get("required") == Some(&Value::Bool(true));
                    ensure!(!required, self.missing(&format!("`example` of {name}")));
                }
            }
        }
        Ok(examples)
    }

    /// The status of its success, and the first sentence about it.
    pub(super) fn success(&self) -> Result<(&'d str, &'d str)> {
        let responses = self.described.get("responses").and_then(Value::as_object);
        let (status, response) = responses
            .and_then(|all| all.iter().find(|(status, _)| status.starts_with('2')))
            .with_context(|| self.missing("2xx response"))?;
        let text = text(resolved(self.document, response)?, "description");
        let text = text.with_context(|| self.missing("description of its success"))?;
        Ok((status, text.split(". ").next().unwrap_or(text).trim_end().trim_end_matches('.')))
    }
}

/// The value that a `$ref` names, or this one.
fn resolved<'d>(document: &'d Value, value: &'d Value) -> Result<&'d Value> {
    let Some(reference) = text(value, "$ref") else { return Ok(value) };
    let found = document.pointer(reference.trim_start_matches('#'));
    resolved(document, found.with_context(|| format!("{DOCUMENT} has no {reference}"))?)
}

fn text<'v>(value: &'v Value, name: &str) -> Option<&'v str> {
    value.get(name)?.as_str()
}
