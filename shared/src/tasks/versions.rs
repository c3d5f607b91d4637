//! Which state a task must be in for a change to be made.

/// The versions that a change may start from.
#[derive(Debug, PartialEq, Eq)]
pub enum Versions {
    /// Any version.
    Any,
    /// One of these; where there are none, the change is never made.
    OneOf(Vec<i64>),
}

impl Versions {
    /// The versions for SQL; `None` where any will do.
    pub(crate) fn listed(&self) -> Option<&[i64]> {
        match self {
            Self::Any => None,
            Self::OneOf(versions) => Some(versions),
        }
    }
}
