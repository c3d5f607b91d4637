//! The stage as a client sees it: requests of a throwaway user, and the answers.
use std::cell::RefCell;
use std::io::{IsTerminal, stdin};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use inquire::{Password, PasswordDisplayMode};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use shared::{AuthConfig, Claims};
use ureq::Agent;
use ureq::http::{HeaderMap, Method, Request};

use crate::event;
use crate::settings::{random_text, variable};

/// The headers that browsers may send: the template's `AllowHeaders`.
pub(super) const SENT: [&str; 5] =
    ["authorization", "content-type", "idempotency-key", "if-match", "if-none-match"];
/// The headers that a browser may read: the template's `ExposeHeaders`.
const EXPOSED: [&str; 6] =
    ["etag", "link", "location", "idempotent-replayed", "retry-after", "date"];
const TOKEN_SECONDS: u64 = 120;
/// The variable with the token of a throwaway user.
const TOKEN: &str = "CHECK_TOKEN";

pub(super) struct Client {
    agent: Agent,
    url: String,
    auth: AuthConfig,
    signer: Signer,
    /// A throwaway user's id, whose data is deleted at the end.
    pub(super) user: String,
    /// An origin that may call the API from a browser.
    pub(super) origin: String,
    /// The answers so far.
    pub(super) seen: RefCell<Vec<Seen>>,
}

/// Who signs the tokens.
enum Signer {
    /// The check itself, for any user.
    Secret(SecretString),
    /// The app, which gave a token of the one user.
    App(SecretString),
}

/// What later rows need to know of an answer.
pub(super) struct Seen {
    pub(super) status: u16,
    /// Whether a page of the origin may read it.
    pub(super) readable: bool,
}

pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    /// As JSON, else as text; null if there is none.
    pub(super) body: Value,
    pub(super) took: Duration,
}

impl Client {
    /// A client of a random user, or of the one whose token the operator gives, if only the app
    /// can sign.
    pub(super) fn new(url: &str, auth: AuthConfig, origin: String) -> Result<Self> {
        let (signer, user) = if let Some(secret) = auth.secrets.first() {
            (Signer::Secret(secret.clone()), format!("check-{}", random_text()?))
        } else {
            let token = throwaway_token()?;
            let user = subject(&token).context("the token is not a JWT with a `sub`")?;
            (Signer::App(token.into()), user)
        };
        let config = Agent::config_builder().http_status_as_error(false).max_redirects(0);
        let agent = config.timeout_global(Some(Duration::from_secs(30))).build().into();
        let url = url.trim_end_matches('/').to_owned();
        Ok(Self { agent, url, auth, signer, user, origin, seen: RefCell::default() })
    }

    /// Whether it can act as any user.
    pub(super) fn signs(&self) -> bool {
        matches!(self.signer, Signer::Secret(_))
    }

    /// The user's name in the logs.
    pub(super) fn log_name(&self) -> Result<String> {
        let key = self.auth.log_keys().next();
        Ok(shared::log_name(key.context("the stage has no LOG_KEY: run prepare")?, &self.user))
    }

    fn token(&self, user: &str) -> Result<String> {
        match &self.signer {
            Signer::Secret(secret) => {
                Ok(shared::sign(&Claims::new(&self.auth, user, TOKEN_SECONDS), secret)?)
            }
            Signer::App(token) => {
                ensure!(user == self.user, "only the app can sign for another user");
                Ok(token.expose_secret().to_owned())
            }
        }
    }

    /// A function's request with the document's examples, for the path of `user` and an item, with
    /// a token of `signer`.
    pub(super) fn request(
        &self,
        function: &str,
        signer: &str,
        user: &str,
        item: &str,
    ) -> Result<Request<String>> {
        let token = self.token(signer)?;
        let event = event::filled(function, user, item, &format!("Bearer {token}"))?;
        let text = |at: &str| event.pointer(at).and_then(Value::as_str).unwrap_or_default();
        let url = format!("{}{}?{}", self.url, text("/rawPath"), text("/rawQueryString"));
        let mut request = Request::builder().uri(url.trim_end_matches('?'));
        for name in SENT {
            let value = text(&format!("/headers/{name}"));
            if !value.is_empty() {
                request = request.header(name, value);
            }
        }
        Ok(request.method(event::route(&event)?.0).body(text("/body").to_owned())?)
    }

    /// Sends a request as a browser with a page of the origin does.
    pub(super) fn send(&self, request: &Request<String>) -> Result<Answer> {
        let mut pause = 1;
        loop {
            let answer = self.send_once(request)?;
            // The throttle is shared with all users: a refused request waits and tries again, as
            // clients do.
            if answer.status != 429 || pause == 4 {
                self.seen.borrow_mut().push(Seen {
                    status: answer.status,
                    // No page reads a preflight.
                    readable: request.method() == Method::OPTIONS
                        || answer.is_readable(&self.origin),
                });
                return Ok(answer);
            }
            sleep(Duration::from_secs(pause));
            pause += 1;
        }
    }

    fn send_once(&self, request: &Request<String>) -> Result<Answer> {
        let mut sent = request.clone();
        sent.headers_mut().insert("origin", self.origin.parse()?);
        let started = Instant::now();
        let response = match request.body().as_str() {
            "" => self.agent.run(sent.map(|_| ())),
            _ => self.agent.run(sent),
        };
        let mut response =
            response.with_context(|| format!("{} {}", request.method(), request.uri()))?;
        let text = response.body_mut().read_to_vec()?;
        let text = String::from_utf8_lossy(&text).into_owned();
        let body = if text.is_empty() {
            Value::Null
        } else {
            serde_json::from_str(&text).unwrap_or(Value::String(text))
        };
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok(Answer { status, headers, body, took: started.elapsed() })
    }
}

/// A token of the app for a throwaway user, from the environment or the operator.
fn throwaway_token() -> Result<String> {
    if let Some(token) = variable(TOKEN) {
        return Ok(token);
    }
    let without = format!("only the app can sign: put the token of a throwaway user into {TOKEN}");
    ensure!(stdin().is_terminal(), without);
    let question = "A token of a throwaway user, whose data is erased (authClient.token()):";
    let prompt = Password::new(question).without_confirmation();
    Ok(prompt.with_display_mode(PasswordDisplayMode::Hidden).prompt()?.trim().to_owned())
}

/// The user of a token, unverified.
fn subject(token: &str) -> Option<String> {
    let claims = BASE64URL.decode(token.split('.').nth(1)?).ok()?;
    let claims: Value = serde_json::from_slice(&claims).ok()?;
    Some(claims.get("sub")?.as_str()?.to_owned())
}

impl Answer {
    /// Whether it succeeded, with JSON or without a body.
    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status) && !self.body.is_string()
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Whether a header that lists words has all of these.
    pub(super) fn lists(&self, header: &str, words: &[&str]) -> bool {
        let given = self.header(header).unwrap_or_default().to_ascii_lowercase();
        let given: Vec<&str> = given.split(',').map(str::trim).collect();
        words.iter().all(|word| given.contains(&word.to_ascii_lowercase().as_str()))
    }

    /// Whether a page of `origin` may read it, and the headers that clients need.
    fn is_readable(&self, origin: &str) -> bool {
        self.header("access-control-allow-origin") == Some(origin)
            && self.lists("access-control-expose-headers", &EXPOSED)
    }

    /// The status, and for a failure its source: the function with its code, or the gateway.
    pub(super) fn text(&self) -> String {
        let status = self.status;
        let problem = self.header("content-type") == Some("application/problem+json");
        match self.body.get("code").and_then(Value::as_str).filter(|_| problem) {
            Some(code) => format!("{status} {code}"),
            None if status >= 400 => format!("{status} of the gateway"),
            None => status.to_string(),
        }
    }
}
