//! Expected versions of a task.

/// The versions from which a change may start.
#[derive(Debug, PartialEq, Eq)]
pub enum Versions {
    /// Any version.
    Any,
    /// One of these; if there are none, the change is never made.
    OneOf(Vec<i64>),
}

impl Versions {
    /// The versions for SQL; `None` for any.
    pub(crate) fn listed(&self) -> Option<&[i64]> {
        match self {
            Self::Any => None,
            Self::OneOf(versions) => Some(versions),
        }
    }
}
