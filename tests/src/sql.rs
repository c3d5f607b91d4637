//! What a test does to the database behind the API's back.
use secrecy::SecretString;
use shared::Database;
use tokio_postgres::SimpleQueryMessage;

/// Runs statements on the database of `url`; the first column of each row that they return.
pub fn sql(url: &str, statements: &str) -> Vec<String> {
    try_sql(url, statements).unwrap_or_else(|code| panic!("{code}: {statements}"))
}

/// As [`sql`].
///
/// # Errors
/// The SQLSTATE of why not.
pub fn try_sql(url: &str, statements: &str) -> Result<Vec<String>, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let messages = runtime.block_on(async {
        let database = Database::new(&SecretString::from(url), 1).unwrap();
        let connection = database.connection().await.unwrap();
        connection.simple_query(statements).await
    });
    let code = |error: tokio_postgres::Error| {
        error.code().map_or(error.to_string(), |code| code.code().into())
    };
    let messages = messages.map_err(code)?;
    let rows = messages.into_iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row.get(0).unwrap_or_default().to_owned()),
        _ => None,
    });
    Ok(rows.collect())
}
