//! Database URLs with one part changed.
use anyhow::{Result, anyhow};
use shared::{DatabaseUrl, encoded};
use url::Url;

pub(crate) trait Change {
    fn unchanged(&self) -> &DatabaseUrl;

    /// The same URL with another login.
    fn with_login(&self, user: &str, password: &str) -> Result<DatabaseUrl> {
        changed(self.unchanged(), &["user", "password"], |url| {
            url.set_username(&encoded(user).to_string())?;
            url.set_password(Some(&encoded(password).to_string()))
        })
    }

    /// The same database at another address.
    fn with_address(&self, host: &str, port: u16) -> Result<DatabaseUrl> {
        changed(self.unchanged(), &["host", "hostaddr", "port"], |url| {
            url.set_host(Some(host)).map_err(drop)?;
            url.set_port(Some(port))
        })
    }

    /// Another database of the same server.
    fn with_database(&self, name: &str) -> Result<DatabaseUrl> {
        changed(self.unchanged(), &["dbname"], |url| {
            url.set_path(&format!("/{}", encoded(name)));
            Ok(())
        })
    }

    /// The URL with one query parameter set.
    fn with_parameter(&self, name: &str, value: &str) -> Result<DatabaseUrl> {
        changed(self.unchanged(), &[name], |url| {
            let others = url.query().map(|query| format!("{query}&")).unwrap_or_default();
            url.set_query(Some(&format!("{others}{name}={}", encoded(value))));
            Ok(())
        })
    }

    /// The direct URL of a Neon database, without the pooler, which has no sessions: the host
    /// without `-pooler`.
    fn direct(&self) -> Result<DatabaseUrl> {
        match self.unchanged().host().filter(|host| host.contains("-pooler.")) {
            Some(host) => changed(self.unchanged(), &["host"], |url| {
                url.set_host(Some(&host.replacen("-pooler.", ".", 1))).map_err(drop)
            }),
            None => Ok(self.unchanged().clone()),
        }
    }
}

impl Change for DatabaseUrl {
    fn unchanged(&self) -> &DatabaseUrl {
        self
    }
}

/// The URL as `change` makes it, without the query parameters of these names, which would override
/// it.
fn changed(
    whole: &DatabaseUrl,
    replaced: &[&str],
    change: impl FnOnce(&mut Url) -> Result<(), ()>,
) -> Result<DatabaseUrl> {
    const UNCHANGEABLE: &str = "DATABASE_URL cannot be changed: it names no single host";
    let mut url = Url::parse(whole.expose()).map_err(|_| anyhow!(UNCHANGEABLE))?;
    let pairs = url.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
    let name = |pair: &&str| pair.split('=').next().unwrap_or_default().to_owned();
    let kept: Vec<_> = pairs.filter(|pair| !replaced.contains(&name(pair).as_str())).collect();
    let kept = kept.join("&");
    url.set_query((!kept.is_empty()).then_some(kept.as_str()));
    change(&mut url).map_err(|()| anyhow!(UNCHANGEABLE))?;
    Ok(url.as_str().parse()?)
}

#[cfg(test)]
mod tests {
    use super::*;
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
        let direct = url.with_parameter("sslnegotiation", "direct").unwrap();
        assert_eq!(direct.expose(), format!("{NEON}&sslnegotiation=direct"));
        assert_eq!(direct.with_parameter("sslnegotiation", "direct").unwrap(), direct);
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

    #[test]
    fn any_login_comes_back() {
        for text in ["user", "a@b", "50%", "%41", "a:b/c?d=e&f#g", " + ", "\"'\\;", "Überall 鍵 🔑"]
        {
            let url = parse(NEON).with_login(text, text).unwrap();
            assert_eq!(url.user(), Some(text));
            assert_eq!(url.password().unwrap().expose_secret(), text);
            assert_eq!(url.database(), Some("dbname"));
            assert_eq!(url.host(), parse(NEON).host());
        }
    }
}
