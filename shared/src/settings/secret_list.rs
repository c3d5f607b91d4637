//! The secrets that sign tokens, in Better Auth's format for rotations: `2:new,1:old`.
use std::str::FromStr;

use secrecy::{ExposeSecret, SecretString};

use super::error::SettingsError;

/// Better Auth's default secret, which is published in its source.
const PUBLISHED_SECRET: &str = "better-auth-secret-12345678901234567890";
const MIN_BYTES: usize = 32;

/// `BETTER_AUTH_SECRETS`: secrets with their versions; the first signs, each verifies.
#[derive(Debug, Clone)]
pub struct SecretList(Vec<(u32, SecretString)>);

impl FromStr for SecretList {
    type Err = SettingsError;

    /// Parses as Better Auth does: trimmed entries, a version before the first colon.
    fn from_str(list: &str) -> Result<Self, SettingsError> {
        let mut faults = Vec::new();
        let mut entries: Vec<(u32, SecretString)> = Vec::new();
        for (entry, position) in list.split(',').zip(1..) {
            let mut fault =
                |text: &str| faults.push(format!("BETTER_AUTH_SECRETS entry {position} {text}"));
            let Some((version, secret)) = entry.trim().split_once(':') else {
                fault("is not <version>:<secret>");
                continue;
            };
            let secret = secret.trim();
            match version.trim().parse() {
                Ok(version) if entries.iter().any(|(other, _)| *other == version) => {
                    fault("repeats a version");
                }
                Ok(version) => entries.push((version, secret.into())),
                Err(_) => fault("has no version number before its colon"),
            }
            if let Some(weakness) = weakness(secret) {
                fault(&weakness);
            }
        }
        if faults.is_empty() { Ok(Self(entries)) } else { Err(SettingsError(faults)) }
    }
}

impl SecretList {
    /// A list of the secret in `BETTER_AUTH_SECRET` alone.
    ///
    /// # Errors
    /// If it is too weak, or cannot be written in a list.
    pub fn of_one(secret: &str) -> Result<Self, SettingsError> {
        let misplaced = secret.contains(',') || secret.trim() != secret;
        let misplaced = misplaced.then(|| {
            "has a comma, or a space at an end, so it cannot be in a list: give both sides another secret first".into()
        });
        match misplaced.or_else(|| weakness(secret)) {
            Some(fault) => Err(SettingsError(vec![format!("BETTER_AUTH_SECRET {fault}")])),
            None => Ok(Self(vec![(1, secret.into())])),
        }
    }

    /// The secrets with their versions; the first signs. Never empty.
    #[must_use]
    pub fn entries(&self) -> impl ExactSizeIterator<Item = (u32, &SecretString)> {
        self.0.iter().map(|(version, secret)| (*version, secret))
    }

    /// The list with a new first secret, which signs from now on.
    #[must_use]
    pub fn with_new(mut self, secret: SecretString) -> Self {
        let newest = self.0.iter().map(|(version, _)| *version).max();
        self.0.insert(0, (newest.map_or(1, |version| version.saturating_add(1)), secret));
        self
    }

    /// The list without the secrets that only verify.
    #[must_use]
    pub fn first_only(mut self) -> Self {
        self.0.truncate(1);
        self
    }

    /// The value of `BETTER_AUTH_SECRETS`.
    #[must_use]
    pub fn setting(&self) -> SecretString {
        let entries = self.entries();
        let entries =
            entries.map(|(version, secret)| format!("{version}:{}", secret.expose_secret()));
        entries.collect::<Vec<_>>().join(",").into()
    }
}

/// Why a secret must not be used, phrased to follow its name.
pub(super) fn weakness(secret: &str) -> Option<String> {
    if secret == PUBLISHED_SECRET {
        return Some("is Better Auth's published default, which anybody can sign with".into());
    }
    (secret.len() < MIN_BYTES)
        .then(|| format!("has {} bytes, fewer than {MIN_BYTES}", secret.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "0123456789abcdef0123456789abcdef";

    fn versions(list: &SecretList) -> Vec<u32> {
        list.entries().map(|(version, _)| version).collect()
    }

    #[test]
    fn it_is_read_as_better_auth_reads_it() {
        let old = "old:".repeat(10);
        let list: SecretList = format!(" 2:{GOOD} , 1 :{old}").parse().unwrap();
        assert_eq!(versions(&list), [2, 1]);
        assert_eq!(list.setting().expose_secret(), format!("2:{GOOD},1:{old}"));
        for bad in [
            GOOD.to_owned(),
            format!("x:{GOOD}"),
            format!("-1:{GOOD}"),
            format!("1:{GOOD},1:{old}"),
            format!("1:{GOOD},"),
            format!("1:{PUBLISHED_SECRET}"),
            "1:".into(),
            String::new(),
        ] {
            assert!(bad.parse::<SecretList>().is_err(), "{bad}");
        }
    }

    #[test]
    fn every_fault_of_every_entry_is_named_and_no_secret() {
        let error = "MARKED,2:MARKED,x:MARKED".parse::<SecretList>().unwrap_err();
        let [first, second, third, fourth] = error.0.as_slice() else { panic!("{error}") };
        assert!(first.ends_with("entry 1 is not <version>:<secret>"), "{first}");
        assert!(second.ends_with("entry 2 has 6 bytes, fewer than 32"), "{second}");
        assert!(third.contains("entry 3 has no version") && fourth.contains("entry 3 has 6 bytes"));
        assert!(!format!("{error} {error:?}").contains("MARKED"));
    }

    #[test]
    fn a_rotation_puts_a_new_one_first_and_then_forgets_the_others() {
        let next = "the-secret-that-comes-next-has-32-bytes-too";
        let list = SecretList::of_one(GOOD).unwrap();
        assert_eq!(versions(&list), [1]);
        let list = list.with_new(next.into());
        assert_eq!(list.setting().expose_secret(), format!("2:{next},1:{GOOD}"));
        let list = list.first_only();
        assert_eq!(list.setting().expose_secret(), format!("2:{next}"));
        assert_eq!(versions(&list.with_new(GOOD.into())), [3, 2]);
        // Whatever the order of the versions, the new one is unused.
        let odd: SecretList = format!("1:{GOOD},7:{next}").parse().unwrap();
        assert_eq!(versions(&odd.with_new(GOOD.into())), [8, 1, 7]);
        for bad in [&format!("{GOOD},x"), &format!("{GOOD} "), "short", PUBLISHED_SECRET] {
            assert!(SecretList::of_one(bad).is_err(), "{bad}");
        }
    }
}
