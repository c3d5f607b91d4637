//! Direct access to the database, bypassing the API.
use shared::Database;
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::SimpleQueryMessage;

use crate::statements::{DATABASE_ROLE, Statement, USER_SETTING};

/// Runs statements on the database of `url`; returns the first column of each row.
pub fn sql(url: &str, statements: &str) -> Vec<String> {
    Session::open(url).run(statements)
}

/// As [`sql`].
///
/// # Errors
/// The error's SQLSTATE.
pub fn try_sql(url: &str, statements: &str) -> Result<Vec<String>, String> {
    Session::open(url).try_run(statements)
}

/// A database's URL with another login.
pub fn with_login(url: &str, user: &str, password: &str) -> String {
    let (_, address) = url.split_once('@').unwrap();
    format!("postgres://{user}:{password}@{address}")
}

/// The name of a URL's database.
pub fn name_of(url: &str) -> &str {
    url.split('?').next().unwrap().rsplit('/').next().unwrap()
}

/// The URL of another database of the same server.
pub fn with_name(url: &str, name: &str) -> String {
    url.replacen(&format!("/{}?", name_of(url)), &format!("/{name}?"), 1)
}

/// The text of a statement with these expressions in place of its parameters.
pub fn bound(statement: &Statement, sql: &str, values: &[impl AsRef<str>]) -> String {
    let Statement { name, types, .. } = statement;
    assert_eq!(values.len(), types.len(), "the parameters of {name}");
    // From the last one on, since `$1` is a prefix of `$10`.
    let parameters = values.iter().zip(types.iter()).enumerate().rev();
    parameters.fold(sql.to_owned(), |sql, (index, (value, of))| {
        sql.replace(&format!("${}", index + 1), &format!("{}::{}", value.as_ref(), of.name()))
    })
}

/// Statements in the transaction of a user's request.
pub fn as_user(user: &str, statements: &str) -> String {
    format!(
        "BEGIN; SET LOCAL ROLE {DATABASE_ROLE}; SET LOCAL {USER_SETTING} = '{user}'; {statements}; COMMIT"
    )
}

/// A session of the database; its locks are held until it is dropped.
pub struct Session {
    runtime: Runtime,
    /// With one connection, so that it is always the same.
    database: Database,
}

impl Session {
    /// A session of the database of `url`.
    pub fn open(url: &str) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        Self { runtime, database: Database::new(&url.parse().unwrap(), 1).unwrap() }
    }

    /// Runs statements; returns the first column of each row.
    pub fn run(&self, statements: &str) -> Vec<String> {
        self.try_run(statements).unwrap_or_else(|code| panic!("{code}: {statements}"))
    }

    /// As [`try_sql`].
    ///
    /// # Errors
    /// The error's SQLSTATE.
    pub fn try_run(&self, statements: &str) -> Result<Vec<String>, String> {
        let messages = self.runtime.block_on(async {
            let connection = self.database.connection().await.unwrap();
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
}
