//! The SQL that any resource has.
use tokio_postgres::types::Type;

use super::account::{clear, erase};
use super::page::Filter;
use super::record::{Column, Record};
use crate::database::{Rows, Statement};

/// What a product states of a record besides its columns.
pub trait Resource: Record + HasStatements {
    /// The database role of its requests. The name of the user's setting begins with it, too.
    const ROLE: &'static str;
    /// The filters of a list.
    const FILTERS: &'static [Filter] = &[];
}

/// A record whose statements are written once, as [`record!`](crate::record) does.
pub trait HasStatements {
    /// The statements of every resource, for this one.
    fn statements() -> &'static Statements;
}

/// The statements of every resource, for one of them.
#[derive(Debug)]
pub struct Statements {
    /// One for each combination of filters, so that its cached plan fits; a filter is a bit of the
    /// index.
    pub(super) lists: Vec<Statement>,
    pub(super) get: Statement,
    pub(super) create: Statement,
    pub(super) create_once: Statement,
    pub(super) update: ChangeStatement,
    pub(super) delete: ChangeStatement,
    pub(super) erase: Statement,
}

impl Statements {
    /// Writes the statements of a resource.
    #[must_use]
    pub fn of<R: Resource>() -> Self {
        Self {
            lists: (0..1 << R::FILTERS.len()).map(list::<R>).collect(),
            get: statement::<R>(
                "get",
                Rows::One,
                &format!("SELECT {{columns}} FROM {} WHERE user_id = $1 AND id = $2", R::TABLE),
                vec![Type::TEXT, Type::INT8],
                row_types::<R>(),
            ),
            create: create::<R>(),
            create_once: create_once::<R>(),
            update: update::<R>(),
            delete: ChangeStatement::of::<R>("delete", "DELETE FROM", "", vec![]),
            erase: erase(R::ROLE, R::TABLE, &[R::TABLE]),
        }
    }

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &Statement> {
        let Self { lists, get, create, create_once, update, delete, erase } = self;
        let changes = [update, delete].into_iter().flat_map(ChangeStatement::all);
        lists.iter().chain([get, create, create_once, erase]).chain(changes)
    }
}

/// A statement that changes one row and returns it, and the same for expected versions.
#[derive(Debug)]
pub struct ChangeStatement {
    pub(super) any: Statement,
    pub(super) if_match: Statement,
}

impl ChangeStatement {
    /// One that sets columns: `assignments` is the SQL, whose parameters begin with `$3`.
    #[must_use]
    pub fn new<R: Resource>(operation: &str, assignments: &str, types: Vec<Type>) -> Self {
        let set =
            format!(" SET {assignments}, version = version + 1, updated_at = clock_timestamp()");
        Self::of::<R>(operation, "UPDATE", &set, types)
    }

    fn of<R: Resource>(operation: &str, verb: &str, set: &str, types: Vec<Type>) -> Self {
        let table = R::TABLE;
        let change = format!("{verb} {table}{set} WHERE user_id = $1 AND id = $2");
        let types = [vec![Type::TEXT, Type::INT8], types].concat();
        let (versions, listed) = (types.len() + 1, types.len() + 2);
        let columns = || [row_types::<R>(), vec![Type::BOOL]].concat();
        let any = format!("{change} RETURNING {{columns}}, true");
        // A row with `false` has another version.
        let if_match = format!(
            "WITH changed AS (
                {change} AND (version = ANY (${versions})) = ${listed}
                RETURNING {{columns}}
            )
            SELECT *, true FROM changed
            UNION ALL
            SELECT {{columns}}, false FROM {table}
            WHERE user_id = $1 AND id = $2 AND NOT EXISTS (SELECT FROM changed)"
        );
        let if_match_types = [types.clone(), vec![Type::INT8_ARRAY, Type::BOOL]].concat();
        Self {
            any: statement::<R>(operation, Rows::One, &any, types, columns()),
            if_match: statement::<R>(
                &format!("{operation}_if_match"),
                Rows::One,
                &if_match,
                if_match_types,
                columns(),
            ),
        }
    }

    /// Both.
    pub fn all(&self) -> impl Iterator<Item = &Statement> {
        [&self.any, &self.if_match].into_iter()
    }
}

/// A statement that deletes the oldest rows of a resource that match `condition`, at most 10,000;
/// [`Cleared::read`](crate::Cleared::read) reads its result. The condition is SQL, whose parameters
/// begin with `$3`: the first two are the user, and the time after which what changed stays.
#[must_use]
pub fn clear_statement<R: Resource>(
    operation: &str,
    condition: &str,
    types: Vec<Type>,
) -> Statement {
    clear(R::ROLE, R::TABLE, operation, condition, types)
}

/// `{columns}` stands for the columns of a row.
fn statement<R: Resource>(
    operation: &str,
    rows: Rows,
    sql: &str,
    types: Vec<Type>,
    columns: Vec<Type>,
) -> Statement {
    let row = format!("id, {}, created_at, updated_at, version", names::<R>());
    let name = format!("{}_{operation}", R::TABLE);
    Statement::new(R::ROLE, name, rows, sql.replace("{columns}", &row), types, columns)
}

/// The names of the columns that the resource states.
fn names<R: Record>() -> String {
    let names: Vec<_> = R::COLUMNS.iter().map(|column| column.name).collect();
    names.join(", ")
}

fn column_types<R: Record>() -> impl Iterator<Item = Type> {
    R::COLUMNS.iter().map(|column| column.of.clone())
}

/// The types of `{columns}`.
fn row_types<R: Record>() -> Vec<Type> {
    let added = [Type::TIMESTAMPTZ, Type::TIMESTAMPTZ, Type::INT8];
    [Type::INT8].into_iter().chain(column_types::<R>()).chain(added).collect()
}

/// A page, newest first, by the filters of a combination.
fn list<R: Resource>(combination: usize) -> Statement {
    let mut name = "list".to_owned();
    let mut conditions = String::new();
    let mut types = vec![Type::TEXT, Type::INT8, Type::INT8, Type::INT8];
    let chosen = R::FILTERS.iter().enumerate().filter(|(bit, _)| combination & (1 << bit) != 0);
    for (_, Filter { name: column, of, .. }) in chosen {
        types.push(of.clone());
        name = format!("{name}_by_{column}");
        conditions = format!("{conditions} AND {column} = ${}", types.len());
    }
    let sql = format!(
        "SELECT {{columns}} FROM {}
        WHERE user_id = $1 AND id < $2{conditions}
        ORDER BY id DESC
        LIMIT $3 OFFSET $4",
        R::TABLE
    );
    statement::<R>(&name, Rows::Many, &sql, types, row_types::<R>())
}

/// Id and creation time, whether the key belongs to the same request, and whether the row is new.
fn inserted() -> Vec<Type> {
    vec![Type::INT8, Type::TIMESTAMPTZ, Type::BOOL, Type::BOOL]
}

/// The placeholders and the types of the user and the columns that the resource states.
fn inserting<R: Record>() -> (String, Vec<Type>) {
    let types: Vec<_> = [Type::TEXT].into_iter().chain(column_types::<R>()).collect();
    let places: Vec<_> = (1..=types.len()).map(|index| format!("${index}")).collect();
    (places.join(", "), types)
}

fn create<R: Resource>() -> Statement {
    let (places, types) = inserting::<R>();
    let sql = format!(
        "INSERT INTO {} (user_id, {}) VALUES ({places}) RETURNING id, created_at, true, true",
        R::TABLE,
        names::<R>()
    );
    statement::<R>("create", Rows::One, &sql, types, inserted())
}

/// Of concurrent creates with one key, one inserts the key; the others wait for it. Their snapshot
/// does not contain its row, which the update without effect returns.
fn create_once<R: Resource>() -> Statement {
    let (places, mut types) = inserting::<R>();
    let (key, hash) = (types.len() + 1, types.len() + 2);
    types.extend([Type::TEXT, Type::BYTEA]);
    let (table, names) = (R::TABLE, names::<R>());
    let sql = format!(
        "WITH proposed AS (
            SELECT nextval('{table}_id_seq'::regclass) AS id
        ), claim AS (
            INSERT INTO idempotency_keys AS held (user_id, resource, key, request_hash, row_id)
            SELECT $1, '{table}', ${key}, ${hash}, id FROM proposed
            ON CONFLICT (user_id, resource, key) DO UPDATE SET key = held.key
            RETURNING row_id, request_hash, created_at
        ), created AS (
            INSERT INTO {table} (id, created_at, updated_at, user_id, {names})
            SELECT row_id, created_at, created_at, {places}
            FROM claim JOIN proposed ON row_id = id
            RETURNING id
        )
        SELECT row_id, created_at, request_hash = ${hash}, EXISTS (SELECT FROM created)
        FROM claim"
    );
    statement::<R>("create_once", Rows::One, &sql, types, inserted())
}

fn update<R: Resource>() -> ChangeStatement {
    // `$1` and `$2` are the user and the id.
    let mut types = vec![Type::TEXT, Type::INT8];
    let assignments: Vec<_> =
        R::COLUMNS.iter().map(|column: &Column| column.assignment(&mut types)).collect();
    ChangeStatement::new::<R>("update", &assignments.join(", "), types.split_off(2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sample::Sample;

    #[test]
    fn each_statement_has_a_type_for_each_parameter_and_asks_for_its_user() {
        let account = erase("role", "account", &["samples", "others"]);
        let statements = Sample::statements();
        for Statement { name, sql, types, columns, rows, .. } in statements.all().chain([&account])
        {
            for index in 1..=types.len() {
                assert!(sql.contains(&format!("${index}")), "{name} lacks ${index}");
            }
            assert!(!sql.contains(&format!("${}", types.len() + 1)), "{name}");
            assert!(!sql.contains('{'), "{name}");
            assert_eq!(types[0], Type::TEXT, "{name}");
            assert!(*rows == Rows::Many || columns[0] == Type::INT8, "{name}");
            assert!(sql.contains("user_id = $1") || sql.contains("user_id, "), "{name}");
        }
        let lists: Vec<_> = statements.lists.iter().map(|list| list.name.as_str()).collect();
        assert_eq!(lists, ["samples_list", "samples_list_by_done"]);
    }
}
