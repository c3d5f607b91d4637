//! Migrations: forward only, and safe to run repeatedly and concurrently.
mod tidy;

use std::collections::HashSet;
use std::io::read_to_string;

use anyhow::{Context, Result, anyhow, bail, ensure};
use functions::statements;
use shared::{Database, DatabaseUrl, Statement};
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use crate::database_url::Change;
use crate::env_file::EnvFile;
use crate::privileges::{Tables, quoted};
use crate::settings;

mod embedded {
    refinery::embed_migrations!("../functions/migrations");
}

/// An arbitrary number, the same in every run: the advisory lock of the migrations.
const LOCK: i64 = 0x7461_736b_7321;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// The database; `-` reads its URL from standard input. The default is `DATABASE_URL` in the
    /// environment, else in `.env`. A URL with a password is refused here, because other users
    /// could see it in the list of processes.
    #[arg(long)]
    database_url: Option<String>,
    /// Then list the routines that no version needs any more.
    #[arg(long)]
    tidy: bool,
    /// With `--tidy`: keep those that a version needed within this many days.
    #[arg(long, default_value_t = 30, requires = "tidy")]
    days: i32,
    /// With `--tidy`: drop them.
    #[arg(long, requires = "tidy")]
    yes: bool,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let url = match options.database_url.as_deref() {
        Some("-") => read_to_string(std::io::stdin())?.trim().parse()?,
        Some(text) => {
            let url: DatabaseUrl = text.parse()?;
            ensure!(
                url.password().is_none(),
                "the list of processes would show the password: set DATABASE_URL, or pipe the URL into --database-url -"
            );
            url
        }
        None => settings::database_url(&EnvFile::load()?)?
            .context("no database: set DATABASE_URL or pass --database-url")?,
    };
    migrate(&url)?;
    if options.tidy { tidy::tidy(&url, options.days, options.yes) } else { Ok(()) }
}

/// Migrates a database's tables and routines and prints what it did.
pub(crate) fn migrate(url: &DatabaseUrl) -> Result<()> {
    let applied = with_session(url, async |client| {
        let tables = Tables::find(client).await?;
        // Anybody who may connect can hold the lock, or lock a table.
        client.batch_execute("SET lock_timeout = '20s'").await?;
        // Concurrent migrations wait here.
        if let Err(error) = client.execute("SELECT pg_advisory_lock($1)", &[&LOCK]).await {
            ensure!(error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE), error);
            bail!("{}", holder(client).await?);
        }
        if !tables.exist {
            // Everybody may create tables before PostgreSQL 15. If only another role can end that,
            // the check says so.
            let _ = client.batch_execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC").await;
        }
        tables.check_creators(client).await?;
        client.batch_execute("RESET search_path").await?;
        refuse_earlier(client).await?;
        // A newer schema means that an older version is deployed again.
        let runner = embedded::migrations::runner().set_abort_missing(false);
        let report = runner.run_async(client).await?;
        let mut applied: Vec<_> =
            report.applied_migrations().iter().map(ToString::to_string).collect();
        let lacking = without_routine(client, &tables).await?;
        let [schema, owner] = [&tables.schema, &tables.owner].map(|name| quoted(name));
        for statement in &lacking {
            let (creation, name) = (statement.creation(&schema), statement.routine());
            let give = format!("ALTER ROUTINE {schema}.{name} OWNER TO {owner}");
            client.batch_execute(&format!("{creation}; {give}")).await?;
        }
        applied.extend(routines(&lacking));
        tidy::note_needed(client, &schema).await?;
        client.execute("SELECT pg_advisory_unlock($1)", &[&LOCK]).await?;
        Ok(applied)
    })?;
    match applied.as_slice() {
        [] => println!("The database is up to date."),
        applied => println!("The database is migrated: {}.", applied.join(", ")),
    }
    Ok(())
}

/// Refuses the tables of a version before the first release, whose migrations were written anew.
async fn refuse_earlier(client: &Client) -> Result<()> {
    let earlier = "
        SELECT FROM pg_attribute WHERE attrelid = to_regclass('idempotency_keys')
          AND attname = 'task_id' AND NOT attisdropped";
    ensure!(
        client.query_opt(earlier, &[]).await?.is_none(),
        "the database has the tables of a version before 0.1.0, which this one cannot migrate: use a new database (locally, `cargo xtask dev --fresh` makes one); CHANGELOG.md says how to keep its rows"
    );
    Ok(())
}

/// The statements whose routines are missing in a database. One that another role owns may be
/// anything.
async fn without_routine(client: &Client, tables: &Tables) -> Result<Vec<&'static Statement>> {
    let there = "
        SELECT proname::text FROM pg_proc JOIN pg_namespace ON pg_namespace.oid = pronamespace
        WHERE nspname = $1::text AND pg_get_userbyid(proowner) = $2::text";
    let rows = client.query(there, &[&tables.schema, &tables.owner]).await?;
    let there: HashSet<String> = rows.iter().map(|row| row.get(0)).collect();
    let lacking =
        statements().into_iter().filter(|statement| !there.contains(&statement.routine()));
    Ok(lacking.collect())
}

fn routines(of: &[&Statement]) -> Option<String> {
    let names: Vec<_> = of.iter().map(|statement| statement.name.as_str()).collect();
    (!names.is_empty()).then(|| format!("routines for {}", names.join(", ")))
}

/// The texts of the migrations.
pub(crate) fn texts() -> Vec<String> {
    let runner = embedded::migrations::runner();
    let texts = runner.get_migrations().iter().filter_map(|migration| migration.sql());
    texts.map(str::to_owned).collect()
}

/// Names the sessions that block the migration.
async fn holder(client: &Client) -> Result<String> {
    let holder = "
        SELECT pid, usename::text FROM pg_locks JOIN pg_stat_activity USING (pid)
        WHERE locktype = 'advisory' AND granted AND (classid::bigint << 32) + objid::bigint = $1";
    Ok(match client.query_opt(holder, &[&LOCK]).await? {
        Some(row) => {
            let (pid, user): (i32, Option<String>) = (row.get(0), row.get(1));
            let user = user.unwrap_or_default();
            format!(
                "another migration is under way, or the session {pid} of {user} holds its lock: SELECT pg_terminate_backend({pid}) ends it"
            )
        }
        None => "another migration was under way: try again".to_owned(),
    })
}

/// The migrations and routines that are missing in a database.
pub(crate) fn pending(url: &DatabaseUrl) -> Result<Vec<String>> {
    let (applied, lacking) = with_session(url, async |client| {
        let tables = Tables::find(client).await?;
        if tables.exist {
            tables.check_creators(client).await?;
        }
        client.batch_execute("RESET search_path").await?;
        refuse_earlier(client).await?;
        let lacking = without_routine(client, &tables).await?;
        let table = "SELECT to_regclass('refinery_schema_history') IS NOT NULL";
        if !client.query_one(table, &[]).await?.get::<_, bool>(0) {
            return Ok((Vec::new(), lacking));
        }
        let rows = client.query("SELECT version FROM refinery_schema_history", &[]).await?;
        Ok((rows.iter().map(|row| row.get(0)).collect::<Vec<i32>>(), lacking))
    })?;
    let runner = embedded::migrations::runner();
    let all = runner.get_migrations().iter();
    let pending = all.filter(|migration| !applied.contains(&migration.version()));
    Ok(pending.map(ToString::to_string).chain(routines(&lacking)).collect())
}

/// Creates the database `name` on the server of `url`, if it is missing.
pub(crate) fn create_database(url: &DatabaseUrl, name: &str) -> Result<()> {
    with_client(url, async |client| {
        let exists = "SELECT FROM pg_database WHERE datname = $1";
        if client.query_opt(exists, &[&name]).await?.is_none() {
            client.batch_execute(&format!("CREATE DATABASE {name}")).await?;
        }
        Ok(())
    })
}

/// The data directory of the server at `url`.
pub(crate) fn data_directory(url: &DatabaseUrl) -> Result<String> {
    with_client(url, async |client| {
        Ok(client.query_one("SELECT current_setting('data_directory')", &[]).await?.get(0))
    })
}

/// Fails with the reason why a database cannot be used.
pub(crate) fn check(url: &DatabaseUrl) -> Result<()> {
    with_client(url, async |_| Ok(()))
}

/// Does `work` in a session, bypassing a pooler, which has none.
pub(crate) fn with_session<T>(
    url: &DatabaseUrl,
    work: impl AsyncFnOnce(&mut Client) -> Result<T>,
) -> Result<T> {
    with_client(&url.direct()?, work)
}

fn with_client<T>(
    url: &DatabaseUrl,
    work: impl AsyncFnOnce(&mut Client) -> Result<T>,
) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let database = Database::new(url, 1).map_err(|fault| anyhow!("DATABASE_URL {fault}"))?;
        let mut connection = database.connection().await.map_err(|reason| {
            anyhow!("cannot connect to the database of DATABASE_URL: {reason}")
        })?;
        work(&mut connection).await
    })
}
