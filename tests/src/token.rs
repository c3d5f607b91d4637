//! Handmade tokens, which can be invalid in every way.
use std::time::{SystemTime, UNIX_EPOCH};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use ring::hmac;
use serde_json::{Value, json};

use crate::SETTINGS;
use crate::fixture::deployed;

/// The parts of a token before it is signed.
#[derive(Clone)]
pub struct Token {
    /// The header, as JSON.
    pub header: String,
    /// The claims.
    pub claims: Value,
    /// The key.
    pub secret: String,
}

impl Token {
    /// A token that the main stack accepts for ten minutes.
    pub fn of(user: &str) -> Self {
        let [secret, issuer, audience] = SETTINGS.map(|(name, value)| {
            deployed().and_then(|_| std::env::var(name).ok()).unwrap_or_else(|| value.to_owned())
        });
        let claims = json!({
            "sub": user, "iss": issuer, "aud": audience, "iat": now(), "exp": now() + 600,
        });
        Self { header: r#"{"alg":"HS256","typ":"JWT"}"#.into(), claims, secret }
    }

    /// With one claim set; null removes it.
    pub fn with(mut self, claim: &str, value: Value) -> Self {
        match value {
            Value::Null => drop(self.claims.as_object_mut().unwrap().remove(claim)),
            value => self.claims[claim] = value,
        }
        self
    }

    /// With another header.
    pub fn header(mut self, header: &str) -> Self {
        header.clone_into(&mut self.header);
        self
    }

    /// Signed with another secret.
    pub fn secret(mut self, secret: &str) -> Self {
        secret.clone_into(&mut self.secret);
        self
    }

    /// The token, signed with HMAC-SHA256 whatever its header says.
    pub fn sign(&self) -> String {
        sign(&self.unsigned(), &self.secret)
    }

    /// The header and the claims, encoded.
    pub fn unsigned(&self) -> String {
        let claims = self.claims.to_string();
        format!("{}.{}", BASE64URL.encode(&self.header), BASE64URL.encode(claims))
    }
}

/// Any text followed by its HMAC-SHA256 signature.
pub fn sign(text: &str, secret: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    format!("{text}.{}", BASE64URL.encode(hmac::sign(&key, text.as_bytes())))
}

/// Seconds since 1970.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}
