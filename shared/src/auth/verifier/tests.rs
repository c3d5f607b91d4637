//! What the verifier says of every kind of token, most of them signed with the right secret.
use base64::Engine;
use base64::engine::general_purpose::{STANDARD as BASE64, URL_SAFE, URL_SAFE_NO_PAD as BASE64URL};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;
use ring::hmac;
use secrecy::SecretString;
use serde_json::{Value, json};

use super::*;
use crate::arbitrary;
use crate::auth::{Claims, sign};

pub(super) const SECRET: &str = "a-secret-of-this-test-with-32-bytes-or-more";
const OLD: &str = "the-secret-before-it-with-32-bytes-or-more!";
pub(super) const ISSUER: &str = "https://app.example";
pub(super) const AUDIENCE: &str = "the-api";
const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

pub(super) const OK: &str = "ok";
pub(super) const EXPIRED: &str = "expired";
pub(super) const SIGNATURE: &str = "unknown secret";
const ALGORITHM: &str = "The token's algorithm is not accepted here: it must be HS256.";
pub(super) const CRITICAL: &str = "The token's header must not have `crit`.";
const NO_USER: &str = "The claim `sub` is empty or contains U+0000.";
const NO_SUB: &str = "The claim `sub` is missing.";
const SUB_TYPE: &str = "The claim `sub` is not a string.";
const EXP_TYPE: &str = "The claim `exp` is not a time in seconds.";
const OTHER_ISSUER: &str = "The claim `iss` is not the issuer that is configured here.";
const OTHER_AUDIENCE: &str = "The claim `aud` does not name the audience that is configured here.";
const AUD_TYPE: &str = "The claim `aud` is not a string or a list of strings.";

pub(super) fn config(issuer: Option<&str>, audience: Option<&str>) -> AuthConfig {
    AuthConfig {
        secrets: vec![SECRET.into(), OLD.into()],
        public_keys: None,
        log_key: None,
        issuer: issuer.map(Into::into),
        audience: audience.map(Into::into),
        max_lifetime: None,
    }
}

fn verifier() -> Verifier {
    Verifier::new(&config(Some(ISSUER), Some(AUDIENCE)), None)
}

/// Without issuer and audience.
fn lenient() -> Verifier {
    Verifier::new(&config(None, None), None)
}

/// Appends a signature to any text.
pub(super) fn signed_with(text: &str, secret: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    format!("{text}.{}", BASE64URL.encode(hmac::sign(&key, text.as_bytes())))
}

/// A validly signed token of this header and these claims, verbatim.
fn token_with(header: impl AsRef<[u8]>, claims: impl AsRef<[u8]>) -> String {
    signed_with(&format!("{}.{}", BASE64URL.encode(header), BASE64URL.encode(claims)), SECRET)
}

/// The JSON of good claims with one of them replaced by this JSON, or removed if that is empty.
pub(super) fn claims_with(claim: &str, json: &str) -> String {
    let (now, later) = (now().to_string(), (now() + 600).to_string());
    let (issuer, audience) = (format!("{ISSUER:?}"), format!("{AUDIENCE:?}"));
    let good = [
        ("sub", "\"user-1\""),
        ("iat", &now),
        ("exp", &later),
        ("iss", &issuer),
        ("aud", &audience),
    ];
    let others = good.into_iter().filter(|(name, _)| *name != claim);
    let members = others.chain([(claim, json)]).filter(|(_, json)| !json.is_empty());
    let members: Vec<_> = members.map(|(name, json)| format!("{name:?}:{json}")).collect();
    format!("{{{}}}", members.join(","))
}

pub(super) fn claims() -> String {
    claims_with("", "")
}

fn token(claims: impl AsRef<[u8]>) -> String {
    token_with(HEADER, claims)
}

pub(super) fn said(verifier: &Verifier, token: &str) -> String {
    match verifier.subject(token) {
        Ok(sub) => {
            assert_eq!(sub, "user-1");
            OK.into()
        }
        Err(AuthError::Expired) => EXPIRED.into(),
        Err(AuthError::UnknownSecret) => SIGNATURE.into(),
        Err(AuthError::UnknownKey) => "unknown key".into(),
        Err(AuthError::NoKeys) => "no keys".into(),
        Err(AuthError::Invalid(reason)) => reason.into_owned(),
        Err(AuthError::WrongUser) => panic!("no path was named"),
    }
}

fn expect(token: &str, expected: &str, name: impl std::fmt::Debug) {
    assert_eq!(said(&verifier(), token), expected, "{name:?}: {token}");
}

#[test]
fn each_claim_is_checked_and_named() {
    let at = |offset: i64| i64::try_from(now()).unwrap().saturating_add(offset).to_string();
    let far = at(3600);
    for (claim, json, expected) in [
        ("sub", "", NO_SUB),
        ("sub", "null", SUB_TYPE),
        ("sub", "17", SUB_TYPE),
        ("sub", "[\"user-1\"]", SUB_TYPE),
        ("sub", "{}", SUB_TYPE),
        ("sub", "\"\"", NO_USER),
        ("sub", "\"a\\u0000\"", NO_USER),
        ("sub", "\"\\ud800\"", NO_JWT),
        ("exp", "", "The claim `exp` is missing."),
        ("exp", &at(-20), OK),
        ("exp", &at(-31), EXPIRED),
        ("exp", "0", EXPIRED),
        ("exp", "-0", EXPIRED),
        ("exp", "1e9", EXPIRED),
        ("exp", &format!("{far}.5"), OK),
        ("exp", &format!("{far}e0"), OK),
        ("exp", "9223372036854775808", OK),
        ("exp", "18446744073709551615", OK),
        ("exp", "18446744073709551616", EXP_TYPE),
        ("exp", "1e308", EXP_TYPE),
        ("exp", "-1", EXP_TYPE),
        ("exp", "-0.5", EXP_TYPE),
        ("exp", "null", EXP_TYPE),
        ("exp", "true", EXP_TYPE),
        ("exp", &format!("\"{far}\""), EXP_TYPE),
        ("exp", &format!("[{far}]"), EXP_TYPE),
        ("exp", "1e400", NO_JWT),
        ("exp", "NaN", NO_JWT),
        ("exp", &format!("+{far}"), NO_JWT),
        ("exp", &format!("0{far}"), NO_JWT),
        ("nbf", &at(20), OK),
        ("nbf", "1.5", OK),
        ("nbf", &at(60), "The claim `nbf` is in the future."),
        ("nbf", "\"0\"", "The claim `nbf` is not a time in seconds."),
        ("nbf", "null", "The claim `nbf` is not a time in seconds."),
        ("iat", "", OK),
        ("iat", "0", OK),
        ("iat", &at(20), OK),
        ("iat", &at(60), "The claim `iat` is in the future."),
        ("iat", "1e308", "The claim `iat` is in the future."),
        ("iat", "\"0\"", "The claim `iat` is not a time in seconds."),
        ("iat", "null", "The claim `iat` is not a time in seconds."),
        ("iss", "", "The claim `iss` is missing."),
        ("iss", "\"https://app.example/\"", OTHER_ISSUER),
        ("iss", "[\"https://app.example\"]", "The claim `iss` is not a string."),
        ("iss", "null", "The claim `iss` is not a string."),
        ("aud", "", "The claim `aud` is missing."),
        ("aud", "[\"other\",\"the-api\"]", OK),
        ("aud", "\"the-api-2\"", OTHER_AUDIENCE),
        ("aud", "[\"a\",\"b\"]", OTHER_AUDIENCE),
        ("aud", "[]", OTHER_AUDIENCE),
        ("aud", "[\"the-api\",1]", AUD_TYPE),
        ("aud", "{\"the-api\":true}", AUD_TYPE),
        ("aud", "null", AUD_TYPE),
        // Not read.
        ("email", "\"someone@else.example\"", OK),
        ("Sub", "\"user-2\",\"user\":{\"sub\":\"user-2\"}", OK),
        ("x", "0,\"x\":0", OK),
        ("x", "\"\\ud800\"", OK),
        // A claim that is read is there once.
        ("x", "0,\"sub\":\"user-2\"", NO_JWT),
        ("x", "0,\"s\\u0075b\":\"user-1\"", NO_JWT),
        ("x", "0,\"exp\":0", NO_JWT),
        ("x", "0,\"iss\":\"https://app.example\"", NO_JWT),
        ("x", "0,\"aud\":\"the-api\"", NO_JWT),
        ("x", "0,\"iat\":0", NO_JWT),
        ("x", "0,\"nbf\":0,\"nbf\":0", NO_JWT),
    ] {
        expect(&token(claims_with(claim, json)), expected, (claim, json));
    }
    // The user is `sub` and nothing else, and Better Auth's own JWTs have none.
    for other in ["id", "userId", "email", "user\":{\"id\":\"user-1\"},\"session"] {
        let claims = claims_with("sub", "").replace('{', &format!("{{\"{other}\":\"user-1\","));
        expect(&token(claims), NO_SUB, other);
    }
    // Not configured, so not checked.
    for (claim, json) in [("aud", "{}"), ("aud", ""), ("iss", "\"somebody\""), ("iss", "")] {
        assert_eq!(said(&lenient(), &token(claims_with(claim, json))), OK, "{claim} {json}");
    }
    let two = claims_with("iss", "").replace("\"the-api\"", "7");
    expect(&token(two), "The claim `iss` is missing.", "two faults, in a fixed order");
}

#[test]
fn only_hs256_counts_and_no_header_field_is_believed() {
    let deep = format!(r#"{{"alg":"HS256","x":{}{}}}"#, "[".repeat(2000), "]".repeat(2000));
    let utf16: Vec<u8> = HEADER.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (header, expected) in [
        (HEADER.as_bytes(), OK),
        (b" \r\n\t{ \"alg\" :\n\"HS256\" } ", OK),
        (br#"{"\u0061lg":"\u0048S256"}"#, OK),
        (br#"{"alg":"HS256","kid":"' OR 1=1 --","jku":"https://evil.example","b64":true}"#, OK),
        (br#"{"alg":"none"}"#, ALGORITHM),
        (br#"{"alg":"nOnE"}"#, ALGORITHM),
        (br#"{"alg":""}"#, ALGORITHM),
        (br#"{"alg":"hs256"}"#, ALGORITHM),
        (br#"{"alg":"HS256 "}"#, ALGORITHM),
        (br#"{"alg":"HS256\u0000"}"#, ALGORITHM),
        ("{\"alg\":\"HS256\u{200b}\"}".as_bytes(), ALGORITHM),
        (br#"{"alg":"HS384"}"#, ALGORITHM),
        (br#"{"alg":"HS512"}"#, ALGORITHM),
        (br#"{"alg":"RS256"}"#, ALGORITHM),
        (br#"{"alg":"ES512"}"#, ALGORITHM),
        (br#"{"alg":"EdDSA","kid":"x"}"#, ALGORITHM),
        (br#"{"alg":"dir","enc":"A256GCM"}"#, ALGORITHM),
        (br#"{"alg":"HS256","crit":["b64"],"b64":true}"#, CRITICAL),
        (br#"{"alg":"HS256","crit":["exp"]}"#, CRITICAL),
        (br#"{"alg":"HS256","crit":[]}"#, CRITICAL),
        (br#"{"alg":"HS256","crit":null}"#, CRITICAL),
        (br#"{"alg":null}"#, NO_JWT),
        (br#"{"alg":["HS256"]}"#, NO_JWT),
        (br#"{"alg":{"HS256":null}}"#, NO_JWT),
        (br#"{"typ":"JWT"}"#, NO_JWT),
        (br#"{"ALG":"HS256"}"#, NO_JWT),
        (br#"{"alg":"none","alg":"HS256"}"#, NO_JWT),
        (br#"{"alg":"HS256","\u0061lg":"HS256"}"#, NO_JWT),
        (br#"["JWT","HS256"]"#, ALGORITHM),
        (br#"["HS256"]"#, NO_JWT),
        (br#"{"alg":"HS256","typ":7}"#, NO_JWT),
        (br#"{"alg":"HS256","x":1e400}"#, NO_JWT),
        ("\u{feff}{\"alg\":\"HS256\"}".as_bytes(), NO_JWT),
        (b"{\"alg\":\"HS256\",\"typ\":\"\xff\"}", NO_JWT),
        (b"{\"alg\":\"HS256\"}{}", NO_JWT),
        (b"{\"alg\":\"HS256\",}", NO_JWT),
        (b"", NO_JWT),
        (&utf16, NO_JWT),
        (deep.as_bytes(), NO_JWT),
    ] {
        let name = String::from_utf8_lossy(header);
        expect(&token_with(header, claims()), expected, &name);
        if expected != OK {
            let unsigned = format!("{}.{}", BASE64URL.encode(header), BASE64URL.encode(claims()));
            expect(&format!("{unsigned}."), expected, &name);
        }
    }
}

#[test]
fn only_the_configured_secrets_sign() {
    let config = config(Some(ISSUER), Some(AUDIENCE));
    for secret in &config.secrets {
        expect(&sign(&Claims::new(&config, "user-1", 600), secret).unwrap(), OK, "ours");
    }
    let stranger = SecretString::from("nobody-ever-configured-this-secret");
    expect(&sign(&Claims::new(&config, "user-1", 600), &stranger).unwrap(), SIGNATURE, "another");
    let (newline, encoded) = (format!("{SECRET}\n"), BASE64.encode(SECRET));
    let default = "better-auth-secret-12345678901234567890";
    // The token brings its own key.
    let own = json!({ "alg": "HS256", "jwk": { "kty": "oct", "k": BASE64URL.encode("own") } });
    for header in [HEADER, &own.to_string()] {
        let text = format!("{}.{}", BASE64URL.encode(header), BASE64URL.encode(claims()));
        for secret in ["", "own", &SECRET[1..], &newline, default, &encoded] {
            expect(&signed_with(&text, secret), SIGNATURE, secret);
        }
    }
    // Nothing is said of claims that nobody signed.
    let expired = token(claims_with("exp", "0"));
    let (text, _) = expired.rsplit_once('.').unwrap();
    expect(&signed_with(text, "own"), SIGNATURE, "expired");
}

#[test]
fn a_part_has_one_spelling() {
    // Enough spaces that the last Base64 letter has unused bits.
    let claims = format!("{}{}", claims(), " ".repeat((4 - claims().len() % 3) % 3));
    let (header, claims) = (BASE64URL.encode(r#"{"alg":"HS256" }"#), BASE64URL.encode(claims));
    assert_ne!((header.len() % 4, claims.len() % 4), (0, 0));
    // The next letter differs only in the unused bits.
    let spare = |part: &str| {
        let last = part.bytes().next_back().unwrap();
        format!("{}{}", &part[..part.len() - 1], char::from(last + 1))
    };
    let with_plus = BASE64.encode(r#"{"alg":"HS256","kid":"~~~???>>>"}"#).replace('=', "");
    for text in [
        format!("{}.{claims}", spare(&header)),
        format!("{header}.{}", spare(&claims)),
        format!("{}.{claims}", URL_SAFE.encode(r#"{"alg":"HS256" }"#)),
        format!("{header}.{claims}="),
        format!("{with_plus}.{claims}"),
        format!("{header} .{claims}"),
        format!("{header}.{claims} "),
        format!(".{header}.{claims}"),
        format!("{header}..{claims}"),
        format!("{header}.{claims}."),
        format!(".{claims}"),
        format!("{header}."),
        claims.clone(),
        ".".into(),
        format!("{HEADER}.{}", self::claims()),
        format!("{header}%2E{claims}"),
    ] {
        expect(&signed_with(&text, SECRET), NO_JWT, text);
    }
    let good = signed_with(&format!("{header}.{claims}"), SECRET);
    expect(&good, OK, "with blanks at the end");
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let standard = BASE64.encode([0xfb; 32]);
    let session = "vI9gbY1W8vQ2C0J6mXo4dT5kE7rLhZsA";
    let mut others: Vec<String> = Vec::new();
    for more in
        ["=", "A", ".", "%", "\"", "\t.", ",", &format!(".{signature}"), &format!(" {good}")]
    {
        others.push(format!("{good}{more}"));
    }
    for other in ["", "AA", &spare(signature), &signature.to_lowercase(), &standard] {
        others.push(format!("{signed}.{other}"));
    }
    for (name, token) in [
        ("unsigned", signed.to_owned()),
        ("other claims", format!("{header}.{}.{signature}", BASE64URL.encode("{}"))),
        ("turned round", format!("{signature}.{claims}.{header}")),
        ("encoded again", BASE64URL.encode(&good)),
        ("quoted", format!("\"{good}\"")),
        ("Bearer twice", format!("Bearer {good}")),
        ("dots", "..".into()),
        ("letters", "a".repeat(5000)),
        ("a session's token", session.to_owned()),
        ("a session's cookie", format!("{session}.{}", BASE64.encode([7; 32]))),
        (
            "an encrypted one",
            format!("{}..aXY.Y2lwaGVy.dGFn", BASE64URL.encode(r#"{"alg":"dir"}"#)),
        ),
    ] {
        assert_ne!(said(&verifier(), &token), OK, "{name}");
    }
    for other in others {
        assert!([NO_JWT, SIGNATURE].contains(&said(&verifier(), &other).as_str()), "{other}");
    }
}

#[test]
fn claims_are_one_json_object_of_text() {
    let claims = claims();
    let with = |json: &str| claims_with("x", json);
    for (name, claims, expected) in [
        ("blanks around", format!("\r\n\t {claims} \n").into_bytes(), OK),
        ("deep", with(&format!("{}{}", "[".repeat(3000), "]".repeat(3000))).into(), OK),
        ("a long claim", with(&format!("\"{}\"", "x".repeat(6000))).into(), OK),
        ("a mark of byte order", format!("\u{feff}{claims}").into(), NO_JWT),
        ("twice", format!("{claims}{claims}").into(), NO_JWT),
        ("a zero at the end", format!("{claims}\0").into(), NO_JWT),
        ("UTF-16", claims.encode_utf16().flat_map(u16::to_le_bytes).collect(), NO_JWT),
        ("not closed", claims[..claims.len() - 1].into(), NO_JWT),
        ("nothing", Vec::new(), NO_JWT),
        ("null", "null".into(), NO_JWT),
        ("a string", json!(claims).to_string().into(), NO_JWT),
        ("a list", format!("[{claims}]").into(), NO_JWT),
        ("its values", json!(["user-1", now() + 60, 0, 0, ISSUER]).to_string().into(), NO_JWT),
        (
            "no UTF-8",
            [&claims.as_bytes()[..claims.len() - 1], b",\"x\":\"\xff\"}"].concat(),
            NO_JWT,
        ),
        ("a token in the token", token(&claims).into(), NO_JWT),
    ] {
        expect(&token(claims), expected, name);
    }
}

#[test]
fn a_token_is_valid_for_no_longer_than_configured() {
    const TOO_LONG: &str = "The claim `exp` is too long after `iat`.";
    const FUTURE: &str = "The claim `iat` is in the future.";
    let day = 86_400;
    let verifier =
        Verifier::new(&AuthConfig { max_lifetime: Some(day), ..config(None, None) }, None);
    let now = now();
    for (iat, exp, expected) in [
        (json!(now), now + 600, OK),
        (json!(now), now + day, OK),
        (json!(now - day + 60), now + 60, OK),
        // Within the leeway.
        (json!(now + LEEWAY - 5), now + LEEWAY - 5 + day, OK),
        (json!(now), now + day + 1, TOO_LONG),
        (json!(now), now + 7 * day, TOO_LONG),
        (json!(now - day), now + 60, TOO_LONG),
        (json!(null), now + 600, "The claim `iat` is missing."),
        // A false `iat`: long ago, before 1970, and just before a distant `exp`.
        (json!(0), now + 60, TOO_LONG),
        (json!(-1e300), now + 60, TOO_LONG),
        (json!(now + 2 * day - 60), now + 2 * day, FUTURE),
        (json!(now + LEEWAY + 10), now + LEEWAY + 10 + day, FUTURE),
    ] {
        let iat = if iat.is_null() { String::new() } else { format!(",\"iat\":{iat}") };
        let token = token(format!(r#"{{"sub":"user-1","exp":{exp}{iat}}}"#));
        assert_eq!(said(&verifier, &token), expected, "{iat} to {exp}");
        assert_eq!(said(&lenient(), &token) == OK, expected != FUTURE, "unlimited: {iat} to {exp}");
    }
}

#[test]
fn the_path_counts_raw_and_decoded_once() {
    let owner = |sub: &str, path: &str| {
        verifier().owner(&token(claims_with("sub", &json!(sub).to_string())), path)
    };
    for (sub, path) in
        [("a b", "a b"), ("a b", "a%20b"), ("a/b", "a%2Fb"), ("a%2Fb", "a%2Fb"), ("ü", "%C3%BC")]
    {
        assert_eq!(owner(sub, path).unwrap().id(), sub, "{path}");
    }
    for (sub, path) in [
        ("user", "User"),
        ("user", "user "),
        ("a/b", "a%252Fb"),
        ("a", ""),
        ("\u{fffd}", "%FF"),
        ("ann\u{200b}", "ann"),
        ("\u{430}nn", "ann"),
        ("ann%00", "ann"),
        ("../ann", "ann"),
        ("*", "ann"),
        ("u\u{308}", "%C3%BC"),
        ("01", "1"),
    ] {
        assert_eq!(owner(sub, path).unwrap_err(), AuthError::WrongUser, "{path}");
    }
}

proptest! {
    #[test]
    fn no_changed_byte_survives(position in any::<prop::sample::Index>(), bits in 1..=u8::MAX) {
        let mut changed = token(claims()).into_bytes();
        let position = position.index(changed.len());
        changed[position] ^= bits;
        if let Ok(changed) = String::from_utf8(changed) {
            prop_assert!(lenient().subject(&changed).is_err());
        }
    }

    #[test]
    fn no_text_is_a_token_or_makes_it_panic(
        header in arbitrary::like("\\PC{0,50}"),
        claims in arbitrary::like("\\PC{0,200}"),
    ) {
        prop_assert!(lenient().subject(&claims).is_err());
        prop_assert!(lenient().subject(&token_with(&header, &claims)).is_err());
        let _ = lenient().subject(&token(&claims));
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
        if let Ok(user) = lenient().subject(&token(claims.to_string())) {
            prop_assert_eq!(claims["sub"].as_str(), Some(user.as_str()));
            prop_assert!(!user.is_empty() && !user.contains('\0'));
            let now = seconds(now());
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
        if lenient().subject(&token_with(header.to_string(), claims())).is_ok() {
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
        let token = token(claims_with("sub", &json!(user).to_string()));
        let own = utf8_percent_encode(&user, NON_ALPHANUMERIC).to_string();
        let own = if encoded { own } else { user.clone() };
        let owner = lenient().owner(&token, &own).unwrap();
        prop_assert_eq!(owner.id(), user.as_str());
        let decoded = percent_decode_str(&path).decode_utf8_lossy().into_owned();
        if path != user && decoded != user {
            let error = lenient().owner(&token, &path).unwrap_err();
            prop_assert_eq!(error, AuthError::WrongUser);
        }
    }
}
