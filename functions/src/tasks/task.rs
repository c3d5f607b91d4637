//! The task, and what a client may say of it.
use serde_json::Value;
use shared::{Expectation, Fields, Filter, FromBody, Resource, boolean, line, optional_text};

use crate::DATABASE_ROLE;

const TITLE_LIMIT: usize = 200;
const DESCRIPTION_LIMIT: usize = 1000;

shared::record! {
    /// A task.
    pub struct Task: task in tasks, changed by TaskChange {
        title: String,
        description: Option<String>,
        completed: bool,
    }
}

impl Resource for Task {
    const ROLE: &'static str = DATABASE_ROLE;
    const FILTERS: &'static [Filter] = &[Filter::boolean("completed")];
}

fn title(value: &Value) -> Result<String, Expectation> {
    line(value, TITLE_LIMIT)
}

fn description(value: &Value) -> Result<Option<String>, Expectation> {
    optional_text(value, DESCRIPTION_LIMIT)
}

/// The body of a create.
impl FromBody for Task {
    fn from_body(body: &mut Fields) -> Option<Self> {
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

/// The body of an update.
impl FromBody for TaskChange {
    fn from_body(body: &mut Fields) -> Option<Self> {
        body.require_any::<Task>();
        Some(Self {
            title: body.optional("title", title),
            description: body.optional("description", description),
            completed: body.optional("completed", boolean),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arbitrary;
    use crate::tasks::Completion;
    use proptest::prelude::*;
    use serde_json::{Map, json};

    fn parse<T: FromBody>(body: &str) -> Result<T, Vec<(&'static str, String)>> {
        let errors = |errors: Vec<shared::FieldError>| {
            errors.into_iter().map(|error| (error.field, error.message)).collect()
        };
        Fields::parse(body.as_bytes()).map_err(errors)
    }

    fn errors<T: FromBody + std::fmt::Debug>(body: &Value) -> Vec<(&'static str, String)> {
        parse::<T>(&body.to_string()).unwrap_err()
    }

    #[test]
    fn a_title_is_trimmed_and_counted_in_characters() {
        let longest = "é".repeat(200);
        let body = json!({ "title": format!(" \t{longest}\u{2003}\n") });
        assert_eq!(parse::<Task>(&body.to_string()).unwrap().title, longest);
        assert_eq!(
            errors::<Task>(&json!({ "title": longest + "é" })),
            [("title", "must have at most 200 characters".into())]
        );
    }

    #[test]
    fn every_error_of_a_body_is_reported() {
        let body = json!({ "title": 7, "description": "x".repeat(1001), "completed": "yes" });
        let fields = |errors: Vec<(&'static str, String)>| {
            errors.into_iter().map(|e| e.0).collect::<Vec<_>>()
        };
        assert_eq!(fields(errors::<Task>(&body)), ["title", "description", "completed"]);
        assert_eq!(fields(errors::<TaskChange>(&body)), ["title", "description", "completed"]);
        assert_eq!(fields(errors::<TaskChange>(&json!({ "note": 1 }))), ["body"]);
    }

    #[test]
    fn a_null_clears_the_description_and_nothing_else() {
        let change: TaskChange = parse(r#"{"description": null}"#).unwrap();
        assert_eq!(change, TaskChange { title: None, description: Some(None), completed: None });
        for field in ["title", "completed"] {
            assert_eq!(errors::<TaskChange>(&json!({ field: null })).len(), 1);
        }
    }

    #[test]
    fn a_misspelt_completion_is_refused() {
        assert_eq!(parse::<Completion>("{}").unwrap(), Completion::Toggle);
        let set = parse::<Completion>(r#"{"completed": false, "id": 3}"#).unwrap();
        assert_eq!(set, Completion::Set(false));
        assert!(parse::<Completion>(r#"{"complete": true}"#).is_err());
        assert!(parse::<Completion>(r#"{"completed": null}"#).is_err());
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
            let new = parse::<Task>(&text);
            let good = good_title && good_description && good_completed;
            prop_assert_eq!(new.is_ok(), good, "{}", text);
            if let Ok(new) = new {
                prop_assert_eq!(&new.title, title.unwrap().as_str().unwrap().trim());
                prop_assert!((1..=TITLE_LIMIT).contains(&new.title.chars().count()));
                prop_assert_eq!(new.description.as_deref(), description.and_then(Value::as_str));
                prop_assert_eq!(new.completed, completed == Some(&json!(true)));
            }

            let change = parse::<TaskChange>(&text);
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
            prop_assert_eq!(parse::<Completion>(&text).ok(), expected);
        }

        #[test]
        fn no_body_makes_the_parser_panic(body in arbitrary::like("\\PC{0,200}")) {
            let _ = parse::<Task>(&body);
            let _ = parse::<TaskChange>(&body);
            let _ = parse::<Completion>(&body);
        }
    }
}
