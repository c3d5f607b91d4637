//! The query of a list, and the link to the next page.
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};

use super::paths;
use super::problem::Problem;
use super::query::Query;
use crate::auth::Owner;
use crate::tasks::{FieldError, MAX_SAFE_INTEGER, Page, PageRequest, TaskId};

const DEFAULT_LIMIT: i64 = 50;
const MAX_LIMIT: i64 = 100;

/// The query of a list.
#[derive(Debug, PartialEq, Eq)]
pub struct ListQuery {
    /// The requested page.
    pub page: PageRequest,
    /// All parameters except those that position the page, for the link to the next.
    kept: Vec<(String, String)>,
}

impl ListQuery {
    pub(super) fn parse(query: &str) -> Result<Self, Problem> {
        let query = Query::parse(query);
        let mut errors = Vec::new();

        let mut number = |name, min, max, default| match query.get(name) {
            None => default,
            Some(text) => integer(text).filter(|n| (min..=max).contains(n)).unwrap_or_else(|| {
                errors
                    .push(FieldError::new(name, format!("must be an integer from {min} to {max}")));
                default
            }),
        };
        let limit = number("limit", 1, MAX_LIMIT, DEFAULT_LIMIT);
        let offset = number("offset", 0, MAX_SAFE_INTEGER, 0);

        let completed = query.completed(&mut errors);
        let after = query.get("after").and_then(|text| {
            let after = from_cursor(text);
            if after.is_none() {
                errors.push(FieldError::new("after", "must be a cursor from a `Link` header"));
            }
            after
        });
        // Generated clients send an offset of 0.
        if query.get("after").is_some() && offset != 0 {
            let expected = "must not be used together with an offset other than 0";
            errors.push(FieldError::new("after", expected));
        }

        if !errors.is_empty() {
            return Err(Problem::InvalidRequest(errors));
        }
        let kept = query.without(&["after", "offset"]);
        Ok(Self { page: PageRequest { completed, limit, offset, after }, kept })
    }

    /// The URI reference of the page after `page`, if there is one.
    pub(super) fn next(&self, owner: &Owner, page: &Page) -> Option<String> {
        let last = page.tasks.last().filter(|_| page.more)?;
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(&self.kept)
            .append_pair("after", &to_cursor(last.id))
            .finish();
        Some(format!("{}?{query}", paths::tasks(owner.id())))
    }
}

fn integer(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    digits.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// A cursor is the id of a page's last task: it stays valid however many tasks are added before it.
fn to_cursor(id: TaskId) -> String {
    BASE64URL.encode(id.get().to_be_bytes())
}

fn from_cursor(text: &str) -> Option<TaskId> {
    let bytes = BASE64URL.decode(text).ok()?;
    TaskId::new(i64::from_be_bytes(bytes.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arbitrary;
    use proptest::prelude::*;

    fn errors(query: &str) -> Vec<&'static str> {
        match ListQuery::parse(query) {
            Err(Problem::InvalidRequest(errors)) => errors.into_iter().map(|e| e.field).collect(),
            other => panic!("{query} was read as {other:?}"),
        }
    }

    #[test]
    fn defaults_are_fifty_from_the_start() {
        let query = ListQuery::parse("").unwrap().page;
        assert_eq!((query.completed, query.limit, query.offset, query.after), (None, 50, 0, None));
    }

    #[test]
    fn every_bad_parameter_is_named() {
        assert_eq!(
            errors("limit=0&offset=-1&completed=yes&after=!"),
            ["limit", "offset", "completed", "after"]
        );
        for bad in ["completed=yes", "completed=", "completed=truee", "completed=2"] {
            assert_eq!(errors(bad), ["completed"], "{bad}");
        }
        for bad in
            ["0", "101", "-1", "ten", "", "1.5", "+5", "1e1", "%D9%A1", "99999999999999999999"]
        {
            assert_eq!(errors(&format!("limit={bad}")), ["limit"], "{bad}");
        }
        for bad in ["offset=9007199254740992", "offset=-1", "offset=x"] {
            assert_eq!(errors(bad), ["offset"], "{bad}");
        }
        for bad in [
            "after=",
            "after=17",
            "after=%00",
            "after=AAAA",
            "after=AAAAAAAAABE&offset=1",
            "after=AAAAAAAAAAA",
            "after=__________8",
            "after=AAAAAAAAAAE%3D",
        ] {
            assert_eq!(errors(bad), ["after"], "{bad}");
        }
        assert!(ListQuery::parse("after=AAAAAAAAABE&offset=0").is_ok());
    }

    #[test]
    fn the_last_of_repeated_parameters_counts() {
        assert_eq!(ListQuery::parse("limit=2&limit=3").unwrap().page.limit, 3);
    }

    fn written(pairs: &[(String, String)]) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
    }

    proptest! {
        #[test]
        fn a_cursor_comes_back(id in 1..=(1i64 << 53) - 1) {
            let id = TaskId::new(id).unwrap();
            prop_assert_eq!(from_cursor(&to_cursor(id)), Some(id));
        }

        #[test]
        fn a_query_is_read_as_it_is_meant(
            completed in prop::option::of(any::<bool>()),
            limit in prop::option::of(1..=MAX_LIMIT),
            offset in prop::option::of(0..=MAX_SAFE_INTEGER),
            others in prop::collection::vec(
                (arbitrary::like("[^aclo]{1,9}"), arbitrary::text()),
                0..3,
            ),
        ) {
            let mut pairs = others.clone();
            pairs.extend(completed.map(|value| ("completed".into(), value.to_string())));
            pairs.extend(limit.map(|value| ("limit".into(), value.to_string())));
            pairs.extend(offset.map(|value| ("offset".into(), value.to_string())));
            let query = ListQuery::parse(&written(&pairs)).unwrap();
            prop_assert_eq!(query.page.completed, completed);
            prop_assert_eq!(query.page.limit, limit.unwrap_or(DEFAULT_LIMIT));
            prop_assert_eq!(query.page.offset, offset.unwrap_or(0));
            prop_assert_eq!(query.page.after, None);
            pairs.retain(|(name, _)| name != "offset");
            prop_assert_eq!(query.kept, pairs);
        }

        #[test]
        fn a_parameter_is_good_or_named(
            pairs in prop::collection::vec((
                arbitrary::like("completed|limit|offset|after|x"),
                prop_oneof![
                    arbitrary::like("true|false|[01]|-?[0-9]{0,20}|[A-Za-z0-9_-]{11}"),
                    arbitrary::text(),
                ],
            ), 0..5),
        ) {
            let last = |name| pairs.iter().rev().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
            match ListQuery::parse(&written(&pairs)) {
                Ok(ListQuery { page: query, .. }) => {
                    prop_assert!((1..=MAX_LIMIT).contains(&query.limit) && query.offset >= 0);
                    prop_assert!(last("after").is_none() || query.offset == 0);
                    prop_assert_eq!(last("after").map(str::to_owned), query.after.map(to_cursor));
                    prop_assert_eq!(last("completed").is_some(), query.completed.is_some());
                }
                Err(Problem::InvalidRequest(errors)) => {
                    prop_assert!(!errors.is_empty());
                    prop_assert!(errors.iter().all(|error| last(error.field).is_some()));
                }
                Err(problem) => prop_assert!(false, "{:?}", problem),
            }
        }

        #[test]
        fn no_query_makes_the_parser_panic(query in arbitrary::like("\\PC{0,80}")) {
            if let Ok(ListQuery { page: query, .. }) = ListQuery::parse(&query) {
                prop_assert!((1..=MAX_LIMIT).contains(&query.limit) && query.offset >= 0);
            }
        }
    }
}
