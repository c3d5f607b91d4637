//! Verifies tokens and makes an [`Owner`] of them; nothing else parses JWTs.
mod parts;

use std::borrow::Cow;
use std::sync::Arc;

use jsonwebtoken::errors::{Error as JwtError, ErrorKind};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use percent_encoding::percent_decode_str;
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::value::RawValue;

use self::parts::{check_header, unfit_claim};
use super::clock::now;
use super::error::AuthError;
use super::hs256;
use crate::settings::AuthConfig;
use crate::telemetry::{self, LogNames};

/// Allowed clock difference between issuer and functions, in seconds.
const LEEWAY: u64 = 30;

/// The signed-in user: their token is valid and their id equals the one in the path.
///
/// Only the verifier makes one, so a handler or query that takes an owner cannot run for anybody
/// else:
///
/// ```compile_fail,E0451
/// let owner = shared::Owner { id: "somebody".into() };
/// ```
#[derive(Debug)]
pub struct Owner {
    id: Arc<str>,
}

impl Owner {
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// The same, to keep.
    pub(crate) fn shared_id(&self) -> Arc<str> {
        self.id.clone()
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

const NO_JWT: &str = "The token is not a valid JSON Web Token.";

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
        if let Some(names) = &self.log_names {
            telemetry::user(names.of(&id));
        }
        Ok(Owner { id: id.into() })
    }

    /// The `sub` of a valid token.
    fn subject(&self, token: &str) -> Result<String, AuthError> {
        let invalid = |reason: &'static str| Err(AuthError::Invalid(reason.into()));
        check_header(token)?;
        let claims = self.claims(token).map_err(|error| match error.kind() {
            ErrorKind::ExpiredSignature => AuthError::Expired,
            ErrorKind::InvalidSignature => AuthError::UnknownSecret,
            kind => AuthError::Invalid(match kind {
                ErrorKind::ImmatureSignature => "The claim `nbf` is in the future.".into(),
                ErrorKind::InvalidIssuer => {
                    "The claim `iss` is not the issuer that is configured here.".into()
                }
                ErrorKind::InvalidAudience => {
                    "The claim `aud` does not name the audience that is configured here.".into()
                }
                ErrorKind::MissingRequiredClaim(_)
                | ErrorKind::InvalidClaimFormat(_)
                | ErrorKind::Json(_) => unfit_claim(token, &self.validation.required_spec_claims)
                    .map_or(NO_JWT.into(), Cow::from),
                _ => NO_JWT.into(),
            }),
        })?;
        if claims.iat.is_some_and(|iat| iat > seconds(now() + LEEWAY)) {
            return invalid("The claim `iat` is in the future.");
        }
        if let Some(longest) = self.max_lifetime {
            let Some(iat) = claims.iat else {
                return invalid("The claim `iat` is missing.");
            };
            // A false `iat` gains nothing: an earlier one makes the token longer, a later one is
            // refused above.
            if claims.exp - iat > seconds(longest) {
                return invalid("The claim `exp` is too long after `iat`.");
            }
        }
        // PostgreSQL cannot store U+0000, so such a user can have no rows.
        if claims.sub.is_empty() || claims.sub.contains('\0') {
            return invalid("The claim `sub` is empty or contains U+0000.");
        }
        Ok(claims.sub)
    }

    fn claims(&self, token: &str) -> Result<Verified, JwtError> {
        let mut failure = JwtError::from(ErrorKind::InvalidSignature);
        for key in &self.keys {
            // Raw, since `jsonwebtoken` ignores invalid UTF-8 in claims that it does not read.
            match decode::<Box<RawValue>>(token, key, &self.validation) {
                Ok(token) => return Ok(serde_json::from_str(token.claims.get())?),
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

#[expect(
    clippy::cast_precision_loss,
    reason = "far below 2^52, or so long that it does not matter"
)]
fn seconds(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests;
