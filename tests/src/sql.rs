//! What a test does to the database behind the API's back.
use secrecy::SecretString;
use shared::Database;
use tokio_postgres::SimpleQueryMessage;

/// Runs statements on the database of `url`; the first column of each row that they return.
pub fn sql(url: &str, statements: &str) -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let messages = runtime.block_on(async {
        let database = Database::new(&SecretString::from(url), 1).unwrap();
        let connection = database.connection().await.unwrap();
        connection.simple_query(statements).await.unwrap()
    });
    let rows = messages.into_iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row.get(0).unwrap_or_default().to_owned()),
        _ => None,
    });
    rows.collect()
}
