//! Pages of a list, and its filters.
use tokio_postgres::types::{ToSql, Type};

use super::stored::{Id, Stored};

/// A value of a filter.
pub(crate) type Value = Box<dyn ToSql + Send + Sync>;

/// A query parameter that selects rows by the column of its name.
#[derive(Debug)]
pub struct Filter {
    pub(crate) name: &'static str,
    /// The type of the column.
    pub(super) of: Type,
    /// `None` for an invalid value.
    pub(crate) parse: fn(&str) -> Option<Value>,
    /// What is expected of the value, phrased to follow the parameter's name.
    pub(crate) expected: &'static str,
}

impl Filter {
    /// By a boolean column.
    #[must_use]
    pub const fn boolean(name: &'static str) -> Self {
        let parse = |text: &str| -> Option<Value> { Some(Box::new(boolean(text)?)) };
        Self { name, of: Type::BOOL, parse, expected: BOOLEAN }
    }
}

/// What is expected of a boolean in a query.
pub(crate) const BOOLEAN: &str = "must be true, false, 1 or 0";

/// A boolean in a query, in any case: Python sends `True`.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

/// Selects a page.
pub struct PageRequest<R> {
    /// The maximum number of rows.
    pub(crate) limit: i64,
    /// The number of rows to skip.
    pub(crate) offset: i64,
    /// Only rows older than this one.
    pub(crate) after: Option<Id<R>>,
    /// Which of the resource's filters are used: a bit for each.
    pub(crate) filters: usize,
    /// The values of these, in their order.
    pub(crate) values: Vec<Value>,
}

/// A page of rows, newest first.
#[derive(Debug)]
pub struct Page<R> {
    pub(crate) rows: Vec<Stored<R>>,
    /// Whether more rows follow.
    pub(crate) more: bool,
}
