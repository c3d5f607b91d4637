//! Requests by the algorithm of their token.
use std::process::Command;

use anyhow::Result;
use hyper::body::Bytes;
use serde_json::json;
use tests::{JwtApp, Sandbox, Token, operation};
use tokio::task::spawn_blocking;

use crate::functions::{LIST, binary, in_environment};
use crate::warm::{ROUNDS, Warm};

const REQUESTS: usize = 1500;

/// Lists of a user without tasks, in one sandbox.
pub(crate) struct TokenResults {
    pub(crate) algorithm: &'static str,
    /// With a token of this algorithm.
    pub(crate) signed: Warm,
    /// With one under the shared secret.
    pub(crate) hs256: Warm,
}

pub(crate) async fn measure(database_url: &str) -> Result<Vec<TokenResults>> {
    println!("Tokens …");
    let mut results = Vec::new();
    for algorithm in ["EdDSA", "ES256", "RS256"] {
        let app = spawn_blocking(move || {
            let mut app = JwtApp::start(algorithm);
            let (keys, token) = (app.keys().to_string(), app.token());
            (app, keys, token)
        });
        let (app, keys, token) = app.await?;
        let mut command = in_environment(Command::new(binary(LIST)), LIST, database_url);
        command.env("JWT_JWKS_URL", app.keys_url()).env("JWT_JWKS", keys);
        command.env("JWT_ISSUER", &app.url).env("JWT_AUDIENCE", &app.url);
        let sandbox = Sandbox::start(command).await?;
        let hs256 = Token::of(&app.user).with("iss", json!(app.url)).with("aud", json!(app.url));
        let events = [token, hs256.sign()].map(|token| {
            let event = operation(LIST).example().event(&app.user, 0, &token).to_string();
            vec![Bytes::from(event); REQUESTS]
        });
        let (mut signed, mut hs256) = (Warm::default(), Warm::default());
        for _ in 0..ROUNDS {
            signed.measure(&sandbox, &events[0], 200).await?;
            hs256.measure(&sandbox, &events[1], 200).await?;
        }
        results.push(TokenResults { algorithm, signed, hs256 });
    }
    Ok(results)
}
