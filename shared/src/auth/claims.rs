//! Signs tokens for local use and for the check of a deployment.
use jsonwebtoken::errors::Error as JwtError;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

use super::algorithms;
use super::clock::now;
use crate::settings::AuthConfig;

/// The claims of a token.
#[derive(Debug, Serialize)]
pub struct Claims<'a> {
    /// The user's id.
    pub sub: &'a str,
    /// Issue time, in seconds since 1970.
    pub iat: u64,
    /// Expiry time, in seconds since 1970.
    pub exp: u64,
    /// The issuer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iss: Option<&'a str>,
    /// The audience.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aud: Option<&'a str>,
}

impl<'a> Claims<'a> {
    /// Claims that functions with this configuration accept for the next `ttl` seconds.
    #[must_use]
    pub fn new(config: &'a AuthConfig, user: &'a str, ttl: u64) -> Self {
        let iat = now();
        Self {
            sub: user,
            iat,
            exp: iat.saturating_add(ttl),
            iss: config.issuer.as_deref(),
            aud: config.audience.as_deref(),
        }
    }
}

/// An HS256 token over `claims`, keyed with the raw UTF-8 bytes of `secret`.
///
/// # Errors
/// If the claims cannot be written as JSON, or the secret is empty.
pub fn sign(claims: &Claims, secret: &SecretString) -> Result<String, JwtError> {
    algorithms::install();
    let key = EncodingKey::from_secret(secret.expose_secret().as_bytes())?;
    encode(&Header::new(Algorithm::HS256), claims, &key)
}
