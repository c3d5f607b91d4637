//! A SQL statement and the database routine that runs it.
use std::sync::OnceLock;

use tokio_postgres::types::{ToSql, Type};

/// A statement of a resource.
///
/// The database has a routine for it, which each request calls: one message, one transaction. The
/// server caches a routine's plans for the whole session, whichever client uses it, so this works
/// behind every pooler.
#[derive(Debug)]
pub struct Statement {
    /// The role of each request, which has only the rights that the operations need.
    role: &'static str,
    /// Its name, which starts with the resource's table.
    pub name: String,
    /// The SQL text; the first parameter is the user.
    pub sql: String,
    /// The types of the parameters.
    pub types: Vec<Type>,
    /// The types of the result columns.
    pub columns: Vec<Type>,
    pub(crate) rows: Rows,
    call: OnceLock<Call>,
}

/// The call of a statement's routine, the same in every request.
#[derive(Debug)]
pub struct Call {
    /// The SQL text, with parameters `$1`, `$2`, …
    pub text: String,
    /// The types of its parameters: the statement's, and the fingerprint's.
    pub(super) types: Vec<Type>,
    /// The last parameter.
    pub(super) fingerprint: Vec<u8>,
}

/// The number of rows that a statement returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rows {
    /// Any number, by a function.
    Many,
    /// At most one, by a procedure, whose call needs no plan. Without a row its columns are null, so
    /// the first, a bigint, must not be null otherwise.
    One,
}

/// A parameter value.
pub type Parameter<'a> = &'a (dyn ToSql + Sync);

impl Statement {
    pub(crate) fn new(
        role: &'static str,
        name: String,
        rows: Rows,
        sql: String,
        types: Vec<Type>,
        columns: Vec<Type>,
    ) -> Self {
        Self { role, name, sql, types, columns, rows, call: OnceLock::new() }
    }

    /// The call, with a parameter for each value.
    pub fn call(&self) -> &Call {
        self.call.get_or_init(|| {
            let count = self.types.len() + 1;
            let parameters: Vec<_> = (1..=count).map(|index| format!("${index}")).collect();
            Call {
                text: self.call_of(&parameters.join(", ")),
                types: self.types.iter().cloned().chain([Type::BYTEA]).collect(),
                fingerprint: [&[0xff], &self.hash().to_be_bytes()[..]].concat(),
            }
        })
    }

    /// The call with these values, as SQL.
    #[must_use]
    pub fn call_with(&self, values: &[String]) -> String {
        self.call_of(&format!("{}, {}", values.join(", "), self.fingerprint()))
    }

    fn call_of(&self, parameters: &str) -> String {
        let name = self.routine();
        match self.rows {
            Rows::Many => format!("SELECT * FROM {name}({parameters})"),
            // PostgreSQL wants a place for each result.
            Rows::One => {
                format!("CALL {name}({parameters}{})", ", NULL".repeat(self.columns.len()))
            }
        }
    }

    /// The routine's name. It contains a hash of the definition, so the routines of other
    /// versions stay.
    #[must_use]
    pub fn routine(&self) -> String {
        format!("api_{}_{:016x}", self.name, self.hash())
    }

    fn hash(&self) -> u64 {
        fnv1a(self.definition("", "").as_bytes())
    }

    /// The last parameter of the call, as SQL. The routine refuses another one: in a session that a
    /// pooler shares, the name of a prepared statement may be another client's. The first byte is
    /// in no UTF-8 text and the length is no number's, so the statements of other software fail to
    /// read it.
    fn fingerprint(&self) -> String {
        format!("'\\xff{:016x}'", self.hash())
    }

    /// The SQL that creates the routine in the schema of the tables, a SQL identifier, run as
    /// their owner.
    #[must_use]
    pub fn creation(&self, schema: &str) -> String {
        let name = self.routine();
        let kind = match self.rows {
            Rows::Many => "FUNCTION",
            Rows::One => "PROCEDURE",
        };
        // The default grant to PUBLIC may have been revoked.
        format!(
            "CREATE {kind} {schema}.{name}{}; GRANT EXECUTE ON {kind} {schema}.{name} TO PUBLIC",
            self.definition(schema, &self.fingerprint())
        )
    }

    /// The routine without its name. It looks names up in the schema of the tables, whatever the
    /// session's search path and temporary tables are. It switches to the role and sets the user
    /// whose rows the role sees; both end with the transaction. Its lock timeout is below the
    /// request's time limit. Its plans are generic: where users have many rows, `PostgreSQL` would
    /// otherwise plan lists and clears anew in each call. An assignment is cheaper than `PERFORM`,
    /// which runs a query.
    fn definition(&self, schema: &str, fingerprint: &str) -> String {
        let types = self.types.iter().chain([&Type::BYTEA]);
        let types: Vec<_> = types.map(|of| of.name().to_owned()).collect();
        let last = types.len();
        let names: Vec<_> =
            (0..self.columns.len()).map(|index| format!("column_{index}")).collect();
        let columns = names.iter().zip(&self.columns);
        let columns: Vec<_> = columns.map(|(name, of)| format!("{name} {}", of.name())).collect();
        let (head, body) = match self.rows {
            Rows::Many => (
                format!("({}) RETURNS TABLE ({})", types.join(", "), columns.join(", ")),
                format!("RETURN QUERY {}", self.sql),
            ),
            Rows::One => {
                let results = columns.iter().map(|column| format!("OUT {column}"));
                let parameters: Vec<_> = types.into_iter().chain(results).collect();
                (
                    format!("({})", parameters.join(", ")),
                    format!("{} INTO {}", self.sql, names.join(", ")),
                )
            }
        };
        let role = self.role;
        format!(
            "{head} LANGUAGE plpgsql SET search_path = {schema}, pg_temp AS $routine$
DECLARE
    settings text;
BEGIN
    IF ${last} <> {fingerprint} THEN
        RAISE invalid_sql_statement_name;
    END IF;
    settings := set_config('role', '{role}', true)
        || set_config('{role}.user_id', $1, true)
        || set_config('lock_timeout', '4s', true)
        || set_config('plan_cache_mode', 'force_generic_plan', true);
    {body};
END $routine$"
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
    fn the_name_of_a_routine_changes_with_its_definition() {
        // Published test vectors.
        assert_eq!(fnv1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fnv1a(b"foobar"), 0x8594_4171_f739_67e8);

        let texts = |count| vec![Type::TEXT; count];
        let statement = |rows, sql: &str, types, columns| {
            Statement::new("role", "n".into(), rows, sql.into(), types, texts(columns))
        };
        let function = |sql, types, columns| statement(Rows::Many, sql, types, columns).routine();
        let name = function("SELECT $1", texts(2), 2);
        assert_eq!(name, function("SELECT $1", texts(2), 2));
        assert_ne!(name, function("SELECT $2", texts(2), 2));
        assert_ne!(name, function("SELECT $1", vec![Type::TEXT, Type::INT8], 2));
        assert_ne!(name, function("SELECT $1", texts(2), 1));
        let call = statement(Rows::Many, "SELECT $1", texts(2), 2).call().text.clone();
        assert_eq!(call, format!("SELECT * FROM {name}($1, $2, $3)"));
        let statement = statement(Rows::One, "SELECT $1", texts(2), 2);
        let procedure = statement.routine();
        assert_ne!(procedure, name);
        assert_eq!(statement.call().text, format!("CALL {procedure}($1, $2, $3, NULL, NULL)"));
    }
}
