//! Expected versions of a row.

/// The versions at which a request may use a row.
#[derive(Debug, PartialEq, Eq)]
pub enum Versions {
    /// Any version.
    Any,
    /// One of these; if there are none, no version.
    OneOf(Vec<i64>),
    /// Any but these.
    NoneOf(Vec<i64>),
}

impl Versions {
    /// These versions without some.
    #[must_use]
    pub(crate) fn except(self, excluded: Vec<i64>) -> Self {
        match self {
            Self::OneOf(mut versions) => {
                versions.retain(|version| !excluded.contains(version));
                Self::OneOf(versions)
            }
            Self::Any | Self::NoneOf(_) => Self::NoneOf(excluded),
        }
    }

    pub(crate) fn allow(&self, version: i64) -> bool {
        self.as_slice().is_none_or(|(versions, listed)| versions.contains(&version) == listed)
    }

    /// The versions for SQL, and whether the row's must be listed; `None` for any.
    pub(crate) fn as_slice(&self) -> Option<(&[i64], bool)> {
        match self {
            Self::Any => None,
            Self::OneOf(versions) => Some((versions, true)),
            Self::NoneOf(versions) => Some((versions, false)),
        }
    }
}
