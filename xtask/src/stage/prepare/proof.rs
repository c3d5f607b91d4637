//! Proves that a new login has the rights it needs and no more, through the URL that will be
//! stored.
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use functions::{DATABASE_ROLE, TABLES, statement};
use shared::{Database, DatabaseUrl};
use tokio::runtime::Builder;
use tokio_postgres::Client;

use crate::database_url::Change;
use crate::login::Access;

/// Neon's proxy learns of a new role with a delay.
const PATIENCE: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(500);
const SSL_NEGOTIATION: &str = "sslnegotiation";

/// The proven URL, with direct TLS if the server supports it, which saves each new connection a
/// round trip.
pub(super) fn proven(url: DatabaseUrl, access: Access) -> Result<DatabaseUrl> {
    let patience = Instant::now() + PATIENCE;
    while let Err(reason) = connect(&url) {
        ensure!(Instant::now() < patience, "the database refuses it: {reason}");
        sleep(PAUSE);
    }
    hold(&url, access)?;
    // An explicit `sslnegotiation` is kept.
    if !url.requires_tls() || url.parameter(SSL_NEGOTIATION).is_some() {
        return Ok(url);
    }
    let direct = url.with_parameter(SSL_NEGOTIATION, "direct")?;
    Ok(if hold(&direct, access).is_ok() { direct } else { url })
}

fn connect(url: &DatabaseUrl) -> Result<(), String> {
    with_client(url, async |_| Ok(())).map_err(|error| format!("{error:#}"))
}

/// Fails with what is wrong with a login.
fn hold(url: &DatabaseUrl, access: Access) -> Result<()> {
    with_client(url, async |client| {
        let powers = "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = session_user";
        let above: bool = client.query_typed(powers, &[]).await?.iter().any(|row| row.get(0));
        ensure!(!above, "it can bypass row-level security");
        if access == Access::Functions { read(client).await } else { Ok(()) }
    })
}

/// Reads as a throwaway user, the way requests do.
async fn read(client: &mut Client) -> Result<()> {
    let transaction = client.transaction().await?;
    let nobody = ["'nobody, of cargo xtask stage prepare'".to_owned(), "0".to_owned()];
    for table in TABLES {
        let get = statement(&format!("{table}_get"));
        let get = get.with_context(|| format!("there is no statement {table}_get"))?;
        transaction.batch_execute(&get.call_with(&nobody)).await?;
        let seen = format!(
            "SELECT current_user::text, row_security_active('{table}'), (SELECT count(*) FROM {table})"
        );
        for row in transaction.query_typed(&seen, &[]).await? {
            let (role, secured, rows): (String, bool, i64) = (row.get(0), row.get(1), row.get(2));
            ensure!(role == DATABASE_ROLE, "it runs as {role}, not as {DATABASE_ROLE}");
            ensure!(
                secured && rows == 0,
                "row-level security does not hold: it sees {rows} {table} of others"
            );
        }
    }
    Ok(())
}

/// Connects as the functions do, through a pooler if there is one.
fn with_client<T>(
    url: &DatabaseUrl,
    work: impl AsyncFnOnce(&mut Client) -> Result<T>,
) -> Result<T> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let database = Database::new(url, 1).map_err(|fault| anyhow!("DATABASE_URL {fault}"))?;
        let mut connection = database.connection().await.map_err(|reason| anyhow!("{reason}"))?;
        work(&mut connection).await
    })
}
