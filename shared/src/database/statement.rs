//! A SQL statement and the database function that runs it.
use std::sync::OnceLock;

use tokio_postgres::types::{ToSql, Type};

/// The role of each request: it has only the rights that the operations need.
pub const DATABASE_ROLE: &str = "task_api";

/// A statement of the task store.
///
/// The database has a function for it, which each request calls: one message, one transaction. The
/// server caches a function's plans for the whole session, whichever client uses it, so this works
/// behind every pooler.
#[derive(Debug)]
pub struct Statement {
    /// Its name.
    pub name: &'static str,
    /// The SQL text; the first parameter is the user.
    pub sql: &'static str,
    /// The types of the parameters.
    pub types: &'static [Type],
    /// The types of the result columns.
    pub columns: &'static [Type],
    call: OnceLock<String>,
}

/// A parameter value.
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

    /// The call, with parameters `$1`, `$2`, …
    pub fn call(&self) -> &str {
        self.call.get_or_init(|| {
            let parameters: Vec<_> =
                (1..=self.types.len()).map(|index| format!("${index}")).collect();
            format!("SELECT * FROM {}({})", self.function(), parameters.join(", "))
        })
    }

    /// The function's name. It contains a hash of the definition, so the functions of other
    /// versions stay.
    #[must_use]
    pub fn function(&self) -> String {
        format!("task_api_{}_{:016x}", self.name, fnv1a(self.definition().as_bytes()))
    }

    /// The SQL that creates the function, run as the owner of the tables.
    #[must_use]
    pub fn creation(&self) -> String {
        let function = self.function();
        // The default grant to PUBLIC may have been revoked.
        format!(
            "CREATE FUNCTION {function}{}; GRANT EXECUTE ON FUNCTION {function} TO PUBLIC",
            self.definition()
        )
    }

    /// The function without its name. It switches to the role and sets the user whose rows the role
    /// sees; both end with the transaction. Its lock timeout is below the request's time limit.
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

/// 64-bit FNV-1a: unlike Rust's own hash, the same in every version.
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
        // Published test vectors.
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
