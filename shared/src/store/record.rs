//! The rows of a resource: the columns that it states, and those that every table has.
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::fmt::temporal::DateTimePrinter;
use ring::digest::{Context, SHA256};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, ToSql, Type};

use crate::auth::Owner;
use crate::database::{DatabaseError, Parameter};

/// The largest integer that a JavaScript number holds exactly: 2^53 - 1.
pub(crate) const MAX_SAFE_INTEGER: i64 = (1 << 53) - 1;

/// States the record of a resource: its name, its table, its columns with their types, and the name
/// of its change, in which each field may be absent.
///
/// The table also has the columns `user_id`, `id`, `version`, `created_at` and `updated_at`. A field
/// may have any type that is a [`Field`](crate::Field).
///
/// ```
/// shared::record! {
///     /// A note.
///     pub struct Note: note in notes, changed by NoteChange {
///         text: String,
///         colour: Option<String>,
///     }
/// }
/// ```
#[macro_export]
macro_rules! record {
    (
        $(#[$meta:meta])*
        $vis:vis struct $record:ident: $name:ident in $table:ident, changed by $change:ident {
            $($(#[$field_meta:meta])* $field:ident: $of:ty),+ $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, PartialEq)]
        $vis struct $record {
            $($(#[$field_meta])* pub(crate) $field: $of),+
        }

        #[doc = concat!("The change of a [`", stringify!($record), "`]: absent fields stay unchanged.")]
        #[derive(Debug, PartialEq)]
        $vis struct $change {
            $(pub(crate) $field: Option<$of>),+
        }

        impl $crate::Record for $record {
            const NAME: &'static str = stringify!($name);
            const ID: &'static str = concat!(stringify!($name), "_id");
            const NOT_FOUND: &'static str = concat!(stringify!($name), "_not_found");
            const TABLE: &'static str = stringify!($table);
            const COLUMNS: &'static [$crate::Column] =
                &[$($crate::Column::of::<$of>(stringify!($field))),+];

            type Change = $change;

            fn read(columns: &mut $crate::Columns<'_>) -> Result<Self, $crate::DatabaseError> {
                Ok(Self { $($field: columns.read()?),+ })
            }

            fn visit<'a, V: $crate::Visitor<'a>>(&'a self, visitor: &mut V) -> Result<(), V::Error> {
                $(visitor.field(stringify!($field), &self.$field)?;)+
                Ok(())
            }

            fn statements() -> &'static $crate::Statements {
                static STATEMENTS: std::sync::LazyLock<$crate::Statements> =
                    std::sync::LazyLock::new($crate::Statements::of::<$record>);
                &STATEMENTS
            }
        }

        impl $crate::Change for $change {
            fn parameters(&self) -> Vec<$crate::Parameter<'_>> {
                let mut parameters = Vec::new();
                $($crate::Column::set(&mut parameters, &self.$field);)+
                parameters
            }
        }
    };
}

/// A record, as [`record!`](crate::record) makes it.
pub trait Record: Sized + Send + Sync + 'static {
    /// Its name, for one of them: `grocery_item`.
    const NAME: &'static str;
    /// The path parameter with its id: `grocery_item_id`.
    const ID: &'static str;
    /// The code of the failure that there is none: `grocery_item_not_found`.
    const NOT_FOUND: &'static str;
    /// The table: `grocery_items`.
    const TABLE: &'static str;
    /// The columns that the resource states.
    const COLUMNS: &'static [Column];
    /// A change of it.
    type Change: Change;

    /// Reads the columns, in their order.
    ///
    /// # Errors
    /// [`DatabaseError::Unexpected`] if a column has another type.
    fn read(columns: &mut Columns<'_>) -> Result<Self, DatabaseError>;

    /// Visits the fields, in the order of the columns.
    ///
    /// # Errors
    /// Those of the visitor.
    fn visit<'a, V: Visitor<'a>>(&'a self, visitor: &mut V) -> Result<(), V::Error>;

    /// The statements of every resource, for this one.
    fn statements() -> &'static super::Statements;
}

/// A change of a record.
pub trait Change: Send + Sync {
    /// The values of the SQL that [`Column::assignment`] writes.
    fn parameters(&self) -> Vec<Parameter<'_>>;
}

/// What is done with each field of a record.
pub trait Visitor<'a> {
    /// Why it ends.
    type Error;
    /// Visits a field.
    ///
    /// # Errors
    /// If it ends.
    fn field<F: Field>(&mut self, name: &'static str, value: &'a F) -> Result<(), Self::Error>;
}

/// A type that a field may have. Its default is what a create without the field stores.
pub trait Field:
    Default + PartialEq + Serialize + ToSql + for<'a> FromSql<'a> + Send + Sync + 'static
{
    /// Its type in SQL.
    const TYPE: Type;
    /// Whether it may be null.
    const NULLABLE: bool = false;
}

impl Field for String {
    const TYPE: Type = Type::TEXT;
}

impl Field for bool {
    const TYPE: Type = Type::BOOL;
}

impl Field for i64 {
    const TYPE: Type = Type::INT8;
}

impl<F: Field> Field for Option<F> {
    const TYPE: Type = F::TYPE;
    const NULLABLE: bool = true;
}

/// A column that a resource states.
#[derive(Debug)]
pub struct Column {
    /// Its name.
    pub(crate) name: &'static str,
    /// Its type.
    pub(crate) of: Type,
    nullable: bool,
}

impl Column {
    /// The column of a field.
    #[must_use]
    pub const fn of<F: Field>(name: &'static str) -> Self {
        Self { name, of: F::TYPE, nullable: F::NULLABLE }
    }

    /// Adds the values of [`Column::assignment`] for a field of a change.
    pub fn set<'a, F: Field>(parameters: &mut Vec<Parameter<'a>>, change: &'a Option<F>) {
        if F::NULLABLE {
            parameters.push(if change.is_some() { &true } else { &false });
        }
        parameters.push(change);
    }

    /// The SQL that sets the column if a change does; adds the types of its parameters.
    pub(super) fn assignment(&self, types: &mut Vec<Type>) -> String {
        let Self { name, of, nullable } = self;
        if *nullable {
            types.push(Type::BOOL);
        }
        types.push(of.clone());
        let last = types.len();
        if *nullable {
            format!("{name} = CASE WHEN ${} THEN ${last} ELSE {name} END", last - 1)
        } else {
            format!("{name} = coalesce(${last}, {name})")
        }
    }
}

/// The columns of a row, read one after the other.
pub struct Columns<'a> {
    row: &'a Row,
    next: usize,
}

impl<'a> Columns<'a> {
    pub(super) fn of(row: &'a Row) -> Self {
        Self { row, next: 0 }
    }

    /// The next column.
    ///
    /// # Errors
    /// [`DatabaseError::Unexpected`] if it has another type.
    pub fn read<T: FromSql<'a>>(&mut self) -> Result<T, DatabaseError> {
        let value = self.row.try_get(self.next).map_err(DatabaseError::unexpected);
        self.next += 1;
        value
    }
}

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

/// The values of a record's columns.
pub(super) struct Values<'a>(pub(super) Vec<Parameter<'a>>);

impl<'a> Visitor<'a> for Values<'a> {
    type Error = std::convert::Infallible;

    fn field<F: Field>(&mut self, _: &'static str, value: &'a F) -> Result<(), Self::Error> {
        self.0.push(value);
        Ok(())
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
    use crate::arbitrary;
    use crate::store::sample::Sample;
    use proptest::prelude::*;
    use serde_json::json;

    fn sample(label: &str, note: Option<&str>, done: bool) -> Sample {
        Sample { label: label.into(), note: note.map(str::to_owned), done }
    }

    #[test]
    fn times_have_six_digits_and_a_z() {
        let stored = Stored {
            id: Id::new(1).unwrap(),
            user_id: "u".into(),
            fields: sample("t", None, false),
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

    #[test]
    fn the_hash_of_a_request_tells_records_apart() {
        let hash = |label, note, done| RequestHash::of(&sample(label, note, done)).unwrap();
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
