//! Validation errors.
use std::borrow::Cow;

use serde::Serialize;

/// What was expected, phrased to follow the field's name.
pub type Expectation = Cow<'static, str>;

/// The error of one body field, query parameter or header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// The name of the field, parameter or header; `body` for the whole body.
    pub field: &'static str,
    /// What was expected, phrased to follow the field's name.
    pub message: String,
}

impl FieldError {
    pub(crate) fn new(field: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { field, message }
    }
}
