//! The key that makes a create safe to repeat.

/// The `Idempotency-Key` of an insert: 1 to 255 visible ASCII characters.
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
