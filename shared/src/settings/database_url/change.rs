//! Database URLs with one part changed.
use url::Url;

use super::{DatabaseUrl, InvalidUrl, encoded, parameters};

impl DatabaseUrl {
    /// The same URL with another login.
    ///
    /// # Errors
    /// If the URL cannot express it, for example without a host.
    pub fn with_login(&self, user: &str, password: &str) -> Result<Self, InvalidUrl> {
        self.with(&["user", "password"], |url| {
            url.set_username(&encoded(user))?;
            url.set_password(Some(&encoded(password)))
        })
    }

    /// The same database at another address.
    ///
    /// # Errors
    /// If `host` is not a valid host.
    pub fn with_address(&self, host: &str, port: u16) -> Result<Self, InvalidUrl> {
        self.with(&["host", "hostaddr", "port"], |url| {
            url.set_host(Some(host)).map_err(drop)?;
            url.set_port(Some(port))
        })
    }

    /// Another database of the same server.
    ///
    /// # Errors
    /// As [`DatabaseUrl::with_login`].
    pub fn with_database(&self, name: &str) -> Result<Self, InvalidUrl> {
        self.with(&["dbname"], |url| {
            url.set_path(&format!("/{}", encoded(name)));
            Ok(())
        })
    }

    /// The URL with one query parameter set.
    ///
    /// # Errors
    /// If the parameter cannot have this value.
    pub fn with_parameter(&self, name: &str, value: &str) -> Result<Self, InvalidUrl> {
        self.with(&[name], |url| {
            let others = url.query().map(|query| format!("{query}&")).unwrap_or_default();
            url.set_query(Some(&format!("{others}{name}={}", encoded(value))));
            Ok(())
        })
    }

    /// The URL without one query parameter.
    ///
    /// # Errors
    /// If the URL is invalid without it.
    pub fn without_parameter(&self, name: &str) -> Result<Self, InvalidUrl> {
        self.with(&[name], |_| Ok(()))
    }

    /// The URL with direct TLS, which saves a round trip; for a server that supports it.
    ///
    /// # Errors
    /// As [`DatabaseUrl::with_parameter`]; also if the URL disables TLS.
    pub fn with_direct_tls(&self) -> Result<Self, InvalidUrl> {
        self.with_parameter("sslnegotiation", "direct")
    }

    /// The direct URL of a Neon database, without the pooler, which has no sessions: the host
    /// without `-pooler`.
    ///
    /// # Errors
    /// As [`DatabaseUrl::with_login`].
    pub fn direct(&self) -> Result<Self, InvalidUrl> {
        match self.host().filter(|host| host.contains("-pooler.")) {
            Some(host) => self.with(&["host"], |url| {
                url.set_host(Some(&host.replacen("-pooler.", ".", 1))).map_err(drop)
            }),
            None => Ok(self.clone()),
        }
    }

    /// The URL as `change` makes it, without the query parameters of these names, which would
    /// override it.
    fn with(
        &self,
        replaced: &[&str],
        change: impl FnOnce(&mut Url) -> Result<(), ()>,
    ) -> Result<Self, InvalidUrl> {
        let unchangeable = || InvalidUrl("cannot be changed: it names no single host".into());
        let mut url = Url::parse(self.expose()).map_err(|_| unchangeable())?;
        let kept = parameters(self.expose()).filter(|(name, _)| !replaced.contains(name));
        let kept: Vec<_> = kept.map(|(name, value)| format!("{name}={value}")).collect();
        url.set_query((!kept.is_empty()).then(|| kept.join("&")).as_deref());
        change(&mut url).map_err(|()| unchangeable())?;
        url.as_str().parse()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{NEON, parse};
    use super::*;
    use crate::arbitrary;
    use proptest::prelude::*;
    use secrecy::ExposeSecret;
    use tokio_postgres::config::SslNegotiation;

    #[test]
    fn one_part_changes_and_the_others_stay() {
        let url = parse(NEON);
        let changed = |changed: Result<DatabaseUrl, _>| changed.unwrap().expose().to_owned();
        assert_eq!(changed(url.direct()), NEON.replace("-pooler", ""));
        assert_eq!(changed(url.direct().unwrap().direct()), NEON.replace("-pooler", ""));
        for direct in ["postgres:///d?host=/run", "postgres://a:1,b:2/d"] {
            assert_eq!(changed(parse(direct).direct()), direct);
        }
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
        let direct = url.with_direct_tls().unwrap();
        assert_eq!(direct.expose(), format!("{NEON}&sslnegotiation=direct"));
        assert_eq!(direct.config().get_ssl_negotiation(), SslNegotiation::Direct);
        assert_eq!(direct.with_direct_tls().unwrap(), direct);
        let moved = url.with_address("127.0.0.1", 6543).unwrap();
        assert_eq!(
            (moved.host(), moved.port(), moved.user()),
            (Some("127.0.0.1"), 6543, Some("alex"))
        );
        assert!(moved.is_local() && moved.requires_tls());
        assert!(url.with_address("", 1).is_err());
        // A query parameter would override the rest of the URL.
        let queried = parse("postgres://h/d?user=u&password=p&dbname=d&hostaddr=192.0.2.1&port=9");
        let login = queried.with_login("v", "q").unwrap();
        let moved = login.with_database("e").unwrap().with_address("localhost", 1).unwrap();
        assert_eq!(moved.expose(), "postgres://v:q@localhost:1/e");
        // Without a host before the path, or with several, the login cannot be written.
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
