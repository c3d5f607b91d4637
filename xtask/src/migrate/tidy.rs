//! Drops routines that no version needs any more. `PostgreSQL` does not tell who calls one, so each
//! has the day on which a version that needs it was last migrated, and the operator decides.
use anyhow::Result;
use functions::statements;
use shared::DatabaseUrl;
use tokio_postgres::Client;

use super::with_session;
use crate::privileges::Tables;

/// What the comment of a routine begins with; a day follows.
const NEEDED: &str = "Needed by a version that was migrated on ";

/// Notes that this version needs its routines.
pub(super) async fn note_needed(client: &Client, schema: &str) -> Result<()> {
    let day: String = client.query_one("SELECT current_date::text", &[]).await?.get(0);
    let comments = statements().into_iter().map(|statement| {
        format!("COMMENT ON ROUTINE {schema}.{} IS '{NEEDED}{day}'", statement.routine())
    });
    Ok(client.batch_execute(&comments.collect::<Vec<_>>().join("; ")).await?)
}

/// Lists the routines that no version needed for `days`, and drops them if `drop`.
pub(super) fn tidy(url: &DatabaseUrl, days: i32, drop: bool) -> Result<()> {
    let old = with_session(url, async |client| {
        let old = old(client, &Tables::find(client).await?, days).await?;
        client.batch_execute("SET lock_timeout = '2s'").await?;
        for (signature, _) in old.iter().filter(|_| drop) {
            client.batch_execute(&format!("DROP ROUTINE {signature}")).await?;
        }
        Ok(old)
    })?;
    for (signature, day) in &old {
        println!("{signature}, last needed on {day}");
    }
    match (old.is_empty(), drop) {
        (true, _) => println!("There is no routine that no version needed for {days} days."),
        (_, true) => println!("They are dropped."),
        (_, false) => println!(
            "A deployed version that still calls one of them would answer 500 `internal`, until its own `cargo xtask migrate` makes it again. If none is, add --yes: they are dropped."
        ),
    }
    Ok(())
}

/// The routines that this version does not need, and no version for `days`: signature and day.
async fn old(client: &Client, tables: &Tables, days: i32) -> Result<Vec<(String, String)>> {
    let known: Vec<_> = statements().iter().map(|statement| statement.routine()).collect();
    let old = "
        SELECT pg_proc.oid::regprocedure::text, day
        FROM pg_proc JOIN pg_namespace ON pg_namespace.oid = pronamespace,
            substring(obj_description(pg_proc.oid, 'pg_proc') FROM $4::text || '(.{10})') AS day
        WHERE nspname = $1::text AND pg_get_userbyid(proowner) = $2::text
          AND proname ~ '^api_.*_[0-9a-f]{16}$' AND proname <> ALL ($3::text[])
          AND day::date <= current_date - $5::int
        ORDER BY day, 1";
    let rows = client.query(old, &[&tables.schema, &tables.owner, &known, &NEEDED, &days]).await?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}
