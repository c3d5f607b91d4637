//! Every way in which a token can be invalid, most of them signed with the right secret.
use base64::engine::general_purpose::{STANDARD as BASE64, URL_SAFE};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;
use ring::hmac;
use secrecy::SecretString;
use serde_json::{Value, json};

use super::*;
use crate::arbitrary;
use crate::auth::{Claims, sign};

const SECRET: &str = "a-secret-of-this-test-with-32-bytes-or-more";
const OLD: &str = "the-secret-before-it-with-32-bytes-or-more!";
const ISSUER: &str = "https://app.example";
const AUDIENCE: &str = "task-api";
const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

fn config(issuer: Option<&str>, audience: Option<&str>) -> AuthConfig {
    AuthConfig {
        secrets: vec![SECRET.into(), OLD.into()],
        issuer: issuer.map(Into::into),
        audience: audience.map(Into::into),
        max_lifetime: None,
    }
}

fn verifier() -> Verifier {
    Verifier::new(&config(Some(ISSUER), Some(AUDIENCE)))
}

/// Without issuer and audience.
fn lenient() -> Verifier {
    Verifier::new(&config(None, None))
}

/// Appends a signature to any text.
fn signed_with(text: &str, secret: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    format!("{text}.{}", BASE64URL.encode(hmac::sign(&key, text.as_bytes())))
}

/// A validly signed token of this header and these claims, verbatim.
fn token_with(header: impl AsRef<[u8]>, claims: impl AsRef<[u8]>) -> String {
    signed_with(&format!("{}.{}", BASE64URL.encode(header), BASE64URL.encode(claims)), SECRET)
}

fn token(claims: &Value) -> String {
    token_with(HEADER, claims.to_string())
}

fn claims() -> Value {
    json!({ "sub": "user-1", "iat": now(), "exp": now() + 600, "iss": ISSUER, "aud": AUDIENCE })
}

/// The valid claims with some replaced; null removes one.
fn claims_with(changes: &Value) -> Value {
    let mut claims = claims();
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    claims
}

/// The valid claims without the closing brace, to append to.
fn open_claims() -> String {
    claims().to_string().strip_suffix('}').unwrap().to_owned()
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

fn expect(token: &str, expected: &str, name: impl std::fmt::Debug) {
    assert_eq!(code(&verifier(), token), expected, "{name:?}: {token}");
}

#[test]
fn what_we_sign_we_accept_from_every_secret_of_a_rotation() {
    let config = config(Some(ISSUER), Some(AUDIENCE));
    for secret in &config.secrets {
        expect(&sign(&Claims::new(&config, "user-1", 600), secret).unwrap(), "ok", "ours");
    }
    let stranger = SecretString::from("nobody-ever-configured-this-secret");
    let token = sign(&Claims::new(&config, "user-1", 600), &stranger).unwrap();
    expect(&token, "invalid_token", "a stranger's");
}

#[test]
fn a_token_signed_with_another_secret_is_refused() {
    let good = token(&claims());
    let (signed, _) = good.rsplit_once('.').unwrap();
    let newline = format!("{SECRET}\n");
    let default = "better-auth-secret-12345678901234567890";
    let public_key = "-----BEGIN PUBLIC KEY-----\nMFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAKj34GkxFhD90vcNLYLInFEX6Ppy1tPf\n-----END PUBLIC KEY-----\n";
    // The secret taken for Base64.
    let encoded = BASE64.encode(SECRET);
    for secret in ["", "secret", &SECRET[1..], &newline, default, public_key, &encoded] {
        expect(&signed_with(signed, secret), "invalid_token", secret);
    }
    // The public key taken for the HMAC secret.
    for algorithm in ["RS256", "ES256", "PS256", "EdDSA"] {
        let header = BASE64URL.encode(json!({ "alg": algorithm }).to_string());
        let text = format!("{header}.{}", BASE64URL.encode(claims().to_string()));
        expect(&signed_with(&text, public_key), "invalid_token", algorithm);
    }
}

#[test]
fn only_hs256_counts_whatever_the_header_says() {
    let claims = claims().to_string();
    for header in [
        r#"{"alg":"none"}"#,
        r#"{"alg":"None"}"#,
        r#"{"alg":"NONE"}"#,
        r#"{"alg":"nOnE"}"#,
        r#"{"alg":"none "}"#,
        r#"{"alg":"\u006eone"}"#,
        r#"{"alg":""}"#,
        r#"{"alg":"hs256"}"#,
        r#"{"alg":"HS256 "}"#,
        r#"{"alg":"HS256\u0000"}"#,
        r#"{"alg":"HS384"}"#,
        r#"{"alg":"HS512"}"#,
        r#"{"alg":"RS256"}"#,
        r#"{"alg":"ES256"}"#,
        r#"{"alg":"EdDSA"}"#,
        r#"{"alg":null}"#,
        r#"{"alg":0}"#,
        r#"{"alg":["HS256"]}"#,
        r#"{"alg":{"HS256":null}}"#,
        r#"{"typ":"JWT"}"#,
        r#"{"ALG":"HS256"}"#,
        r#"{"alg":"none","alg":"HS256"}"#,
        r#"{"alg":"HS256","alg":"none"}"#,
        r#"{"alg":"HS256","\u0061lg":"HS256"}"#,
        r#"{"alg":"dir","enc":"A256GCM"}"#,
        r#"{"alg":"PBES2-HS256+A128KW","p2c":2147483647}"#,
        r#""HS256""#,
        r#"["JWT","HS256"]"#,
        "[]",
        "null",
        "",
    ] {
        let unsigned = format!("{}.{}", BASE64URL.encode(header), BASE64URL.encode(&claims));
        let garbage = format!("{unsigned}.{}", BASE64URL.encode("x"));
        let empty = format!("{unsigned}.");
        for token in [&unsigned, &empty, &garbage, &signed_with(&unsigned, SECRET)] {
            expect(token, "invalid_token", header);
        }
    }
}

#[test]
fn a_header_is_plain_json_and_nothing_in_it_is_critical_or_believed() {
    let claims = claims().to_string();
    for good in [
        HEADER,
        " \r\n\t{ \"alg\" :\n\"HS256\" } ",
        r#"{"\u0061lg":"\u0048S256"}"#,
        r#"{"alg":"HS256","kid":"../../etc/passwd","jku":"https://evil.example"}"#,
        // A header field that is not critical may be ignored.
        r#"{"alg":"HS256","b64":true}"#,
    ] {
        expect(&token_with(good, &claims), "ok", good);
    }
    let deep = format!(r#"{{"alg":"HS256","x":{}{}}}"#, "[".repeat(2000), "]".repeat(2000));
    let utf16: Vec<u8> = HEADER.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for bad in [
        r#"{"alg":"HS256","typ":"at+jwt","x":1e400}"#.as_bytes(),
        r#"{"alg":"HS256","b64":false,"crit":["b64"]}"#.as_bytes(),
        r#"{"alg":"HS256","crit":["b64"],"b64":true}"#.as_bytes(),
        r#"{"alg":"HS256","crit":["exp"]}"#.as_bytes(),
        r#"{"alg":"HS256","crit":["alg"]}"#.as_bytes(),
        r#"{"alg":"HS256","crit":[]}"#.as_bytes(),
        r#"{"alg":"HS256","crit":"exp"}"#.as_bytes(),
        r#"{"alg":"HS256","crit":null}"#.as_bytes(),
        "\u{feff}{\"alg\":\"HS256\"}".as_bytes(),
        "{\"alg\":\"HS256\u{200b}\"}".as_bytes(),
        "{\"alg\":\"ＨＳ256\"}".as_bytes(),
        "\u{a0}{\"alg\":\"HS256\"}".as_bytes(),
        b"{\"alg\":\"HS256\",\"typ\":\"\xff\"}",
        b"{\"alg\":\"HS256\"}\0",
        b"{\"alg\":\"HS256\"}{}",
        b"{\"alg\":\"HS256\",}",
        b"{'alg':'HS256'}",
        b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03",
        &utf16,
        deep.as_bytes(),
    ] {
        expect(&token_with(bad, &claims), "invalid_token", String::from_utf8_lossy(bad));
    }
    // The token brings its own key, or a URL of one.
    let own_key = "a-key-that-the-attacker-knows-and-we-do-not-";
    for field in [
        json!({ "jwk": { "kty": "oct", "k": BASE64URL.encode(own_key) } }),
        json!({ "jku": "https://evil.example/jwks.json" }),
        json!({ "x5u": "https://evil.example/cert.pem" }),
        json!({ "kid": "../../../dev/null" }),
        json!({ "kid": "' OR 1=1 --" }),
    ] {
        let mut header = json!({ "alg": "HS256" });
        header.as_object_mut().unwrap().extend(field.as_object().unwrap().clone());
        let (header, claims) = (BASE64URL.encode(header.to_string()), BASE64URL.encode(&claims));
        for secret in [own_key, ""] {
            let token = signed_with(&format!("{header}.{claims}"), secret);
            expect(&token, "invalid_token", &field);
        }
    }
}

#[test]
fn a_part_has_one_spelling() {
    // Enough spaces that the last Base64 letter of the claims has unused bits.
    let claims = claims().to_string();
    let claims = format!("{claims}{}", " ".repeat((4 - claims.len() % 3) % 3));
    let (header, claims) = (BASE64URL.encode(r#"{"alg":"HS256" }"#), BASE64URL.encode(claims));
    assert_ne!((header.len() % 4, claims.len() % 4), (0, 0));
    // The next letter differs only in the unused bits.
    let spare = |part: &str| {
        let last = part.bytes().next_back().unwrap();
        format!("{}{}", &part[..part.len() - 1], char::from(last + 1))
    };
    let with_plus = r#"{"alg":"HS256","kid":"~~~???>>>"}"#;
    for (name, text) in [
        ("spare bits in the header", format!("{}.{claims}", spare(&header))),
        ("spare bits in the claims", format!("{header}.{}", spare(&claims))),
        ("padded header", format!("{}.{claims}", URL_SAFE.encode(r#"{"alg":"HS256" }"#))),
        ("padded claims", format!("{header}.{claims}=")),
        ("padded twice", format!("{header}.{claims}==")),
        ("plus and slash", format!("{}.{claims}", BASE64.encode(with_plus).replace('=', ""))),
        ("a blank", format!("{header} .{claims}")),
        ("a blank after the claims", format!("{header}.{claims} ")),
        ("a tab", format!("{header}.\t{claims}")),
        ("a part before", format!(".{header}.{claims}")),
        ("a part between", format!("{header}..{claims}")),
        ("a part after", format!("{header}.{claims}.")),
        ("no header", format!(".{claims}")),
        ("no claims", format!("{header}.")),
        ("claims alone", claims.clone()),
        ("nothing", ".".into()),
        ("not encoded", format!("{HEADER}.{}", self::claims())),
        ("percent", format!("{header}%2E{claims}")),
        ("escaped", format!("{header}.{}%3D", &claims[..claims.len() - 1])),
    ] {
        expect(&signed_with(&text, SECRET), "invalid_token", name);
    }
    let good = signed_with(&format!("{header}.{claims}"), SECRET);
    expect(&good, "ok", "with blanks at the end");
    let (signed, signature) = good.rsplit_once('.').unwrap();
    for more in ["=", "==", "A", ".", "..", "%", "\"", ";", "~", "\t.", &format!(".{signature}")] {
        expect(&format!("{good}{more}"), "invalid_token", more);
    }
    let standard = BASE64.encode([0xfb; 32]);
    for other in
        ["", "AA", &spare(signature), &signature.repeat(2), &signature.to_lowercase(), &standard]
    {
        expect(&format!("{signed}.{other}"), "invalid_token", other);
    }
    for (name, token) in [
        ("unsigned", signed.to_owned()),
        ("other claims", format!("{header}.{claims}a.{signature}")),
        ("empty claims", format!("{header}.{}.{signature}", BASE64URL.encode("{}"))),
        ("a list of claims", format!("{header}.{}.{signature}", BASE64URL.encode("[]"))),
        ("claims left out", format!("{header}..{signature}")),
        ("turned round", format!("{signature}.{claims}.{header}")),
        ("header and claims changed", format!("{claims}.{header}.{signature}")),
        ("one dot less", good.replacen('.', "", 1)),
        ("encoded again", BASE64URL.encode(&good)),
        ("in capitals", good.to_uppercase()),
        ("dots", "..".into()),
        ("a letter", "x".into()),
        ("letters", "a".repeat(5000)),
        ("null", "null".into()),
        ("undefined", "undefined".into()),
        ("an object", "[object Object]".into()),
        // What may follow `Bearer `.
        ("a comma after it", format!("{good},")),
        ("a comma before it", format!(",{good}")),
        ("two", format!("{good} {good}")),
        ("two and a comma", format!("{good},{good}")),
        ("two and a tab", format!("{good}\t{good}")),
        ("two headers", format!("{good}, Bearer {good}")),
        ("two headers without a blank", format!("{good},Bearer {good}")),
        ("Bearer twice", format!("Bearer {good}")),
        ("quoted", format!("\"{good}\"")),
        ("in brackets", format!("<{good}>")),
        ("a parameter", format!("token={good}")),
        ("parameters", format!("realm=\"x\", token=\"{good}\"")),
    ] {
        expect(&token, "invalid_token", name);
    }
}

#[test]
fn no_beginning_of_a_token_is_a_token() {
    let good = token(&claims());
    for length in 0..good.len() {
        expect(&good[..length], "invalid_token", length);
    }
}

#[test]
fn claims_are_checked_one_by_one() {
    let now = now();
    for (changes, expected) in [
        (json!({}), "ok"),
        (json!({ "iat": null }), "ok"),
        (json!({ "exp": now - 20 }), "ok"),
        (json!({ "nbf": now + 20, "iat": now + 20 }), "ok"),
        (json!({ "aud": ["other", AUDIENCE] }), "ok"),
        (json!({ "email": "someone@else.example" }), "ok"),
        (json!({ "exp": now - 31 }), "expired_token"),
        (json!({ "exp": 600 }), "expired_token"),
        (json!({ "exp": null }), "invalid_token"),
        (json!({ "nbf": now + 60 }), "invalid_token"),
        (json!({ "nbf": "soon" }), "invalid_token"),
        (json!({ "iat": now + 60 }), "invalid_token"),
        (json!({ "iat": {} }), "invalid_token"),
        (json!({ "sub": null }), "invalid_token"),
        (json!({ "sub": ["user-1"] }), "invalid_token"),
        (json!({ "aud": "other" }), "invalid_token"),
        (json!({ "aud": "task-api-2" }), "invalid_token"),
        (json!({ "aud": [] }), "invalid_token"),
        (json!({ "aud": ["a", "b"] }), "invalid_token"),
        (json!({ "aud": null }), "invalid_token"),
        (json!({ "aud": { "task-api": true } }), "invalid_token"),
        (json!({ "iss": "https://app.example/" }), "invalid_token"),
        (json!({ "iss": "http://app.example" }), "invalid_token"),
        (json!({ "iss": [ISSUER] }), "invalid_token"),
        (json!({ "iss": null }), "invalid_token"),
    ] {
        expect(&token(&claims_with(&changes)), expected, &changes);
    }
    // Not configured, so not checked.
    let unasked = token(&claims_with(&json!({ "aud": "elsewhere", "iss": "somebody" })));
    assert_eq!(code(&lenient(), &unasked), "ok");
}

#[test]
fn the_user_is_sub_and_nothing_else() {
    let mut changes = json!({ "sub": null, "user": { "id": "user-1" } });
    for claim in ["id", "userId", "user_id", "uid", "email", "name"] {
        changes[claim] = json!("user-1");
    }
    expect(&token(&claims_with(&changes)), "invalid_token", &changes);
    let open = open_claims().replace(r#""sub":"user-1""#, r#""x":0"#);
    for sub in [
        r#""""#,
        r#""\u0000""#,
        r#""a\u0000""#,
        r#""\ud800""#,
        "null",
        "1",
        "17",
        "true",
        "{}",
        "[]",
    ] {
        expect(&token_with(HEADER, format!(r#"{open},"sub":{sub}}}"#)), "invalid_token", sub);
    }
}

#[test]
fn a_time_is_a_number_of_seconds() {
    let far = now() + 3600;
    let with_time = |claim: &str, time: &str| {
        let claims = claims_with(&json!({ claim: "TIME" })).to_string();
        token_with(HEADER, claims.replace("\"TIME\"", time))
    };
    for (exp, expected) in [
        (format!("{far}.0"), "ok"),
        (format!("{far}e0"), "ok"),
        (format!("{far}0E-1"), "ok"),
        ("9999999999.5".into(), "ok"),
        ("9007199254740993".into(), "ok"),
        ("9223372036854775807".into(), "ok"),
        ("9223372036854775808".into(), "ok"),
        ("18446744073709551615".into(), "ok"),
        ("18446744073709551616".into(), "invalid_token"),
        ("1e308".into(), "invalid_token"),
        ("1e400".into(), "invalid_token"),
        (format!("1{}", "0".repeat(5000)), "invalid_token"),
        ("0".into(), "expired_token"),
        ("0.5".into(), "expired_token"),
        ("1e-400".into(), "expired_token"),
        ("1e9".into(), "expired_token"),
        ("-0".into(), "expired_token"),
        ("-0.5".into(), "invalid_token"),
        ("-1".into(), "invalid_token"),
        ("-9223372036854775808".into(), "invalid_token"),
        ("-1e308".into(), "invalid_token"),
        ("NaN".into(), "invalid_token"),
        ("Infinity".into(), "invalid_token"),
        ("null".into(), "invalid_token"),
        ("true".into(), "invalid_token"),
        ("\"\"".into(), "invalid_token"),
        (format!("\"{far}\""), "invalid_token"),
        (format!("[{far}]"), "invalid_token"),
        (format!("{{\"$numberLong\":\"{far}\"}}"), "invalid_token"),
        (format!("+{far}"), "invalid_token"),
        (format!("0{far}"), "invalid_token"),
        (format!("0x{far:x}"), "invalid_token"),
        (format!("{far}n"), "invalid_token"),
        (format!("{far}."), "invalid_token"),
    ] {
        expect(&with_time("exp", &exp), expected, &exp);
    }
    for (time, expected) in [
        ("0", "ok"),
        ("-0", "ok"),
        ("1.5", "ok"),
        ("1e-400", "ok"),
        ("1e308", "invalid_token"),
        ("1e400", "invalid_token"),
        ("18446744073709551616", "invalid_token"),
        ("\"0\"", "invalid_token"),
        ("null", "invalid_token"),
        ("false", "invalid_token"),
        ("[]", "invalid_token"),
        ("{}", "invalid_token"),
        ("NaN", "invalid_token"),
    ] {
        for claim in ["nbf", "iat"] {
            expect(&with_time(claim, time), expected, (claim, time));
        }
    }
}

#[test]
fn a_claim_is_there_once() {
    let (open, far) = (open_claims(), now() + 3600);
    for more in [
        r#""sub":"user-2""#,
        r#""s\u0075b":"user-2""#,
        r#""sub":"user-1""#,
        r#""sub":null"#,
        &format!(r#""exp":{far}"#),
        r#""exp":null"#,
        r#""iss":"https://app.example""#,
        r#""aud":["task-api"]"#,
        r#""iat":0"#,
        r#""nbf":0,"nbf":0"#,
    ] {
        expect(&token_with(HEADER, format!("{open},{more}}}")), "invalid_token", more);
    }
    // Not read, so not checked.
    for more in [
        r#""id":"user-2","id":"user-2","Sub":"user-2","sub ":"user-2""#,
        r#""__proto__":{"sub":"user-2"},"user":{"sub":"user-2"}"#,
    ] {
        expect(&token_with(HEADER, format!("{open},{more}}}")), "ok", more);
    }
}

#[test]
fn claims_are_one_json_object_of_text() {
    let (claims, open) = (claims().to_string(), open_claims());
    let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    for (name, claims) in [
        ("blanks around", format!("\r\n\t {claims} \n")),
        ("half a pair", format!(r#"{open},"sub2":"\ud800"}}"#)),
        ("depth 100", format!("{open},\"x\":{}}}", deep(100))),
        ("depth 3000", format!("{open},\"x\":{}}}", deep(3000))),
        ("a long claim", format!(r#"{open},"x":"{}"}}"#, "x".repeat(6000))),
        ("many claims", format!("{open}{}}}", r#","x":0"#.repeat(1000))),
    ] {
        expect(&token_with(HEADER, claims), "ok", name);
    }
    let far = now() + 3600;
    let list = json!([far, 0, "user-1", ISSUER, AUDIENCE]).to_string();
    let reversed = json!(["user-1", 0, 0, ISSUER, far, AUDIENCE]).to_string();
    let bad: [(&str, Vec<u8>); 14] = [
        ("a mark of byte order", format!("\u{feff}{claims}").into()),
        ("twice", format!("{claims}{claims}").into()),
        ("a zero at the end", format!("{claims}\0").into()),
        ("UTF-16", claims.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("a comment", format!("{claims}//").into()),
        ("not closed", open.clone().into()),
        ("nothing", Vec::new()),
        ("null", b"null".into()),
        ("a string", json!(claims).to_string().into()),
        ("a list", format!("[{claims}]").into()),
        ("a list of values", list.into()),
        ("another list of values", reversed.into()),
        ("no UTF-8", [open.as_bytes(), b",\"x\":\"\xff\"}"].concat()),
        ("a token in the token", token(&self::claims()).into()),
    ];
    for (name, claims) in bad {
        expect(&token_with(HEADER, claims), "invalid_token", name);
    }
    let nested = json!(token(&self::claims())).to_string();
    let token = token_with(r#"{"alg":"HS256","cty":"JWT"}"#, nested);
    expect(&token, "invalid_token", "a token in the token, as JSON");
}

/// Better Auth signs mail links and cookies with the same secret, some of them as HS256 JWTs.
#[test]
fn nothing_else_of_better_auths_is_a_token() {
    let (now, id) = (now(), "user-1");
    for claims in [
        json!({ "email": "a@b.example", "iat": now, "exp": now + 3600 }),
        json!({ "email": "a@b.example", "userId": id, "iat": now, "exp": now + 3600 }),
        json!({
            "email": "a@b.example", "updateTo": "c@d.example",
            "requestType": "change-email-verification", "iat": now, "exp": now + 3600,
        }),
        json!({
            "session": { "id": "s", "userId": id, "token": "t", "expiresAt": "2027-01-01T00:00:00.000Z" },
            "user": { "id": id, "email": "a@b.example", "sub": id },
            "updatedAt": now * 1000, "version": "1", "iat": now, "exp": now + 300,
            "iss": ISSUER, "aud": AUDIENCE,
        }),
        json!({ "id": id, "email": "a@b.example", "iss": ISSUER, "aud": AUDIENCE, "exp": now + 300 }),
    ] {
        for header in [HEADER, r#"{"alg":"HS256"}"#] {
            expect(&token_with(header, claims.to_string()), "invalid_token", &claims);
        }
    }
    let session = json!({ "session": { "userId": id } });
    let cached = json!({ "session": session, "expiresAt": now * 1000, "signature": "x" });
    let cached = BASE64URL.encode(cached.to_string());
    let encrypted = BASE64URL.encode(r#"{"alg":"dir","enc":"A256CBC-HS512"}"#);
    let session = "vI9gbY1W8vQ2C0J6mXo4dT5kE7rLhZsA";
    for (name, cookie) in [
        ("a session's token", session.to_owned()),
        ("its cookie", format!("{session}.{}", BASE64.encode([7; 32]))),
        ("its cookie, escaped", format!("{session}.{}%3D", BASE64URL.encode([7; 32]))),
        ("the cached session", cached.clone()),
        ("the cached session, signed", signed_with(&cached, SECRET)),
        ("the cached session, encrypted", format!("{encrypted}..aXY.Y2lwaGVy.dGFn")),
    ] {
        expect(&cookie, "invalid_token", name);
    }
}

#[test]
fn a_token_is_valid_for_no_longer_than_configured() {
    let day = 86_400;
    let verifier = Verifier::new(&AuthConfig { max_lifetime: Some(day), ..config(None, None) });
    let unlimited = lenient();
    let now = now();
    for (iat, exp, expected) in [
        (json!(now), json!(now + 600), "ok"),
        (json!(now), json!(now + day), "ok"),
        (json!(now - day + 60), json!(now + 60), "ok"),
        // Within the leeway.
        (json!(now + LEEWAY - 5), json!(now + LEEWAY - 5 + day), "ok"),
        (json!(now), json!(now + day + 1), "invalid_token"),
        (json!(now), json!(9_999_999_999_u64), "invalid_token"),
        (json!(now - day), json!(now + 60), "invalid_token"),
        (json!(null), json!(now + 600), "invalid_token"),
        // A false `iat`: long ago, before 1970, and just before a distant `exp`.
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
fn the_path_counts_raw_and_decoded_once() {
    let owner = |sub: &str, path: &str| {
        verifier().owner(&token(&claims_with(&json!({ "sub": sub }))), path)
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
        ("A/b", "a%2Fb"),
        ("a", ""),
        ("\u{fffd}", "%FF"),
        ("Ann", "ann"),
        ("ann ", "ann"),
        ("ann\t", "ann"),
        ("ann\u{200b}", "ann"),
        ("\u{430}nn", "ann"),
        ("ann%00", "ann"),
        ("ann/", "ann"),
        ("../ann", "ann"),
        ("*", "ann"),
        ("ann,bob", "ann"),
        ("u\u{308}", "%C3%BC"),
        ("fi", "%EF%AC%81"),
        ("01", "1"),
        ("1.0", "1"),
        ("True", "true"),
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
            prop_assert!(lenient().subject(&changed).is_err());
        }
    }

    #[test]
    fn no_text_is_a_token(text in arbitrary::like("\\PC{0,200}")) {
        prop_assert!(lenient().subject(&text).is_err());
    }

    #[test]
    fn no_signed_text_makes_it_panic(
        header in arbitrary::like("\\PC{0,50}"),
        claims in arbitrary::like("\\PC{0,200}"),
    ) {
        prop_assert!(lenient().subject(&token_with(&header, &claims)).is_err());
        let _ = lenient().subject(&token_with(r#"{"alg":"HS256"}"#, &claims));
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
        if let Ok(user) = lenient().subject(&token(&claims)) {
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
        let token = token_with(header.to_string(), claims().to_string());
        if lenient().subject(&token).is_ok() {
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
        let owner = lenient().owner(&token, &own).unwrap();
        prop_assert_eq!(owner.id(), user.as_str());
        let decoded = percent_decode_str(&path).decode_utf8_lossy().into_owned();
        if path != user && decoded != user {
            let error = lenient().owner(&token, &path).unwrap_err();
            prop_assert_eq!(error, AuthError::WrongUser);
        }
    }
}
