//! Database logins: roles that own nothing and have only the rights of the role that they are
//! members of.
use std::time::Duration;

use anyhow::{Context, Result, bail};
use functions::DATABASE_ROLE;
use postgres_protocol::password::scram_sha_256;
use shared::DatabaseUrl;
use tokio::time::sleep;
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use crate::database_url::Change;
use crate::privileges::{Tables, quoted};
use crate::settings::random_text;
use crate::{frontend, migrate};

/// What a login is for.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Access {
    Functions,
    App,
}

impl Access {
    /// The roles.
    pub(crate) const ROLES: [&str; 2] = [DATABASE_ROLE, "better_auth"];

    /// The role with the rights; it cannot log in.
    pub(crate) fn role(self) -> &'static str {
        let [functions, app] = Self::ROLES;
        match self {
            Self::Functions => functions,
            Self::App => app,
        }
    }

    /// The name in messages.
    pub(crate) fn who(self) -> &'static str {
        match self {
            Self::Functions => "functions",
            Self::App => "app",
        }
    }

    /// The login on an embedded server.
    pub(crate) fn local(self) -> String {
        format!("{}_local", self.role())
    }

    /// A setting of the login: the functions' statements end before the request's time limit.
    fn setting(self) -> Option<&'static str> {
        match self {
            Self::Functions => Some("statement_timeout = '4s'"),
            Self::App => None,
        }
    }

    /// The table that lists the migrations that ran, and the texts of those known here.
    pub(crate) fn migrations(self, schema: &str) -> Result<(String, Vec<String>)> {
        Ok(match self {
            Self::Functions => {
                (format!("{}.refinery_schema_history", quoted(schema)), migrate::texts())
            }
            Self::App => ("drizzle.__drizzle_migrations".to_owned(), frontend::migrations()?),
        })
    }

    /// Whether a login has these rights at once, or only after `SET ROLE`.
    fn inherit(self) -> &'static str {
        match self {
            Self::Functions => "NOINHERIT",
            Self::App => "INHERIT",
        }
    }
}

/// When a replaced login ends.
#[derive(Clone, Copy)]
pub(crate) enum End {
    Now,
    /// In this many minutes, after which nobody uses it.
    In(u32),
}

/// A row or a lock may be held by another session, even by the one to be locked out. Nothing that
/// is planted in a schema runs.
const CAREFULLY: &str = "SET lock_timeout = '2s'; SET search_path = pg_catalog";
const ATTEMPTS: u32 = 5;

/// Creates the role `name`, or renews it: a new password, no sessions, and only the settings and
/// rights of `access`. Returns the URL that logs in as it.
pub(crate) fn grant(owner_url: &DatabaseUrl, access: Access, name: &str) -> Result<DatabaseUrl> {
    let password = random_text()?;
    let stored = stored(owner_url, &password);
    let unusable = self::stored(owner_url, &random_text()?);
    let (role, inherit) = (access.role(), access.inherit());
    migrate::with_session(owner_url, async |client| {
        let tables = Tables::find(client).await?;
        client.batch_execute(CAREFULLY).await?;
        if !exists(client, role).await? {
            create_role(client, role).await?;
        }
        tables.check_role(client, access, role).await?;
        if exists(client, name).await? {
            tables.check_role(client, access, name).await?;
            lock_out(client, name, &unusable).await?;
        } else {
            client.batch_execute(&format!("CREATE ROLE {name} NOLOGIN {inherit}")).await?;
        }
        let login = format!(
            "GRANT {role} TO {name}; ALTER ROLE {name} LOGIN {inherit} PASSWORD '{stored}' VALID UNTIL 'infinity'"
        );
        client.batch_execute(&login).await?;
        if let Some(setting) = access.setting() {
            client.batch_execute(&format!("ALTER ROLE {name} SET {setting}")).await?;
        }
        Ok(())
    })
    .with_context(|| format!("cannot make the login {name}"))?;
    owner_url.with_login(name, &password)
}

/// Undoes [`grant`]: ends the login and drops its role, which owns nothing.
pub(crate) fn withdraw(owner_url: &DatabaseUrl, name: &str) -> Result<()> {
    let unusable = stored(owner_url, &random_text()?);
    migrate::with_session(owner_url, async |client| {
        client.batch_execute(CAREFULLY).await?;
        lock_out(client, name, &unusable).await?;
        Ok(client.batch_execute(&format!("DROP ROLE {name}")).await?)
    })
    .with_context(|| format!("cannot drop the login {name}"))
}

/// Ends the login `name`, unless it does not exist or has ended; returns what it did.
pub(crate) fn retire(owner_url: &DatabaseUrl, name: &str, end: End) -> Result<Option<String>> {
    let unusable = stored(owner_url, &random_text()?);
    migrate::with_session(owner_url, async |client| {
        client.batch_execute(CAREFULLY).await?;
        let state = "SELECT rolvaliduntil < now(), rolvaliduntil < 'infinity', rolvaliduntil::text \
             FROM pg_roles WHERE rolname = $1 AND rolcanlogin";
        let Some(state) = client.query_opt(state, &[&name]).await? else { return Ok(None) };
        let is = |column| state.get::<_, Option<bool>>(column).unwrap_or_default();
        let (ended, ends) = (is(0), is(1));
        let minutes = match end {
            End::In(minutes) if !ended => minutes,
            _ => {
                lock_out(client, name, &unusable).await?;
                return Ok(Some(format!("The login {name} has ended, and so have its sessions.")));
            }
        };
        if ends {
            let until: String = state.get(2);
            return Ok(Some(format!("The password of {name} ends at {until}.")));
        }
        let until = format!("SELECT (now() + interval '{minutes} minutes')::text");
        let until: String = client.query_one(&until, &[]).await?.get(0);
        client.batch_execute(&format!("ALTER ROLE {name} VALID UNTIL '{until}'")).await?;
        Ok(Some(format!(
            "The password of {name} ends in {minutes} minutes; its open sessions end with the next `prepare` after that, or at once with --now."
        )))
    })
    .with_context(|| format!("cannot end the login {name}"))
}

/// The password as sent in SQL: a SCRAM verifier, which cannot be used to log in; Neon accepts only
/// plain passwords.
fn stored(url: &DatabaseUrl, password: &str) -> String {
    let neon = url.host().is_some_and(|host| host.ends_with(".neon.tech"));
    if neon { password.to_owned() } else { scram_sha_256(password.as_bytes()) }
}

async fn exists(client: &Client, role: &str) -> Result<bool> {
    let exists = "SELECT FROM pg_roles WHERE rolname = $1";
    Ok(client.query_opt(exists, &[&role]).await?.is_some())
}

async fn create_role(client: &Client, role: &str) -> Result<()> {
    match client.batch_execute(&format!("CREATE ROLE {role} NOLOGIN")).await {
        // Another process created it concurrently.
        Err(error) if error.code() == Some(&SqlState::DUPLICATE_OBJECT) => Ok(()),
        made => Ok(made?),
    }
}

/// Removes the role's password, settings, memberships and sessions. Somebody who has the password
/// may be logged in and change it again at the same time.
async fn lock_out(client: &Client, name: &str, unusable: &str) -> Result<()> {
    let lock = format!("ALTER ROLE {name} NOLOGIN PASSWORD '{unusable}'");
    let mut attempt = 1;
    loop {
        terminate(client, name).await?;
        match client.batch_execute(&lock).await {
            Ok(()) => break,
            Err(error) if attempt == ATTEMPTS => return Err(error.into()),
            Err(_) => attempt += 1,
        }
    }
    reset(client, name).await?;
    // A session that was just being opened is seen by the second check.
    let mut calm = 0;
    for _ in 0..50 {
        calm = if terminate(client, name).await? == 0 { calm + 1 } else { 0 };
        if calm == 2 {
            return Ok(());
        }
        sleep(Duration::from_millis(100)).await;
    }
    bail!("its sessions do not end")
}

/// Resets the settings that a role may set for its own future sessions, and ends its memberships:
/// before `PostgreSQL` 15, a role may give itself to others.
async fn reset(client: &Client, name: &str) -> Result<()> {
    let memberships = "
        SELECT format('REVOKE %I FROM %I', pg_get_userbyid(roleid), pg_get_userbyid(member))
        FROM pg_auth_members JOIN pg_roles ON pg_roles.oid IN (roleid, member)
        WHERE rolname = $1 AND pg_get_userbyid(member) <> current_user
          AND (roleid = pg_roles.oid OR pg_get_userbyid(roleid) = ANY ($2::text[]))";
    for row in client.query(memberships, &[&name, &Access::ROLES.as_slice()]).await? {
        client.batch_execute(row.get(0)).await?;
    }
    client.batch_execute(&format!("ALTER ROLE {name} RESET ALL")).await?;
    let databases = "
        SELECT quote_ident(datname)
        FROM pg_db_role_setting
        JOIN pg_roles ON pg_roles.oid = setrole AND rolname = $1
        JOIN pg_database ON pg_database.oid = setdatabase";
    for row in client.query(databases, &[&name]).await? {
        let database: String = row.get(0);
        client
            .batch_execute(&format!("ALTER ROLE {name} IN DATABASE {database} RESET ALL"))
            .await?;
    }
    Ok(())
}

/// Ends the sessions of a role; returns how many there were.
async fn terminate(client: &Client, name: &str) -> Result<i64> {
    let open = "SELECT count(*) FROM pg_stat_activity WHERE usename = $1";
    let open: i64 = client.query_one(open, &[&name]).await?.get(0);
    if open == 0 {
        return Ok(0);
    }
    let terminate = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1";
    let ended = client.query(terminate, &[&name]).await;
    if ended.as_ref().err().and_then(|error| error.code())
        == Some(&SqlState::INSUFFICIENT_PRIVILEGE)
    {
        // The creator of a role may not end its sessions, but may make itself a member, who may.
        let member = |verb| format!("{verb} CURRENT_USER");
        client.batch_execute(&member(format!("GRANT {name} TO"))).await?;
        let ended = client.query(terminate, &[&name]).await;
        client.batch_execute(&member(format!("REVOKE {name} FROM"))).await?;
        ended?;
    } else {
        ended?;
    }
    Ok(open)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_neon_is_sent_a_password_as_it_is() {
        let stored = |url: &str| stored(&url.parse().unwrap(), "HUSH");
        for neon in
            ["postgres://u:p@ep-x.aws.neon.tech/d", "postgres://u@ep-x-pooler.neon.tech:5432"]
        {
            assert_eq!(stored(neon), "HUSH");
        }
        for other in ["postgres://u:p@neon.tech.example/d", "postgres://u:x.neon.tech@127.0.0.1/d"]
        {
            assert!(stored(other).starts_with("SCRAM-SHA-256$4096:"));
        }
    }
}
