//! The settings: from the environment, else from one AWS Secrets Manager secret.
use std::collections::HashMap;
use std::sync::Arc;

use secrecy::SecretString;

use super::database_url::DatabaseUrl;
use super::error::SettingsError;
use super::secret_list::{SecretList, weakness};
#[cfg(feature = "secrets-manager")]
use super::secrets_manager::fetch;
use crate::keys::{KeySet, KeysUrl};

/// All settings of a function, validated.
#[derive(Debug)]
pub struct Config {
    /// How tokens are verified.
    pub auth: AuthConfig,
    /// The database.
    pub database_url: DatabaseUrl,
}

/// How tokens are verified.
#[derive(Debug)]
pub struct AuthConfig {
    /// Every secret that may have signed a token; the first signs. Not empty without
    /// `public_keys`.
    pub secrets: Vec<SecretString>,
    /// The app's public keys, if it signs with others.
    pub public_keys: Option<PublicKeys>,
    /// From which the users' names in the log are derived, instead of the first secret.
    pub log_key: Option<SecretString>,
    /// The required issuer.
    pub issuer: Option<String>,
    /// The required audience.
    pub audience: Option<String>,
    /// The longest allowed lifetime of a token, in seconds.
    pub max_lifetime: Option<u64>,
}

/// The public keys of an app.
#[derive(Debug)]
pub struct PublicKeys {
    /// Where it publishes them.
    pub url: KeysUrl,
    /// Those that the settings have, so that they need not be fetched.
    pub stored: Arc<KeySet>,
}

/// What the settings are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// A local function, or a command: issuer and audience are optional.
    Local,
    /// A function on AWS, with its settings in a secret: issuer and audience are required, so that
    /// other tokens signed with the same secret are refused.
    Stage,
}

impl Config {
    /// The settings of this process, including those in the secret that `APP_SECRET_ID` names.
    ///
    /// # Errors
    /// Everything that is missing or invalid, or why the secret could not be read.
    pub async fn load() -> Result<Self, SettingsError> {
        let secret = match variable("APP_SECRET_ID") {
            Some(id) => fetch(&id).await.map_err(|fault| SettingsError(vec![fault]))?,
            None => HashMap::new(),
        };
        let used = if Self::may_change() { Use::Stage } else { Use::Local };
        // A variable set directly wins.
        Self::parse(used, |name| variable(name).or_else(|| secret.get(name).cloned()))
    }

    /// Whether [`Config::load`] may return other settings later.
    pub(crate) fn may_change() -> bool {
        variable("APP_SECRET_ID").is_some()
    }

    /// The settings that `get` finds by name.
    ///
    /// # Errors
    /// Everything that is missing or invalid.
    pub fn parse(used: Use, get: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let get = |name: &str| get(name).filter(|value| !value.is_empty());
        let mut faults = Vec::new();
        let auth = AuthConfig::read(used, &get, &mut faults);
        let database_url = match get("DATABASE_URL") {
            None => Err("DATABASE_URL is missing: set it to a postgres:// URL".to_owned()),
            Some(url) => url.parse::<DatabaseUrl>().map_err(|error| error.to_string()),
        };
        match database_url.map_err(|fault| faults.push(fault)) {
            Ok(database_url) if faults.is_empty() => Ok(Self { auth, database_url }),
            _ => Err(SettingsError(faults)),
        }
    }
}

impl AuthConfig {
    /// Only the settings for tokens that `get` finds by name.
    ///
    /// # Errors
    /// Everything that is missing or invalid.
    pub fn parse(used: Use, get: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let get = |name: &str| get(name).filter(|value| !value.is_empty());
        let mut faults = Vec::new();
        let auth = Self::read(used, &get, &mut faults);
        if faults.is_empty() { Ok(auth) } else { Err(SettingsError(faults)) }
    }

    fn read(used: Use, get: &impl Fn(&str) -> Option<String>, faults: &mut Vec<String>) -> Self {
        let single = get("BETTER_AUTH_SECRET");
        if let Some(fault) = single.as_deref().and_then(weakness) {
            faults.push(format!("BETTER_AUTH_SECRET {fault}"));
        }
        let secrets = match (get("BETTER_AUTH_SECRETS"), single) {
            (Some(list), _) => match list.parse::<SecretList>() {
                Ok(list) => list.entries().map(|(_, secret)| secret.clone()).collect(),
                Err(SettingsError(more)) => {
                    faults.extend(more);
                    Vec::new()
                }
            },
            (None, Some(single)) => vec![SecretString::from(single)],
            (None, None) => {
                if get("JWT_JWKS_URL").is_none() {
                    let missing = "BETTER_AUTH_SECRET is missing: set it to Better Auth's secret, or JWT_JWKS_URL to the URL of its public keys";
                    faults.push(missing.into());
                }
                Vec::new()
            }
        };
        let public_keys = PublicKeys::read(get, faults);
        let log_key = get("LOG_KEY");
        if let Some(fault) = log_key.as_deref().and_then(weakness) {
            faults.push(format!("LOG_KEY {fault}"));
        }
        let mut named = |name: &str, what: &str| {
            let value = get(name);
            if value.is_none() && (used == Use::Stage || get("JWT_JWKS_URL").is_some()) {
                faults.push(format!("{name} is missing: set it to {what}"));
            }
            value
        };
        let issuer = named("JWT_ISSUER", "the issuer of the frontend's tokens, its URL");
        let audience = named("JWT_AUDIENCE", "the audience of the frontend's tokens");
        let max_lifetime = get("JWT_MAX_LIFETIME").and_then(|text| {
            let seconds = positive(&text);
            if seconds.is_none() {
                faults.push("JWT_MAX_LIFETIME is not a positive number of seconds".into());
            }
            seconds
        });
        let log_key = log_key.map(SecretString::from);
        Self { secrets, public_keys, log_key, issuer, audience, max_lifetime }
    }

    /// From which the log names users: the first now, the others before a rotation.
    pub fn log_keys(&self) -> impl Iterator<Item = &SecretString> {
        self.log_key.iter().chain(&self.secrets)
    }
}

impl PublicKeys {
    fn read(get: &impl Fn(&str) -> Option<String>, faults: &mut Vec<String>) -> Option<Self> {
        let url = get("JWT_JWKS_URL")?.parse();
        let stored = match get("JWT_JWKS") {
            None => Some(KeySet::default()),
            Some(text) => KeySet::parse(&text),
        };
        if stored.is_none() {
            faults.push("JWT_JWKS is not a JSON Web Key Set".into());
        }
        let url = url.map_err(|fault| faults.push(format!("JWT_JWKS_URL {fault}"))).ok();
        Some(Self { url: url?, stored: Arc::new(stored?) })
    }
}

#[cfg(not(feature = "secrets-manager"))]
fn fetch(_: &str) -> std::future::Ready<Result<HashMap<String, String>, String>> {
    let fault = "APP_SECRET_ID is set, but this program is built without the AWS SDK";
    std::future::ready(Err(fault.into()))
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn positive(text: &str) -> Option<u64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten().filter(|number| *number > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    const GOOD: &str = "0123456789abcdef0123456789abcdef";
    const URL: &str = "postgres://u:p@127.0.0.1/db";

    fn parse(settings: &[(&str, &str)]) -> Result<Config, SettingsError> {
        parse_for(Use::Local, settings)
    }

    fn parse_for(used: Use, settings: &[(&str, &str)]) -> Result<Config, SettingsError> {
        Config::parse(used, |name| {
            settings.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned())
        })
    }

    fn secrets(settings: &[(&str, &str)]) -> Vec<String> {
        let config = parse(settings).unwrap();
        config.auth.secrets.iter().map(|s| s.expose_secret().to_owned()).collect()
    }

    #[test]
    fn every_fault_is_named_at_once() {
        let faults = parse(&[]).unwrap_err().0;
        assert_eq!(faults.len(), 2);
        assert!(faults[0].starts_with("BETTER_AUTH_SECRET is missing"));
        assert!(faults[1].starts_with("DATABASE_URL is missing"));
        let faults = parse(&[("BETTER_AUTH_SECRET", "short"), ("DATABASE_URL", "mysql://h/db")]);
        assert_eq!(faults.unwrap_err().0.len(), 2);
        let faults = parse(&[("BETTER_AUTH_SECRETS", "1:x,x")]).unwrap_err().0;
        assert_eq!(faults.len(), 3, "two entries, and no database: {faults:?}");
    }

    #[test]
    fn a_stage_names_its_issuer_and_its_audience() {
        let settings = [("BETTER_AUTH_SECRET", GOOD), ("DATABASE_URL", URL)];
        let named = |more: &[(&str, &str)]| parse_for(Use::Stage, &[&settings[..], more].concat());
        let faults = parse_for(Use::Stage, &[]).unwrap_err().0;
        assert_eq!(faults.len(), 4, "{faults:?}");
        for (given, missing) in [("JWT_ISSUER", "JWT_AUDIENCE"), ("JWT_AUDIENCE", "JWT_ISSUER")] {
            for more in [&[(given, "x")][..], &[(given, "x"), (missing, "")]] {
                let faults = named(more).unwrap_err().0;
                let [fault] = faults.as_slice() else { panic!("{faults:?}") };
                assert!(fault.starts_with(&format!("{missing} is missing")), "{fault}");
            }
        }
        let config = named(&[("JWT_ISSUER", "i"), ("JWT_AUDIENCE", "a")]).unwrap();
        assert_eq!(
            (config.auth.issuer, config.auth.audience),
            (Some("i".into()), Some("a".into()))
        );
        assert!(parse(&settings).is_ok());
        assert!(
            AuthConfig::parse(Use::Stage, |name| (name == "JWT_ISSUER").then(String::new)).is_err()
        );
    }

    #[test]
    fn public_keys_need_an_issuer_and_an_audience_but_no_secret() {
        let database = ("DATABASE_URL", URL);
        let (issuer, audience) = (("JWT_ISSUER", "i"), ("JWT_AUDIENCE", "a"));
        let url = ("JWT_JWKS_URL", "https://app.example/api/auth/jwks");
        let config = parse(&[database, url, issuer, audience]).unwrap();
        assert!(config.auth.secrets.is_empty());
        assert!(config.auth.public_keys.unwrap().stored.is_empty());
        assert!(config.auth.log_key.is_none());
        let with =
            |more: &[(&str, &str)]| parse(&[&[database, url, issuer, audience], more].concat());
        let log_key = ("LOG_KEY", GOOD);
        let both = with(&[("BETTER_AUTH_SECRET", &GOOD.replace('0', "1")), log_key]).unwrap().auth;
        assert_eq!(both.log_keys().next().unwrap().expose_secret(), GOOD);
        assert_eq!((both.secrets.len(), both.log_keys().count()), (1, 2));
        for (settings, expected) in [
            (&[database, url][..], &["JWT_ISSUER is missing", "JWT_AUDIENCE is missing"][..]),
            (&[database, url, issuer, audience, ("LOG_KEY", "short")], &["LOG_KEY has 5 bytes"]),
            (
                &[database, url, issuer, audience, ("JWT_JWKS", "x")],
                &["JWT_JWKS is not a JSON Web Key Set"],
            ),
            (
                &[database, ("JWT_JWKS_URL", "http://app.example"), issuer, audience],
                &["JWT_JWKS_URL must be an https URL"],
            ),
        ] {
            let faults = parse(settings).unwrap_err().0;
            assert_eq!(faults.len(), expected.len(), "{faults:?}");
            assert!(faults.iter().zip(expected).all(|(fault, start)| fault.starts_with(start)));
        }
    }

    #[test]
    fn a_lifetime_is_a_positive_number_of_seconds() {
        let lifetime = |text: &str| {
            let settings = [("BETTER_AUTH_SECRET", GOOD), ("DATABASE_URL", URL)];
            parse(&[&settings[..], &[("JWT_MAX_LIFETIME", text)]].concat())
        };
        assert_eq!(lifetime("").unwrap().auth.max_lifetime, None);
        assert_eq!(lifetime("1").unwrap().auth.max_lifetime, Some(1));
        assert_eq!(lifetime("086400").unwrap().auth.max_lifetime, Some(86_400));
        for bad in ["0", "-1", "+1", "1.5", "1d", " 1", "x", "18446744073709551616"] {
            let faults = lifetime(bad).unwrap_err().0;
            assert!(faults.len() == 1 && faults[0].starts_with("JWT_MAX_LIFETIME"), "{bad}");
        }
    }

    #[test]
    fn weak_and_published_secrets_are_refused() {
        for (weak, reason) in [
            ("better-auth-secret-12345678901234567890", "published default"),
            (&GOOD[1..], "31 bytes"),
            ("ééééééééééééééé", "30 bytes"),
        ] {
            let good = format!("1:{GOOD}");
            for settings in [
                &[("BETTER_AUTH_SECRET", weak)][..],
                &[("BETTER_AUTH_SECRETS", &good), ("BETTER_AUTH_SECRET", weak)],
            ] {
                let faults = parse(&[settings, &[("DATABASE_URL", URL)]].concat()).unwrap_err().0;
                assert!(faults.len() == 1 && faults[0].contains(reason), "{faults:?}");
            }
        }
        assert_eq!(secrets(&[("BETTER_AUTH_SECRET", GOOD), ("DATABASE_URL", URL)]), [GOOD]);
        // 32 bytes, but fewer characters.
        assert!(
            parse(&[("BETTER_AUTH_SECRET", "éééééééééééééééé"), ("DATABASE_URL", URL)]).is_ok()
        );
    }

    #[test]
    fn no_secret_is_ever_printed() {
        let config = parse(&[("BETTER_AUTH_SECRET", GOOD), ("DATABASE_URL", URL)]).unwrap();
        let printed = format!("{config:?}");
        assert!(!printed.contains(GOOD) && !printed.contains("u:p"), "{printed}");
        let marked = [
            ("BETTER_AUTH_SECRETS", "MARKED,2:MARKED,x:MARKED"),
            ("DATABASE_URL", "postgres://MARKED:MARKED@h:x/db"),
        ];
        let error = parse(&marked).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("MARKED"), "{error}");
    }
}
