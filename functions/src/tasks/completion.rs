//! What a client may say of a task's completion.
use shared::{Fields, FromBody, boolean};

/// The body of a complete: toggle, or set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Completion {
    /// Completes an open task, reopens a completed one.
    #[default]
    Toggle,
    /// Completed or open, whatever it was: safe to repeat.
    Set(bool),
}

impl FromBody for Completion {
    fn from_body(body: &mut Fields) -> Option<Self> {
        // A misspelt `completed` must not toggle: only an object without members does.
        if body.is_empty() {
            return Some(Self::Toggle);
        }
        body.required("completed", boolean).map(Self::Set)
    }
}
