//! The key that makes a create safe to repeat.
use ring::digest::{Context, SHA256};

use super::record::{Field, Record, Visitor};
use crate::database::DatabaseError;

/// The `Idempotency-Key` of a create: 1 to 255 visible ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    const LIMIT: usize = 255;

    /// Parses a key; `None` if it is invalid.
    pub(crate) fn parse(key: &[u8]) -> Option<Self> {
        let visible = key.iter().all(u8::is_ascii_graphic);
        let good = visible && (1..=Self::LIMIT).contains(&key.len());
        good.then(|| String::from_utf8(key.to_vec()).ok()).flatten().map(Self)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Tells whether two creates describe the same record, however their JSON is written. A default adds
/// nothing, so that keys stored before a field existed are still recognized.
pub(super) struct RequestHash(Context);

impl RequestHash {
    pub(super) fn of<R: Record>(record: &R) -> Result<Vec<u8>, DatabaseError> {
        let mut hash = Self(Context::new(&SHA256));
        record.visit(&mut hash).map_err(DatabaseError::unexpected)?;
        Ok(hash.0.finish().as_ref().to_vec())
    }
}

impl Visitor<'_> for RequestHash {
    type Error = serde_json::Error;

    fn field<F: Field>(&mut self, name: &'static str, value: &F) -> Result<(), Self::Error> {
        if *value != F::default() {
            // Neither contains the separator.
            for part in [name.as_bytes(), &serde_json::to_vec(value)?] {
                self.0.update(part);
                self.0.update(b"\0");
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sample::Sample;

    #[test]
    fn the_hash_of_a_request_tells_records_apart() {
        let hash = |label: &str, note: Option<&str>, done| {
            let (label, note) = (label.to_owned(), note.map(str::to_owned));
            RequestHash::of(&Sample { label, note, done }).unwrap()
        };
        let all = [
            hash("a", None, false),
            hash("a", Some(""), false),
            hash("a", Some("b"), false),
            hash("b", None, false),
            hash("a", None, true),
            hash("a\0note\0\"b\"", None, false),
        ];
        for (index, one) in all.iter().enumerate() {
            assert!(!all[..index].contains(one), "{index}");
        }
        assert_eq!(hash("a", Some("b"), true), hash("a", Some("b"), true));
    }
}
