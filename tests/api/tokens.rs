//! Hostile tokens, most of them signed with the right secret: each gets its 401, and no answer quotes it.
use base64::Engine;
use base64::engine::general_purpose::{STANDARD as BASE64, URL_SAFE, URL_SAFE_NO_PAD as BASE64URL};
use serde_json::json;
use tests::{AUDIENCE, ISSUER, Reply, SECRET, Token, User, now, request, sign, stack};

const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

/// Lists the user's tasks with these `Authorization` headers.
fn list_with(user: &User, authorization: &[&str]) -> Reply {
    let headers: Vec<_> = authorization.iter().map(|value| ("authorization", *value)).collect();
    let url = format!("{}{}", stack().gateway.url, user.tasks());
    request("GET", &url, &headers, "")
}

/// Holds the answer to what is expected: `ok`, or the code of a failure.
fn expect(user: &User, authorization: &str, expected: &str, name: &str) {
    let reply = list_with(user, &[authorization]);
    let (status, challenge) = match expected {
        "ok" => (200, ""),
        "wrong_user" => (403, ""),
        "missing_token" => (401, "Bearer"),
        _ => (401, "Bearer error=\"invalid_token\""),
    };
    let code = reply.body["code"].as_str().unwrap_or("ok");
    assert_eq!((reply.status, code), (status, expected), "{name}: {authorization}");
    assert_eq!(reply.header("www-authenticate"), challenge, "{name}");
    let answer = format!("{} {:?}", reply.body, reply.headers);
    for part in authorization.split([' ', '.', ',']).filter(|part| part.len() > 10) {
        assert!(!answer.contains(part), "{name}: {answer}");
    }
}

/// A header and claims, each as they are, with a signature that is valid.
fn signed(header: impl AsRef<[u8]>, claims: impl AsRef<[u8]>) -> String {
    sign(&format!("{}.{}", BASE64URL.encode(header), BASE64URL.encode(claims)), SECRET)
}

/// The claims of a good token, less the brace at their end, for more.
fn open_claims(user: &User) -> String {
    let claims = Token::of(&user.id).claims.to_string();
    claims.strip_suffix('}').unwrap().to_owned()
}

/// Claims that would do, with a time in whatever form.
fn claims_with_time(user: &User, claim: &str, time: &str) -> String {
    let claims = Token::of(&user.id).with(claim, json!("TIME")).claims.to_string();
    claims.replace("\"TIME\"", time)
}

#[test]
fn no_header_makes_another_algorithm_count() {
    let user = User::new();
    let claims = Token::of(&user.id).claims.to_string();
    let public_key = "-----BEGIN PUBLIC KEY-----\nMFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAKj34GkxFhD90vcNLYLInFEX6Ppy1tPf\n-----END PUBLIC KEY-----\n";
    for header in [
        r#"{"alg":"none"}"#,
        r#"{"alg":"NONE"}"#,
        r#"{"alg":"nOnE"}"#,
        r#"{"alg":"none "}"#,
        r#"{"alg":"\u006eone"}"#,
        r#"{"alg":""}"#,
        r#"{"alg":"HS256\u0000"}"#,
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
        "null",
        "",
    ] {
        let unsigned = format!("{}.{}", BASE64URL.encode(header), BASE64URL.encode(&claims));
        for token in [unsigned.clone(), format!("{unsigned}."), sign(&unsigned, SECRET)] {
            expect(&user, &format!("Bearer {token}"), "invalid_token", header);
        }
    }
    // Who takes the public key for the secret.
    for algorithm in ["RS256", "ES256", "PS256", "EdDSA", "HS256"] {
        let token = Token::of(&user.id).header(&json!({ "alg": algorithm }).to_string());
        let token = token.secret(public_key).sign();
        expect(&user, &format!("Bearer {token}"), "invalid_token", algorithm);
    }
}

#[test]
fn a_header_is_plain_json_and_nothing_in_it_is_critical() {
    let user = User::new();
    let claims = Token::of(&user.id).claims.to_string();
    let deep = format!(r#"{{"alg":"HS256","x":{}{}}}"#, "[".repeat(2000), "]".repeat(2000));
    let utf16: Vec<u8> = HEADER.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (header, expected) in [
        (" \r\n\t{ \"alg\" :\n\"HS256\" } ".as_bytes(), "ok"),
        (r#"{"\u0061lg":"\u0048S256"}"#.as_bytes(), "ok"),
        (r#"{"alg":"HS256","typ":"at+jwt","x":1e400}"#.as_bytes(), "invalid_token"),
        // What is not critical may be passed over.
        (r#"{"alg":"HS256","b64":true}"#.as_bytes(), "ok"),
        (r#"{"alg":"HS256","crit":["b64"],"b64":true}"#.as_bytes(), "invalid_token"),
        (r#"{"alg":"HS256","crit":["b64"],"b64":false}"#.as_bytes(), "invalid_token"),
        (r#"{"alg":"HS256","crit":["alg"]}"#.as_bytes(), "invalid_token"),
        (r#"{"alg":"HS256","crit":[]}"#.as_bytes(), "invalid_token"),
        (r#"{"alg":"HS256","crit":"exp"}"#.as_bytes(), "invalid_token"),
        (r#"{"alg":"HS256","crit":null}"#.as_bytes(), "invalid_token"),
        ("\u{feff}{\"alg\":\"HS256\"}".as_bytes(), "invalid_token"),
        ("{\"alg\":\"HS256\u{200b}\"}".as_bytes(), "invalid_token"),
        ("{\"alg\":\"ＨＳ256\"}".as_bytes(), "invalid_token"),
        ("\u{a0}{\"alg\":\"HS256\"}".as_bytes(), "invalid_token"),
        (b"{\"alg\":\"HS256\",\"typ\":\"\xff\"}", "invalid_token"),
        (b"{\"alg\":\"HS256\"}\0", "invalid_token"),
        (b"{\"alg\":\"HS256\"}{}", "invalid_token"),
        (b"{\"alg\":\"HS256\",}", "invalid_token"),
        (b"{'alg':'HS256'}", "invalid_token"),
        (b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03", "invalid_token"),
        (&utf16, "invalid_token"),
        (deep.as_bytes(), "invalid_token"),
    ] {
        let name = String::from_utf8_lossy(header);
        expect(&user, &format!("Bearer {}", signed(header, &claims)), expected, &name);
    }
}

#[test]
fn a_part_has_one_spelling() {
    let user = User::new();
    // So many spaces that the last letter of the claims has bits to spare.
    let claims = Token::of(&user.id).claims.to_string();
    let claims = format!("{claims}{}", " ".repeat((4 - claims.len() % 3) % 3));
    let (header, claims) = (BASE64URL.encode(r#"{"alg":"HS256" }"#), BASE64URL.encode(claims));
    assert_ne!((header.len() % 4, claims.len() % 4), (0, 0));
    // The next letter differs in the spare bits alone.
    let spare = |part: &str| {
        let last = part.bytes().next_back().unwrap();
        format!("{}{}", &part[..part.len() - 1], char::from(last + 1))
    };
    let whole = signed(HEADER, Token::of(&user.id).claims.to_string());
    expect(&user, &format!("Bearer {whole}"), "ok", "canonical");
    let with_plus = r#"{"alg":"HS256","kid":"~~~???>>>"}"#;
    for (name, text) in [
        ("spare bits in the header", format!("{}.{claims}", spare(&header))),
        ("spare bits in the claims", format!("{header}.{}", spare(&claims))),
        ("padded header", format!("{}.{claims}", URL_SAFE.encode(r#"{"alg":"HS256" }"#))),
        ("padded claims", format!("{header}.{claims}=")),
        ("padded twice", format!("{header}.{claims}==")),
        ("plus and slash", format!("{}.{claims}", BASE64.encode(with_plus).replace('=', ""))),
        ("a blank", format!("{header} .{claims}")),
        ("a tab", format!("{header}.\t{claims}")),
        ("a part before", format!(".{header}.{claims}")),
        ("a part between", format!("{header}..{claims}")),
        ("a part after", format!("{header}.{claims}.")),
        ("no header", format!(".{claims}")),
        ("no claims", format!("{header}.")),
        ("claims alone", claims.clone()),
        ("nothing", ".".into()),
        ("not encoded", format!("{HEADER}.{}", Token::of(&user.id).claims)),
        ("percent", format!("{header}%2E{claims}")),
        ("escaped", format!("{header}.{}%3D", &claims[..claims.len() - 1])),
    ] {
        expect(&user, &format!("Bearer {}", sign(&text, SECRET)), "invalid_token", name);
    }
    let good = sign(&format!("{header}.{claims}"), SECRET);
    expect(&user, &format!("Bearer {good}"), "ok", "with blanks at the end");
    for name in ["=", "A", ".", "..", "%", "\"", ";", "~", "\t."] {
        expect(&user, &format!("Bearer {good}{name}"), "invalid_token", name);
    }
    let (_, signature) = good.rsplit_once('.').unwrap();
    for name in ["", "AA", &spare(signature), &signature.repeat(2), &signature.to_lowercase()] {
        expect(&user, &format!("Bearer {header}.{claims}.{name}"), "invalid_token", name);
    }
}

#[test]
fn no_beginning_of_a_token_is_a_token() {
    let user = User::new();
    let good = Token::of(&user.id).sign();
    for length in 1..good.len() {
        let name = format!("{length} of {}", good.len());
        expect(&user, &format!("Bearer {}", &good[..length]), "invalid_token", &name);
    }
}

#[test]
fn a_time_is_a_number_of_seconds() {
    let user = User::new();
    let far = now() + 3600;
    for (exp, expected) in [
        (format!("{far}.0"), "ok"),
        (format!("{far}e0"), "ok"),
        (format!("{far}0E-1"), "ok"),
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
        let token = signed(HEADER, claims_with_time(&user, "exp", &exp));
        expect(&user, &format!("Bearer {token}"), expected, &exp);
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
            let token = signed(HEADER, claims_with_time(&user, claim, time));
            expect(&user, &format!("Bearer {token}"), expected, &format!("{claim} {time}"));
        }
    }
}

#[test]
fn a_claim_is_there_once() {
    let (user, other) = (User::new(), User::new());
    let open = open_claims(&user);
    let (far, id) = (now() + 3600, &other.id);
    for (more, expected) in [
        (format!(r#","sub":"{id}""#), "invalid_token"),
        (format!(r#","s\u0075b":"{id}""#), "invalid_token"),
        (format!(r#","sub":"{}""#, user.id), "invalid_token"),
        (r#","sub":null"#.into(), "invalid_token"),
        (format!(r#","exp":{far}"#), "invalid_token"),
        (r#","exp":null"#.into(), "invalid_token"),
        (format!(r#","iss":"{ISSUER}""#), "invalid_token"),
        (format!(r#","aud":["{AUDIENCE}"]"#), "invalid_token"),
        (r#","iat":0"#.into(), "invalid_token"),
        (r#","nbf":0,"nbf":0"#.into(), "invalid_token"),
        // Not read, so not looked at.
        (format!(r#","id":"{id}","id":"{id}","Sub":"{id}","sub ":"{id}""#), "ok"),
        (format!(r#","__proto__":{{"sub":"{id}"}},"user":{{"sub":"{id}"}}"#), "ok"),
    ] {
        let token = signed(HEADER, format!("{open}{more}}}"));
        expect(&user, &format!("Bearer {token}"), expected, &more);
        if expected != "ok" {
            expect(&other, &format!("Bearer {token}"), expected, &more);
        }
    }
}

#[test]
fn claims_are_one_json_object_of_text() {
    let user = User::new();
    let (claims, open) = (Token::of(&user.id).claims.to_string(), open_claims(&user));
    let far = now() + 3600;
    let list = json!([far, 0, user.id, ISSUER, AUDIENCE]).to_string();
    let reversed = json!([user.id, 0, 0, ISSUER, far, AUDIENCE]).to_string();
    let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let cases: [(&str, Vec<u8>, &str); 20] = [
        ("blanks around", format!("\r\n\t {claims} \n").into(), "ok"),
        ("a mark of byte order", format!("\u{feff}{claims}").into(), "invalid_token"),
        ("twice", format!("{claims}{claims}").into(), "invalid_token"),
        ("a zero at the end", format!("{claims}\0").into(), "invalid_token"),
        ("UTF-16", claims.encode_utf16().flat_map(u16::to_le_bytes).collect(), "invalid_token"),
        ("a comment", format!("{claims}//").into(), "invalid_token"),
        ("not closed", open.clone().into(), "invalid_token"),
        ("nothing", Vec::new(), "invalid_token"),
        ("null", b"null".into(), "invalid_token"),
        ("a string", json!(claims).to_string().into(), "invalid_token"),
        ("a list", format!("[{claims}]").into(), "invalid_token"),
        ("a list of values", list.into(), "invalid_token"),
        ("another list of values", reversed.into(), "invalid_token"),
        ("no UTF-8", [open.as_bytes(), b",\"x\":\"\xff\"}"].concat(), "invalid_token"),
        ("half a pair", format!(r#"{open},"sub2":"\ud800"}}"#).into(), "ok"),
        ("depth 100", format!("{open},\"x\":{}}}", deep(100)).into(), "ok"),
        ("depth 3000", format!("{open},\"x\":{}}}", deep(3000)).into(), "ok"),
        ("a long claim", format!(r#"{open},"x":"{}"}}"#, "x".repeat(6000)).into(), "ok"),
        ("many claims", format!("{open}{}}}", r#","x":0"#.repeat(1000)).into(), "ok"),
        ("a token in the token", Token::of(&user.id).sign().into(), "invalid_token"),
    ];
    for (name, claims, expected) in cases {
        expect(&user, &format!("Bearer {}", signed(HEADER, claims)), expected, name);
    }
    let nested = json!(Token::of(&user.id).sign()).to_string();
    let token = signed(r#"{"alg":"HS256","cty":"JWT"}"#, nested);
    expect(&user, &format!("Bearer {token}"), "invalid_token", "a token in the token, as JSON");
}

#[test]
fn a_user_is_who_is_spelt_the_same() {
    for (path, sub) in [
        ("ann", "Ann"),
        ("ann", "ann "),
        ("ann", "ann\t"),
        ("ann", "ann\u{200b}"),
        ("ann", "аnn"),
        ("ann", "ann%00"),
        ("ann", "ann/"),
        ("ann", "../ann"),
        ("ann", "*"),
        ("ann", "ann,bob"),
        ("%C3%BC", "u\u{308}"),
        ("%EF%AC%81", "fi"),
        ("1", "01"),
        ("1", "1.0"),
        ("true", "True"),
    ] {
        let user = User::with_id(stack(), path);
        let token = Token::of(sub).sign();
        expect(&user, &format!("Bearer {token}"), "wrong_user", sub);
    }
    let user = User::new();
    let open = open_claims(&user).replace(&format!(r#""sub":"{}""#, user.id), r#""x":0"#);
    for sub in [r#""""#, r#""\u0000""#, r#""a\u0000""#, r#""\ud800""#, "1", "true", "{}", "[]"] {
        let token = signed(HEADER, format!(r#"{open},"sub":{sub}}}"#));
        expect(&user, &format!("Bearer {token}"), "invalid_token", sub);
    }
}

#[test]
fn a_token_comes_after_bearer_and_a_blank() {
    let user = User::new();
    let good = Token::of(&user.id).sign();
    for (authorization, expected) in [
        (format!("Bearer {good}"), "ok"),
        (format!("bEARER  {good} "), "ok"),
        (format!("Bearer {good}\t"), "ok"),
        (good.clone(), "missing_token"),
        (format!("Bearer\t{good}"), "missing_token"),
        (format!("Bearer:{good}"), "missing_token"),
        (format!("Bearer={good}"), "missing_token"),
        (format!("Bearer{good}"), "missing_token"),
        (format!("Bearer: {good}"), "missing_token"),
        (format!("Bearer, {good}"), "missing_token"),
        (format!("Token {good}"), "missing_token"),
        (format!("JWT {good}"), "missing_token"),
        (format!("DPoP {good}"), "missing_token"),
        (format!("Basic {}", BASE64.encode(format!("user:{good}"))), "missing_token"),
        (format!("Basic dTpw, Bearer {good}"), "missing_token"),
        ("Bearer".into(), "missing_token"),
        ("Bearer \t".into(), "missing_token"),
        (",".into(), "missing_token"),
        ("\t".into(), "missing_token"),
        (format!("Bearer {good},"), "invalid_token"),
        (format!("Bearer ,{good}"), "invalid_token"),
        (format!("Bearer {good}, Bearer {good}"), "invalid_token"),
        (format!("Bearer {good},Bearer {good}"), "invalid_token"),
        (format!("Bearer {good} {good}"), "invalid_token"),
        (format!("Bearer {good}\t{good}"), "invalid_token"),
        (format!("Bearer Bearer {good}"), "invalid_token"),
        (format!("Bearer \"{good}\""), "invalid_token"),
        (format!("Bearer <{good}>"), "invalid_token"),
        (format!("Bearer token={good}"), "invalid_token"),
        (format!("Bearer realm=\"x\", token=\"{good}\""), "invalid_token"),
        ("Bearer null".into(), "invalid_token"),
        ("Bearer undefined".into(), "invalid_token"),
        ("Bearer [object Object]".into(), "invalid_token"),
    ] {
        expect(&user, &authorization, expected, &authorization);
    }
    // What a gateway makes of two headers is its own affair, as long as the bad one first does not come in.
    for bad in ["Bearer x.y.z", "Basic dTpw", "Bearer"] {
        assert_eq!(list_with(&user, &[bad, &format!("Bearer {good}")]).status, 401, "{bad}");
    }
}

#[test]
fn a_token_may_be_as_long_as_a_header() {
    let user = User::new();
    // API Gateway has 10,240 bytes for all headers together; the local one has more.
    for size in [4_000, 7_000, 45_000] {
        let token = Token::of(&user.id).with("x", json!("x".repeat(size)));
        expect(&user, &format!("Bearer {}", token.sign()), "ok", "long");
        let unknown = token.clone().secret("nobody-ever-configured-this-secret").sign();
        expect(&user, &format!("Bearer {unknown}"), "invalid_token", "long, of another");
        for filler in ["a", ".", "=", "%", "A.A."] {
            let token = filler.repeat(size / filler.len());
            expect(&user, &format!("Bearer {token}"), "invalid_token", filler);
        }
    }
}

/// Better Auth signs more than sessions with the secret, and its cookies have other forms.
#[test]
fn nothing_else_of_better_auths_is_a_token() {
    let user = User::new();
    let (now, id) = (now(), &user.id);
    for claims in [
        json!({ "email": "a@b.example", "iat": now, "exp": now + 3600 }),
        json!({ "email": "a@b.example", "userId": id, "iat": now, "exp": now + 3600 }),
        json!({
            "email": "a@b.example", "updateTo": "c@d.example",
            "requestType": "change-email-verification", "iat": now, "exp": now + 3600,
        }),
        json!({
            "session": { "id": "s", "userId": id, "token": "t" }, "user": { "id": id, "sub": id },
            "updatedAt": now * 1000, "version": "1", "iat": now, "exp": now + 300,
            "iss": ISSUER, "aud": AUDIENCE,
        }),
        json!({ "id": id, "email": "a@b.example", "iss": ISSUER, "aud": AUDIENCE, "exp": now + 300 }),
    ] {
        for header in [HEADER, r#"{"alg":"HS256"}"#] {
            let token = signed(header, claims.to_string());
            expect(&user, &format!("Bearer {token}"), "invalid_token", &claims.to_string());
        }
    }
    let session = json!({ "session": { "userId": id } });
    let cached = json!({ "session": session, "expiresAt": now * 1000, "signature": "x" });
    for cookie in [
        // A session's token, and the cookie with its signature.
        "vI9gbY1W8vQ2C0J6mXo4dT5kE7rLhZsA".to_owned(),
        format!("vI9gbY1W8vQ2C0J6mXo4dT5kE7rLhZsA.{}", BASE64.encode([7; 32])),
        format!("vI9gbY1W8vQ2C0J6mXo4dT5kE7rLhZsA.{}%3D", BASE64URL.encode([7; 32])),
        // The cached session, compact and encrypted.
        BASE64URL.encode(cached.to_string()),
        sign(&BASE64URL.encode(cached.to_string()), SECRET),
        format!(
            "{}..aXY.Y2lwaGVy.dGFn",
            BASE64URL.encode(r#"{"alg":"dir","enc":"A256CBC-HS512"}"#)
        ),
    ] {
        expect(&user, &format!("Bearer {cookie}"), "invalid_token", &cookie);
    }
}
