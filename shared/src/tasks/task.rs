//! The task, and what a client may say of it. Each type is made only by parsing, so its values are
//! valid.
use jiff::Timestamp;
use jiff::fmt::temporal::DateTimePrinter;
use serde::{Serialize, Serializer};

use super::field::Expectation;

/// The largest integer that a JavaScript number holds exactly: 2^53 - 1.
pub(crate) const MAX_SAFE_INTEGER: i64 = (1 << 53) - 1;
const TITLE_LIMIT: usize = 200;
const DESCRIPTION_LIMIT: usize = 1000;

/// The id of a task: 1 to 2^53 - 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct TaskId(i64);

impl TaskId {
    /// Parses an id from decimal digits; `None` if it is invalid.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| text.parse().ok()).flatten().and_then(Self::new)
    }

    pub(crate) fn new(id: i64) -> Option<Self> {
        (1..=MAX_SAFE_INTEGER).contains(&id).then_some(Self(id))
    }

    pub(crate) fn get(self) -> i64 {
        self.0
    }
}

/// A title: trimmed, 1 to 200 Unicode characters, without U+0000.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Title(String);

impl Title {
    pub(crate) fn parse(text: &str) -> Result<Self, Expectation> {
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
    pub(crate) fn parse(text: Option<&str>) -> Result<Self, Expectation> {
        text.map_or(Ok(()), |text| within(text, DESCRIPTION_LIMIT))?;
        Ok(Self(text.map(str::to_owned)))
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

/// The body of a create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTask {
    pub(crate) title: Title,
    pub(crate) description: Description,
    /// Whether it is completed already.
    pub(crate) completed: bool,
}

/// The body of an update: absent fields stay unchanged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskChange {
    pub(crate) title: Option<Title>,
    pub(crate) description: Option<Description>,
    pub(crate) completed: Option<bool>,
}

/// The body of a complete: toggle, or set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Completion {
    /// Completes an open task, reopens a completed one.
    #[default]
    Toggle,
    /// Completed or open, whatever it was: safe to repeat.
    Set(bool),
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
    /// Incremented by each change; the task's `ETag`.
    #[serde(skip)]
    pub(crate) version: i64,
}

/// UTC with all six digits that the database stores, so that times also compare as text.
fn rfc3339<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    const PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(6));
    // Half the instructions of `{time:.6}`.
    serializer.serialize_str(&PRINTER.timestamp_to_string(time))
}

/// The result of a create.
#[derive(Debug)]
pub struct Created {
    pub(crate) task: Task,
    /// Whether this is the answer to an earlier create with the same key.
    pub(crate) replayed: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arbitrary;
    use proptest::prelude::*;
    use serde_json::json;

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
                prop_assert!((1..=MAX_SAFE_INTEGER).contains(&id.get()));
            }
        }

        #[test]
        fn an_accepted_title_fits_the_column(text in arbitrary::like("\\PC{0,300}")) {
            if let Ok(title) = Title::parse(&text) {
                prop_assert_eq!(title.as_str(), text.trim());
                prop_assert!((1..=TITLE_LIMIT).contains(&title.as_str().chars().count()));
            }
        }
    }
}
