//! Migrations: forward only, safe to run twice, also at once.
use anyhow::{Result, anyhow, bail};
use shared::{Database, DatabaseUrl};
use tokio_postgres::Client;

use crate::env_file::EnvFile;
use crate::settings;

mod embedded {
    refinery::embed_migrations!("../shared/migrations");
}

/// Any number, as long as it is the same in every run: who holds it migrates.
const LOCK: i64 = 0x7461_736b_7321;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// The database; by default that of `DATABASE_URL` in the environment, else in `.env`.
    #[arg(long)]
    database_url: Option<String>,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let chosen = options.database_url.clone();
    let Some(url) = chosen.or(settings::get(&EnvFile::load()?, "DATABASE_URL")) else {
        bail!("no database: set DATABASE_URL or pass --database-url");
    };
    migrate(&url)
}

/// Brings the tables of a database up to date and says what it did.
pub(crate) fn migrate(url: &str) -> Result<()> {
    let applied = with_client(&direct(url), async |client| {
        // Migrations that start at the same time wait here for the first of them.
        client.execute("SELECT pg_advisory_lock($1)", &[&LOCK]).await?;
        // A database that is ahead is one that an earlier version is deployed to again.
        let runner = embedded::migrations::runner().set_abort_missing(false);
        let report = runner.run_async(client).await;
        client.execute("SELECT pg_advisory_unlock($1)", &[&LOCK]).await?;
        Ok(report?.applied_migrations().iter().map(ToString::to_string).collect::<Vec<_>>())
    })?;
    match applied.as_slice() {
        [] => println!("The database is up to date."),
        applied => println!("The database is migrated: {}.", applied.join(", ")),
    }
    Ok(())
}

/// The migrations that a database lacks.
pub(crate) fn pending(url: &str) -> Result<Vec<String>> {
    let applied = with_client(&direct(url), async |client| {
        let table = "SELECT to_regclass('refinery_schema_history') IS NOT NULL";
        if !client.query_one(table, &[]).await?.get::<_, bool>(0) {
            return Ok(Vec::new());
        }
        let rows = client.query("SELECT version FROM refinery_schema_history", &[]).await?;
        Ok(rows.iter().map(|row| row.get(0)).collect::<Vec<i32>>())
    })?;
    let runner = embedded::migrations::runner();
    let all = runner.get_migrations().iter();
    let pending = all.filter(|migration| !applied.contains(&migration.version()));
    Ok(pending.map(ToString::to_string).collect())
}

/// Makes the database `name` on the server of `url`, where it is missing.
pub(crate) fn create_database(url: &str, name: &str) -> Result<()> {
    with_client(url, async |client| {
        let exists = "SELECT FROM pg_database WHERE datname = $1";
        if client.query_opt(exists, &[&name]).await?.is_none() {
            client.batch_execute(&format!("CREATE DATABASE {name}")).await?;
        }
        Ok(())
    })
}

/// The folder that the server of `url` keeps its data in.
pub(crate) fn data_directory(url: &str) -> Result<String> {
    with_client(url, async |client| {
        Ok(client.query_one("SELECT current_setting('data_directory')", &[]).await?.get(0))
    })
}

/// Says why a database cannot be used, if it cannot.
pub(crate) fn check(url: &str) -> Result<()> {
    with_client(url, async |_| Ok(()))
}

/// Neon's pooler has no sessions, which the lock needs; the same host without `-pooler` has.
pub(crate) fn direct(url: &str) -> String {
    url.replacen("-pooler.", ".", 1)
}

pub(crate) fn with_client<T>(
    url: &str,
    work: impl AsyncFnOnce(&mut Client) -> Result<T>,
) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let database = Database::new(&url.parse::<DatabaseUrl>()?, 1)
            .map_err(|fault| anyhow!("DATABASE_URL {fault}"))?;
        let mut connection = database.connection().await.map_err(|reason| {
            anyhow!("cannot connect to the database of DATABASE_URL: {reason}")
        })?;
        work(&mut connection).await
    })
}
