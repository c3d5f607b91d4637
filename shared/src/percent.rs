//! Percent-encoding, for one part of a URL.
use std::fmt::Display;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// All characters except RFC 3986's unreserved ones.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The text as a path segment, a login, or a query parameter's value.
#[must_use]
pub fn encoded(text: &str) -> impl Display {
    utf8_percent_encode(text, RESERVED)
}
