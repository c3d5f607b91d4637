//! The query of a list, and the link to the next page.
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};

use super::paths;
use super::problem::Problem;
use super::query::Query;
use crate::store::{Id, MAX_SAFE_INTEGER, Page, PageRequest, Resource};

const DEFAULT_LIMIT: i64 = 50;
const MAX_LIMIT: i64 = 100;

pub(super) fn parse<R: Resource>(query: &str) -> Result<PageRequest<R>, Problem> {
    let mut query = Query::parse(query);
    let limit = query.integer("limit", 1, MAX_LIMIT).unwrap_or(DEFAULT_LIMIT);
    let offset = query.integer("offset", 0, MAX_SAFE_INTEGER).unwrap_or_default();

    let (mut filters, mut values) = (0, Vec::new());
    for (bit, filter) in R::FILTERS.iter().enumerate() {
        if let Some(value) = query.read(filter.name, filter.expected, filter.parse) {
            filters |= 1 << bit;
            values.push(value);
        }
    }

    let after = query.read("after", "must be a cursor from a `Link` header", from_cursor);
    // Generated clients send an offset of 0.
    if query.get("after").is_some() && offset != 0 {
        query.refuse("after", "must not be used together with an offset other than 0");
    }
    query.finish(Some(PageRequest { limit, offset, after, filters, values }))
}

/// The URI reference of the page after `page`, if there is one: that of `query`, with a cursor.
pub(super) fn next<R: Resource>(query: &str, page: &Page<R>) -> Option<String> {
    let last = page.rows.last().filter(|_| page.more)?;
    let others = form_urlencoded::parse(query.as_bytes())
        .filter(|(name, _)| !["after", "offset"].contains(&&**name));
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(others)
        .append_pair("after", &to_cursor(last.id))
        .finish();
    Some(format!("{}?{query}", paths::collection::<R>(&last.user_id)))
}

/// A cursor is the id of a page's last row: it stays valid however many rows are added before it.
fn to_cursor<R>(id: Id<R>) -> String {
    BASE64URL.encode(id.get().to_be_bytes())
}

fn from_cursor<R>(text: &str) -> Option<Id<R>> {
    let bytes = BASE64URL.decode(text).ok()?;
    Id::new(i64::from_be_bytes(bytes.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arbitrary;
    use crate::store::Stored;
    use crate::store::sample::Sample;
    use jiff::Timestamp;
    use proptest::prelude::*;

    fn parse(query: &str) -> Result<PageRequest<Sample>, Problem> {
        super::parse(query)
    }

    fn errors(query: &str) -> Vec<&'static str> {
        match parse(query) {
            Err(Problem::InvalidRequest(errors)) => errors.into_iter().map(|e| e.field).collect(),
            _ => panic!("{query} was read"),
        }
    }

    /// The query of the link to the page after one that ends with this id.
    fn next(query: &str, id: i64) -> Vec<(String, String)> {
        let stored = Stored {
            id: Id::new(id).unwrap(),
            user_id: "u".into(),
            fields: Sample { label: String::new(), note: None, done: false },
            created_at: Timestamp::UNIX_EPOCH,
            updated_at: Timestamp::UNIX_EPOCH,
            version: 1,
        };
        let link = super::next(query, &Page { rows: vec![stored], more: true }).unwrap();
        let query = link.strip_prefix("/api/u/samples?").unwrap();
        form_urlencoded::parse(query.as_bytes()).into_owned().collect()
    }

    #[test]
    fn defaults_are_fifty_from_the_start() {
        let PageRequest { limit, offset, after, filters, values } = parse("").unwrap();
        assert_eq!((limit, offset, filters, values.len()), (50, 0, 0, 0));
        assert!(after.is_none());
    }

    #[test]
    fn every_bad_parameter_is_named() {
        assert_eq!(
            errors("limit=0&offset=-1&done=yes&after=!"),
            ["limit", "offset", "done", "after"]
        );
        for bad in ["done=yes", "done=", "done=truee", "done=2"] {
            assert_eq!(errors(bad), ["done"], "{bad}");
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
        assert!(parse("after=AAAAAAAAABE&offset=0").is_ok());
    }

    #[test]
    fn the_last_of_repeated_parameters_counts() {
        assert_eq!(parse("limit=2&limit=3").unwrap().limit, 3);
    }

    #[test]
    fn filters_are_read_in_any_case() {
        for (text, filters) in [("", 0), ("done=TRUE", 1), ("done=0&x=y", 1), ("done=x&done=1", 1)]
        {
            let request = parse(text).unwrap();
            assert_eq!((request.filters, request.values.len()), (filters, filters), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_cursor_comes_back(id in 1..=(1i64 << 53) - 1) {
            let id = Id::<Sample>::new(id).unwrap();
            prop_assert_eq!(from_cursor::<Sample>(&to_cursor(id)).map(Id::get), Some(id.get()));
        }

        #[test]
        fn a_query_is_read_as_it_is_meant_and_kept_in_the_link(
            done in prop::option::of(any::<bool>()),
            limit in prop::option::of(1..=MAX_LIMIT),
            offset in prop::option::of(0..=MAX_SAFE_INTEGER),
            others in prop::collection::vec(
                (arbitrary::like("[^adlo]{1,9}"), arbitrary::text()),
                0..3,
            ),
        ) {
            let mut pairs = others.clone();
            pairs.extend(done.map(|value| ("done".into(), value.to_string())));
            pairs.extend(limit.map(|value| ("limit".into(), value.to_string())));
            pairs.extend(offset.map(|value| ("offset".into(), value.to_string())));
            let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(&pairs).finish();
            let request = parse(&query).unwrap();
            prop_assert_eq!(request.values.len(), usize::from(done.is_some()));
            prop_assert_eq!(request.limit, limit.unwrap_or(DEFAULT_LIMIT));
            prop_assert_eq!(request.offset, offset.unwrap_or(0));
            prop_assert!(request.after.is_none());
            pairs.retain(|(name, _)| name != "offset");
            pairs.push(("after".into(), to_cursor(Id::<Sample>::new(7).unwrap())));
            prop_assert_eq!(next(&query, 7), pairs);
        }

        #[test]
        fn a_parameter_is_good_or_named(
            pairs in prop::collection::vec((
                arbitrary::like("done|limit|offset|after|x"),
                prop_oneof![
                    arbitrary::like("true|false|[01]|-?[0-9]{0,20}|[A-Za-z0-9_-]{11}"),
                    arbitrary::text(),
                ],
            ), 0..5),
        ) {
            let last = |name| pairs.iter().rev().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
            let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(&pairs).finish();
            match parse(&query) {
                Ok(request) => {
                    prop_assert!((1..=MAX_LIMIT).contains(&request.limit) && request.offset >= 0);
                    prop_assert!(last("after").is_none() || request.offset == 0);
                    prop_assert_eq!(last("after").map(str::to_owned), request.after.map(to_cursor));
                    prop_assert_eq!(usize::from(last("done").is_some()), request.values.len());
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
            if let Ok(request) = parse(&query) {
                prop_assert!((1..=MAX_LIMIT).contains(&request.limit) && request.offset >= 0);
            }
        }
    }
}
