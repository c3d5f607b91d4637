//! All SQL statements of the task store.
use tokio_postgres::types::Type;

use crate::database::{Rows, Statement};

/// Every statement that the store runs.
pub static STATEMENTS: &[&Statement] = &[
    &LIST,
    &LIST_BY_COMPLETION,
    &GET,
    &CREATE,
    &CREATE_ONCE,
    &UPDATE,
    &UPDATE_IF_MATCH,
    &COMPLETE,
    &COMPLETE_IF_MATCH,
    &DELETE,
    &DELETE_IF_MATCH,
    &CLEAR,
    &CLEAR_ALL,
];

/// The statement of this name.
#[must_use]
pub fn statement(name: &str) -> Option<&'static Statement> {
    STATEMENTS.iter().copied().find(|statement| statement.name == name)
}

/// The columns of a task.
macro_rules! columns {
    () => {
        "id, title, description, completed, created_at, updated_at, version"
    };
}

/// The column types of a task, and of what a statement adds to them.
macro_rules! task_and {
    ($($more:expr),*) => {
        &[
            Type::INT8,
            Type::TEXT,
            Type::TEXT,
            Type::BOOL,
            Type::TIMESTAMPTZ,
            Type::TIMESTAMPTZ,
            Type::INT8,
            $($more),*
        ]
    };
}

pub(super) static TASK: &[Type] = task_and!();

/// A page of tasks, newest first. Each condition has its own statement, so that its cached plan
/// fits.
macro_rules! list {
    ($condition:literal) => {
        concat!(
            "SELECT ",
            columns!(),
            " FROM tasks
            WHERE user_id = $1 AND id < $2",
            $condition,
            " ORDER BY id DESC
            LIMIT $3 OFFSET $4"
        )
    };
}

pub(super) static LIST: Statement = Statement::new(
    "list",
    Rows::Many,
    list!(""),
    &[Type::TEXT, Type::INT8, Type::INT8, Type::INT8],
    TASK,
);

pub(super) static LIST_BY_COMPLETION: Statement = Statement::new(
    "list_by_completion",
    Rows::Many,
    list!(" AND completed = $5"),
    &[Type::TEXT, Type::INT8, Type::INT8, Type::INT8, Type::BOOL],
    TASK,
);

pub(super) static GET: Statement = Statement::new(
    "get",
    Rows::One,
    concat!("SELECT ", columns!(), " FROM tasks WHERE user_id = $1 AND id = $2"),
    &[Type::TEXT, Type::INT8],
    TASK,
);

/// Id and creation time, whether the key belongs to the same request, and whether the task is new.
static CREATED: &[Type] = &[Type::INT8, Type::TIMESTAMPTZ, Type::BOOL, Type::BOOL];

pub(super) static CREATE: Statement = Statement::new(
    "create",
    Rows::One,
    "
    INSERT INTO tasks (user_id, title, description, completed)
    VALUES ($1, $2, $3, $4)
    RETURNING id, created_at, true, true",
    &[Type::TEXT, Type::TEXT, Type::TEXT, Type::BOOL],
    CREATED,
);

/// Of concurrent creates with one key, one inserts the key; the others wait for it. Their snapshot
/// does not contain its row, which the update without effect returns.
pub(super) static CREATE_ONCE: Statement = Statement::new(
    "create_once",
    Rows::One,
    "
    WITH proposed AS (
        SELECT nextval('tasks_id_seq'::regclass) AS id
    ), claim AS (
        INSERT INTO idempotency_keys AS held (user_id, key, request_hash, task_id)
        SELECT $1, $5, $6, id FROM proposed
        ON CONFLICT (user_id, key) DO UPDATE SET key = held.key
        RETURNING task_id, request_hash, created_at
    ), created AS (
        INSERT INTO tasks (id, user_id, title, description, completed, created_at, updated_at)
        SELECT task_id, $1, $2, $3, $4, created_at, created_at
        FROM claim JOIN proposed ON task_id = id
        RETURNING id
    )
    SELECT task_id, created_at, request_hash = $6, EXISTS (SELECT FROM created)
    FROM claim",
    &[Type::TEXT, Type::TEXT, Type::TEXT, Type::BOOL, Type::TEXT, Type::BYTEA],
    CREATED,
);

/// The columns of a task, and whether it was changed.
static CHANGED: &[Type] = task_and!(Type::BOOL);

/// Changes one task and returns its row with `true`.
macro_rules! change {
    ($change:expr) => {
        concat!($change, " WHERE user_id = $1 AND id = $2 RETURNING ", columns!(), ", true")
    };
}

/// The same if whether the task's version is one of `$versions` equals `$listed`; a row with
/// `false` means that it does not.
macro_rules! change_if_match {
    ($change:expr, $versions:literal, $listed:literal) => {
        concat!(
            "WITH changed AS (",
            $change,
            " WHERE user_id = $1 AND id = $2 AND (version = ANY (",
            $versions,
            ")) = ",
            $listed,
            " RETURNING ",
            columns!(),
            ")
            SELECT *, true FROM changed
            UNION ALL
            SELECT ",
            columns!(),
            ", false FROM tasks
            WHERE user_id = $1 AND id = $2 AND NOT EXISTS (SELECT FROM changed)"
        )
    };
}

macro_rules! update {
    () => {
        "UPDATE tasks SET
            title = coalesce($3, title),
            description = CASE WHEN $4 THEN $5 ELSE description END,
            completed = coalesce($6, completed),
            version = version + 1,
            updated_at = clock_timestamp()"
    };
}

pub(super) static UPDATE: Statement = Statement::new(
    "update",
    Rows::One,
    change!(update!()),
    &[Type::TEXT, Type::INT8, Type::TEXT, Type::BOOL, Type::TEXT, Type::BOOL],
    CHANGED,
);

pub(super) static UPDATE_IF_MATCH: Statement = Statement::new(
    "update_if_match",
    Rows::One,
    change_if_match!(update!(), "$7", "$8"),
    &[
        Type::TEXT,
        Type::INT8,
        Type::TEXT,
        Type::BOOL,
        Type::TEXT,
        Type::BOOL,
        Type::INT8_ARRAY,
        Type::BOOL,
    ],
    CHANGED,
);

macro_rules! complete {
    () => {
        "UPDATE tasks SET
            completed = coalesce($3, NOT completed),
            version = version + 1,
            updated_at = clock_timestamp()"
    };
}

pub(super) static COMPLETE: Statement = Statement::new(
    "complete",
    Rows::One,
    change!(complete!()),
    &[Type::TEXT, Type::INT8, Type::BOOL],
    CHANGED,
);

pub(super) static COMPLETE_IF_MATCH: Statement = Statement::new(
    "complete_if_match",
    Rows::One,
    change_if_match!(complete!(), "$4", "$5"),
    &[Type::TEXT, Type::INT8, Type::BOOL, Type::INT8_ARRAY, Type::BOOL],
    CHANGED,
);

pub(super) static DELETE: Statement = Statement::new(
    "delete",
    Rows::One,
    change!("DELETE FROM tasks"),
    &[Type::TEXT, Type::INT8],
    CHANGED,
);

pub(super) static DELETE_IF_MATCH: Statement = Statement::new(
    "delete_if_match",
    Rows::One,
    change_if_match!("DELETE FROM tasks", "$3", "$4"),
    &[Type::TEXT, Type::INT8, Type::INT8_ARRAY, Type::BOOL],
    CHANGED,
);

/// The number of deleted tasks, and whether more remain.
static CLEARED: &[Type] = &[Type::INT8, Type::BOOL];

/// Deletes at most the 10,000 oldest. A task that was changed concurrently and no longer matches
/// stays: the conditions are checked again once its row is locked.
pub(super) static CLEAR: Statement = Statement::new(
    "clear",
    Rows::One,
    "
    WITH chosen AS (
        SELECT id FROM tasks
        WHERE user_id = $1 AND completed = $2 AND updated_at <= coalesce($3, 'infinity')
        ORDER BY id
        LIMIT 10001
    ), deleted AS (
        DELETE FROM tasks
        WHERE user_id = $1 AND id = ANY (ARRAY(SELECT id FROM chosen ORDER BY id LIMIT 10000))
          AND completed = $2 AND updated_at <= coalesce($3, 'infinity')
        RETURNING id
    )
    SELECT (SELECT count(*) FROM deleted), (SELECT count(*) FROM chosen) > 10000",
    &[Type::TEXT, Type::BOOL, Type::TIMESTAMPTZ],
    CLEARED,
);

/// The same for all tasks, then for the user's keys: together at most 10,000 rows.
pub(super) static CLEAR_ALL: Statement = Statement::new(
    "clear_all",
    Rows::One,
    "
    WITH chosen AS (
        SELECT id FROM tasks
        WHERE user_id = $1 AND updated_at <= coalesce($2, 'infinity')
        ORDER BY id
        LIMIT 10001
    ), deleted AS (
        DELETE FROM tasks
        WHERE user_id = $1 AND id = ANY (ARRAY(SELECT id FROM chosen ORDER BY id LIMIT 10000))
          AND updated_at <= coalesce($2, 'infinity')
        RETURNING id
    ), chosen_keys AS (
        SELECT key, row_number() OVER (ORDER BY created_at, key) AS place
        FROM idempotency_keys
        WHERE user_id = $1 AND created_at <= coalesce($2, 'infinity')
        ORDER BY created_at, key
        LIMIT 10001 - (SELECT count(*) FROM chosen)
    ), deleted_keys AS (
        DELETE FROM idempotency_keys
        WHERE user_id = $1 AND key = ANY (ARRAY(
            SELECT key FROM chosen_keys WHERE place <= 10000 - (SELECT count(*) FROM chosen)))
        RETURNING key
    )
    SELECT (SELECT count(*) FROM deleted),
           (SELECT count(*) FROM chosen) + (SELECT count(*) FROM chosen_keys) > 10000",
    &[Type::TEXT, Type::TIMESTAMPTZ],
    CLEARED,
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_statement_has_a_type_for_each_parameter_and_asks_for_its_user() {
        for Statement { name, sql, types, columns, rows, .. } in STATEMENTS {
            for index in 1..=types.len() {
                assert!(sql.contains(&format!("${index}")), "{name} lacks ${index}");
            }
            assert!(!sql.contains(&format!("${}", types.len() + 1)), "{name}");
            assert_eq!(types[0], Type::TEXT, "{name}");
            assert!(*rows == Rows::Many || columns[0] == Type::INT8, "{name}");
            assert!(sql.contains("user_id = $1") || sql.contains("(user_id, "), "{name}");
        }
    }
}
