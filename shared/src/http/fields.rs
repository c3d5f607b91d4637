//! A JSON body, read member by member, so that a client learns of all its errors at once.
use serde_json::{Map, Value};

use super::field_error::{Expectation, FieldError};
use crate::store::Record;

/// A type that can be read from a JSON object. `None` only after an error was recorded.
pub trait FromBody: Sized {
    /// Reads its members; unknown ones are ignored.
    fn from_body(body: &mut Fields) -> Option<Self>;
}

/// The members of a JSON object, and the errors found so far.
pub struct Fields {
    members: Map<String, Value>,
    errors: Vec<FieldError>,
}

impl Fields {
    /// Parses a whole body.
    ///
    /// # Errors
    /// Every error of the body.
    pub fn parse<T: FromBody>(bytes: &[u8]) -> Result<T, Vec<FieldError>> {
        let members = match serde_json::from_slice(bytes) {
            Ok(Value::Object(members)) => members,
            Ok(_) => return Err(vec![FieldError::new("body", "must be a JSON object")]),
            Err(error) => {
                return Err(vec![FieldError::new("body", format!("is not valid JSON: {error}"))]);
            }
        };
        let mut body = Self { members, errors: Vec::new() };
        match T::from_body(&mut body) {
            Some(value) if body.errors.is_empty() => Ok(value),
            _ => Err(body.errors),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    fn has(&self, field: &str) -> bool {
        self.members.contains_key(field)
    }

    /// Refuses a body that has no field of a record.
    pub fn require_any<R: Record>(&mut self) {
        if R::COLUMNS.iter().any(|column| self.has(column.name)) {
            return;
        }
        let names: Vec<_> = R::COLUMNS.iter().map(|column| column.name).collect();
        let (last, others) = names.split_last().unwrap_or((&"", &[]));
        let expected = match others {
            [] => format!("must set {last}"),
            _ => format!("must set at least one of {} and {last}", others.join(", ")),
        };
        self.errors.push(FieldError::new("body", expected));
    }

    /// An optional member.
    pub fn optional<T>(
        &mut self,
        field: &'static str,
        parse: impl Fn(&Value) -> Result<T, Expectation>,
    ) -> Option<T> {
        let value = self.members.remove(field)?;
        parse(&value).map_err(|expected| self.errors.push(FieldError::new(field, expected))).ok()
    }

    /// A required member.
    pub fn required<T>(
        &mut self,
        field: &'static str,
        parse: impl Fn(&Value) -> Result<T, Expectation>,
    ) -> Option<T> {
        if !self.has(field) {
            self.errors.push(FieldError::new(field, "is required"));
        }
        self.optional(field, parse)
    }
}

/// Reads `true` or `false`.
///
/// # Errors
/// What is expected of the value.
pub fn boolean(value: &Value) -> Result<bool, Expectation> {
    value.as_bool().ok_or("must be true or false".into())
}

/// Reads a string that is trimmed, not blank, and has at most `limit` characters.
///
/// # Errors
/// What is expected of the value.
pub fn line(value: &Value, limit: usize) -> Result<String, Expectation> {
    let text = value.as_str().ok_or("must be a string")?.trim();
    if text.is_empty() {
        return Err("must not be blank".into());
    }
    within(text, limit)
}

/// Reads a string of at most `limit` characters, or null.
///
/// # Errors
/// What is expected of the value.
pub fn optional_text(value: &Value, limit: usize) -> Result<Option<String>, Expectation> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => within(text, limit).map(Some),
        _ => Err("must be a string or null".into()),
    }
}

/// `PostgreSQL` cannot store U+0000.
fn within(text: &str, limit: usize) -> Result<String, Expectation> {
    if text.contains('\0') {
        return Err("must not contain U+0000".into());
    }
    if text.chars().count() > limit {
        return Err(format!("must have at most {limit} characters").into());
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arbitrary;
    use crate::store::sample::Sample;
    use proptest::prelude::*;
    use serde_json::json;

    #[derive(Debug)]
    struct Label;

    impl FromBody for Label {
        fn from_body(body: &mut Fields) -> Option<Self> {
            body.required("label", |value| line(value, 3)).map(|_| Self)
        }
    }

    #[test]
    fn what_is_wrong_with_a_text_is_said() {
        for (value, expected) in [
            (json!(" \u{2003}é"), None),
            (json!(""), Some("must not be blank")),
            (json!("\n"), Some("must not be blank")),
            (json!("a\0b"), Some("must not contain U+0000")),
            (json!("éééé"), Some("must have at most 3 characters")),
            (json!(null), Some("must be a string")),
        ] {
            let read = line(&value, 3);
            assert_eq!(read.err().as_deref(), expected, "{value}");
        }
        assert_eq!(optional_text(&json!(" "), 3), Ok(Some(" ".into())));
        assert_eq!(optional_text(&json!(null), 3), Ok(None));
        assert_eq!(optional_text(&json!(1), 3), Err("must be a string or null".into()));
        assert_eq!(boolean(&json!(1)), Err("must be true or false".into()));
    }

    #[test]
    fn a_body_is_an_object() {
        let errors = |body: &str| Fields::parse::<Label>(body.as_bytes()).unwrap_err();
        assert_eq!(errors("{}"), [FieldError::new("label", "is required")]);
        assert_eq!(errors("[]"), [FieldError::new("body", "must be a JSON object")]);
        assert!(errors("{").first().unwrap().message.starts_with("is not valid JSON: "));
    }

    #[test]
    fn of_a_change_any_field_is_required() {
        struct Any;
        impl FromBody for Any {
            fn from_body(body: &mut Fields) -> Option<Self> {
                body.require_any::<Sample>();
                Some(Self)
            }
        }
        let error = |body: &[u8]| Fields::parse::<Any>(body).err().map(|errors| errors[0].clone());
        let expected = "must set at least one of label, note and done";
        assert_eq!(error(br#"{"other": 1}"#), Some(FieldError::new("body", expected)));
        assert_eq!(error(br#"{"note": null}"#), None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_body_parser_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Fields::parse::<Label>(&bytes);
        }

        #[test]
        fn an_accepted_line_fits_the_column(text in arbitrary::like("\\PC{0,300}")) {
            if let Ok(line) = line(&json!(text), 200) {
                prop_assert_eq!(&line, text.trim());
                prop_assert!((1..=200).contains(&line.chars().count()));
            }
        }
    }
}
