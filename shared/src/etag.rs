//! The entity tag of a task, and the two headers that speak of one (RFC 9110).
use lambda_http::http::HeaderValue;

/// The strong entity tag of a version.
pub(crate) fn etag(version: i64) -> String {
    format!("\"{version}\"")
}

/// `If-Match`: which versions a change may start from.
#[derive(Debug, PartialEq, Eq)]
pub enum IfMatch {
    /// No header, or `*`: any version.
    Any,
    /// One of these; a tag that is weak or not ours matches nothing.
    Versions(Vec<i64>),
}

impl IfMatch {
    pub(crate) fn parse<'a>(values: impl Iterator<Item = &'a HeaderValue>) -> Self {
        let mut tags = tags(values).peekable();
        if tags.peek().is_none() {
            return Self::Any;
        }
        let tags: Vec<&str> = tags.collect();
        if tags.contains(&"*") {
            return Self::Any;
        }
        Self::Versions(tags.into_iter().filter_map(version).collect())
    }

    /// The versions for SQL; `None` where any will do.
    pub(crate) fn versions(&self) -> Option<&[i64]> {
        match self {
            Self::Any => None,
            Self::Versions(versions) => Some(versions),
        }
    }
}

/// `If-None-Match`: the versions a reader has already.
#[derive(Debug, PartialEq, Eq)]
pub struct IfNoneMatch {
    any: bool,
    versions: Vec<i64>,
}

impl IfNoneMatch {
    pub(crate) fn parse<'a>(values: impl Iterator<Item = &'a HeaderValue>) -> Self {
        let tags: Vec<&str> = tags(values).collect();
        let weak = |tag: &'a str| version(tag.strip_prefix("W/").unwrap_or(tag));
        Self { any: tags.contains(&"*"), versions: tags.into_iter().filter_map(weak).collect() }
    }

    pub(crate) fn has(&self, version: i64) -> bool {
        self.any || self.versions.contains(&version)
    }
}

/// A header's list of tags; one that is not text counts as a tag that matches nothing.
fn tags<'a>(values: impl Iterator<Item = &'a HeaderValue>) -> impl Iterator<Item = &'a str> {
    values.flat_map(|value| value.to_str().unwrap_or_default().split(',')).map(str::trim)
}

/// The version in a strong tag of ours, as [`etag`] writes it and no other way.
fn version(tag: &str) -> Option<i64> {
    let version = tag.strip_prefix('"')?.strip_suffix('"')?.parse().ok()?;
    (etag(version) == tag).then_some(version)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arbitrary;
    use proptest::prelude::*;

    fn if_match(values: &[&'static str]) -> IfMatch {
        let values: Vec<_> = values.iter().map(|v| HeaderValue::from_static(v)).collect();
        IfMatch::parse(values.iter())
    }

    #[test]
    fn if_match_knows_only_strong_tags_of_ours() {
        assert_eq!(if_match(&[]), IfMatch::Any);
        assert_eq!(if_match(&["*"]), IfMatch::Any);
        assert_eq!(if_match(&["\"3\", W/\"4\" ,\"5\"", "\"6\""]), IfMatch::Versions(vec![3, 5, 6]));
        for other in ["", "3", "\"03\"", "\"+3\"", "\"3", "\"\"", "W/\"3\"", "\"3\"x"] {
            assert_eq!(if_match(&[other]), IfMatch::Versions(vec![]), "{other:?}");
        }
    }

    #[test]
    fn if_none_match_takes_weak_tags_too() {
        let value = HeaderValue::from_static("W/\"3\", \"x\"");
        let seen = IfNoneMatch::parse([&value].into_iter());
        assert!(seen.has(3) && !seen.has(4));
        assert!(!IfNoneMatch::parse([].into_iter()).has(1));
        assert!(IfNoneMatch::parse([&HeaderValue::from_static("*")].into_iter()).has(1));
    }

    const TAGS: &str = r#"(W/)?"?[0-9]{0,20}"?( ?, ?((W/)?"[0-9]{1,19}"|\*|x)){0,3}"#;

    proptest! {
        #[test]
        fn a_tag_of_ours_comes_back(versions in prop::collection::vec(any::<i64>(), 1..5)) {
            let list: Vec<_> = versions.iter().map(|version| etag(*version)).collect();
            let value = HeaderValue::try_from(list.join(", ")).unwrap();
            let required = IfMatch::parse([&value].into_iter());
            prop_assert_eq!(required, IfMatch::Versions(versions.clone()));
            let seen = IfNoneMatch::parse([&value].into_iter());
            prop_assert!(versions.iter().all(|version| seen.has(*version)));
        }

        #[test]
        fn no_version_is_read_that_is_not_written_there(
            values in prop::collection::vec(arbitrary::header(TAGS), 0..3),
        ) {
            let text: Vec<_> = values.iter().map(|v| v.to_str().unwrap_or_default()).collect();
            let star = text.iter().any(|value| value.contains('*'));
            let written = |version: &i64| text.iter().any(|value| value.contains(&etag(*version)));
            match IfMatch::parse(values.iter()) {
                IfMatch::Any => prop_assert!(values.is_empty() || star),
                IfMatch::Versions(versions) => prop_assert!(versions.iter().all(written)),
            }
            let seen = IfNoneMatch::parse(values.iter());
            prop_assert!(seen.versions.iter().all(written));
            prop_assert!(!seen.any || star);
        }
    }
}
