//! Why a request is nobody's.

/// Why there is no owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AuthError {
    /// The token is not one of ours; the text says no more than a client may know.
    Invalid(&'static str),
    /// The token is signed with a secret that is none of ours.
    UnknownSecret,
    /// The token was one of ours, and has ended.
    Expired,
    /// The token is another user's than the path.
    WrongUser,
}
