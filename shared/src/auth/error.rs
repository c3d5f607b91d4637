//! Authentication errors.
use std::borrow::Cow;

/// Why a request has no owner.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum AuthError {
    /// The token is invalid; the text contains only what a client may know.
    Invalid(Cow<'static, str>),
    /// The token is signed with an unknown secret.
    UnknownSecret,
    /// The token names a key that is not known.
    UnknownKey,
    /// The token is signed with a key, and none is known at all.
    NoKeys,
    /// The token has expired.
    Expired,
    /// The token's user differs from the path's.
    WrongUser,
}
