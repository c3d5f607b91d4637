//! What a handler may read of a request.
use lambda_http::http::{HeaderMap, header};
use lambda_http::{Body, RequestExt};

use crate::body::{self, FromBody};
use crate::etag::{IfMatch, IfNoneMatch};
use crate::page::ListQuery;
use crate::problem::Problem;
use crate::task::TaskId;

/// The longest body that is read, in bytes.
pub(crate) const BODY_LIMIT: usize = 64 * 1024;
const KEY_LIMIT: usize = 255;

/// A request as the client sent it; each method reads one thing of it, or says what is wrong with it.
#[derive(Debug)]
pub struct Request(lambda_http::Request);

/// The `Idempotency-Key` of a create: 1 to 255 visible ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Request {
    pub(crate) fn new(event: lambda_http::Request) -> Self {
        Self(event)
    }

    pub(crate) fn headers(&self) -> &HeaderMap {
        self.0.headers()
    }

    /// The path's `user_id`, as the gateway hands it over.
    pub(crate) fn path_user(&self) -> String {
        self.path_parameter("user_id")
    }

    fn path_parameter(&self, name: &str) -> String {
        let parameters = self.0.path_parameters_ref();
        parameters.and_then(|p| p.first(name)).unwrap_or_default().to_owned()
    }

    /// The path's `task_id`.
    ///
    /// # Errors
    /// [`Problem::InvalidRequest`] where it is not an integer from 1 to 2^53 - 1.
    pub fn task_id(&self) -> Result<TaskId, Problem> {
        TaskId::parse(&self.path_parameter("task_id"))
            .ok_or_else(|| Problem::invalid("task_id", "must be an integer from 1 to 2^53 - 1"))
    }

    /// The query of a list.
    ///
    /// # Errors
    /// [`Problem::InvalidRequest`] with every bad parameter.
    pub fn list_query(&self) -> Result<ListQuery, Problem> {
        ListQuery::parse(self.0.uri().query().unwrap_or_default())
    }

    /// The body, which must be a JSON object.
    ///
    /// # Errors
    /// [`Problem::BodyTooLarge`], [`Problem::NotJson`], or [`Problem::InvalidRequest`] with every
    /// fault of the body.
    pub fn json<T: FromBody>(&self) -> Result<T, Problem> {
        let bytes = self.body()?;
        body::parse(bytes).map_err(Problem::InvalidRequest)
    }

    /// The body as [`Request::json`] reads it, or the default where there is none.
    ///
    /// # Errors
    /// As [`Request::json`].
    pub fn json_or_default<T: FromBody + Default>(&self) -> Result<T, Problem> {
        if self.0.body().is_empty() { Ok(T::default()) } else { self.json() }
    }

    fn body(&self) -> Result<&[u8], Problem> {
        let bytes = match self.0.body() {
            Body::Text(text) => text.as_bytes(),
            Body::Binary(bytes) => bytes,
            _ => &[],
        };
        if bytes.len() > BODY_LIMIT {
            return Err(Problem::BodyTooLarge);
        }
        if self.headers().get_all(header::CONTENT_TYPE).iter().any(|v| !is_json(v.as_bytes())) {
            return Err(Problem::NotJson);
        }
        Ok(bytes)
    }

    /// The `Idempotency-Key` header.
    ///
    /// # Errors
    /// [`Problem::InvalidRequest`] where it is not 1 to 255 visible ASCII characters.
    pub fn idempotency_key(&self) -> Result<Option<IdempotencyKey>, Problem> {
        const NAME: &str = "Idempotency-Key";
        let mut values = self.headers().get_all(NAME).iter();
        let Some(value) = values.next() else { return Ok(None) };
        let visible = value.as_bytes().iter().all(u8::is_ascii_graphic);
        match value.to_str() {
            Ok(key)
                if visible && (1..=KEY_LIMIT).contains(&key.len()) && values.next().is_none() =>
            {
                Ok(Some(IdempotencyKey(key.to_owned())))
            }
            _ => Err(Problem::invalid(NAME, "must be 1 to 255 visible ASCII characters")),
        }
    }

    /// The `If-Match` header.
    #[must_use]
    pub fn if_match(&self) -> IfMatch {
        IfMatch::parse(self.headers().get_all(header::IF_MATCH).iter())
    }

    /// The `If-None-Match` header.
    #[must_use]
    pub fn if_none_match(&self) -> IfNoneMatch {
        IfNoneMatch::parse(self.headers().get_all(header::IF_NONE_MATCH).iter())
    }
}

/// Whether a `Content-Type` says JSON; an empty one says nothing, and nothing is taken as JSON.
fn is_json(content_type: &[u8]) -> bool {
    let media_type = content_type.split(|b| *b == b';').next().unwrap_or_default();
    content_type.is_empty() || media_type.trim_ascii().eq_ignore_ascii_case(b"application/json")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arbitrary;
    use crate::task::{Completion, NewTask};
    use lambda_http::http::{self, HeaderValue};
    use proptest::prelude::*;
    use serde_json::Value;

    fn request(body: &str, headers: &[(&str, &str)]) -> Request {
        let mut request = http::Request::builder();
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Request::new(request.body(Body::from(body)).unwrap())
    }

    fn read(body: &str, content_type: &str) -> &'static str {
        match request(body, &[("content-type", content_type)]).json::<NewTask>() {
            Ok(_) => "ok",
            Err(problem) => problem.code(),
        }
    }

    #[test]
    fn only_json_is_read() {
        let body = r#"{"title": "t"}"#;
        for json in [
            "application/json",
            "Application/JSON",
            "application/json; charset=utf-8",
            "application/json ;x",
            "",
        ] {
            assert_eq!(read(body, json), "ok", "{json}");
        }
        for other in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "application/jsonx",
            "json",
            ";",
            "application/merge-patch+json",
        ] {
            assert_eq!(read(body, other), "not_json", "{other}");
        }
        assert!(request(body, &[]).json::<NewTask>().is_ok());
    }

    #[test]
    fn size_counts_before_type_and_type_before_content() {
        let title = |bytes: usize| format!(r#"{{"title":"t","x":"{}"}}"#, "x".repeat(bytes - 20));
        assert_eq!(read(&title(BODY_LIMIT), "application/json"), "ok");
        assert_eq!(read(&title(BODY_LIMIT + 1), "text/plain"), "body_too_large");
        assert_eq!(read("{", "text/plain"), "not_json");
        assert_eq!(read("{", "application/json"), "invalid_request");
        assert_eq!(read("", "application/json"), "invalid_request");
    }

    #[test]
    fn a_completion_without_a_body_toggles_whatever_its_type() {
        for content_type in ["application/json", "text/plain"] {
            let completion =
                request("", &[("content-type", content_type)]).json_or_default::<Completion>();
            assert_eq!(completion.unwrap(), Completion::Toggle);
        }
        assert!(request("x", &[]).json_or_default::<Completion>().is_err());
    }

    #[test]
    fn an_idempotency_key_is_visible_ascii() {
        let key = |value: &str| request("", &[("idempotency-key", value)]).idempotency_key();
        assert_eq!(request("", &[]).idempotency_key().unwrap(), None);
        assert_eq!(key("!~").unwrap().unwrap().as_str(), "!~");
        assert!(key(&"k".repeat(255)).is_ok());
        for bad in ["", "two words", "é", "tab\t", &"k".repeat(256)] {
            assert!(key(bad).is_err(), "{bad:?}");
        }
        let twice = request("", &[("idempotency-key", "a"), ("idempotency-key", "b")]);
        assert!(twice.idempotency_key().is_err());
    }

    fn with_headers(body: Vec<u8>, headers: &[(&'static str, HeaderValue)]) -> Request {
        let mut request = http::Request::new(Body::Binary(body));
        for (name, value) in headers {
            request.headers_mut().append(*name, value.clone());
        }
        Request::new(request)
    }

    proptest! {
        #[test]
        fn a_key_is_visible_ascii_whatever_is_sent(
            values in prop::collection::vec(arbitrary::header("[!-~]{0,256}|[ -~]{0,9}"), 0..3),
        ) {
            let headers: Vec<_> = values.iter().map(|v| ("idempotency-key", v.clone())).collect();
            let good = |value: &HeaderValue| {
                let visible = value.as_bytes().iter().all(|byte| (33..127).contains(byte));
                visible && (1..=255).contains(&value.len())
            };
            match with_headers(Vec::new(), &headers).idempotency_key() {
                Ok(None) => prop_assert!(values.is_empty()),
                Ok(Some(key)) => {
                    prop_assert!(values.len() == 1 && good(&values[0]));
                    prop_assert_eq!(key.as_str().as_bytes(), values[0].as_bytes());
                }
                Err(problem) => {
                    prop_assert!(values.len() > 1 || !good(&values[0]));
                    prop_assert_eq!(problem.code(), "invalid_request");
                }
            }
        }

        #[test]
        fn a_body_is_read_only_where_its_type_is_json(
            body in arbitrary::object(),
            types in prop::collection::vec(
                arbitrary::header("[Aa]pplication/[Jj]son[ ;]?[!-~]{0,9}"),
                0..3,
            ),
        ) {
            let headers: Vec<_> = types.iter().map(|t| ("content-type", t.clone())).collect();
            let json = |value: &HeaderValue| {
                let text = String::from_utf8_lossy(value.as_bytes()).to_ascii_lowercase();
                text.is_empty() || text.split(';').next().unwrap().trim() == "application/json"
            };
            let request = with_headers(Value::from(body).to_string().into_bytes(), &headers);
            let not_json = matches!(request.json::<NewTask>(), Err(Problem::NotJson));
            prop_assert_eq!(not_json, !types.iter().all(json), "{:?}", types);
        }
    }
}
