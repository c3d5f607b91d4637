//! From a token to an [`Owner`]. The only code that knows what a valid JSON Web Token is.
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

/// How far the clock of the issuer and ours may be apart, in seconds.
const LEEWAY: u64 = 30;

/// The signed-in user, whose token is valid and whose id is the one in the path.
///
/// Only the verifier makes one, so a handler or a query that takes an owner cannot run for
/// anybody else:
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

    /// What the log calls the owner.
    pub(crate) fn log_name(&self) -> &str {
        &self.log_name
    }
}

/// Verifies bearer tokens against every secret that may have signed one.
pub(super) struct Verifier {
    keys: Vec<DecodingKey>,
    validation: Validation,
    max_lifetime: Option<u64>,
    /// Keyed with the secret that signs; where there is none, no token is valid.
    log_names: Option<LogNames>,
}

/// The claims that are read. `exp`, `iss` and `aud` are `jsonwebtoken`'s to check.
#[derive(Deserialize)]
struct Verified {
    sub: String,
    // Where there is none, `jsonwebtoken` says so.
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

    /// The owner of a request: the token's user, who must be the path's.
    ///
    /// API Gateway hands `path_user` over percent-decoded, the local gateway as it was sent.
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
            // An `iat` that lies gains nothing: an earlier one makes the token longer, a later one was refused just now.
            if claims.exp - iat > seconds(longest) {
                return Err(AuthError::Invalid("The token is valid for too long."));
            }
        }
        // PostgreSQL stores no U+0000, so such a user can have no tasks.
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
                // Only a wrong signature is a reason to try the next key.
                Err(error) if matches!(error.kind(), ErrorKind::InvalidSignature) => {
                    failure = error;
                }
                Err(error) => return Err(error),
            }
        }
        Err(failure)
    }
}

/// What RFC 7515 and 7519 ask for and `jsonwebtoken` passes over: UTF-8 throughout, an `alg` that is a
/// string, and no critical field in the header, as we understand none.
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
mod tests {
    use super::*;
    use crate::arbitrary;
    use crate::auth::{Claims, sign};
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
    use proptest::prelude::*;
    use ring::hmac;
    use secrecy::SecretString;
    use serde_json::{Value, json};

    const SECRET: &str = "a-secret-of-this-test-with-32-bytes-or-more";
    const OLD: &str = "the-secret-before-it-with-32-bytes-or-more!";

    fn config(issuer: Option<&str>, audience: Option<&str>) -> AuthConfig {
        AuthConfig {
            secrets: vec![SECRET.into(), OLD.into()],
            issuer: issuer.map(Into::into),
            audience: audience.map(Into::into),
            max_lifetime: None,
        }
    }

    fn verifier() -> Verifier {
        Verifier::new(&config(None, None))
    }

    fn token_with(header: &str, claims: &str, secret: &str) -> String {
        let signed = format!("{}.{}", BASE64URL.encode(header), BASE64URL.encode(claims));
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        format!("{signed}.{}", BASE64URL.encode(hmac::sign(&key, signed.as_bytes())))
    }

    fn token(claims: &Value) -> String {
        token_with(r#"{"alg":"HS256","typ":"JWT"}"#, &claims.to_string(), SECRET)
    }

    fn claims() -> Value {
        json!({ "sub": "user-1", "iat": now(), "exp": now() + 600 })
    }

    /// The valid claims with some replaced; null removes.
    fn claims_with(changes: &Value) -> Value {
        let mut claims = claims();
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        claims
    }

    fn code(verifier: &Verifier, token: &str) -> &'static str {
        match verifier.subject(token) {
            Ok(sub) => {
                assert_eq!(sub, "user-1");
                "ok"
            }
            Err(AuthError::Expired) => "expired_token",
            Err(AuthError::Invalid(_) | AuthError::UnknownSecret) => "invalid_token",
            Err(AuthError::WrongUser) => panic!("no path was named"),
        }
    }

    #[test]
    fn what_we_sign_we_accept_from_every_secret_of_a_rotation() {
        let config = config(Some("https://app.example"), Some("task-api"));
        let verifier = Verifier::new(&config);
        for secret in &config.secrets {
            let token = sign(&Claims::new(&config, "user-1", 600), secret).unwrap();
            assert_eq!(code(&verifier, &token), "ok");
        }
        let stranger = SecretString::from("nobody-ever-configured-this-secret");
        let token = sign(&Claims::new(&config, "user-1", 600), &stranger).unwrap();
        assert_eq!(code(&verifier, &token), "invalid_token");
    }

    #[test]
    fn claims_are_checked_one_by_one() {
        let far = now() + 3600;
        for (changes, expected) in [
            (json!({}), "ok"),
            (json!({ "iat": null }), "ok"),
            (json!({ "exp": now() - 20 }), "ok"),
            (json!({ "exp": now() + 600, "nbf": now() + 20, "iat": now() + 20 }), "ok"),
            (json!({ "exp": 9_999_999_999.5 }), "ok"),
            (json!({ "exp": now() - 40 }), "expired_token"),
            (json!({ "exp": 0 }), "expired_token"),
            (json!({ "exp": null }), "invalid_token"),
            (json!({ "exp": far.to_string() }), "invalid_token"),
            (json!({ "exp": -1 }), "invalid_token"),
            (json!({ "exp": true }), "invalid_token"),
            (json!({ "exp": [far] }), "invalid_token"),
            (json!({ "nbf": now() + 60 }), "invalid_token"),
            (json!({ "nbf": "0" }), "invalid_token"),
            (json!({ "iat": now() + 60 }), "invalid_token"),
            (json!({ "iat": "0" }), "invalid_token"),
            (json!({ "sub": null }), "invalid_token"),
            (json!({ "sub": "" }), "invalid_token"),
            (json!({ "sub": "user-1\0" }), "invalid_token"),
            (json!({ "sub": 1 }), "invalid_token"),
            (json!({ "sub": ["user-1"] }), "invalid_token"),
            (
                json!({ "sub": null, "id": "user-1", "userId": "user-1", "email": "user-1" }),
                "invalid_token",
            ),
            // Not asked for, so not looked at.
            (json!({ "aud": "elsewhere", "iss": "somebody" }), "ok"),
        ] {
            assert_eq!(code(&verifier(), &token(&claims_with(&changes))), expected, "{changes}");
        }
        for explicit_null in [r#""exp":null"#, r#""sub":null"#, r#""iat":null"#, r#""nbf":null"#] {
            let claims = format!(r#"{{"sub":"user-1","exp":{far},{explicit_null}}}"#);
            let token = token_with(r#"{"alg":"HS256"}"#, &claims, SECRET);
            assert_eq!(code(&verifier(), &token), "invalid_token", "{explicit_null}");
        }
    }

    #[test]
    fn issuer_and_audience_are_required_once_configured() {
        let verifier = Verifier::new(&config(Some("https://app.example"), Some("task-api")));
        let good = json!({ "iss": "https://app.example", "aud": "task-api" });
        for (change, expected) in [
            (json!({}), "ok"),
            (json!({ "aud": ["other", "task-api"] }), "ok"),
            (json!({ "aud": "other" }), "invalid_token"),
            (json!({ "aud": [] }), "invalid_token"),
            (json!({ "aud": null }), "invalid_token"),
            (json!({ "aud": { "task-api": true } }), "invalid_token"),
            (json!({ "iss": "https://app.example/" }), "invalid_token"),
            (json!({ "iss": ["https://app.example"] }), "invalid_token"),
            (json!({ "iss": null }), "invalid_token"),
        ] {
            let mut changes = good.clone();
            changes.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            assert_eq!(code(&verifier, &token(&claims_with(&changes))), expected, "{change}");
        }
    }

    #[test]
    fn a_token_is_valid_for_no_longer_than_configured() {
        let day = 86_400;
        let verifier = Verifier::new(&AuthConfig { max_lifetime: Some(day), ..config(None, None) });
        let unlimited = self::verifier();
        let now = now();
        for (iat, exp, expected) in [
            (json!(now), json!(now + 600), "ok"),
            (json!(now), json!(now + day), "ok"),
            (json!(now - day + 60), json!(now + 60), "ok"),
            // As far as the clock of the issuer may be ahead.
            (json!(now + LEEWAY - 5), json!(now + LEEWAY - 5 + day), "ok"),
            (json!(now), json!(now + day + 1), "invalid_token"),
            (json!(now), json!(9_999_999_999_u64), "invalid_token"),
            (json!(now - day), json!(now + 60), "invalid_token"),
            (json!(null), json!(now + 600), "invalid_token"),
            // An `iat` that lies: long ago, before 1970, and just before a far end.
            (json!(0), json!(now + 60), "invalid_token"),
            (json!(-1e300), json!(now + 60), "invalid_token"),
            (json!(now + 2 * day - 60), json!(now + 2 * day), "invalid_token"),
            (json!(now + LEEWAY + 10), json!(now + LEEWAY + 10 + day), "invalid_token"),
        ] {
            let token = token(&claims_with(&json!({ "iat": iat, "exp": exp })));
            assert_eq!(code(&verifier, &token), expected, "{iat} to {exp}");
        }
        let year = token(&claims_with(&json!({ "exp": now + 365 * day })));
        assert_eq!(code(&unlimited, &year), "ok");
        assert_eq!(code(&verifier, &year), "invalid_token");
    }

    #[test]
    fn only_hs256_counts_whatever_the_header_says() {
        let body = claims().to_string();
        for (header, expected) in [
            (r#"{"alg":"HS256"}"#, "ok"),
            (r#"{"alg":"HS256","kid":"../../etc/passwd","jku":"https://evil.example"}"#, "ok"),
            (r#"{"alg":"HS256","crit":["exp"]}"#, "invalid_token"),
            (r#"{"alg":"HS256","b64":false,"crit":["b64"]}"#, "invalid_token"),
            (r#"{"alg":"none"}"#, "invalid_token"),
            (r#"{"alg":"HS384"}"#, "invalid_token"),
            (r#"{"alg":"RS256"}"#, "invalid_token"),
            (r#"{"alg":"hs256"}"#, "invalid_token"),
            (r#"{"alg":["HS256"]}"#, "invalid_token"),
            (r#"{"alg":{"HS256":null}}"#, "invalid_token"),
            (r#"{"alg":"HS256","crit":null}"#, "invalid_token"),
            (r#"{"typ":"JWT"}"#, "invalid_token"),
            (r#"{"alg":"none","alg":"HS256"}"#, "invalid_token"),
            ("[]", "invalid_token"),
            ("", "invalid_token"),
        ] {
            assert_eq!(code(&verifier(), &token_with(header, &body, SECRET)), expected, "{header}");
        }
    }

    #[test]
    fn a_token_is_three_canonical_parts() {
        let good = token(&claims());
        let (signed, signature) = good.rsplit_once('.').unwrap();
        let (header, payload) = signed.split_once('.').unwrap();
        for broken in [
            signed.to_owned(),
            format!("{signed}."),
            format!("{good}."),
            format!("{good}.{signature}"),
            format!("{good}="),
            format!("{header}.{payload} .{signature}"),
            format!("{payload}.{header}.{signature}"),
            format!("{header}..{signature}"),
            good.replacen('.', "", 1),
            "..".into(),
            "null".into(),
            BASE64URL.encode(&good),
        ] {
            assert_eq!(code(&verifier(), &broken), "invalid_token", "{broken}");
        }
    }

    #[test]
    fn the_path_counts_raw_and_decoded_once() {
        let owner = |sub: &str, path: &str| {
            verifier().owner(&token(&claims_with(&json!({ "sub": sub }))), path)
        };
        for (sub, path) in [
            ("a b", "a b"),
            ("a b", "a%20b"),
            ("a/b", "a%2Fb"),
            ("a%2Fb", "a%2Fb"),
            ("ü", "%C3%BC"),
        ] {
            assert_eq!(owner(sub, path).unwrap().id(), sub, "{path}");
        }
        for (sub, path) in [
            ("user", "User"),
            ("user", "user "),
            ("a/b", "a%252Fb"),
            ("a", ""),
            ("\u{fffd}", "%FF"),
        ] {
            assert_eq!(owner(sub, path).unwrap_err(), AuthError::WrongUser, "{path}");
        }
    }

    proptest! {
        #[test]
        fn no_changed_byte_survives(position in any::<prop::sample::Index>(), bits in 1..=u8::MAX) {
            let mut changed = token(&claims()).into_bytes();
            let position = position.index(changed.len());
            changed[position] ^= bits;
            if let Ok(changed) = String::from_utf8(changed) {
                prop_assert!(verifier().subject(&changed).is_err());
            }
        }

        #[test]
        fn no_text_is_a_token(text in arbitrary::like("\\PC{0,200}")) {
            prop_assert!(verifier().subject(&text).is_err());
        }

        #[test]
        fn no_signed_text_makes_it_panic(
            header in arbitrary::like("\\PC{0,50}"),
            claims in arbitrary::like("\\PC{0,200}"),
        ) {
            prop_assert!(verifier().subject(&token_with(&header, &claims, SECRET)).is_err());
            let _ = verifier().subject(&token_with(r#"{"alg":"HS256"}"#, &claims, SECRET));
        }

        #[test]
        fn no_claims_do_without_a_user_and_an_end(
            claims in arbitrary::object(),
            user in prop::option::of(arbitrary::text()),
            end in prop::option::of(any::<u32>()),
        ) {
            let mut claims = claims;
            claims.extend(user.map(|user| ("sub".to_owned(), user.into())));
            claims.extend(end.map(|end| ("exp".to_owned(), end.into())));
            let claims = Value::from(claims);
            if let Ok(user) = verifier().subject(&token(&claims)) {
                prop_assert_eq!(claims["sub"].as_str(), Some(user.as_str()));
                prop_assert!(!user.is_empty() && !user.contains('\0'));
                #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
                let now = now() as f64;
                prop_assert!(claims["exp"].as_f64().unwrap() > now - 32.0);
                for claim in ["nbf", "iat"] {
                    let time = claims.get(claim).map_or(0.0, |time| time.as_f64().unwrap());
                    prop_assert!(time < now + 32.0, "{}", claims);
                }
            }
        }

        #[test]
        fn no_header_but_plain_hs256_counts(
            header in arbitrary::object(),
            alg in prop::option::of(arbitrary::like("HS256|HS384|RS256|none")),
        ) {
            let mut header = header;
            header.extend(alg.map(|alg| ("alg".to_owned(), alg.into())));
            let header = Value::from(header);
            let token = token_with(&header.to_string(), &claims().to_string(), SECRET);
            if verifier().subject(&token).is_ok() {
                prop_assert_eq!(&header["alg"], "HS256");
                prop_assert!(header.get("crit").is_none());
            }
        }

        #[test]
        fn a_path_is_its_users_alone(
            user in arbitrary::like("\\PC{1,12}|%[0-9A-F]{2}"),
            path in arbitrary::text(),
            encoded in any::<bool>(),
        ) {
            let token = token(&claims_with(&json!({ "sub": user })));
            let own = utf8_percent_encode(&user, NON_ALPHANUMERIC).to_string();
            let own = if encoded { own } else { user.clone() };
            let owner = verifier().owner(&token, &own).unwrap();
            prop_assert_eq!(owner.id(), user.as_str());
            let decoded = percent_decode_str(&path).decode_utf8_lossy().into_owned();
            if path != user && decoded != user {
                let error = verifier().owner(&token, &path).unwrap_err();
                prop_assert_eq!(error, AuthError::WrongUser);
            }
        }
    }
}
