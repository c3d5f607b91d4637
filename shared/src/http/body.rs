//! A JSON body, read member by member, so that a client learns of all its errors at once.
use serde_json::{Map, Value};

use crate::tasks::{Completion, Description, Expectation, FieldError, NewTask, TaskChange, Title};

/// A type that can be read from a JSON object. `None` only after an error was recorded.
pub trait FromBody: Sized {
    /// Reads its members; unknown ones are ignored.
    fn from_body(body: &mut Members) -> Option<Self>;
}

/// The members of a JSON object, and the errors found so far.
pub struct Members {
    members: Map<String, Value>,
    errors: Vec<FieldError>,
}

/// Parses a whole body.
pub(super) fn parse<T: FromBody>(bytes: &[u8]) -> Result<T, Vec<FieldError>> {
    let members = match serde_json::from_slice(bytes) {
        Ok(Value::Object(members)) => members,
        Ok(_) => return Err(vec![FieldError::new("body", "must be a JSON object")]),
        Err(error) => {
            return Err(vec![FieldError::new("body", format!("is not valid JSON: {error}"))]);
        }
    };
    let mut body = Members { members, errors: Vec::new() };
    match T::from_body(&mut body) {
        Some(value) if body.errors.is_empty() => Ok(value),
        _ => Err(body.errors),
    }
}

impl Members {
    fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    fn has(&self, field: &str) -> bool {
        self.members.contains_key(field)
    }

    fn error(&mut self, error: FieldError) {
        self.errors.push(error);
    }

    /// An optional member.
    fn optional<T>(
        &mut self,
        field: &'static str,
        parse: impl Fn(&Value) -> Result<T, Expectation>,
    ) -> Option<T> {
        let value = self.members.remove(field)?;
        parse(&value).map_err(|expected| self.error(FieldError::new(field, expected))).ok()
    }

    /// A required member.
    fn required<T>(
        &mut self,
        field: &'static str,
        parse: impl Fn(&Value) -> Result<T, Expectation>,
    ) -> Option<T> {
        if !self.has(field) {
            self.error(FieldError::new(field, "is required"));
        }
        self.optional(field, parse)
    }
}

fn title(value: &Value) -> Result<Title, Expectation> {
    Title::parse(value.as_str().ok_or("must be a string")?)
}

fn description(value: &Value) -> Result<Description, Expectation> {
    match value {
        Value::Null => Description::parse(None),
        Value::String(text) => Description::parse(Some(text)),
        _ => Err("must be a string or null".into()),
    }
}

fn boolean(value: &Value) -> Result<bool, Expectation> {
    value.as_bool().ok_or("must be true or false".into())
}

impl FromBody for NewTask {
    fn from_body(body: &mut Members) -> Option<Self> {
        let title = body.required("title", title);
        let description = body.optional("description", description);
        let completed = body.optional("completed", boolean);
        Some(Self {
            title: title?,
            description: description.unwrap_or_default(),
            completed: completed.unwrap_or_default(),
        })
    }
}

impl FromBody for TaskChange {
    fn from_body(body: &mut Members) -> Option<Self> {
        if ["title", "description", "completed"].iter().all(|field| !body.has(field)) {
            let expected = "must set at least one of title, description and completed";
            body.error(FieldError::new("body", expected));
        }
        Some(Self {
            title: body.optional("title", title),
            description: body.optional("description", description),
            completed: body.optional("completed", boolean),
        })
    }
}

impl FromBody for Completion {
    fn from_body(body: &mut Members) -> Option<Self> {
        // A misspelt `completed` must not toggle: only an object without members does.
        if body.is_empty() {
            return Some(Self::Toggle);
        }
        body.required("completed", boolean).map(Self::Set)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arbitrary;
    use proptest::prelude::*;
    use serde_json::json;

    fn errors<T: FromBody + std::fmt::Debug>(body: &Value) -> Vec<(&'static str, String)> {
        match parse::<T>(body.to_string().as_bytes()) {
            Ok(valid) => panic!("{body} was read as {valid:?}"),
            Err(errors) => errors.into_iter().map(|e| (e.field, e.message)).collect(),
        }
    }

    fn new_task(body: &Value) -> NewTask {
        parse(body.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn a_title_is_trimmed_and_counted_in_characters() {
        let longest = "é".repeat(200);
        let new = new_task(&json!({ "title": format!(" \t{longest}\u{2003}\n") }));
        assert_eq!(new.title.as_str(), longest);
        assert_eq!(
            errors::<NewTask>(&json!({ "title": longest + "é" })),
            [("title", "must have at most 200 characters".into())]
        );
    }

    #[test]
    fn every_fault_of_a_body_is_reported() {
        let body = json!({ "title": 7, "description": "x".repeat(1001), "completed": "yes" });
        let fields = |errors: Vec<(&'static str, String)>| {
            errors.into_iter().map(|e| e.0).collect::<Vec<_>>()
        };
        assert_eq!(fields(errors::<NewTask>(&body)), ["title", "description", "completed"]);
        assert_eq!(fields(errors::<TaskChange>(&body)), ["title", "description", "completed"]);
        assert_eq!(fields(errors::<TaskChange>(&json!({ "note": 1 }))), ["body"]);
    }

    #[test]
    fn a_null_clears_the_description_and_nothing_else() {
        let change: TaskChange = parse(br#"{"description": null}"#).unwrap();
        assert_eq!(
            change,
            TaskChange { title: None, description: Some(Description::default()), completed: None }
        );
        for field in ["title", "completed"] {
            assert_eq!(errors::<TaskChange>(&json!({ field: null })).len(), 1);
        }
    }

    #[test]
    fn a_misspelt_completion_is_refused() {
        let parse = |body: &str| parse::<Completion>(body.as_bytes());
        assert_eq!(parse("{}").unwrap(), Completion::Toggle);
        assert_eq!(parse(r#"{"completed": false, "id": 3}"#).unwrap(), Completion::Set(false));
        assert!(parse(r#"{"complete": true}"#).is_err());
        assert!(parse(r#"{"completed": null}"#).is_err());
    }

    proptest! {
        #[test]
        fn of_any_json_only_a_task_is_read(body in arbitrary::json()) {
            let title = body.get("title");
            let good_title = title.is_some_and(|title| self::title(title).is_ok());
            let description = body.get("description");
            let good_description = description.is_none_or(|text| self::description(text).is_ok());
            let completed = body.get("completed");
            let good_completed = completed.is_none_or(Value::is_boolean);

            let text = body.to_string();
            let new = parse::<NewTask>(text.as_bytes());
            let good = good_title && good_description && good_completed;
            prop_assert_eq!(new.is_ok(), good, "{}", text);
            if let Ok(new) = new {
                prop_assert_eq!(new.title.as_str(), title.unwrap().as_str().unwrap().trim());
                prop_assert_eq!(new.description.as_deref(), description.and_then(Value::as_str));
                prop_assert_eq!(new.completed, completed == Some(&json!(true)));
            }

            let change = parse::<TaskChange>(text.as_bytes());
            let some = title.is_some() || description.is_some() || completed.is_some();
            let good = (title.is_none() || good_title) && good_description && good_completed;
            prop_assert_eq!(change.is_ok(), some && good, "{}", text);
            if let Ok(change) = change {
                prop_assert_eq!(change.title.is_some(), title.is_some());
                prop_assert_eq!(change.description.is_some(), description.is_some());
                prop_assert_eq!(change.completed, completed.and_then(Value::as_bool));
            }

            let expected = match (body.as_object().map(Map::len), completed) {
                (Some(0), _) => Some(Completion::Toggle),
                (Some(_), Some(Value::Bool(completed))) => Some(Completion::Set(*completed)),
                _ => None,
            };
            prop_assert_eq!(parse::<Completion>(text.as_bytes()).ok(), expected);
        }

        #[test]
        fn no_bytes_make_the_body_parser_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse::<NewTask>(&bytes);
            let _ = parse::<TaskChange>(&bytes);
            let _ = parse::<Completion>(&bytes);
        }
    }
}
