//! A user's pseudonym in the log, which only the secret and the user's id can derive.
use ring::hmac;
use secrecy::{ExposeSecret, SecretString};

/// Separates this use of the secret from all others.
const LABEL: &[u8] = b"users in logs";

/// Derives the log's names of users from their ids.
pub(crate) struct LogNames(hmac::Key);

impl LogNames {
    /// Uses a key derived from `secret`: another secret gives other names.
    pub(crate) fn new(secret: &SecretString) -> Self {
        let secret = hmac::Key::new(hmac::HMAC_SHA256, secret.expose_secret().as_bytes());
        Self(hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&secret, LABEL).as_ref()))
    }

    /// 16 hexadecimal digits.
    pub(crate) fn of(&self, user: &str) -> String {
        let name = hmac::sign(&self.0, user.as_bytes());
        let start = name.as_ref().first_chunk().copied().map(u64::from_be_bytes);
        format!("{:016x}", start.unwrap_or_default())
    }
}

/// The value of `user` in log lines for this user, while `secret` is the first of the secrets.
#[must_use]
pub fn log_name(secret: &SecretString, user: &str) -> String {
    LogNames::new(secret).of(user)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_depends_on_the_user_and_on_the_secret() {
        let secret = SecretString::from("a-secret-of-this-test-with-32-bytes-or-more");
        // key=$(printf 'users in logs' | openssl dgst -sha256 -hmac "$secret" | cut -d' '
        // -f2) printf user-1 | openssl dgst -sha256 -mac HMAC -macopt hexkey:$key
        assert_eq!(log_name(&secret, "user-1"), "81bc3caf01c9facb");
        assert_ne!(log_name(&secret, "user-2"), log_name(&secret, "user-1"));
        let next = SecretString::from("the-secret-that-comes-next-has-32-bytes-too");
        assert_ne!(log_name(&next, "user-1"), log_name(&secret, "user-1"));
    }
}
