//! What the product names in the database: its statements, and the table of keys.
use shared::STATEMENTS;
pub use shared::{DATABASE_ROLE, Statement};

use crate::{Resource, User, database};

/// The setting that names the user of a request.
pub const USER_SETTING: &str = "task_api.user_id";
/// The column of the idempotency keys that has the id of the row which a create made.
pub const KEYS_ROW_ID: &str = "task_id";

/// Every statement of the functions.
pub fn statements() -> &'static [&'static Statement] {
    STATEMENTS
}

impl Resource {
    /// Its statement of this name.
    pub fn statement(&self, name: &str) -> &'static Statement {
        let found = self.statements().find(|statement| statement.name == name);
        found.unwrap_or_else(|| panic!("no statement {name} of {}", self.name))
    }

    /// Its statements.
    pub fn statements(&self) -> impl Iterator<Item = &'static Statement> {
        statements().iter().copied().filter(|statement| statement.sql.contains(&self.table))
    }

    /// The SQL that stores idempotency keys of creates; `rows` selects user, key, hash of the body
    /// and id of the row.
    pub fn insert_keys(&self, rows: &str) -> String {
        format!("INSERT INTO idempotency_keys (user_id, key, request_hash, {KEYS_ROW_ID}) {rows}")
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
        let hint = "a statement of the store is one of shared::STATEMENTS";
        let known = statements().iter().copied().find(called);
        let Statement { name, .. } = known.unwrap_or_else(|| panic!("{hint}: {text}"));
        let connection = before.split(['[', ']']).nth(1).unwrap().to_owned();
        Self { name, prepared: prepared != "<unnamed>", connection }
    }
}
