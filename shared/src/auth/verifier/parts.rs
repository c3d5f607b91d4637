//! The header and the claims of a token, where `jsonwebtoken` does not check them or does not say
//! what is wrong.
use std::collections::HashSet;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use super::present;

/// What is read of a header. Its form is stricter than that of `jsonwebtoken`, which takes invalid
/// UTF-8, an `alg` that is not a string, and a `crit` that is null.
#[derive(Deserialize)]
pub(super) struct Header {
    pub(super) alg: String,
    #[serde(default)]
    pub(super) kid: Option<String>,
    #[serde(default, deserialize_with = "present")]
    crit: Option<IgnoredAny>,
}

impl Header {
    pub(super) fn of(token: &str) -> Option<Self> {
        serde_json::from_str(&part(token, 0)?).ok()
    }

    /// Whether it has critical fields (RFC 7515), of which none is supported.
    pub(super) fn is_critical(&self) -> bool {
        self.crit.is_some()
    }
}

/// The text of the header (0) or the claims (1).
pub(super) fn part(token: &str, index: usize) -> Option<String> {
    String::from_utf8(BASE64URL.decode(token.split('.').nth(index)?).ok()?).ok()
}

/// A claim's name, what it must be, and whether a value is that.
type Kind = (&'static str, &'static str, fn(&Value) -> bool);

/// Why claims were refused that are missing or of another type; `jsonwebtoken` does not always
/// say which.
pub(super) fn unfit_claim(token: &str, required: &HashSet<String>) -> Option<String> {
    const KINDS: [Kind; 6] = [
        ("exp", "a time in seconds", is_time),
        ("nbf", "a time in seconds", is_time),
        ("iat", "a time in seconds", is_time),
        ("sub", "a string", Value::is_string),
        ("iss", "a string", Value::is_string),
        ("aud", "a string or a list of strings", is_audience),
    ];
    let claims: Map<String, Value> = serde_json::from_str(&part(token, 1)?).ok()?;
    KINDS.into_iter().find_map(|(name, kind, fits)| match claims.get(name) {
        None if required.contains(name) => Some(format!("The claim `{name}` is missing.")),
        Some(value) if !fits(value) => Some(format!("The claim `{name}` is not {kind}.")),
        _ => None,
    })
}

fn is_time(value: &Value) -> bool {
    value.as_f64().is_some_and(|seconds| (0.0..2f64.powi(64)).contains(&seconds))
}

fn is_audience(value: &Value) -> bool {
    let all_text = |names: &Vec<Value>| names.iter().all(Value::is_string);
    value.as_array().map_or(value.is_string(), all_text)
}
