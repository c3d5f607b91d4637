//! The answer of a handler.
use lambda_http::Body;
use lambda_http::http::{HeaderName, HeaderValue, Response, StatusCode, header};
use serde::Serialize;

use super::etag::{IfNoneMatch, etag};
use super::field_error::FieldError;
use super::problem::Problem;
use super::request::Request;
use super::{page, paths};
use crate::store::{Created, Page, Record, Resource, Stored};

const JSON: &str = "application/json";
/// The headers that a browser's script may read. API Gateway replaces this list with its own; the
/// local gateway, which allows every origin, has none.
const EXPOSED: &str = "ETag, Link, Location, Idempotent-Replayed, Retry-After, Date";

/// An answer, with the headers that every answer has.
#[derive(Debug)]
pub struct Reply(Response<Body>);

impl Reply {
    pub(super) fn new(
        status: StatusCode,
        content_type: &'static str,
        body: &impl Serialize,
    ) -> Self {
        match serde_json::to_string(body) {
            Ok(json) => Self::bare(status, Body::Text(json))
                .with(header::CONTENT_TYPE, HeaderValue::from_static(content_type)),
            // Strings, numbers and lists of them always serialize.
            Err(_) => Self::bare(StatusCode::INTERNAL_SERVER_ERROR, Body::Empty),
        }
    }

    fn bare(status: StatusCode, body: Body) -> Self {
        let mut response = Response::new(body);
        *response.status_mut() = status;
        Self(response)
            .with(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))
            .with(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"))
            .with(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED))
    }

    pub(super) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers_mut().insert(name, value);
        self
    }

    /// For ASCII text made here: an entity tag, a percent-encoded path.
    fn with_text(self, name: HeaderName, text: &str) -> Self {
        match HeaderValue::from_str(text) {
            Ok(value) => self.with(name, value),
            Err(_) => self,
        }
    }

    /// 200: the row, and its `ETag`.
    #[must_use]
    pub fn stored<R: Record>(stored: &Stored<R>) -> Self {
        Self::ok(stored).with_text(header::ETAG, &etag(stored.version))
    }

    /// 200 as [`Reply::stored`], or 304 without a body if the client has this version already.
    #[must_use]
    pub fn stored_or_not_modified<R: Record>(stored: &Stored<R>, seen: &IfNoneMatch) -> Self {
        if seen.has(stored.version) {
            Self::bare(StatusCode::NOT_MODIFIED, Body::Empty)
                .with_text(header::ETAG, &etag(stored.version))
        } else {
            Self::stored(stored)
        }
    }

    /// 200 with this body.
    #[must_use]
    pub fn ok(body: &impl Serialize) -> Self {
        Self::new(StatusCode::OK, JSON, body)
    }

    /// 201: the new row, its `ETag` and `Location`, and whether the answer is replayed.
    #[must_use]
    pub fn created<R: Record>(created: &Created<R>) -> Self {
        let stored = &created.stored;
        let reply = Self::new(StatusCode::CREATED, JSON, stored)
            .with_text(header::ETAG, &etag(stored.version))
            .with_text(header::LOCATION, &paths::item(stored));
        if created.replayed {
            let name = HeaderName::from_static("idempotent-replayed");
            reply.with(name, HeaderValue::from_static("true"))
        } else {
            reply
        }
    }

    /// 200: the rows, and a `Link` to the next page if there is one.
    #[must_use]
    pub fn page<R: Resource>(page: &Page<R>, request: &Request) -> Self {
        let reply = Self::ok(&page.rows);
        match page::next(request.query(), page) {
            Some(next) => reply.with_text(header::LINK, &format!("<{next}>; rel=\"next\"")),
            None => reply,
        }
    }

    pub(crate) fn into_response(self) -> Response<Body> {
        self.0
    }
}

/// The body of a failure: `application/problem+json` (RFC 9457).
#[derive(Serialize)]
struct Details<'a> {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    detail: &'a str,
    code: &'static str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldError],
}

impl From<&Problem> for Reply {
    fn from(problem: &Problem) -> Self {
        let status = problem.status();
        let details = Details {
            r#type: "about:blank",
            title: problem.title(),
            status: status.as_u16(),
            detail: &problem.detail(),
            code: problem.code(),
            errors: match problem {
                Problem::InvalidRequest(errors) => errors,
                _ => &[],
            },
        };
        let reply = Reply::new(status, "application/problem+json", &details);
        match problem {
            Problem::MissingToken => {
                reply.with(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
            }
            Problem::InvalidToken(_) | Problem::ExpiredToken => reply.with(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Bearer error=\"invalid_token\""),
            ),
            Problem::DatabaseUnavailable(_) | Problem::DatabaseUnanswered(_) => {
                reply.with(header::RETRY_AFTER, HeaderValue::from_static("1"))
            }
            // Fetches of keys are that far apart.
            Problem::KeysUnavailable => {
                reply.with(header::RETRY_AFTER, HeaderValue::from_static("10"))
            }
            _ => reply,
        }
    }
}
