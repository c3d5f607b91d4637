//! A task and what a client may say of one. Each type is made by parsing alone, so a value of it is valid.
use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::body::{FromBody, Members};
use crate::problem::Fault;

/// The largest id that a JavaScript number holds exactly: 2^53 - 1.
const MAX_ID: i64 = (1 << 53) - 1;
const TITLE_LIMIT: usize = 200;
const DESCRIPTION_LIMIT: usize = 1000;

/// What a field should have been, to be read after its name.
pub(crate) type Expectation = Cow<'static, str>;

/// The id of a task: 1 to 2^53 - 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct TaskId(i64);

impl TaskId {
    /// Reads an id from its decimal digits; `None` for anything else.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| text.parse().ok()).flatten().and_then(Self::new)
    }

    pub(crate) fn new(id: i64) -> Option<Self> {
        (1..=MAX_ID).contains(&id).then_some(Self(id))
    }

    pub(crate) fn get(self) -> i64 {
        self.0
    }
}

/// A title: trimmed, 1 to 200 Unicode characters, without U+0000.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Title(String);

impl Title {
    fn parse(value: &Value) -> Result<Self, Expectation> {
        let Value::String(text) = value else {
            return Err("must be a string".into());
        };
        let text = text.trim();
        if text.is_empty() {
            return Err("must not be blank".into());
        }
        within(text, TITLE_LIMIT)?;
        Ok(Self(text.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<Title> for String {
    fn from(title: Title) -> Self {
        title.0
    }
}

/// A description: none, or at most 1000 Unicode characters, without U+0000.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Description(Option<String>);

impl Description {
    fn parse(value: &Value) -> Result<Self, Expectation> {
        match value {
            Value::Null => Ok(Self(None)),
            Value::String(text) => {
                within(text, DESCRIPTION_LIMIT)?;
                Ok(Self(Some(text.clone())))
            }
            _ => Err("must be a string or null".into()),
        }
    }

    pub(crate) fn as_deref(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

impl From<Description> for Option<String> {
    fn from(description: Description) -> Self {
        description.0
    }
}

fn within(text: &str, limit: usize) -> Result<(), Expectation> {
    if text.contains('\0') {
        return Err("must not contain U+0000".into());
    }
    if text.chars().count() > limit {
        return Err(format!("must have at most {limit} characters").into());
    }
    Ok(())
}

fn boolean(value: &Value) -> Result<bool, Expectation> {
    value.as_bool().ok_or("must be true or false".into())
}

/// The body of a create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTask {
    pub(crate) title: Title,
    pub(crate) description: Description,
}

impl FromBody for NewTask {
    fn from_body(body: &mut Members) -> Option<Self> {
        let title = body.required("title", Title::parse);
        let description = body.optional("description", Description::parse);
        Some(Self { title: title?, description: description.unwrap_or_default() })
    }
}

/// The body of an update: what is absent stays as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskChange {
    pub(crate) title: Option<Title>,
    pub(crate) description: Option<Description>,
    pub(crate) completed: Option<bool>,
}

impl FromBody for TaskChange {
    fn from_body(body: &mut Members) -> Option<Self> {
        const FIELDS: [&str; 3] = ["title", "description", "completed"];
        if FIELDS.iter().all(|field| !body.has(field)) {
            for field in FIELDS {
                body.fault(Fault::new(field, "is absent: set title, description or completed"));
            }
        }
        Some(Self {
            title: body.optional("title", Title::parse),
            description: body.optional("description", Description::parse),
            completed: body.optional("completed", boolean),
        })
    }
}

/// The body of a complete: toggle, or set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Completion {
    /// What was open is completed, and the other way round.
    #[default]
    Toggle,
    /// Completed or open, whatever it was: safe to repeat.
    Set(bool),
}

impl FromBody for Completion {
    fn from_body(body: &mut Members) -> Option<Self> {
        // A misspelt `completed` must not toggle: only an object without any member does.
        if body.is_empty() {
            return Some(Self::Toggle);
        }
        body.required("completed", boolean).map(Self::Set)
    }
}

/// A task as its owner sees it.
#[derive(Debug, Clone, Serialize)]
pub struct Task {
    pub(crate) id: TaskId,
    pub(crate) user_id: String,
    pub(crate) title: String,
    pub(crate) description: Option<String>,
    pub(crate) completed: bool,
    #[serde(serialize_with = "rfc3339")]
    pub(crate) created_at: Timestamp,
    #[serde(serialize_with = "rfc3339")]
    pub(crate) updated_at: Timestamp,
    /// Counts the changes; the task's `ETag`.
    #[serde(skip)]
    pub(crate) version: i64,
}

/// UTC with all six digits that the database keeps, so that times compare as text, too.
fn rfc3339<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{time:.6}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{arbitrary, body};
    use proptest::prelude::*;
    use serde_json::json;

    fn faults<T: FromBody + std::fmt::Debug>(body: &Value) -> Vec<(&'static str, String)> {
        match body::parse::<T>(body.to_string().as_bytes()) {
            Ok(valid) => panic!("{body} was read as {valid:?}"),
            Err(faults) => faults.into_iter().map(|f| (f.field, f.message)).collect(),
        }
    }

    fn new_task(body: &Value) -> NewTask {
        body::parse(body.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn a_title_is_trimmed_and_counted_in_characters() {
        let longest = "é".repeat(TITLE_LIMIT);
        let new = new_task(&json!({ "title": format!(" \t{longest}\u{2003}\n") }));
        assert_eq!(new.title.as_str(), longest);
        assert_eq!(
            faults::<NewTask>(&json!({ "title": longest + "é" })),
            [("title", "must have at most 200 characters".into())]
        );
    }

    #[test]
    fn every_fault_of_a_body_is_reported() {
        let body = json!({ "title": 7, "description": "x".repeat(1001), "completed": "yes" });
        let fields = |faults: Vec<(&'static str, String)>| {
            faults.into_iter().map(|f| f.0).collect::<Vec<_>>()
        };
        assert_eq!(fields(faults::<NewTask>(&body)), ["title", "description"]);
        assert_eq!(fields(faults::<TaskChange>(&body)), ["title", "description", "completed"]);
        assert_eq!(
            fields(faults::<TaskChange>(&json!({ "note": 1 }))),
            ["title", "description", "completed"]
        );
    }

    #[test]
    fn a_null_clears_the_description_and_nothing_else() {
        let change: TaskChange = body::parse(br#"{"description": null}"#).unwrap();
        assert_eq!(
            change,
            TaskChange { title: None, description: Some(Description(None)), completed: None }
        );
        for field in ["title", "completed"] {
            assert_eq!(faults::<TaskChange>(&json!({ field: null })).len(), 1);
        }
    }

    #[test]
    fn a_misspelt_completion_is_refused() {
        let parse = |body: &str| body::parse::<Completion>(body.as_bytes());
        assert_eq!(parse("{}").unwrap(), Completion::Toggle);
        assert_eq!(parse(r#"{"completed": false, "id": 3}"#).unwrap(), Completion::Set(false));
        assert!(parse(r#"{"complete": true}"#).is_err());
        assert!(parse(r#"{"completed": null}"#).is_err());
    }

    #[test]
    fn times_have_six_digits_and_a_z() {
        let task = Task {
            id: TaskId(1),
            user_id: "u".into(),
            title: "t".into(),
            description: None,
            completed: false,
            created_at: Timestamp::from_second(0).unwrap(),
            updated_at: Timestamp::from_microsecond(1_500).unwrap(),
            version: 1,
        };
        assert_eq!(
            serde_json::to_value(&task).unwrap(),
            json!({
                "id": 1, "user_id": "u", "title": "t", "description": null, "completed": false,
                "created_at": "1970-01-01T00:00:00.000000Z", "updated_at": "1970-01-01T00:00:00.001500Z",
            })
        );
    }

    proptest! {
        #[test]
        fn an_id_is_read_as_it_is_written(id in any::<i64>()) {
            prop_assert_eq!(TaskId::parse(&id.to_string()), TaskId::new(id));
        }

        #[test]
        fn nothing_but_digits_is_an_id(text in arbitrary::like("\\PC{0,20}")) {
            if let Some(id) = TaskId::parse(&text) {
                prop_assert!(text.bytes().all(|b| b.is_ascii_digit()));
                prop_assert!((1..=MAX_ID).contains(&id.get()));
            }
        }

        #[test]
        fn an_accepted_title_fits_the_column(text in arbitrary::like("\\PC{0,300}")) {
            if let Ok(title) = Title::parse(&Value::String(text.clone())) {
                prop_assert_eq!(title.as_str(), text.trim());
                prop_assert!((1..=TITLE_LIMIT).contains(&title.as_str().chars().count()));
            }
        }

        #[test]
        fn of_any_json_only_a_task_is_read(body in arbitrary::json()) {
            let title = body.get("title");
            let good_title = title.is_some_and(|title| Title::parse(title).is_ok());
            let description = body.get("description");
            let good_description = description.is_none_or(|text| Description::parse(text).is_ok());
            let completed = body.get("completed");
            let good_completed = completed.is_none_or(Value::is_boolean);

            let text = body.to_string();
            let new = body::parse::<NewTask>(text.as_bytes());
            prop_assert_eq!(new.is_ok(), good_title && good_description, "{}", text);
            if let Ok(new) = new {
                prop_assert_eq!(new.title.as_str(), title.unwrap().as_str().unwrap().trim());
                prop_assert_eq!(new.description.as_deref(), description.and_then(Value::as_str));
            }

            let change = body::parse::<TaskChange>(text.as_bytes());
            let some = title.is_some() || description.is_some() || completed.is_some();
            let good = (title.is_none() || good_title) && good_description && good_completed;
            prop_assert_eq!(change.is_ok(), some && good, "{}", text);
            if let Ok(change) = change {
                prop_assert_eq!(change.title.is_some(), title.is_some());
                prop_assert_eq!(change.description.is_some(), description.is_some());
                prop_assert_eq!(change.completed, completed.and_then(Value::as_bool));
            }

            let expected = match (body.as_object().map(serde_json::Map::len), completed) {
                (Some(0), _) => Some(Completion::Toggle),
                (Some(_), Some(Value::Bool(completed))) => Some(Completion::Set(*completed)),
                _ => None,
            };
            prop_assert_eq!(body::parse::<Completion>(text.as_bytes()).ok(), expected);
        }

        #[test]
        fn no_bytes_make_the_body_parser_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = body::parse::<NewTask>(&bytes);
            let _ = body::parse::<TaskChange>(&bytes);
            let _ = body::parse::<Completion>(&bytes);
        }
    }
}
