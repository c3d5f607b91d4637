//! The query of a clear.
use jiff::Timestamp;

use super::problem::Problem;
use super::query::Query;
use crate::tasks::{ClearRequest, FieldError, Scope};

/// Parses which tasks to delete: exactly one of `completed` and `all=true`, optionally `until`.
pub(super) fn parse(query: &str) -> Result<ClearRequest, Problem> {
    let query = Query::parse(query);
    let mut errors = Vec::new();
    let scope = match (query.get("completed"), query.get("all")) {
        (Some(_), None) => query.completed(&mut errors).map(Scope::Completed),
        (None, Some(all)) if all.eq_ignore_ascii_case("true") => Some(Scope::All),
        _ => {
            let expected = "must have exactly one of completed and all=true";
            errors.push(FieldError::new("query", expected));
            None
        }
    };
    let until = query.get("until").and_then(|text| {
        let until = rfc3339(text);
        if until.is_none() {
            errors.push(FieldError::new("until", "must be an RFC 3339 time"));
        }
        until
    });
    match scope {
        Some(scope) if errors.is_empty() => Ok(ClearRequest { scope, until }),
        _ => Err(Problem::InvalidRequest(errors)),
    }
}

/// An RFC 3339 time: jiff's own parser accepts other formats, too.
fn rfc3339(text: &str) -> Option<Timestamp> {
    let (date_time, rest) = text.split_at_checked("2026-11-23T08:15:00".len())?;
    let written = date_time.bytes().zip(0..).all(|(byte, at)| match at {
        4 | 7 => byte == b'-',
        10 => byte.eq_ignore_ascii_case(&b'T'),
        13 | 16 => byte == b':',
        _ => byte.is_ascii_digit(),
    });
    let fraction = rest.strip_prefix('.').unwrap_or(rest);
    let zone = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
    let zoned = zone.eq_ignore_ascii_case("Z") || (zone.len() == 6 && zone.get(3..4) == Some(":"));
    (written && zoned).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(query: &str) -> Vec<&'static str> {
        match parse(query) {
            Err(Problem::InvalidRequest(errors)) => errors.into_iter().map(|e| e.field).collect(),
            other => panic!("{query} was read as {other:?}"),
        }
    }

    #[test]
    fn exactly_one_scope_is_given() {
        let scope = |query: &str| parse(query).unwrap().scope;
        for (query, completed) in [
            ("completed=true", true),
            ("completed=1&x=y", true),
            ("completed=x&completed=0", false),
            ("completed=TRUE", true),
            ("completed=False", false),
        ] {
            assert_eq!(scope(query), Scope::Completed(completed), "{query}");
        }
        assert_eq!(scope("all=1&all=true"), Scope::All);
        assert_eq!(scope("all=True"), Scope::All);
        for neither_or_both in ["", "all=false", "all=1", "all=", "completed=true&all=true"] {
            assert_eq!(errors(neither_or_both), ["query"], "{neither_or_both}");
        }
        assert_eq!(errors("completed=yes"), ["completed"]);
        assert_eq!(errors("until=now"), ["query", "until"]);
    }

    #[test]
    fn until_is_a_time_of_rfc_3339() {
        let until = |text: &str| parse(&format!("all=true&until={text}")).unwrap().until.unwrap();
        let time: Timestamp = "2026-11-23T08:15:00.5Z".parse().unwrap();
        for text in [
            "2026-11-23T08:15:00.500Z",
            "2026-11-23t09:15:00.5%2B01:00",
            "2026-11-23T07:45:00.5-00:30",
        ] {
            assert_eq!(until(text), time, "{text}");
        }
        assert_eq!(parse("all=true").unwrap().until, None);
        for bad in [
            "",
            "now",
            "1795421700",
            "2026-11-23",
            "2026-11-23T08:15:00",
            "2026-11-23T08:15Z",
            "20261123T081500Z",
            "2026-11-23%2008:15:00Z",
            "2026-13-23T08:15:00Z",
            "2026-11-23T25:15:00Z",
            "2026-11-23T08:15:00.Z",
            "2026-11-23T08:15:00+01:00",
            "2026-11-23T08:15:00Z[UTC]",
            "2026-11-23T08:15:00%2B01:00[Europe/Berlin]",
        ] {
            assert_eq!(errors(&format!("all=true&until={bad}")), ["until"], "{bad}");
        }
    }
}
