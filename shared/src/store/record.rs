//! What a resource states of its rows: their columns.
use serde::Serialize;
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, ToSql, Type};

use crate::database::{DatabaseError, Parameter};

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
///
/// impl shared::Resource for Note {
///     const ROLE: &'static str = "api_request";
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
        }

        impl $crate::HasStatements for $record {
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
}

/// A change of a record.
pub trait Change: Send + Sync {
    /// The values for the SQL that sets the columns, in their order: of one that may be null, first
    /// whether it is set.
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

    /// Adds the values of [`Change::parameters`] for a field.
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

/// The values of a record's columns.
pub(super) struct Values<'a>(pub(super) Vec<Parameter<'a>>);

impl<'a> Visitor<'a> for Values<'a> {
    type Error = std::convert::Infallible;

    fn field<F: Field>(&mut self, _: &'static str, value: &'a F) -> Result<(), Self::Error> {
        self.0.push(value);
        Ok(())
    }
}
