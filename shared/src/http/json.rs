//! The body of an answer: API Gateway takes the JSON text as a JSON string. It is written in one
//! pass, with the escapes of that string.
use std::io::{Result, Write};

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::{CharEscape, CompactFormatter, Formatter};
use serde_json::value::RawValue;

/// The JSON string that contains the JSON of `value`; `None` if it has none, as for a map with a
/// key that is no string.
pub(super) fn string_of(value: &impl Serialize) -> Option<Box<RawValue>> {
    let mut string = vec![b'"'];
    value.serialize(&mut Serializer::with_formatter(&mut string, Inner)).ok()?;
    string.push(b'"');
    RawValue::from_string(String::from_utf8(string).ok()?).ok()
}

/// Formats JSON as the content of a JSON string.
struct Inner;

impl Formatter for Inner {
    fn begin_string<W: Write + ?Sized>(&mut self, writer: &mut W) -> Result<()> {
        writer.write_all(br#"\""#)
    }

    fn end_string<W: Write + ?Sized>(&mut self, writer: &mut W) -> Result<()> {
        writer.write_all(br#"\""#)
    }

    fn write_char_escape<W: Write + ?Sized>(
        &mut self,
        writer: &mut W,
        escape: CharEscape,
    ) -> Result<()> {
        let mut escaped = Vec::new();
        CompactFormatter.write_char_escape(&mut escaped, escape)?;
        for byte in escaped {
            if matches!(byte, b'"' | b'\\') {
                writer.write_all(br"\")?;
            }
            writer.write_all(&[byte])?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arbitrary;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    #[test]
    fn quotes_and_backslashes_are_escaped_twice() {
        let string = string_of(&json!({ "a": "say \"\\\"\n\u{1}é" })).unwrap();
        assert_eq!(string.get(), r#""{\"a\":\"say \\\"\\\\\\\"\\n\\u0001é\"}""#);
    }

    proptest! {
        #[test]
        fn it_contains_the_text_that_serde_json_writes(value in arbitrary::json()) {
            let string: Value = string_of(&value).unwrap().get().parse().unwrap();
            prop_assert_eq!(string.as_str().unwrap(), value.to_string());
        }
    }
}
