//! The entity tag of a row, and the two headers that contain one (RFC 9110).
use lambda_http::http::HeaderValue;

use crate::store::Versions;

/// The strong entity tag of a version.
pub(super) fn etag(version: i64) -> String {
    format!("\"{version}\"")
}

/// `If-Match`: the versions at which a request may use a row. Without the header, and with `*`,
/// any; a weak or foreign tag matches nothing.
pub(super) fn if_match<'a>(values: impl Iterator<Item = &'a HeaderValue>) -> Versions {
    let mut tags = tags(values).peekable();
    if tags.peek().is_none() {
        return Versions::Any;
    }
    let tags: Vec<&str> = tags.collect();
    if tags.contains(&"*") {
        return Versions::Any;
    }
    Versions::OneOf(tags.into_iter().filter_map(version).collect())
}

/// `If-None-Match`: the versions that the client has already.
#[derive(Debug, PartialEq, Eq)]
pub struct IfNoneMatch {
    any: bool,
    versions: Vec<i64>,
}

impl IfNoneMatch {
    pub(super) fn parse<'a>(values: impl Iterator<Item = &'a HeaderValue>) -> Self {
        let tags: Vec<&str> = tags(values).collect();
        let weak = |tag: &'a str| version(tag.strip_prefix("W/").unwrap_or(tag));
        Self { any: tags.contains(&"*"), versions: tags.into_iter().filter_map(weak).collect() }
    }

    /// The versions of `If-Match` without those that this header names.
    pub(super) fn narrow(self, versions: Versions) -> Versions {
        match self {
            Self { any: true, .. } => Versions::OneOf(Vec::new()),
            Self { versions: seen, .. } if seen.is_empty() => versions,
            Self { versions: seen, .. } => versions.except(seen),
        }
    }

    pub(super) fn has(&self, version: i64) -> bool {
        self.any || self.versions.contains(&version)
    }
}

/// The tags in a header; a header that is not text counts as one tag that matches nothing.
fn tags<'a>(values: impl Iterator<Item = &'a HeaderValue>) -> impl Iterator<Item = &'a str> {
    values.flat_map(|value| value.to_str().unwrap_or_default().split(',')).map(str::trim)
}

/// The version in a strong tag, exactly as [`etag`] writes it.
fn version(tag: &str) -> Option<i64> {
    let version = tag.strip_prefix('"')?.strip_suffix('"')?.parse().ok()?;
    (etag(version) == tag).then_some(version)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::arbitrary::header;
    use proptest::prelude::*;

    fn if_match(values: &[&'static str]) -> Versions {
        let values: Vec<_> = values.iter().map(|v| HeaderValue::from_static(v)).collect();
        super::if_match(values.iter())
    }

    #[test]
    fn if_match_knows_only_strong_tags_of_ours() {
        assert_eq!(if_match(&[]), Versions::Any);
        assert_eq!(if_match(&["*"]), Versions::Any);
        assert_eq!(if_match(&["\"3\", W/\"4\" ,\"5\"", "\"6\""]), Versions::OneOf(vec![3, 5, 6]));
        for other in ["", "3", "\"03\"", "\"+3\"", "\"3", "\"\"", "W/\"3\"", "\"3\"x"] {
            assert_eq!(if_match(&[other]), Versions::OneOf(vec![]), "{other:?}");
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

    #[test]
    fn a_change_needs_both_headers_to_hold() {
        let seen =
            |tags: &'static str| IfNoneMatch::parse([&HeaderValue::from_static(tags)].into_iter());
        let narrow = |tags: &'static str, of: &[&'static str]| seen(tags).narrow(if_match(of));
        assert_eq!(narrow("\"x\"", &[]), Versions::Any);
        assert_eq!(narrow("W/\"3\"", &["*"]), Versions::NoneOf(vec![3]));
        assert_eq!(narrow("\"3\"", &["\"3\", \"4\""]), Versions::OneOf(vec![4]));
        assert_eq!(narrow("*", &["\"3\""]), Versions::OneOf(vec![]));
        for (versions, allowed) in [
            (Versions::Any, true),
            (Versions::OneOf(vec![3]), true),
            (Versions::OneOf(vec![]), false),
            (Versions::NoneOf(vec![3]), false),
            (Versions::NoneOf(vec![4]), true),
        ] {
            assert_eq!(versions.allow(3), allowed, "{versions:?}");
        }
    }

    const TAGS: &str = r#"(W/)?"?[0-9]{0,20}"?( ?, ?((W/)?"[0-9]{1,19}"|\*|x)){0,3}"#;

    proptest! {
        #[test]
        fn a_tag_of_ours_comes_back(versions in prop::collection::vec(any::<i64>(), 1..5)) {
            let list: Vec<_> = versions.iter().map(|version| etag(*version)).collect();
            let value = HeaderValue::try_from(list.join(", ")).unwrap();
            let required = super::if_match([&value].into_iter());
            prop_assert_eq!(required, Versions::OneOf(versions.clone()));
            let seen = IfNoneMatch::parse([&value].into_iter());
            prop_assert!(versions.iter().all(|version| seen.has(*version)));
        }

        #[test]
        fn no_version_is_read_that_is_not_written_there(
            values in prop::collection::vec(header(TAGS), 0..3),
        ) {
            let text: Vec<_> = values.iter().map(|v| v.to_str().unwrap_or_default()).collect();
            let star = text.iter().any(|value| value.contains('*'));
            let written = |version: &i64| text.iter().any(|value| value.contains(&etag(*version)));
            match super::if_match(values.iter()) {
                Versions::Any => prop_assert!(values.is_empty() || star),
                Versions::OneOf(versions) => prop_assert!(versions.iter().all(written)),
                Versions::NoneOf(_) => prop_assert!(false),
            }
            let seen = IfNoneMatch::parse(values.iter());
            prop_assert!(seen.versions.iter().all(written));
            prop_assert!(!seen.any || star);
        }
    }
}
