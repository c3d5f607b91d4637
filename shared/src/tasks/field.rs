//! What is wrong with what a client says.
use std::borrow::Cow;

use serde::Serialize;

/// What a field should have been, to be read after its name.
pub(crate) type Expectation = Cow<'static, str>;

/// What is wrong with one field of a body, one query parameter, or one header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// The name of the field, parameter or header; `body` for the body as a whole.
    pub field: &'static str,
    /// What it should have been, to be read after the field's name.
    pub message: String,
}

impl FieldError {
    pub(crate) fn new(field: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { field, message }
    }
}
