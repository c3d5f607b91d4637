//! The login of the functions: a role that owns nothing and may become [`shared::DATABASE_ROLE`].
use anyhow::{Context, Result};
use shared::DATABASE_ROLE;

use crate::migrate;
use crate::settings::random_text;

/// The login on an embedded server.
pub(crate) const LOCAL: &str = "task_api_local";

/// Makes the role `name`, or gives it a new password, on the migrated database of `owner_url`; returns the URL that logs in as it.
pub(crate) fn grant(owner_url: &str, name: &str) -> Result<String> {
    // In the clear: Neon takes no password that is hashed already.
    let password = random_text()?;
    migrate::with_client(&migrate::direct(owner_url), async |client| {
        let exists = "SELECT FROM pg_roles WHERE rolname = $1";
        let login = format!("{name} LOGIN NOINHERIT PASSWORD '{password}' VALID UNTIL 'infinity'");
        let statement = if client.query_opt(exists, &[&name]).await?.is_some() {
            format!("ALTER ROLE {login}; GRANT {DATABASE_ROLE} TO {name}")
        } else {
            format!("CREATE ROLE {login} IN ROLE {DATABASE_ROLE}")
        };
        Ok(client.batch_execute(&statement).await?)
    })
    .with_context(|| format!("cannot give the functions a login, {name}"))?;
    let (scheme, rest) = owner_url.split_once("://").context("the database's URL has no scheme")?;
    let (authority, database) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    Ok(format!("{scheme}://{name}:{password}@{host}{database}"))
}

/// Has the password of the role `name`, if that is one of this database, end in ten minutes: by then no function uses it.
pub(crate) fn retire(owner_url: &str, name: &str) -> Result<()> {
    migrate::with_client(&migrate::direct(owner_url), async |client| {
        let end = "SELECT (now() + interval '10 minutes')::text FROM pg_roles WHERE rolname = $1";
        if let Some(end) = client.query_opt(end, &[&name]).await? {
            let end: String = end.get(0);
            client.batch_execute(&format!("ALTER ROLE {name} VALID UNTIL '{end}'")).await?;
        }
        Ok(())
    })
    .with_context(|| format!("cannot end the password of {name}"))
}
