//! Authentication: from a bearer token to an [`Owner`].
mod claims;
mod clock;
mod error;
mod hs256;
mod verifier;

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

pub use self::claims::{Claims, sign};
pub(crate) use self::error::AuthError;
pub use self::verifier::Owner;
use self::verifier::Verifier;
use crate::settings::{Config, REFUSED_AGE, Settings};

/// Authenticates requests with the current settings.
pub(crate) struct Authenticator {
    settings: Arc<Settings>,
    verifier: Mutex<(watch::Receiver<Arc<Config>>, Arc<Verifier>)>,
}

impl Authenticator {
    pub(crate) fn new(settings: Arc<Settings>) -> Self {
        let mut config = settings.watch();
        let verifier = Arc::new(Verifier::new(&config.borrow_and_update().auth));
        Self { settings, verifier: Mutex::new((config, verifier)) }
    }

    /// The owner of a request with this bearer token: the token's user, who must equal the path's.
    /// If no known secret signed the token, the settings are refreshed, since a new secret may
    /// have.
    pub(crate) async fn owner(&self, token: &str, path_user: &str) -> Result<Owner, AuthError> {
        self.settings.keep_fresh().await;
        match self.verifier().owner(token, path_user) {
            Err(AuthError::UnknownSecret) => {
                self.settings.refresh(REFUSED_AGE).await;
                self.verifier().owner(token, path_user)
            }
            verified => verified,
        }
    }

    fn verifier(&self) -> Arc<Verifier> {
        let mut current = self.verifier.lock().unwrap_or_else(PoisonError::into_inner);
        let (config, verifier) = &mut *current;
        if config.has_changed().unwrap_or_default() {
            *verifier = Arc::new(Verifier::new(&config.borrow_and_update().auth));
        }
        verifier.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Use;
    use crate::telemetry::observe;
    use futures_util::future::BoxFuture;
    use secrecy::SecretString;

    const OLD: &str = "the-secret-before-it-with-32-bytes-or-more!";
    const NEW: &str = "a-secret-of-this-test-with-32-bytes-or-more";

    fn config(secrets: &str) -> Config {
        let config = Config::parse(Use::Local, |name| match name {
            "BETTER_AUTH_SECRETS" => Some(secrets.into()),
            "DATABASE_URL" => Some("postgres://127.0.0.1:1/none".into()),
            _ => None,
        });
        config.unwrap()
    }

    #[tokio::test]
    async fn a_new_secret_is_known_from_its_first_token_on_and_a_withdrawn_one_no_more() {
        let rotated =
            || -> BoxFuture<'static, _> { Box::pin(async { Ok(config(&format!("2:{NEW}"))) }) };
        let settings = Settings::new(config(&format!("1:{OLD}")), Some(Box::new(rotated)));
        let authenticator = Authenticator::new(Arc::new(settings));
        let token = |secret: &str| {
            let config = config(&format!("1:{secret}"));
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
}
