//! Rows about API Gateway between a browser and the functions.
use anyhow::{Context, Result};
use shared::encoded;
use ureq::http::{HeaderName, Request};

use super::client::{Client, SENT};
use super::operations::Operation;
use super::row::Responsible::{Platform, Product};
use super::row::{Actual, Row};

pub(super) fn rows(client: &Client, operations: &[Operation]) -> Vec<Row> {
    vec![
        Row {
            name: "no token".into(),
            expected: "401 missing_token",
            actual: no_token(client, operations),
            owner: Product,
            hint: "requests without a token must reach the functions: remove what answers before them",
        },
        Row {
            name: "preflight of a browser".into(),
            expected: "every method, every header",
            actual: preflight(client, operations),
            owner: Product,
            hint: "set AllowedOrigins in samconfig.toml to the frontend's origins; the rest is CorsConfiguration in template.yaml",
        },
        Row {
            name: "a user id with other characters".into(),
            expected: "2xx",
            actual: other_characters(client, operations),
            owner: Platform,
            hint: "say in docs/api.md#token that such ids are not served; Better Auth's are letters and digits",
        },
        Row {
            name: "answers that a browser can read".into(),
            expected: "all",
            actual: Ok(readable(client)),
            owner: Platform,
            hint: "a browser reports those without CORS headers as a network error, and so must the client",
        },
    ]
}

/// The request that reads a collection, with a token of `signer`.
fn list(client: &Client, operations: &[Operation], signer: &str) -> Result<Request<String>> {
    let list = operations.iter().find(|operation| operation.is_of_collection("GET"));
    let list = list.context("the document has no list")?;
    client.request(&list.function, signer, &client.user, "")
}

/// Also says what became of `WWW-Authenticate`, on which no client depends.
fn no_token(client: &Client, operations: &[Operation]) -> Result<Actual> {
    let mut request = list(client, operations, &client.user)?;
    request.headers_mut().remove("authorization");
    let answer = client.send(&request)?;
    let ends = |name: &&str| name.ends_with("www-authenticate");
    let header = answer.headers.keys().map(HeaderName::as_str).find(ends);
    let (text, header) = (answer.text(), header.unwrap_or("no www-authenticate"));
    Ok(Actual::of(format!("{text}, {header}"), text == "401 missing_token"))
}

fn preflight(client: &Client, operations: &[Operation]) -> Result<Actual> {
    let request = Request::options(list(client, operations, &client.user)?.uri())
        .header("access-control-request-method", "PUT")
        .header("access-control-request-headers", SENT.join(","));
    let answer = client.send(&request.body(String::new())?)?;
    let methods: Vec<&str> = operations.iter().map(|each| each.method.as_str()).collect();
    let allows = answer.header("access-control-allow-origin") == Some(&client.origin);
    let wrong = if !(200..300).contains(&answer.status) || !allows {
        format!("{}, which does not allow {}", answer.text(), client.origin)
    } else if !answer.lists("access-control-allow-methods", &methods) {
        "not every method".to_owned()
    } else if !answer.lists("access-control-allow-headers", &SENT) {
        "not every header".to_owned()
    } else {
        return Ok(Actual::Expected("every method, every header".to_owned()));
    };
    Ok(Actual::Other(wrong))
}

/// Lists as a user whose id is encoded in the path, so it must arrive as it is in the token.
fn other_characters(client: &Client, operations: &[Operation]) -> Result<Actual> {
    if !client.signs() {
        let why = "only the app can sign for such a user";
        return Ok(Actual::Unknown(why.to_owned()));
    }
    let strange = format!("{} ü?#%", client.user);
    let mut request = list(client, operations, &strange)?;
    let url = request.uri().to_string();
    *request.uri_mut() = url.replacen(&client.user, &encoded(&strange).to_string(), 1).parse()?;
    let answer = client.send(&request)?;
    Ok(Actual::of(answer.text(), answer.is_success()))
}

/// Which of the answers so far have the CORS headers that clients need.
fn readable(client: &Client) -> Actual {
    let seen = client.seen.borrow();
    let hidden = seen.iter().filter(|seen| !seen.readable);
    let mut hidden: Vec<String> = hidden.map(|seen| seen.status.to_string()).collect();
    hidden.sort_unstable();
    hidden.dedup();
    match hidden.as_slice() {
        [] => Actual::Expected(format!("all {}", seen.len())),
        hidden => Actual::Other(format!("not {}", hidden.join(", "))),
    }
}
