//! The paths of the API, as used in `Location` and `Link`.
use crate::percent::encoded;
use crate::store::{Record, Stored};

/// The path of a user's rows.
pub(super) fn collection<R: Record>(user: &str) -> String {
    format!("/api/{}/{}", encoded(user), R::TABLE.replace('_', "-"))
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
