//! Every failure that a client can get.
use std::borrow::Cow;
use std::fmt::Display;

use lambda_http::http::StatusCode;

use super::field_error::FieldError;
use crate::auth::AuthError;
use crate::database::DatabaseError;
use crate::store::StoreError;

/// Why a request failed. The only place with status codes of failures.
#[derive(Debug)]
pub enum Problem {
    /// 400: the query has a character that no URI allows.
    MalformedQuery,
    /// 400: a header has a character that no header allows.
    MalformedHeader,
    /// 401: the request has no bearer token.
    MissingToken,
    /// 401: the bearer token is invalid; the text contains only what a client may know.
    InvalidToken(Cow<'static, str>),
    /// 401: the bearer token has expired.
    ExpiredToken,
    /// 403: the path's user is not the token's.
    WrongUser,
    /// 404: the signed-in user has no such row.
    NotFound {
        /// Its code.
        code: &'static str,
        /// What there is none of.
        name: &'static str,
    },
    /// 412: `If-Match` or `If-None-Match` excludes the row's version.
    StaleEtag,
    /// 412: `If-Match` on something that has no `ETag`.
    NoEtag,
    /// 413: the body is longer than 64 KiB.
    BodyTooLarge,
    /// 415: the `Content-Type` is not JSON.
    NotJson,
    /// 415: the body has a `Content-Encoding`.
    EncodedBody,
    /// 422: the request was read, but is invalid; every error is listed.
    InvalidRequest(Vec<FieldError>),
    /// 503: the database did not run the statement or could not be reached; the reason is for the
    /// log.
    DatabaseUnavailable(String),
    /// 503: the statement's outcome is unknown; the reason is for the log.
    DatabaseUnanswered(String),
    /// 503: no key that could verify the token is known.
    KeysUnavailable,
    /// 500: an internal error; the reason is for the log.
    Internal(String),
}

impl Problem {
    /// A 422 with a single error.
    pub(crate) fn invalid(field: &'static str, message: impl Into<String>) -> Self {
        Self::InvalidRequest(vec![FieldError::new(field, message)])
    }

    pub(crate) fn internal(reason: impl Display) -> Self {
        Self::Internal(reason.to_string())
    }

    pub(crate) fn unanswered(reason: impl Display) -> Self {
        Self::DatabaseUnanswered(reason.to_string())
    }

    /// The stable, machine-readable name of the failure.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::MissingToken => "missing_token",
            Self::InvalidToken(_) => "invalid_token",
            Self::ExpiredToken => "expired_token",
            Self::WrongUser => "wrong_user",
            Self::NotFound { code, .. } => code,
            Self::StaleEtag | Self::NoEtag => "stale_etag",
            Self::BodyTooLarge => "body_too_large",
            Self::NotJson | Self::EncodedBody => "not_json",
            Self::MalformedQuery | Self::MalformedHeader | Self::InvalidRequest(_) => {
                "invalid_request"
            }
            Self::DatabaseUnavailable(_) | Self::DatabaseUnanswered(_) => "database_unavailable",
            Self::KeysUnavailable => "keys_unavailable",
            Self::Internal(_) => "internal",
        }
    }

    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::MalformedQuery | Self::MalformedHeader => StatusCode::BAD_REQUEST,
            Self::MissingToken | Self::InvalidToken(_) | Self::ExpiredToken => {
                StatusCode::UNAUTHORIZED
            }
            Self::WrongUser => StatusCode::FORBIDDEN,
            Self::NotFound { .. } => StatusCode::NOT_FOUND,
            Self::StaleEtag | Self::NoEtag => StatusCode::PRECONDITION_FAILED,
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NotJson | Self::EncodedBody => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::InvalidRequest(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::DatabaseUnavailable(_) | Self::DatabaseUnanswered(_) | Self::KeysUnavailable => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The status code's phrase in RFC 9110, which renamed two.
    pub(super) fn title(&self) -> &'static str {
        match self.status() {
            StatusCode::PAYLOAD_TOO_LARGE => "Content Too Large",
            StatusCode::UNPROCESSABLE_ENTITY => "Unprocessable Content",
            other => other.canonical_reason().unwrap_or_default(),
        }
    }

    /// What went wrong, for people.
    pub(super) fn detail(&self) -> String {
        match self {
            Self::MalformedQuery => {
                "The query has a character that no URI allows: percent-encode it.".into()
            }
            Self::MalformedHeader => "A header has a character that no header allows.".into(),
            Self::MissingToken => "Send the token as `Authorization: Bearer <token>`.".into(),
            Self::InvalidToken(reason) => reason.to_string(),
            Self::ExpiredToken => "The token has expired: the claim `exp` is in the past.".into(),
            Self::WrongUser => "The user in the path is not the user of the token.".into(),
            Self::NotFound { name, .. } => {
                format!("There is no such {}.", name.replace('_', " "))
            }
            Self::StaleEtag => {
                "It has changed since it was read, or `If-None-Match` names its version.".into()
            }
            Self::NoEtag => "A request for many rows has no ETag: send no `If-Match`.".into(),
            Self::BodyTooLarge => "The body is longer than 64 KiB.".into(),
            Self::NotJson => "Send the body as `Content-Type: application/json`.".into(),
            Self::EncodedBody => "Send the body without `Content-Encoding`.".into(),
            Self::InvalidRequest(errors) => sentence(errors),
            Self::DatabaseUnavailable(_) => {
                "The database is not available right now; try again shortly.".into()
            }
            Self::DatabaseUnanswered(_) => {
                "The database did not answer in time; whether a change was made is not known."
                    .into()
            }
            Self::KeysUnavailable => {
                "The keys that verify tokens are not available right now; try again shortly.".into()
            }
            Self::Internal(_) => "Something went wrong on our side.".into(),
        }
    }

    /// What the log says besides the code: for an internal error, details that no client sees.
    pub(crate) fn reason(&self) -> Option<&str> {
        match self {
            Self::Internal(reason)
            | Self::DatabaseUnavailable(reason)
            | Self::DatabaseUnanswered(reason) => Some(reason),
            Self::InvalidToken(reason) => Some(reason),
            _ => None,
        }
    }
}

/// All errors in one sentence, which names fields with the same error together.
fn sentence(errors: &[FieldError]) -> String {
    let alike = errors.chunk_by(|one, next| one.message == next.message);
    let clauses = alike.filter_map(|alike| {
        let fields: Vec<_> = alike.iter().map(|error| error.field).collect();
        Some(format!("{} {}", fields.join(" and "), alike.first()?.message))
    });
    clauses.collect::<Vec<_>>().join("; ") + "."
}

impl From<AuthError> for Problem {
    fn from(error: AuthError) -> Self {
        match error {
            AuthError::Invalid(reason) => Self::InvalidToken(reason),
            AuthError::UnknownSecret => Self::InvalidToken(
                "The token's signature is not valid: it must be HS256 with the shared secret."
                    .into(),
            ),
            AuthError::UnknownKey => Self::InvalidToken(
                "The token's key is not accepted here: its `kid` must name a usable key of the app's key set."
                    .into(),
            ),
            AuthError::NoKeys => Self::KeysUnavailable,
            AuthError::Expired => Self::ExpiredToken,
            AuthError::WrongUser => Self::WrongUser,
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound { code, name } => Self::NotFound { code, name },
            StoreError::Stale => Self::StaleEtag,
            StoreError::KeyReused => {
                Self::invalid("Idempotency-Key", "was used before, with another body")
            }
            StoreError::Database(DatabaseError::Unavailable(reason)) => {
                Self::DatabaseUnavailable(reason)
            }
            StoreError::Database(DatabaseError::Unanswered(reason)) => {
                Self::DatabaseUnanswered(reason)
            }
            StoreError::Database(DatabaseError::Unexpected(reason)) => Self::Internal(reason),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_are_those_of_rfc_9110() {
        for (problem, title) in [
            (Problem::BodyTooLarge, "Content Too Large"),
            (Problem::invalid("body", "x"), "Unprocessable Content"),
            (Problem::EncodedBody, "Unsupported Media Type"),
        ] {
            assert_eq!(problem.title(), title);
        }
    }

    #[test]
    fn a_detail_says_nothing_twice() {
        let nul = "must not contain U+0000";
        let errors = [("label", nul), ("note", nul), ("done", "must be true or false")];
        let errors = errors.map(|(field, message)| FieldError::new(field, message)).into();
        let detail = Problem::InvalidRequest(errors).detail();
        let expected = "label and note must not contain U+0000; done must be true or false.";
        assert_eq!(detail, expected);
    }
}
