//! Authentication: from a bearer token to an [`Owner`].
mod algorithms;
mod claims;
mod clock;
mod error;
#[cfg(test)]
mod signing;
mod verifier;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::{Mutex as FetchMutex, watch};

pub use self::claims::{Claims, sign};
pub(crate) use self::error::AuthError;
pub use self::verifier::Owner;
use self::verifier::Verifier;
use crate::keys::{KeySet, KeysUrl, fetch_keys};
use crate::settings::{Config, REFUSED_AGE, Settings};
use crate::telemetry;

/// How far apart fetches of the app's keys are, whether they succeed or not.
const FETCH_INTERVAL: Duration = Duration::from_secs(10);

/// Authenticates requests with the current settings.
pub(crate) struct Authenticator {
    settings: Arc<Settings>,
    current: Mutex<Current>,
    /// When the app's keys were last fetched, by the wall clock; locked during a fetch.
    fetch: FetchMutex<SystemTime>,
}

struct Current {
    config: watch::Receiver<Arc<Config>>,
    fetched: Option<Fetched>,
    verifier: Arc<Verifier>,
}

/// The keys that the app published at `url` when they were fetched.
struct Fetched {
    keys: Arc<KeySet>,
    url: KeysUrl,
    at: SystemTime,
}

impl Authenticator {
    pub(crate) fn new(settings: Arc<Settings>) -> Self {
        let mut config = settings.watch();
        let verifier = Arc::new(Verifier::new(&config.borrow_and_update().auth, None));
        let current = Mutex::new(Current { config, fetched: None, verifier });
        Self { settings, current, fetch: FetchMutex::new(SystemTime::UNIX_EPOCH) }
    }

    /// The owner of a request with this bearer token: the token's user, who must equal the path's.
    /// If no known secret signed the token, the settings are refreshed, since a new secret may
    /// have; if it names an unknown key, the app's keys are fetched.
    pub(crate) async fn owner(&self, token: &str, path_user: &str) -> Result<Owner, AuthError> {
        self.settings.keep_fresh().await;
        match self.verifier().owner(token, path_user) {
            Err(AuthError::UnknownSecret) => self.settings.refresh(REFUSED_AGE).await,
            // Boxed, since each request would otherwise carry its 19 KB.
            Err(AuthError::UnknownKey | AuthError::NoKeys) => Box::pin(self.fetch_keys()).await,
            verified => return verified,
        }
        self.verifier().owner(token, path_user)
    }

    /// One fetch for all requests that wait for one.
    async fn fetch_keys(&self) {
        let started = Instant::now();
        let mut last = self.fetch.lock().await;
        // After the clock was set back, the age of the last one is unknown.
        if last.elapsed().is_ok_and(|age| age < FETCH_INTERVAL) {
            return telemetry::keys(started);
        }
        let at = SystemTime::now();
        *last = at;
        let url = self.current().config.borrow().auth.public_keys.as_ref().map(|k| k.url.clone());
        let Some(url) = url else { return };
        match fetch_keys(&url).await {
            Ok(keys) => self.current().replace(Some(Fetched { keys: Arc::new(keys), url, at })),
            Err(reason) => {
                let reason = reason.to_string();
                tracing::warn!(reason, "the app's keys could not be fetched");
            }
        }
        telemetry::keys(started);
    }

    fn verifier(&self) -> Arc<Verifier> {
        let mut current = self.current();
        if current.config.has_changed().unwrap_or_default() {
            // With the settings come the keys that are stored now. The others are fetched again
            // when one is asked for, which the next request may do.
            let fetched = current.fetched.take();
            let recent =
                |fetched: &Fetched| fetched.at.elapsed().is_ok_and(|age| age < FETCH_INTERVAL);
            current.replace(fetched.filter(recent));
        }
        current.verifier.clone()
    }

    fn current(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Current {
    /// Uses these fetched keys, and the current settings, from now on.
    fn replace(&mut self, fetched: Option<Fetched>) {
        let config = self.config.borrow_and_update().clone();
        let url = config.auth.public_keys.as_ref().map(|keys| &keys.url);
        self.fetched = fetched.filter(|fetched| Some(&fetched.url) == url);
        let keys = self.fetched.as_ref().map(|fetched| fetched.keys.clone());
        self.verifier = Arc::new(Verifier::new(&config.auth, keys));
    }
}

#[cfg(test)]
mod tests {
    use super::signing::Key;
    use super::*;
    use crate::settings::Use;
    use crate::telemetry::observe;
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
    use futures_util::future::{BoxFuture, join_all};
    use secrecy::SecretString;
    use serde_json::{Value, json};
    use std::sync::atomic::{AtomicUsize, Ordering};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use tokio::time::sleep;

    const OLD: &str = "the-secret-before-it-with-32-bytes-or-more!";
    const NEW: &str = "a-secret-of-this-test-with-32-bytes-or-more";

    fn config(settings: &[(&str, &str)]) -> Config {
        let config = Config::parse(Use::Local, |name| {
            let all = [("DATABASE_URL", "postgres://127.0.0.1:1/none")];
            let mut all = all.iter().chain(settings);
            all.find(|(given, _)| *given == name).map(|(_, value)| (*value).to_owned())
        });
        config.unwrap()
    }

    fn secrets(secrets: &str) -> Config {
        config(&[("BETTER_AUTH_SECRETS", secrets)])
    }

    #[tokio::test]
    async fn a_new_secret_is_known_from_its_first_token_on_and_a_withdrawn_one_no_more() {
        let rotated =
            || -> BoxFuture<'static, _> { Box::pin(async { Ok(secrets(&format!("2:{NEW}"))) }) };
        let settings = Settings::new(secrets(&format!("1:{OLD}")), Some(Box::new(rotated)));
        let authenticator = Authenticator::new(Arc::new(settings));
        let token = |secret: &str| {
            let config = secrets(&format!("1:{secret}"));
            sign(&Claims::new(&config.auth, "u", 60), &SecretString::from(secret)).unwrap()
        };
        let log_name = async |secret| {
            let (owner, observed) = observe(authenticator.owner(&token(secret), "u")).await;
            owner.map(|_| observed.user().unwrap().to_owned()).unwrap()
        };
        let old = log_name(OLD).await;
        assert_ne!(log_name(NEW).await, old, "it is keyed with the secret that signs");
        let withdrawn = authenticator.owner(&token(OLD), "u").await;
        assert_eq!(withdrawn.unwrap_err(), AuthError::UnknownSecret);
    }

    /// An app that publishes keys, slowly, and counts how often it is asked.
    #[derive(Clone)]
    struct App {
        url: String,
        published: Arc<Mutex<Vec<Value>>>,
        asked: Arc<AtomicUsize>,
    }

    impl App {
        async fn start() -> Self {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("http://{}/jwks", listener.local_addr().unwrap());
            let app = Self { url, published: Arc::default(), asked: Arc::default() };
            let serving = app.clone();
            tokio::spawn(async move {
                while let Ok((mut stream, _)) = listener.accept().await {
                    serving.asked.fetch_add(1, Ordering::Relaxed);
                    let mut request = [0; 1000];
                    let _ = stream.read(&mut request).await;
                    sleep(Duration::from_millis(100)).await;
                    let body = serving.set();
                    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}", body.len());
                    let _ = stream.write_all(format!("{head}\r\n\r\n{body}").as_bytes()).await;
                }
            });
            app
        }

        fn set(&self) -> String {
            json!({ "keys": *self.published.lock().unwrap() }).to_string()
        }

        fn publish(&self, keys: &[(&Key, &str)]) {
            let keys = keys.iter().map(|(key, kid)| key.jwk(kid));
            *self.published.lock().unwrap() = keys.collect();
        }

        fn asked(&self) -> usize {
            self.asked.load(Ordering::Relaxed)
        }

        /// Settings with the keys that are published now, if they are stored.
        fn config(&self, stored: bool) -> Config {
            let set = self.set();
            config(&[
                ("JWT_JWKS_URL", &self.url),
                ("JWT_JWKS", if stored { &set } else { "" }),
                ("JWT_ISSUER", "i"),
                ("JWT_AUDIENCE", "a"),
            ])
        }
    }

    fn token(key: &Key, kid: &str) -> String {
        let header = json!({ "alg": key.algorithm(), "kid": kid }).to_string();
        let claims = json!({ "sub": "u", "iss": "i", "aud": "a", "exp": clock::now() + 60 });
        let text = [header, claims.to_string()].map(|part| BASE64URL.encode(part)).join(".");
        key.sign(&text)
    }

    async fn verified(authenticator: &Authenticator, token: &str) -> Result<(), AuthError> {
        authenticator.owner(token, "u").await.map(drop)
    }

    /// As if so much time had passed.
    async fn pass(authenticator: &Authenticator, time: Duration) {
        *authenticator.fetch.lock().await -= time;
        if let Some(fetched) = &mut authenticator.current().fetched {
            fetched.at -= time;
        }
    }

    #[tokio::test]
    async fn stored_keys_need_no_fetch_and_a_rotation_is_seen_with_its_first_token() {
        let [one, two, three] = Key::all();
        let app = App::start().await;
        app.publish(&[(&one, "1")]);
        let settings = Arc::new(Settings::new(app.config(true), None));
        let authenticator = Authenticator::new(settings);
        assert_eq!(verified(&authenticator, &token(&one, "1")).await, Ok(()));
        assert_eq!(app.asked(), 0);
        // A rotation: all requests wait for one fetch.
        app.publish(&[(&one, "1"), (&two, "2")]);
        let new = token(&two, "2");
        let all = join_all((0..8).map(|_| verified(&authenticator, &new))).await;
        assert!(all.iter().all(Result::is_ok), "{all:?}");
        assert_eq!(app.asked(), 1);
        // The next fetch is ten seconds later, and replaces what the last one brought.
        app.publish(&[(&one, "1"), (&three, "3")]);
        let newest = token(&three, "3");
        assert_eq!(verified(&authenticator, &newest).await, Err(AuthError::UnknownKey));
        assert_eq!(app.asked(), 1);
        pass(&authenticator, FETCH_INTERVAL).await;
        assert_eq!(verified(&authenticator, &newest).await, Ok(()));
        assert_eq!(verified(&authenticator, &new).await, Err(AuthError::UnknownKey));
        assert_eq!(verified(&authenticator, &token(&one, "1")).await, Ok(()));
        assert_eq!(app.asked(), 2);
    }

    #[tokio::test]
    async fn without_any_key_nobody_is_called_unauthorized_and_failed_fetches_are_as_far_apart() {
        let [key, ..] = Key::all();
        let app = App::start().await;
        let authenticator = Authenticator::new(Arc::new(Settings::new(app.config(false), None)));
        let token = token(&key, "1");
        for _ in 0..3 {
            assert_eq!(verified(&authenticator, &token).await, Err(AuthError::NoKeys));
        }
        assert_eq!(app.asked(), 1);
        app.publish(&[(&key, "1")]);
        pass(&authenticator, FETCH_INTERVAL).await;
        assert_eq!(verified(&authenticator, &token).await, Ok(()));
        assert_eq!(app.asked(), 2);
    }

    #[tokio::test]
    async fn with_the_settings_come_the_stored_keys_and_the_others_are_dropped() {
        let [one, two, _] = Key::all();
        let app = App::start().await;
        app.publish(&[(&one, "1")]);
        let first = app.config(true);
        let source = app.clone();
        let read = move || -> BoxFuture<'static, _> {
            let source = source.clone();
            Box::pin(async move { Ok(source.config(true)) })
        };
        let settings = Arc::new(Settings::new(first, Some(Box::new(read))));
        let authenticator = Authenticator::new(settings.clone());
        app.publish(&[(&two, "2")]);
        assert_eq!(verified(&authenticator, &token(&two, "2")).await, Ok(()));
        // The app takes its key back, and an operator stores what it has now.
        app.publish(&[]);
        settings.refresh(Duration::ZERO).await;
        assert_eq!(verified(&authenticator, &token(&one, "1")).await, Err(AuthError::UnknownKey));
        // A fetch that is not ten seconds old could not be repeated, so its keys stay.
        assert_eq!(verified(&authenticator, &token(&two, "2")).await, Ok(()));
        pass(&authenticator, FETCH_INTERVAL).await;
        assert_eq!(verified(&authenticator, &token(&two, "2")).await, Ok(()));
        settings.refresh(Duration::ZERO).await;
        assert_eq!(verified(&authenticator, &token(&two, "2")).await, Err(AuthError::NoKeys));
        assert_eq!(app.asked(), 2);
    }
}
