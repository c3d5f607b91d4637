//! The paths of the API, as used in `Location` and `Link`.
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::store::{Record, Stored};

/// The characters that RFC 3986 allows unencoded in a path segment.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The path of a user's rows.
pub(super) fn collection<R: Record>(user: &str) -> String {
    let segment = R::TABLE.replace('_', "-");
    format!("/api/{}/{segment}", utf8_percent_encode(user, SEGMENT))
}

/// The path of one row.
pub(super) fn item<R: Record>(stored: &Stored<R>) -> String {
    format!("{}/{}", collection::<R>(&stored.user_id), stored.id.get())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sample::Sample;

    #[test]
    fn a_users_id_is_one_segment() {
        assert_eq!(collection::<Sample>("a/ü b"), "/api/a%2F%C3%BC%20b/samples");
    }
}
