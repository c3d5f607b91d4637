//! Verifies tokens and makes an [`Owner`] of them; nothing else parses JWTs.
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use jsonwebtoken::errors::{Error as JwtError, ErrorKind};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use percent_encoding::percent_decode_str;
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::clock::now;
use super::error::AuthError;
use super::hs256;
use crate::settings::AuthConfig;
use crate::telemetry::LogNames;

/// Allowed clock difference between issuer and functions, in seconds.
const LEEWAY: u64 = 30;

/// The signed-in user: their token is valid and their id equals the one in the path.
///
/// Only the verifier makes one, so a handler or query that takes an owner cannot run for anybody
/// else:
///
/// ```compile_fail,E0451
/// let owner = shared::Owner { id: "somebody".to_owned(), log_name: String::new() };
/// ```
#[derive(Debug)]
pub struct Owner {
    id: String,
    log_name: String,
}

impl Owner {
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// The owner's name in the log.
    pub(crate) fn log_name(&self) -> &str {
        &self.log_name
    }
}

/// Verifies bearer tokens against every secret that may have signed one.
pub(super) struct Verifier {
    keys: Vec<DecodingKey>,
    validation: Validation,
    max_lifetime: Option<u64>,
    /// Derived from the secret that signs. Without any secret, no token is valid.
    log_names: Option<LogNames>,
}

/// The claims read here; `jsonwebtoken` checks `exp`, `iss` and `aud`.
#[derive(Deserialize)]
struct Verified {
    sub: String,
    // Its absence is reported by `jsonwebtoken`.
    #[serde(default)]
    exp: f64,
    #[serde(default, deserialize_with = "present")]
    iat: Option<f64>,
    #[serde(default, deserialize_with = "present", rename = "nbf")]
    _nbf: Option<f64>,
    #[serde(default, deserialize_with = "present", rename = "iss")]
    _iss: Option<String>,
}

/// A claim that may be absent, but not null.
fn present<'de, T: Deserialize<'de>, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

impl Verifier {
    pub(super) fn new(config: &AuthConfig) -> Self {
        hs256::install();
        let mut validation = Validation::new(Algorithm::HS256);
        validation.leeway = LEEWAY;
        validation.validate_nbf = true;
        let mut required = vec!["exp", "sub"];
        if let Some(issuer) = &config.issuer {
            required.push("iss");
            validation.set_issuer(&[issuer]);
        }
        validation.validate_aud = config.audience.is_some();
        if let Some(audience) = &config.audience {
            required.push("aud");
            validation.set_audience(&[audience]);
        }
        validation.set_required_spec_claims(&required);
        let keys = config.secrets.iter();
        let keys = keys.map(|s| DecodingKey::from_secret(s.expose_secret().as_bytes())).collect();
        let log_names = config.secrets.first().map(LogNames::new);
        Self { keys, validation, max_lifetime: config.max_lifetime, log_names }
    }

    /// The owner of a request: the token's user, who must equal the path's.
    ///
    /// `path_user` comes percent-decoded from API Gateway, but as sent from the local gateway.
    pub(super) fn owner(&self, token: &str, path_user: &str) -> Result<Owner, AuthError> {
        let id = self.subject(token)?;
        let decoded = || percent_decode_str(path_user).decode_utf8().is_ok_and(|user| user == id);
        if path_user != id && !decoded() {
            return Err(AuthError::WrongUser);
        }
        let log_name = self.log_names.as_ref().map(|names| names.of(&id)).unwrap_or_default();
        Ok(Owner { id, log_name })
    }

    /// The `sub` of a valid token.
    fn subject(&self, token: &str) -> Result<String, AuthError> {
        let claims = self.claims(token).map_err(|error| match error.kind() {
            ErrorKind::ExpiredSignature => AuthError::Expired,
            ErrorKind::InvalidSignature => AuthError::UnknownSecret,
            ErrorKind::InvalidAlgorithm => {
                AuthError::Invalid("The token is not signed with HS256.")
            }
            ErrorKind::ImmatureSignature => AuthError::Invalid("The token is not valid yet."),
            ErrorKind::InvalidIssuer => AuthError::Invalid("The token is from another issuer."),
            ErrorKind::InvalidAudience => AuthError::Invalid("The token is for another audience."),
            ErrorKind::MissingRequiredClaim(_) | ErrorKind::InvalidClaimFormat(_) => {
                AuthError::Invalid("The token lacks a required claim.")
            }
            _ => AuthError::Invalid("The token is not a valid JSON Web Token."),
        })?;
        if claims.iat.is_some_and(|iat| iat > seconds(now() + LEEWAY)) {
            return Err(AuthError::Invalid("The token was issued in the future."));
        }
        if let Some(longest) = self.max_lifetime {
            let Some(iat) = claims.iat else {
                return Err(AuthError::Invalid("The token does not say when it was issued."));
            };
            // A false `iat` gains nothing: an earlier one makes the token longer, a later one is
            // refused above.
            if claims.exp - iat > seconds(longest) {
                return Err(AuthError::Invalid("The token is valid for too long."));
            }
        }
        // PostgreSQL cannot store U+0000, so such a user can have no tasks.
        if claims.sub.is_empty() || claims.sub.contains('\0') {
            return Err(AuthError::Invalid("The token names no user."));
        }
        Ok(claims.sub)
    }

    fn claims(&self, token: &str) -> Result<Verified, JwtError> {
        let mut failure = JwtError::from(ErrorKind::InvalidSignature);
        for key in &self.keys {
            match decode::<Verified>(token, key, &self.validation) {
                Ok(_) if !is_strict(token) => return Err(ErrorKind::InvalidToken.into()),
                Ok(token) => return Ok(token.claims),
                // The next key is tried only after a wrong signature.
                Err(error) if matches!(error.kind(), ErrorKind::InvalidSignature) => {
                    failure = error;
                }
                Err(error) => return Err(error),
            }
        }
        Err(failure)
    }
}

/// Checks from RFC 7515 and 7519 that `jsonwebtoken` omits: UTF-8 throughout, a string as `alg`,
/// and no critical header field, since none is supported.
fn is_strict(token: &str) -> bool {
    #[derive(Deserialize)]
    struct Protected {
        #[serde(rename = "alg")]
        _alg: String,
        #[serde(default, deserialize_with = "present")]
        crit: Option<IgnoredAny>,
    }
    let mut parts =
        token.split('.').map(|part| String::from_utf8(BASE64URL.decode(part).ok()?).ok());
    let (Some(Some(header)), Some(Some(_claims))) = (parts.next(), parts.next()) else {
        return false;
    };
    serde_json::from_str::<Protected>(&header).is_ok_and(|header| header.crit.is_none())
}

#[expect(
    clippy::cast_precision_loss,
    reason = "far below 2^52, or so long that it does not matter"
)]
fn seconds(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests;
