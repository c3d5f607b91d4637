//! The URL of a database with one part of it changed.
use url::Url;

use super::{DatabaseUrl, InvalidUrl, encoded, parameters};

impl DatabaseUrl {
    /// The URL that logs in as another role.
    ///
    /// # Errors
    /// Where it cannot say so, as where it names no host.
    pub fn with_login(&self, user: &str, password: &str) -> Result<Self, InvalidUrl> {
        self.with(|url| {
            url.set_username(&encoded(user))?;
            url.set_password(Some(&encoded(password)))
        })
    }

    /// The URL of the same database at another address.
    ///
    /// # Errors
    /// Where `host` is none.
    pub fn with_address(&self, host: &str, port: u16) -> Result<Self, InvalidUrl> {
        self.with(|url| {
            url.set_host(Some(host)).map_err(drop)?;
            url.set_port(Some(port))
        })
    }

    /// The URL of another database of the same server.
    ///
    /// # Errors
    /// As [`DatabaseUrl::with_login`].
    pub fn with_database(&self, name: &str) -> Result<Self, InvalidUrl> {
        self.with(|url| {
            url.set_path(&format!("/{}", encoded(name)));
            Ok(())
        })
    }

    /// The URL with one parameter of its query set.
    ///
    /// # Errors
    /// Where that parameter cannot have that value.
    pub fn with_parameter(&self, name: &str, value: &str) -> Result<Self, InvalidUrl> {
        self.with_query(name, Some(format!("{name}={}", encoded(value))))
    }

    /// The URL without one parameter of its query.
    ///
    /// # Errors
    /// Where it cannot do without.
    pub fn without_parameter(&self, name: &str) -> Result<Self, InvalidUrl> {
        self.with_query(name, None)
    }

    fn with_query(&self, name: &str, more: Option<String>) -> Result<Self, InvalidUrl> {
        let others = parameters(self.expose()).filter(|(given, _)| *given != name);
        let pairs: Vec<_> =
            others.map(|(name, value)| format!("{name}={value}")).chain(more).collect();
        self.with(|url| {
            url.set_query((!pairs.is_empty()).then(|| pairs.join("&")).as_deref());
            Ok(())
        })
    }

    /// The URL past Neon's pooler, which has no sessions: the same host without `-pooler`.
    ///
    /// # Errors
    /// As [`DatabaseUrl::with_login`].
    pub fn direct(&self) -> Result<Self, InvalidUrl> {
        self.with(|url| match url.host_str().map(|host| host.replacen("-pooler.", ".", 1)) {
            Some(host) => url.set_host(Some(&host)).map_err(drop),
            None => Ok(()),
        })
    }

    fn with(&self, change: impl FnOnce(&mut Url) -> Result<(), ()>) -> Result<Self, InvalidUrl> {
        let unchangeable = || InvalidUrl("cannot be changed: it names no single host".into());
        let mut url = Url::parse(self.expose()).map_err(|_| unchangeable())?;
        change(&mut url).map_err(|()| unchangeable())?;
        url.as_str().parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arbitrary;
    use proptest::prelude::*;
    use secrecy::ExposeSecret;

    const NEON: &str = "postgresql://alex:AbC123dEf@ep-cool-darkness-123456-pooler.us-east-2.aws.neon.tech/dbname?sslmode=require&channel_binding=require";

    fn parse(url: &str) -> DatabaseUrl {
        url.parse().unwrap_or_else(|fault| panic!("{url}: {fault}"))
    }

    #[test]
    fn one_part_changes_and_the_others_stay() {
        let url = parse(NEON);
        let changed = |changed: Result<DatabaseUrl, _>| changed.unwrap().expose().to_owned();
        assert_eq!(changed(url.direct()), NEON.replace("-pooler", ""));
        assert_eq!(changed(url.direct().unwrap().direct()), NEON.replace("-pooler", ""));
        assert_eq!(changed(url.with_database("other")), NEON.replace("dbname", "other"));
        assert_eq!(
            changed(url.with_parameter("sslmode", "disable")),
            NEON.replace(
                "sslmode=require&channel_binding=require",
                "channel_binding=require&sslmode=disable"
            )
        );
        assert_eq!(
            changed(url.without_parameter("channel_binding")),
            NEON.replace("&channel_binding=require", "")
        );
        let bare = url.without_parameter("channel_binding").unwrap().without_parameter("sslmode");
        assert!(changed(bare).ends_with("/dbname"));
        let moved = url.with_address("127.0.0.1", 6543).unwrap();
        assert_eq!(
            (moved.host(), moved.port(), moved.user()),
            (Some("127.0.0.1"), 6543, Some("alex"))
        );
        assert!(moved.is_local() && moved.requires_tls());
        assert!(url.with_address("", 1).is_err());
        // Without a host in its own place, or with several, there is nowhere to put it.
        assert!(parse("postgres:///d?host=/run").with_login("u", "p").is_err());
        assert!(parse("postgres://a:1,b:2/d").with_login("u", "p").is_err());
    }

    proptest! {
        #[test]
        fn any_login_comes_back(user in arbitrary::like("\\PC{1,12}"), password in arbitrary::like("\\PC{1,20}")) {
            let url = parse(NEON).with_login(&user, &password).unwrap();
            prop_assert_eq!(url.user(), Some(user.as_str()));
            let written = url.password().unwrap();
            prop_assert_eq!(written.expose_secret(), password.as_str());
            prop_assert_eq!(url.database(), Some("dbname"));
            let shown = url.to_string();
            prop_assert!(shown.starts_with(&format!("postgresql://{}@ep-", encoded(&user))), "{}", shown);
        }
    }
}
