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

use self::parts::{Header, unfit_claim};
use super::algorithms;
use super::clock::now;
use super::error::AuthError;
use crate::keys::{KeySet, PublicKey};
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

/// Verifies bearer tokens against every secret and every public key that may have signed one.
pub(super) struct Verifier {
    secrets: Vec<DecodingKey>,
    /// The fetched keys before the stored ones; `None` if only secrets sign.
    public_keys: Option<Vec<Arc<KeySet>>>,
    validation: Validation,
    max_lifetime: Option<u64>,
    log_names: Option<LogNames>,
}

const NO_JWT: &str = "The token is not a valid JSON Web Token.";
const NO_KID: &str = "The token's header has no `kid`, which must name its key.";
const OTHER_ALGORITHM: &str = "The token's algorithm is not that of the key that its `kid` names.";
const WRONG_SIGNATURE: &str =
    "The token's signature is not valid: it must be that of the key that its `kid` names.";

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
    /// A verifier with the app's public keys as fetched, besides those in the settings.
    pub(super) fn new(config: &AuthConfig, fetched: Option<Arc<KeySet>>) -> Self {
        algorithms::install();
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
        let secrets = config.secrets.iter();
        // No secret is empty.
        let secrets =
            secrets.filter_map(|s| DecodingKey::from_secret(s.expose_secret().as_bytes()).ok());
        let public_keys = config.public_keys.as_ref();
        Self {
            secrets: secrets.collect(),
            public_keys: public_keys
                .map(|keys| fetched.into_iter().chain([keys.stored.clone()]).collect()),
            validation,
            max_lifetime: config.max_lifetime,
            log_names: config.log_keys().next().map(LogNames::new),
        }
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
        let header = Header::of(token).ok_or(AuthError::Invalid(NO_JWT.into()))?;
        let key = match (header.alg.as_str(), &self.public_keys) {
            ("HS256", _) if !self.secrets.is_empty() => None,
            ("EdDSA" | "ES256" | "RS256", Some(sets)) => Some(sets),
            _ => return invalid(self.accepted_algorithms()),
        };
        if header.is_critical() {
            return invalid("The token's header must not have `crit`.");
        }
        let key = key.map(|sets| public_key(sets, &header)).transpose()?;
        let claims = key.map_or_else(|| self.by_secret(token), |key| self.by_key(token, key));
        let claims = claims.map_err(|error| match error.kind() {
            ErrorKind::ExpiredSignature => AuthError::Expired,
            ErrorKind::InvalidSignature if key.is_none() => AuthError::UnknownSecret,
            kind => AuthError::Invalid(match kind {
                ErrorKind::InvalidSignature => WRONG_SIGNATURE.into(),
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

    fn accepted_algorithms(&self) -> &'static str {
        match (self.secrets.is_empty(), &self.public_keys) {
            (_, None) => "The token's algorithm is not accepted here: it must be HS256.",
            (true, Some(_)) => {
                "The token's algorithm is not accepted here: it must be EdDSA, ES256 or RS256."
            }
            (false, Some(_)) => {
                "The token's algorithm is not accepted here: it must be HS256, EdDSA, ES256 or RS256."
            }
        }
    }

    fn by_secret(&self, token: &str) -> Result<Verified, JwtError> {
        let mut failure = JwtError::from(ErrorKind::InvalidSignature);
        for secret in &self.secrets {
            match claims(token, secret, &self.validation) {
                // The next secret is tried only after a wrong signature.
                Err(error) if matches!(error.kind(), ErrorKind::InvalidSignature) => {
                    failure = error;
                }
                claims => return claims,
            }
        }
        Err(failure)
    }

    fn by_key(&self, token: &str, key: &PublicKey) -> Result<Verified, JwtError> {
        let mut validation = self.validation.clone();
        validation.algorithms = vec![key.algorithm];
        claims(token, &key.key, &validation)
    }
}

/// The key that the header names; its algorithm must be that of the header.
fn public_key<'a>(sets: &'a [Arc<KeySet>], header: &Header) -> Result<&'a PublicKey, AuthError> {
    let kid = header.kid.as_deref().ok_or(AuthError::Invalid(NO_KID.into()))?;
    match sets.iter().find_map(|set| set.get(kid)) {
        Some(key) if key.algorithm_name() == header.alg => Ok(key),
        Some(_) => Err(AuthError::Invalid(OTHER_ALGORITHM.into())),
        None if sets.iter().all(|set| set.is_empty()) => Err(AuthError::NoKeys),
        None => Err(AuthError::UnknownKey),
    }
}

fn claims(token: &str, key: &DecodingKey, validation: &Validation) -> Result<Verified, JwtError> {
    // Raw, since `jsonwebtoken` ignores invalid UTF-8 in claims that it does not read.
    let claims = decode::<Box<RawValue>>(token, key, validation)?.claims;
    Ok(serde_json::from_str(claims.get())?)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "far below 2^52, or so long that it does not matter"
)]
fn seconds(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod public_key_tests;
#[cfg(test)]
mod tests;
