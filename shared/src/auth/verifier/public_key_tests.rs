//! What the verifier says of tokens that are signed with an app's key.
use std::sync::LazyLock;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::tests::{AUDIENCE, ISSUER, signed_with};
use super::tests::{CRITICAL, EXPIRED, OK, SECRET, SIGNATURE, claims, claims_with, config, said};
use super::*;
use crate::auth::signing::Key;
use crate::settings::PublicKeys;

const UNKNOWN: &str = "unknown key";
const EITHER: &str =
    "The token's algorithm is not accepted here: it must be HS256, EdDSA, ES256 or RS256.";
const PUBLIC_ONLY: &str =
    "The token's algorithm is not accepted here: it must be EdDSA, ES256 or RS256.";

static KEYS: LazyLock<[Key; 3]> = LazyLock::new(Key::all);

/// The `kid` of a key in [`KEYS`].
fn kid(key: &Key) -> String {
    format!("of {}", key.algorithm())
}

fn set() -> String {
    json!({ "keys": KEYS.iter().map(|key| key.jwk(&kid(key))).collect::<Vec<_>>() }).to_string()
}

/// A verifier of this key set, with or without secrets.
fn verifier_of(set: &str, secrets: bool) -> Verifier {
    let mut config = config(Some(ISSUER), Some(AUDIENCE));
    if !secrets {
        config.secrets.clear();
    }
    let stored = Arc::new(KeySet::parse(set).unwrap());
    config.public_keys =
        Some(PublicKeys { url: "https://app.example/jwks".parse().unwrap(), stored });
    Verifier::new(&config, None)
}

fn both() -> Verifier {
    verifier_of(&set(), true)
}

fn text(header: &Value, claims: &str) -> String {
    format!("{}.{}", BASE64URL.encode(header.to_string()), BASE64URL.encode(claims))
}

/// A token as Better Auth makes it.
fn token(key: &Key, claims: &str) -> String {
    key.sign(&text(&json!({ "alg": key.algorithm(), "kid": kid(key) }), claims))
}

#[test]
fn a_token_is_verified_by_the_key_that_it_names() {
    let ours = signed_with(&text(&json!({ "alg": "HS256" }), &claims()), SECRET);
    assert_eq!(said(&both(), &ours), OK);
    assert_eq!(said(&verifier_of(&set(), false), &ours), PUBLIC_ONLY);
    let none = verifier_of(r#"{"keys":[]}"#, true);
    assert_eq!(said(&none, &ours), OK);
    for key in &*KEYS {
        for secrets in [true, false] {
            assert_eq!(said(&verifier_of(&set(), secrets), &token(key, &claims())), OK);
        }
        assert_eq!(none.subject(&token(key, &claims())).unwrap_err(), AuthError::NoKeys);
        for (claim, json, expected) in [
            ("exp", "0", EXPIRED),
            (
                "iss",
                "\"https://other.example\"",
                "The claim `iss` is not the issuer that is configured here.",
            ),
            ("aud", "", "The claim `aud` is missing."),
            ("sub", "", "The claim `sub` is missing."),
        ] {
            assert_eq!(said(&both(), &token(key, &claims_with(claim, json))), expected);
        }
        // Nothing is said of claims that nobody signed.
        let expired = token(key, &claims_with("exp", "0"));
        let changed = format!("{}{}", expired.rsplit_once('.').unwrap().0, ".AAAA");
        assert_eq!(said(&both(), &changed), WRONG_SIGNATURE);
    }
}

#[test]
fn a_header_chooses_nothing_but_a_known_key_with_its_own_algorithm() {
    let verifier = both();
    let others = Key::all();
    for (key, other) in KEYS.iter().zip(&others) {
        let (alg, kid) = (key.algorithm(), kid(key));
        let own = other.jwk(&kid);
        let signed =
            |header: Value, key: &Key| said(&verifier, &key.sign(&text(&header, &claims())));
        for (header, expected) in [
            (json!({ "alg": alg, "kid": kid, "typ": "JWT" }), OK),
            (json!({ "alg": alg }), NO_KID),
            (json!({ "alg": alg, "kid": null }), NO_KID),
            (json!({ "alg": alg, "kid": 1 }), NO_JWT),
            (json!({ "alg": alg, "kid": [kid] }), NO_JWT),
            (json!({ "alg": alg, "kid": "" }), UNKNOWN),
            (json!({ "alg": alg, "kid": format!("{kid} ") }), UNKNOWN),
            (json!({ "alg": alg, "kid": kid, "crit": null }), CRITICAL),
            (json!({ "alg": alg, "kid": kid, "crit": ["b64"], "b64": true }), CRITICAL),
            (json!({ "alg": alg, "kid": kid, "b64": false }), NO_JWT),
            (json!({ "alg": { alg: null }, "kid": kid }), NO_JWT),
            (json!({ "alg": [alg], "kid": kid }), NO_JWT),
            (json!({ "alg": "none", "kid": kid }), EITHER),
            (json!({ "alg": "ES384", "kid": kid }), EITHER),
            (json!({ "alg": "PS256", "kid": kid }), EITHER),
            (json!({ "alg": "RS512", "kid": kid }), EITHER),
            (json!({ "alg": "Ed25519", "kid": kid }), EITHER),
            (json!({ "alg": alg.to_lowercase(), "kid": kid }), EITHER),
        ] {
            assert_eq!(signed(header.clone(), key), expected, "{header}");
        }
        // A stranger's key, though the header brings it along.
        if alg != "RS256" {
            for header in [
                json!({ "alg": alg, "kid": kid }),
                json!({ "alg": alg, "kid": kid, "jwk": own, "jku": "https://evil.example", "x5u": "https://evil.example" }),
            ] {
                assert_eq!(signed(header, other), WRONG_SIGNATURE);
            }
        }
        // An HMAC keyed with the public key, whatever the header names.
        let public = key.public();
        let n = BASE64URL.encode(&public);
        for secret in [&public[..], n.as_bytes(), key.jwk(&kid).to_string().as_bytes()] {
            for header in [json!({ "alg": "HS256" }), json!({ "alg": "HS256", "kid": kid })] {
                let text = text(&header, &claims());
                let hmac = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret);
                let signature = ring::hmac::sign(&hmac, text.as_bytes());
                let token = format!("{text}.{}", BASE64URL.encode(signature));
                assert_eq!(said(&verifier, &token), SIGNATURE);
                assert_eq!(said(&verifier_of(&set(), false), &token), PUBLIC_ONLY);
                let lied = token.replacen(
                    &BASE64URL.encode(header.to_string()),
                    &BASE64URL.encode(json!({ "alg": alg, "kid": kid }).to_string()),
                    1,
                );
                assert_eq!(said(&verifier, &lied), WRONG_SIGNATURE);
            }
        }
    }
}

proptest! {
    #[test]
    fn no_token_verifies_under_a_key_of_another_kind(
        signer in 0..4usize,
        named in 0..4usize,
        alg in prop::sample::select(vec!["HS256", "EdDSA", "ES256", "RS256", "none"]),
        secrets in any::<bool>(),
    ) {
        let kid = KEYS.get(named).map_or("none".to_owned(), kid);
        let text = text(&json!({ "alg": alg, "kid": kid }), &claims());
        let token = match KEYS.get(signer) {
            Some(key) => key.sign(&text),
            None => signed_with(&text, SECRET),
        };
        let by_secret = secrets && signer == 3 && alg == "HS256";
        let by_key = signer == named && KEYS.get(signer).is_some_and(|key| key.algorithm() == alg);
        let verified = verifier_of(&set(), secrets).subject(&token).is_ok();
        prop_assert_eq!(verified, by_secret || by_key);
    }
}
