//! Where an app publishes its keys.
use std::fmt;
use std::str::FromStr;

use hyper::Uri;

/// An `https` URL, or an `http` one of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeysUrl(Uri);

impl FromStr for KeysUrl {
    /// Phrased to follow the setting's name.
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let url: Uri = text.trim().parse().map_err(|_| "is not a URL")?;
        let authority = url.authority().map_or("", |authority| authority.as_str());
        if authority.contains('@') {
            return Err("must not contain a user name or password");
        }
        let host = url.host().unwrap_or_default();
        let local = ["127.0.0.1", "[::1]", "localhost"];
        match url.scheme_str() {
            Some("https") if !host.is_empty() => Ok(Self(url)),
            Some("http") if local.iter().any(|name| host.eq_ignore_ascii_case(name)) => {
                Ok(Self(url))
            }
            _ => Err("must be an https URL; http is for 127.0.0.1, [::1] and localhost only"),
        }
    }
}

impl KeysUrl {
    /// Whether it is of this machine.
    #[must_use]
    pub fn is_local(&self) -> bool {
        self.0.scheme_str() == Some("http")
    }

    pub(super) fn uri(&self) -> Uri {
        self.0.clone()
    }
}

impl fmt::Display for KeysUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_https_or_of_this_machine() {
        for good in [
            "https://app.example/api/auth/jwks",
            " https://app.example\n",
            "https://192.0.2.1:8443/k?x=1",
            "http://localhost:3000/api/auth/jwks",
            "http://127.0.0.1:3000/api/auth/jwks",
            "http://[::1]:3000/api/auth/jwks",
        ] {
            assert!(good.parse::<KeysUrl>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "/api/auth/jwks",
            "app.example/jwks",
            "http://app.example/jwks",
            "http://127.0.0.2/jwks",
            "http://localhost.app.example/jwks",
            "http://localhost@app.example/jwks",
            "https://user:HUSH@app.example/jwks",
            "ftp://app.example/jwks",
            "file:///etc/jwks",
            "https://",
            "https:///jwks",
        ] {
            let fault = bad.parse::<KeysUrl>().expect_err(bad);
            assert!(!fault.contains("HUSH"));
        }
    }
}
