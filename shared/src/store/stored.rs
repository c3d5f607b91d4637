//! A row as it is read: what the resource states, and what every table has.
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::fmt::temporal::DateTimePrinter;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::record::{Columns, Field, Record, Visitor};
use crate::auth::Owner;
use crate::database::DatabaseError;

/// The largest integer that a JavaScript number holds exactly: 2^53 - 1.
pub(crate) const MAX_SAFE_INTEGER: i64 = (1 << 53) - 1;

/// The id of a row: 1 to 2^53 - 1.
pub struct Id<R>(i64, PhantomData<fn() -> R>);

impl<R> Id<R> {
    /// Parses an id from decimal digits; `None` if it is invalid.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| text.parse().ok()).flatten().and_then(Self::new)
    }

    pub(crate) fn new(id: i64) -> Option<Self> {
        (1..=MAX_SAFE_INTEGER).contains(&id).then_some(Self(id, PhantomData))
    }

    pub(crate) fn get(self) -> i64 {
        self.0
    }
}

impl<R> Clone for Id<R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R> Copy for Id<R> {}

impl<R> fmt::Debug for Id<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A row as its owner sees it.
#[derive(Debug)]
pub struct Stored<R> {
    pub(crate) id: Id<R>,
    pub(crate) user_id: Arc<str>,
    pub(crate) fields: R,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    /// Incremented by each change; the row's `ETag`.
    pub(crate) version: i64,
}

impl<R: Record> Stored<R> {
    pub(super) fn read(owner: &Owner, columns: &mut Columns<'_>) -> Result<Self, DatabaseError> {
        Ok(Self {
            id: Self::read_id(columns)?,
            user_id: owner.shared_id(),
            fields: R::read(columns)?,
            created_at: columns.read()?,
            updated_at: columns.read()?,
            version: columns.read()?,
        })
    }

    pub(super) fn read_id(columns: &mut Columns<'_>) -> Result<Id<R>, DatabaseError> {
        let id = Id::new(columns.read()?);
        id.ok_or_else(|| DatabaseError::unexpected("an id is out of range"))
    }
}

impl<R: Record> Serialize for Stored<R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &self.id.get())?;
        map.serialize_entry("user_id", &*self.user_id)?;
        self.fields.visit(&mut Entries(&mut map))?;
        map.serialize_entry("created_at", &Time(self.created_at))?;
        map.serialize_entry("updated_at", &Time(self.updated_at))?;
        map.end()
    }
}

struct Entries<'m, M>(&'m mut M);

impl<M: SerializeMap> Visitor<'_> for Entries<'_, M> {
    type Error = M::Error;

    fn field<F: Field>(&mut self, name: &'static str, value: &F) -> Result<(), M::Error> {
        self.0.serialize_entry(name, value)
    }
}

/// UTC with all six digits that the database stores, so that times also compare as text.
struct Time(Timestamp);

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        const PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(6));
        // Half the instructions of `{time:.6}`.
        serializer.serialize_str(&PRINTER.timestamp_to_string(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arbitrary;
    use crate::store::sample::Sample;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn times_have_six_digits_and_a_z() {
        let stored = Stored {
            id: Id::new(1).unwrap(),
            user_id: "u".into(),
            fields: Sample { label: "t".into(), note: None, done: false },
            created_at: Timestamp::from_second(0).unwrap(),
            updated_at: Timestamp::from_microsecond(1_500).unwrap(),
            version: 1,
        };
        assert_eq!(
            serde_json::to_value(&stored).unwrap(),
            json!({
                "id": 1, "user_id": "u", "label": "t", "note": null, "done": false,
                "created_at": "1970-01-01T00:00:00.000000Z", "updated_at": "1970-01-01T00:00:00.001500Z",
            })
        );
    }

    proptest! {
        #[test]
        fn an_id_is_read_as_it_is_written(id in any::<i64>()) {
            let read = Id::<Sample>::parse(&id.to_string()).map(Id::get);
            prop_assert_eq!(read, Id::<Sample>::new(id).map(Id::get));
        }

        #[test]
        fn nothing_but_digits_is_an_id(text in arbitrary::like("\\PC{0,20}")) {
            if let Some(id) = Id::<Sample>::parse(&text) {
                prop_assert!(text.bytes().all(|b| b.is_ascii_digit()));
                prop_assert!((1..=MAX_SAFE_INTEGER).contains(&id.get()));
            }
        }
    }
}
