//! What a client may say of the tasks to delete.
use jiff::Timestamp;
use shared::{Problem, Query};

/// Which tasks to delete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clear {
    /// The completed ones, or the open ones; `None` for every one, and the idempotency keys of the
    /// user's tasks.
    pub completed: Option<bool>,
    /// Those that changed after it stay.
    pub until: Option<Timestamp>,
}

impl Clear {
    /// Parses a query: exactly one of `completed` and `all=true`, optionally `until`.
    ///
    /// # Errors
    /// [`Problem::InvalidRequest`] with every invalid parameter.
    pub fn parse(mut query: Query) -> Result<Self, Problem> {
        let all = query.get("all").map(|all| all.eq_ignore_ascii_case("true"));
        let completed = match (query.get("completed"), all) {
            (Some(_), None) => query.boolean("completed"),
            (None, Some(true)) => None,
            _ => {
                query.refuse("query", "must have exactly one of completed and all=true");
                None
            }
        };
        let until = query.time("until");
        query.finish(Some(Self { completed, until }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(query: &str) -> Result<Clear, Problem> {
        Clear::parse(Query::parse(query))
    }

    fn errors(query: &str) -> Vec<&'static str> {
        match parse(query) {
            Err(Problem::InvalidRequest(errors)) => errors.into_iter().map(|e| e.field).collect(),
            other => panic!("{query} was read as {other:?}"),
        }
    }

    #[test]
    fn exactly_one_scope_is_given() {
        let completed = |query: &str| parse(query).unwrap().completed;
        for (query, expected) in [
            ("completed=true", true),
            ("completed=1&x=y", true),
            ("completed=x&completed=0", false),
            ("completed=TRUE", true),
            ("completed=False", false),
        ] {
            assert_eq!(completed(query), Some(expected), "{query}");
        }
        assert_eq!(completed("all=1&all=true"), None);
        assert_eq!(completed("all=True"), None);
        for neither_or_both in ["", "all=false", "all=1", "all=", "completed=true&all=true"] {
            assert_eq!(errors(neither_or_both), ["query"], "{neither_or_both}");
        }
        assert_eq!(errors("completed=yes"), ["completed"]);
        assert_eq!(errors("until=now"), ["query", "until"]);
        assert!(parse("all=true&until=2026-11-23T08:15:00Z").unwrap().until.is_some());
    }
}
