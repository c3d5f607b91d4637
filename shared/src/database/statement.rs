//! A statement, and the function of the database that runs it.
use std::sync::OnceLock;

use tokio_postgres::types::{ToSql, Type};

/// The role of each request: it may do what the operations need and nothing else.
pub const DATABASE_ROLE: &str = "task_api";

/// One statement of the product.
///
/// The database has a function for it, which each request calls: one message, one transaction. The server keeps the
/// plan of what is in a function for the whole session, whoever calls it next, so this works behind every pooler.
#[derive(Debug)]
pub struct Statement {
    /// What it is called.
    pub name: &'static str,
    /// Its text; the first parameter is the user.
    pub sql: &'static str,
    /// The type of each of its parameters.
    pub types: &'static [Type],
    /// The type of each column of its rows.
    pub columns: &'static [Type],
    call: OnceLock<String>,
}

/// The value of a parameter.
pub(crate) type Parameter<'a> = &'a (dyn ToSql + Sync);

impl Statement {
    pub(crate) const fn new(
        name: &'static str,
        sql: &'static str,
        types: &'static [Type],
        columns: &'static [Type],
    ) -> Self {
        Self { name, sql, types, columns, call: OnceLock::new() }
    }

    /// What runs it, with its parameters `$1`, `$2`, …
    pub fn call(&self) -> &str {
        self.call.get_or_init(|| {
            let parameters: Vec<_> =
                (1..=self.types.len()).map(|index| format!("${index}")).collect();
            format!("SELECT * FROM {}({})", self.function(), parameters.join(", "))
        })
    }

    /// The name of its function. It changes with the definition, so that the functions of other versions stay.
    #[must_use]
    pub fn function(&self) -> String {
        format!("task_api_{}_{:016x}", self.name, fnv1a(self.definition().as_bytes()))
    }

    /// What makes the function, as the owner of the tables.
    #[must_use]
    pub fn creation(&self) -> String {
        let function = self.function();
        // Somebody may have taken from everybody what PostgreSQL gives by default.
        format!(
            "CREATE FUNCTION {function}{}; GRANT EXECUTE ON FUNCTION {function} TO PUBLIC",
            self.definition()
        )
    }

    /// All of the function but its name. It becomes the role and names the user whose rows the role sees; both end
    /// with the transaction. No request waits for a lock for longer than it has time.
    fn definition(&self) -> String {
        let types: Vec<_> = self.types.iter().map(Type::name).collect();
        let column = |(index, of): (usize, &Type)| format!("column_{index} {}", of.name());
        let columns: Vec<_> = self.columns.iter().enumerate().map(column).collect();
        format!(
            "({}) RETURNS TABLE ({}) LANGUAGE plpgsql AS $function$
BEGIN
    PERFORM set_config('role', '{DATABASE_ROLE}', true),
            set_config('task_api.user_id', $1, true),
            set_config('lock_timeout', '4s', true);
    RETURN QUERY {};
END $function$",
            types.join(", "),
            columns.join(", "),
            self.sql,
        )
    }
}

/// A hash that no version of Rust changes: 64-bit FNV-1a.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_function_changes_with_its_definition() {
        static TEXTS: &[Type] = &[Type::TEXT, Type::TEXT];
        // The published test vectors.
        assert_eq!(fnv1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fnv1a(b"foobar"), 0x8594_4171_f739_67e8);

        let function = |sql, types, columns| Statement::new("n", sql, types, columns).function();
        let name = function("SELECT $1", TEXTS, TEXTS);
        assert_eq!(name, function("SELECT $1", TEXTS, TEXTS));
        assert_ne!(name, function("SELECT $2", TEXTS, TEXTS));
        assert_ne!(name, function("SELECT $1", &[Type::TEXT, Type::INT8], TEXTS));
        assert_ne!(name, function("SELECT $1", TEXTS, &[Type::TEXT]));
        let statement = Statement::new("n", "SELECT $1", TEXTS, TEXTS);
        assert_eq!(statement.call(), format!("SELECT * FROM {name}($1, $2)"));
    }
}
