//! A JSON Web Key Set (RFC 7517).
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::jwk::{Jwk, PublicKey};

/// How many keys are stored.
const STORED: usize = 16;

/// The usable keys of a set; no two have the same `kid`.
#[derive(Debug, Default)]
pub struct KeySet {
    keys: Vec<PublicKey>,
    /// How many others there are.
    unusable: usize,
}

impl KeySet {
    /// Reads each key by itself, so that an odd one does not spoil the others. Of keys with one
    /// `kid`, none is usable. `None` if this is not a key set.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        #[derive(Deserialize)]
        struct Set<'a> {
            #[serde(borrow)]
            keys: Vec<&'a RawValue>,
        }
        #[derive(Deserialize)]
        struct Named {
            kid: String,
        }
        let Set { keys: all } = serde_json::from_str(text).ok()?;
        let kids = all.iter().filter_map(|key| serde_json::from_str::<Named>(key.get()).ok());
        let kids: Vec<String> = kids.map(|named| named.kid).collect();
        let unique = |jwk: &Jwk| kids.iter().filter(|kid| **kid == jwk.kid).count() == 1;
        let keys = all.iter().filter_map(|key| serde_json::from_str::<Jwk>(key.get()).ok());
        let keys: Vec<_> = keys.filter(unique).filter_map(PublicKey::of).collect();
        let unusable = all.len() - keys.len();
        Some(Self { keys, unusable })
    }

    /// Whether no key is usable.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    pub(crate) fn get(&self, kid: &str) -> Option<&PublicKey> {
        self.keys.iter().find(|key| key.jwk.kid == kid)
    }

    /// The set that a secret stores: the members that verification needs, of the last keys, since
    /// Better Auth lists the newest last.
    #[must_use]
    pub fn stored(&self) -> String {
        #[derive(Serialize)]
        struct Set<'a> {
            keys: Vec<&'a Jwk>,
        }
        let first = self.keys.len().saturating_sub(STORED);
        let keys = self.keys.iter().skip(first).map(|key| &key.jwk).collect();
        // Strings always serialize.
        serde_json::to_string(&Set { keys }).unwrap_or_default()
    }
}

/// What was found, for an operator: each usable key, and the number of others.
impl fmt::Display for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys = self.keys.iter().map(|key| format!("{} {}", key.algorithm_name(), key.jwk.kid));
        let keys: Vec<_> = keys.collect();
        let keys = if keys.is_empty() { "none".to_owned() } else { keys.join(", ") };
        write!(f, "usable keys: {keys}; others: {}", self.unusable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
    use serde_json::{Value, json};

    fn ed25519() -> Value {
        json!({ "kty": "OKP", "crv": "Ed25519", "x": BASE64URL.encode([7; 32]), "kid": "a" })
    }

    fn p256() -> Value {
        let part = BASE64URL.encode([7; 32]);
        json!({ "kty": "EC", "crv": "P-256", "x": part, "y": part, "kid": "a" })
    }

    /// With a modulus of this many bits.
    fn rsa(bits: usize) -> Value {
        let mut n = vec![0xff; bits.div_ceil(8)];
        n[0] >>= (8 - bits % 8) % 8;
        json!({ "kty": "RSA", "n": BASE64URL.encode(n), "e": "AQAB", "kid": "a" })
    }

    fn with(mut key: Value, member: &str, value: Value) -> Value {
        key[member] = value;
        key
    }

    fn set(keys: &[Value]) -> KeySet {
        KeySet::parse(&json!({ "keys": keys }).to_string()).unwrap()
    }

    #[test]
    fn keys_for_signatures_of_the_accepted_algorithms_are_usable() {
        let zero = BASE64URL.encode([&[0], &[0xff; 256][..]].concat());
        for key in [
            ed25519(),
            p256(),
            rsa(2048),
            rsa(8192),
            with(rsa(2048), "n", zero.into()),
            with(rsa(2048), "e", "Aw".into()),
            with(ed25519(), "alg", "EdDSA".into()),
            with(p256(), "alg", "ES256".into()),
            with(rsa(2048), "alg", "RS256".into()),
            with(ed25519(), "use", "sig".into()),
            with(ed25519(), "key_ops", json!(["sign", "verify"])),
            with(ed25519(), "x5c", json!(7)),
        ] {
            assert!(set(std::slice::from_ref(&key)).get("a").is_some(), "{key}");
        }
        let short = BASE64URL.encode([7; 31]);
        let secret = json!({ "kty": "oct", "k": BASE64URL.encode([7; 32]), "kid": "a" });
        for key in [
            secret.clone(),
            with(secret, "alg", "HS256".into()),
            with(ed25519(), "kty", "EC".into()),
            with(ed25519(), "kty", "RSA".into()),
            with(ed25519(), "crv", "Ed448".into()),
            with(ed25519(), "crv", "X25519".into()),
            with(ed25519(), "x", short.clone().into()),
            with(ed25519(), "x", format!("{}=", BASE64URL.encode([7; 32])).into()),
            with(ed25519(), "alg", "ES256".into()),
            with(ed25519(), "alg", "HS256".into()),
            with(ed25519(), "alg", "none".into()),
            with(ed25519(), "use", "enc".into()),
            with(ed25519(), "use", json!(["sig"])),
            with(ed25519(), "key_ops", json!(["sign"])),
            with(ed25519(), "key_ops", json!([])),
            with(ed25519(), "key_ops", "verify".into()),
            with(ed25519(), "kid", Value::Null),
            with(ed25519(), "kid", "".into()),
            with(ed25519(), "kid", json!(1)),
            with(p256(), "kty", "OKP".into()),
            with(p256(), "crv", "P-384".into()),
            with(p256(), "crv", "secp256k1".into()),
            with(p256(), "y", short.into()),
            with(p256(), "y", Value::Null),
            with(p256(), "alg", "ES384".into()),
            with(rsa(2048), "alg", "PS256".into()),
            with(rsa(2048), "alg", "RS512".into()),
            with(rsa(2048), "e", "AQ".into()),
            with(rsa(2048), "e", "BA".into()),
            with(rsa(2048), "e", BASE64URL.encode([0xff; 9]).into()),
            with(rsa(2048), "n", "".into()),
            rsa(2047),
            rsa(8193),
            json!(null),
            json!([]),
        ] {
            let all = set(&[key.clone(), with(p256(), "kid", "other".into())]);
            assert!(all.get("a").is_none() && all.get("").is_none(), "{key}");
            assert!(all.get("other").is_some(), "spoiled by {key}");
        }
    }

    #[test]
    fn of_two_keys_with_one_kid_neither_is_usable() {
        let other = with(p256(), "kid", "b".into());
        for twin in [ed25519(), p256(), with(ed25519(), "use", "enc".into())] {
            let set = set(&[ed25519(), twin, other.clone()]);
            assert!(set.get("a").is_none() && set.get("b").is_some());
        }
        let twice = ed25519().to_string().replace('}', r#","kid":"b"}"#);
        assert!(KeySet::parse(&format!(r#"{{"keys":[{twice}]}}"#)).unwrap().is_empty());
    }

    #[test]
    fn what_is_no_key_set_has_none() {
        for text in ["", "<html>", "null", "[]", "{}", r#"{"keys":{}}"#, r#"{"keys":null}"#] {
            assert!(KeySet::parse(text).is_none(), "{text}");
        }
        assert!(set(&[]).is_empty());
    }

    #[test]
    fn the_last_keys_are_stored_without_their_other_members() {
        let private = with(with(ed25519(), "d", "MARKED".into()), "x5c", json!(["MARKED"]));
        let stored = set(&[private, with(rsa(2048), "use", "sig".into())]).stored();
        assert_eq!(stored, r#"{"keys":[]}"#);
        let keys = [with(p256(), "kid", "b".into()), with(ed25519(), "d", "MARKED".into())];
        let stored: Value = set(&keys).stored().parse().unwrap();
        assert_eq!(stored, json!({ "keys": [with(p256(), "kid", "b".into()), ed25519()] }));
        let many = (0..20).map(|kid| with(ed25519(), "kid", kid.to_string().into()));
        let stored = KeySet::parse(&set(&many.collect::<Vec<_>>()).stored()).unwrap();
        assert!(stored.get("3").is_none() && stored.get("4").is_some());
        assert!(stored.get("19").is_some());
    }
}
