//! A query string, parsed as `FastAPI` does.
use std::borrow::Cow;

use jiff::Timestamp;

use super::field_error::FieldError;
use super::problem::Problem;
use crate::store::{BOOLEAN, boolean};

/// The query parameters, and the errors found so far: the last of a repeated one wins, unknown ones
/// are ignored.
pub struct Query<'a> {
    parameters: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    errors: Vec<FieldError>,
}

impl<'a> Query<'a> {
    /// Reads a query string.
    #[must_use]
    pub fn parse(query: &'a str) -> Self {
        let parameters = form_urlencoded::parse(query.as_bytes()).collect();
        Self { parameters, errors: Vec::new() }
    }

    /// A parameter's text.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.parameters.iter().rev().find(|(n, _)| n == name).map(|(_, value)| &**value)
    }

    /// A parameter that `parse` reads.
    pub(super) fn read<T>(
        &mut self,
        name: &'static str,
        expected: impl Into<String>,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let value = parse(self.get(name)?);
        if value.is_none() {
            self.refuse(name, expected);
        }
        value
    }

    /// `true`, `false`, `1` or `0`, in any case.
    pub fn boolean(&mut self, name: &'static str) -> Option<bool> {
        self.read(name, BOOLEAN, boolean)
    }

    /// An RFC 3339 time.
    pub fn time(&mut self, name: &'static str) -> Option<Timestamp> {
        self.read(name, "must be an RFC 3339 time", rfc3339)
    }

    pub(super) fn integer(&mut self, name: &'static str, min: i64, max: i64) -> Option<i64> {
        let expected = format!("must be an integer from {min} to {max}");
        self.read(name, expected, |text| integer(text).filter(|n| (min..=max).contains(n)))
    }

    /// Records an error of a parameter, or of the whole `query`.
    pub fn refuse(&mut self, name: &'static str, expected: impl Into<String>) {
        self.errors.push(FieldError::new(name, expected));
    }

    /// What was read.
    ///
    /// # Errors
    /// [`Problem::InvalidRequest`] with every error.
    pub fn finish<T>(self, read: Option<T>) -> Result<T, Problem> {
        match read {
            Some(read) if self.errors.is_empty() => Ok(read),
            _ => Err(Problem::InvalidRequest(self.errors)),
        }
    }
}

fn integer(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    digits.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten()
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

    fn time(query: &str) -> Result<Option<Timestamp>, Problem> {
        let mut query = Query::parse(query);
        let time = query.time("until");
        query.finish(Some(time))
    }

    #[test]
    fn a_time_is_one_of_rfc_3339() {
        let time_of = |text: &str| time(&format!("until={text}"));
        let time: Timestamp = "2026-11-23T08:15:00.5Z".parse().unwrap();
        for text in [
            "2026-11-23T08:15:00.500Z",
            "2026-11-23t09:15:00.5%2B01:00",
            "2026-11-23T07:45:00.5-00:30",
        ] {
            assert_eq!(time_of(text).unwrap(), Some(time), "{text}");
        }
        assert_eq!(self::time("x=y").unwrap(), None);
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
            let Err(Problem::InvalidRequest(errors)) = time_of(bad) else { panic!("{bad}") };
            assert_eq!(errors[0].field, "until", "{bad}");
        }
    }
}
