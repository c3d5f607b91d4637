//! The request, as handlers read it.
use std::collections::HashMap;

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use lambda_http::http::{HeaderMap, HeaderName, HeaderValue, header};
use serde::Deserialize;

use super::bearer::bearer;
use super::etag::{IfNoneMatch, if_match};
use super::fields::{Fields, FromBody};
use super::page;
use super::problem::Problem;
use super::query::Query;
use crate::store::{Id, IdempotencyKey, PageRequest, Resource, Versions};

/// The longest body that is accepted, in bytes.
const BODY_LIMIT: usize = 64 * 1024;

/// What is read of an API Gateway event in payload format 2.0.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    headers: Option<HashMap<String, String>>,
    path_parameters: Option<HashMap<String, String>>,
    raw_query_string: Option<String>,
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
}

/// A request as the client sent it; each method parses one part of it, or returns what is wrong
/// with it.
#[derive(Debug)]
pub struct Request {
    headers: HeaderMap,
    /// Whether all headers are such as HTTP allows.
    headers_allowed: bool,
    path_parameters: HashMap<String, String>,
    query: String,
    body: Vec<u8>,
}

impl Request {
    /// The request in an API Gateway event; `None` for any other event.
    pub(crate) fn of_event(event: &str) -> Option<Self> {
        let event: Event = serde_json::from_str(event).ok()?;
        let body = event.body.unwrap_or_default();
        let (headers, headers_allowed) = headers(event.headers.unwrap_or_default());
        Some(Self {
            headers,
            headers_allowed,
            path_parameters: event.path_parameters.unwrap_or_default(),
            query: event.raw_query_string.unwrap_or_default(),
            body: if event.is_base64_encoded { BASE64.decode(body).ok()? } else { body.into() },
        })
    }

    /// The bearer token.
    pub(crate) fn bearer_token(&self) -> Result<&str, Problem> {
        bearer(&self.headers)
    }

    /// Refuses characters that no client library sends: in the query, those that are always
    /// percent-encoded, in headers, control characters.
    pub(crate) fn check_characters(&self) -> Result<(), Problem> {
        let allowed = |byte: u8| byte.is_ascii_graphic() && !b"\"#<>".contains(&byte);
        if !self.query.bytes().all(allowed) {
            return Err(Problem::MalformedQuery);
        }
        if self.headers_allowed { Ok(()) } else { Err(Problem::MalformedHeader) }
    }

    /// The path's `user_id`, as the gateway passes it.
    pub(crate) fn path_user(&self) -> &str {
        self.path_parameter("user_id")
    }

    fn path_parameter(&self, name: &str) -> &str {
        self.path_parameters.get(name).map(String::as_str).unwrap_or_default()
    }

    /// The id in the path.
    ///
    /// # Errors
    /// [`Problem::InvalidRequest`] if it is not an integer from 1 to 2^53 - 1.
    pub fn id<R: Resource>(&self) -> Result<Id<R>, Problem> {
        Id::parse(self.path_parameter(R::ID))
            .ok_or_else(|| Problem::invalid(R::ID, "must be an integer from 1 to 2^53 - 1"))
    }

    /// The query of a list: its filters, and which page.
    ///
    /// # Errors
    /// [`Problem::InvalidRequest`] with every invalid parameter.
    pub fn page<R: Resource>(&self) -> Result<PageRequest<R>, Problem> {
        page::parse(&self.query)
    }

    /// The parameters of the query.
    #[must_use]
    pub fn parameters(&self) -> Query<'_> {
        Query::parse(&self.query)
    }

    pub(super) fn query(&self) -> &str {
        &self.query
    }

    /// The body, which must be a JSON object.
    ///
    /// # Errors
    /// [`Problem::BodyTooLarge`], [`Problem::NotJson`], or [`Problem::InvalidRequest`] with every
    /// error of the body.
    pub fn json<T: FromBody>(&self) -> Result<T, Problem> {
        let bytes = self.body()?;
        Fields::parse(bytes).map_err(Problem::InvalidRequest)
    }

    /// The body as [`Request::json`] reads it, or the default if there is none.
    ///
    /// # Errors
    /// As [`Request::json`].
    pub fn json_or_default<T: FromBody + Default>(&self) -> Result<T, Problem> {
        if self.body.is_empty() { Ok(T::default()) } else { self.json() }
    }

    fn body(&self) -> Result<&[u8], Problem> {
        if self.body.len() > BODY_LIMIT {
            return Err(Problem::BodyTooLarge);
        }
        let all = |name, fits: fn(&[u8]) -> bool| {
            self.headers.get_all(name).iter().all(|value| fits(value.as_bytes()))
        };
        // A gateway may send a type for an empty body.
        if !self.body.is_empty() && !all(header::CONTENT_TYPE, is_json) {
            return Err(Problem::NotJson);
        }
        if !self.body.is_empty() && !all(header::CONTENT_ENCODING, is_identity) {
            return Err(Problem::EncodedBody);
        }
        Ok(&self.body)
    }

    /// The `Idempotency-Key` header.
    ///
    /// # Errors
    /// [`Problem::InvalidRequest`] if it is not 1 to 255 visible ASCII characters.
    pub fn idempotency_key(&self) -> Result<Option<IdempotencyKey>, Problem> {
        const NAME: &str = "Idempotency-Key";
        let mut values = self.headers.get_all(NAME).iter();
        let Some(value) = values.next() else { return Ok(None) };
        let key = IdempotencyKey::parse(value.as_bytes()).filter(|_| values.next().is_none());
        let wrong = || Problem::invalid(NAME, "must be 1 to 255 visible ASCII characters");
        key.map(Some).ok_or_else(wrong)
    }

    /// The `If-Match` header.
    #[must_use]
    pub fn if_match(&self) -> Versions {
        if_match(self.headers.get_all(header::IF_MATCH).iter())
    }

    /// The versions that `If-Match` and `If-None-Match` allow a change.
    #[must_use]
    pub fn changeable(&self) -> Versions {
        self.if_none_match().narrow(self.if_match())
    }

    /// For an operation on what has no `ETag`.
    ///
    /// # Errors
    /// [`Problem::NoEtag`] if there is an `If-Match` header.
    pub fn refuse_if_match(&self) -> Result<(), Problem> {
        if self.headers.contains_key(header::IF_MATCH) { Err(Problem::NoEtag) } else { Ok(()) }
    }

    /// The `If-None-Match` header.
    #[must_use]
    pub fn if_none_match(&self) -> IfNoneMatch {
        IfNoneMatch::parse(self.headers.get_all(header::IF_NONE_MATCH).iter())
    }
}

/// The headers of an event, and whether HTTP allows all of them; a value that it does not allow is
/// replaced by one that is not text.
fn headers(event: HashMap<String, String>) -> (HeaderMap, bool) {
    let mut allowed = true;
    let headers = event.into_iter().filter_map(|(name, value)| {
        let (name, value) = (HeaderName::try_from(name), HeaderValue::try_from(value));
        allowed &= name.is_ok() && value.is_ok();
        Some((name.ok()?, value.or_else(|_| HeaderValue::from_bytes(b"\xff")).ok()?))
    });
    (headers.collect(), allowed)
}

/// Whether a `Content-Encoding` leaves a body as it is.
fn is_identity(encoding: &[u8]) -> bool {
    let mut codings = encoding.split(|b| *b == b',').map(<[u8]>::trim_ascii);
    codings.all(|coding| coding.is_empty() || coding.eq_ignore_ascii_case(b"identity"))
}

/// Whether a `Content-Type` means JSON; a missing or empty one does.
fn is_json(content_type: &[u8]) -> bool {
    let media_type = content_type.split(|b| *b == b';').next().unwrap_or_default();
    content_type.is_empty() || media_type.trim_ascii().eq_ignore_ascii_case(b"application/json")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arbitrary;
    use crate::http::arbitrary::header;
    use crate::http::{boolean, line};
    use lambda_http::http::{HeaderName, HeaderValue};
    use proptest::prelude::*;
    use serde_json::Value;

    /// A body with a title.
    struct Titled;

    impl FromBody for Titled {
        fn from_body(body: &mut Fields) -> Option<Self> {
            body.required("title", |value| line(value, 200)).map(|_| Self)
        }
    }

    /// A body that may be absent.
    #[derive(Debug, Default, PartialEq)]
    struct Done(Option<bool>);

    impl FromBody for Done {
        fn from_body(body: &mut Fields) -> Option<Self> {
            Some(Self(body.optional("done", boolean)))
        }
    }

    fn request(body: &str, headers: &[(&'static str, &str)]) -> Request {
        let headers = headers.iter().map(|(n, value)| (*n, HeaderValue::from_str(value).unwrap()));
        with_headers(body.into(), &headers.collect::<Vec<_>>())
    }

    fn read(body: &str, content_type: &str) -> &'static str {
        match request(body, &[("content-type", content_type)]).json::<Titled>() {
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
            "APPLICATION/JSON",
            "application/json; charset=utf-8",
            "application/json ;x",
            "",
        ] {
            assert_eq!(read(body, json), "ok", "{json}");
        }
        for other in [
            "text/plain",
            "text/json",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "application/xml",
            "application/jsonx",
            "json",
            ";",
            "application/json-patch+json",
            "application/merge-patch+json",
        ] {
            assert_eq!(read(body, other), "not_json", "{other}");
        }
        assert!(request(body, &[]).json::<Titled>().is_ok());
    }

    #[test]
    fn size_counts_before_type_and_type_before_content() {
        let title = |bytes: usize| format!(r#"{{"title":"t","x":"{}"}}"#, "x".repeat(bytes - 20));
        assert_eq!(read(&title(BODY_LIMIT), "application/json"), "ok");
        assert_eq!(read(&title(BODY_LIMIT + 1), "text/plain"), "body_too_large");
        assert_eq!(read("{", "text/plain"), "not_json");
        assert_eq!(read("{", "application/json"), "invalid_request");
        for content_type in ["application/json", "text/plain", "application/x-www-form-urlencoded"]
        {
            assert_eq!(read("", content_type), "invalid_request", "no body, {content_type}");
        }
    }

    #[test]
    fn without_a_body_the_default_is_read_whatever_the_type() {
        for content_type in ["application/json", "text/plain"] {
            let done = request("", &[("content-type", content_type)]).json_or_default::<Done>();
            assert_eq!(done.unwrap(), Done(None));
        }
        assert!(request("x", &[]).json_or_default::<Done>().is_err());
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
        let headers = headers.iter().map(|(n, v)| (HeaderName::from_static(n), v.clone()));
        Request {
            headers: headers.collect(),
            headers_allowed: true,
            path_parameters: HashMap::new(),
            query: String::new(),
            body,
        }
    }

    #[test]
    fn an_encoded_body_is_not_read() {
        let code = |body: &str, encoding: &str| {
            let request = request(body, &[("content-encoding", encoding)]);
            request.json_or_default::<Done>().err().map(|problem| problem.detail())
        };
        for plain in ["", "identity", "Identity", "identity, identity", "identity,"] {
            assert_eq!(code("{}", plain), None, "{plain}");
        }
        let refusal = Some("Send the body without `Content-Encoding`.".to_owned());
        for encoded in ["gzip", "br", "identity, gzip", "identityx"] {
            assert_eq!(code("{}", encoded), refusal, "{encoded}");
            assert_eq!(code("", encoded), None, "no body, {encoded}");
        }
    }

    #[test]
    fn a_header_that_http_does_not_allow_is_refused() {
        let read = |name: &str, value: &str| {
            let event = serde_json::json!({ "headers": { name: value, "if-match": "\"3\"" } });
            Request::of_event(&event.to_string()).unwrap()
        };
        let good = read("x-other", "é\ta");
        assert!(good.check_characters().is_ok());
        for (name, value) in [("x-other", "\u{7f}"), ("x-other", "a\nb"), ("x-é", "a"), ("", "a")]
        {
            let request = read(name, value);
            let problem = request.check_characters().unwrap_err();
            assert_eq!((problem.status().as_u16(), problem.code()), (400, "invalid_request"));
            assert!(problem.detail().contains("header"));
            assert_eq!(request.if_match(), Versions::OneOf(vec![3]), "the others are read");
        }
        assert_eq!(
            read("authorization", "Bearer x\u{7f}").bearer_token().unwrap_err().code(),
            "invalid_token"
        );
    }

    #[test]
    fn a_change_needs_both_conditions_and_a_clear_takes_none() {
        let with = |headers: &[(&'static str, &str)]| request("", headers);
        let both = with(&[("if-match", "\"3\", \"4\""), ("if-none-match", "\"3\"")]);
        assert_eq!(both.changeable(), Versions::OneOf(vec![4]));
        assert_eq!(both.refuse_if_match().unwrap_err().code(), "stale_etag");
        assert!(with(&[("if-none-match", "*")]).refuse_if_match().is_ok());
    }

    #[test]
    fn a_query_may_hold_what_browsers_send() {
        let code = |query: &str| {
            let request = Request { query: query.into(), ..request("", &[]) };
            request.check_characters().err().map(|problem| problem.code())
        };
        for sent in ["", "limit=1&x=%20%zz+", "a[b]=c|d&{e}^`\\'~!$()*,;:@/?", "%", "&&=="] {
            assert_eq!(code(sent), None, "{sent}");
        }
        for encoded in [" ", "a b", "\"", "#", "<", ">", "\0", "\n", "\t", "\u{7f}", "\u{80}", "é"]
        {
            assert_eq!(
                code(&format!("limit=1&x={encoded}")),
                Some("invalid_request"),
                "{encoded:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn a_key_is_visible_ascii_whatever_is_sent(
            values in prop::collection::vec(header("[!-~]{0,256}|[ -~]{0,9}"), 0..3),
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
                header("[Aa]pplication/[Jj]son[ ;]?[!-~]{0,9}"),
                0..3,
            ),
        ) {
            let headers: Vec<_> = types.iter().map(|t| ("content-type", t.clone())).collect();
            let json = |value: &HeaderValue| {
                let text = String::from_utf8_lossy(value.as_bytes()).to_ascii_lowercase();
                text.is_empty() || text.split(';').next().unwrap().trim() == "application/json"
            };
            let request = with_headers(Value::from(body).to_string().into_bytes(), &headers);
            let not_json = matches!(request.json::<Titled>(), Err(Problem::NotJson));
            prop_assert_eq!(not_json, !types.iter().all(json), "{:?}", types);
        }
    }
}
