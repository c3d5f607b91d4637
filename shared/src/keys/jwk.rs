//! One key of a set: whether it is usable, and for which algorithm.
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::{Deserialize, Serialize};

/// The members of a JSON Web Key that are read. Only the public ones are written again.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Jwk {
    pub(super) kid: String,
    kty: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    crv: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    x: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    y: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    n: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    e: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alg: Option<String>,
    #[serde(rename = "use", skip_serializing)]
    purpose: Option<String>,
    #[serde(skip_serializing)]
    key_ops: Option<Vec<String>>,
}

/// A key that verifies tokens.
#[derive(Debug)]
pub(crate) struct PublicKey {
    pub(crate) algorithm: Algorithm,
    pub(crate) key: DecodingKey,
    pub(super) jwk: Jwk,
}

impl PublicKey {
    /// The key, if it is for signatures of an accepted algorithm.
    pub(super) fn of(jwk: Jwk) -> Option<Self> {
        let (algorithm, key) = match (jwk.kty.as_str(), jwk.crv.as_deref()) {
            ("OKP", Some("Ed25519")) => (Algorithm::EdDSA, ed25519(&jwk)?),
            ("EC", Some("P-256")) => (Algorithm::ES256, p256(&jwk)?),
            ("RSA", _) => (Algorithm::RS256, rsa(&jwk)?),
            _ => return None,
        };
        let fits = !jwk.kid.is_empty()
            && jwk.alg.as_ref().is_none_or(|alg| *alg == name(algorithm))
            && jwk.purpose.as_ref().is_none_or(|purpose| purpose == "sig")
            && jwk.key_ops.as_ref().is_none_or(|ops| ops.iter().any(|op| op == "verify"));
        fits.then_some(Self { algorithm, key, jwk })
    }

    /// As tokens name it.
    pub(crate) fn algorithm_name(&self) -> &'static str {
        name(self.algorithm)
    }
}

fn name(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::ES256 => "ES256",
        Algorithm::RS256 => "RS256",
        _ => "EdDSA",
    }
}

fn ed25519(jwk: &Jwk) -> Option<DecodingKey> {
    let x: [u8; 32] = bytes(jwk.x.as_ref())?.try_into().ok()?;
    Some(DecodingKey::from_ed_der(&x))
}

fn p256(jwk: &Jwk) -> Option<DecodingKey> {
    let x: [u8; 32] = bytes(jwk.x.as_ref())?.try_into().ok()?;
    let y: [u8; 32] = bytes(jwk.y.as_ref())?.try_into().ok()?;
    // An uncompressed point.
    Some(DecodingKey::from_ec_der(&[&[4], &x[..], &y].concat()))
}

fn rsa(jwk: &Jwk) -> Option<DecodingKey> {
    let (n, e) = (number(jwk.n.as_ref())?, number(jwk.e.as_ref())?);
    let bits = n.len() * 8 - usize::try_from(n.first()?.leading_zeros()).ok()?;
    // What ring verifies.
    let exponent =
        e.iter().try_fold(0u64, |all, byte| all.checked_mul(256)?.checked_add(u64::from(*byte)));
    let fits = (2048..=8192).contains(&bits)
        && exponent.is_some_and(|e| (3..1 << 33).contains(&e) && e % 2 == 1);
    fits.then(|| DecodingKey::from_rsa_raw_components(&n, &e))
}

/// A number without leading zeros, which some apps write and ring refuses.
fn number(member: Option<&String>) -> Option<Vec<u8>> {
    let bytes = bytes(member)?;
    Some(bytes.into_iter().skip_while(|byte| *byte == 0).collect())
}

fn bytes(member: Option<&String>) -> Option<Vec<u8>> {
    BASE64URL.decode(member?).ok()
}
