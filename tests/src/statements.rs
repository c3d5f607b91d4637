//! What the product names in the database: its statements, and the table of keys.
use std::sync::LazyLock;

pub use functions::DATABASE_ROLE;
pub use shared::Statement;

use crate::{Resource, User, database};

/// The setting that names the user of a request.
pub const USER_SETTING: &str = "api_request.user_id";
/// The column of the idempotency keys that has the id of the row which a create made.
pub const KEYS_ROW_ID: &str = "row_id";

/// Every statement of the functions.
pub fn statements() -> &'static [&'static Statement] {
    static STATEMENTS: LazyLock<Vec<&Statement>> = LazyLock::new(functions::statements);
    &STATEMENTS
}

impl Resource {
    /// Its statement of this name.
    pub fn statement(&self, name: &str) -> &'static Statement {
        let full_name = format!("{}_{name}", self.table);
        let found = statements().iter().find(|statement| statement.name == full_name);
        found.unwrap_or_else(|| panic!("no statement {name} of {}", self.name))
    }

    /// Its statements.
    pub fn statements(&self) -> impl Iterator<Item = &'static Statement> {
        let prefix = format!("{}_", self.table);
        statements().iter().copied().filter(move |statement| statement.name.starts_with(&prefix))
    }

    /// The SQL that stores idempotency keys of creates; `rows` selects user, key, hash of the body
    /// and id of the row.
    pub fn insert_keys(&self, rows: &str) -> String {
        let (table, columns) = (&self.table, format!("key, request_hash, {KEYS_ROW_ID}"));
        format!(
            "INSERT INTO idempotency_keys (user_id, resource, {columns}) \
             SELECT user_id, '{table}', {columns} FROM ({rows}) row (user_id, {columns})"
        )
    }
}

/// A statement that the server ran: its definition, and its connection.
#[derive(Debug)]
pub struct Executed {
    /// Its name.
    pub name: &'static str,
    /// Whether it was prepared.
    pub prepared: bool,
    /// The connection.
    pub connection: String,
}

impl Executed {
    /// Every statement in the server's log whose first parameter is the user's id.
    pub fn of(user: &User) -> Vec<Self> {
        // Each line starts `2026-11-23 08:15:00.123 UTC [pid] application `.
        let log = database().log().replace("\n\t", " ");
        let lines: Vec<_> = log.lines().collect();
        let parameters = format!("DETAIL:  parameters: $1 = '{}'", user.id);
        let of_user = lines.windows(2).filter(|pair| pair[1].contains(&parameters));
        of_user.map(|pair| Self::read(pair[0])).collect()
    }

    /// The statement of a line of the server's log.
    pub fn read(line: &str) -> Self {
        let (before, said) = line.split_once("LOG:  execute ").expect(line);
        let (prepared, text) = said.split_once(": ").expect(line);
        let called = |known: &&Statement| known.call().text == text.trim_end();
        let hint = "a statement of the store is one of functions::statements()";
        let known = statements().iter().copied().find(called);
        let Statement { name, .. } = known.unwrap_or_else(|| panic!("{hint}: {text}"));
        let connection = before.split(['[', ']']).nth(1).unwrap().to_owned();
        Self { name, prepared: prepared != "<unnamed>", connection }
    }
}
