//! Resources in the database: each method runs one SQL statement in one network round trip. Each
//! statement filters by user; if one did not, row-level security would still hide the rows of others.
mod account;
mod error;
mod idempotency_key;
mod page;
mod record;
mod statements;
mod stored;
mod versions;

use std::marker::PhantomData;
use std::sync::Arc;

use jiff::Timestamp;
use tokio_postgres::Row;

pub use self::account::{Account, Cleared};
pub use self::error::StoreError;
pub use self::idempotency_key::IdempotencyKey;
use self::idempotency_key::RequestHash;
pub(crate) use self::page::{BOOLEAN, boolean};
pub use self::page::{Filter, Page, PageRequest};
use self::record::Values;
pub use self::record::{Change, Column, Columns, Field, Record, Visitor};
pub use self::statements::{ChangeStatement, HasStatements, Resource, Statements, clear_statement};
pub(crate) use self::stored::MAX_SAFE_INTEGER;
pub use self::stored::{Id, Stored};
pub use self::versions::Versions;
use crate::auth::Owner;
use crate::database::{Database, DatabaseError, Parameter, Retry, Statement};

/// The store of a resource: a [`Store`], or a type with operations of its own around one.
pub trait ResourceStore {
    /// The resource.
    type Of: Resource;

    /// The store in this database.
    fn new(database: Arc<Database>) -> Self;

    /// Every statement that it runs.
    fn statements() -> Vec<&'static Statement>;
}

impl<R: Resource> ResourceStore for Store<R> {
    type Of = R;

    fn new(database: Arc<Database>) -> Self {
        Self { database, resource: PhantomData }
    }

    fn statements() -> Vec<&'static Statement> {
        R::statements().all().collect()
    }
}

/// The rows of one resource, of all users; each method reads and writes only the given owner's.
pub struct Store<R> {
    database: Arc<Database>,
    resource: PhantomData<fn() -> R>,
}

/// The result of a create.
#[derive(Debug)]
pub struct Created<R> {
    pub(crate) stored: Stored<R>,
    /// Whether this is the answer to an earlier create with the same key.
    pub(crate) replayed: bool,
}

impl<R: Resource> Store<R> {
    /// A page of the owner's rows, newest first.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn page(
        &self,
        owner: &Owner,
        request: PageRequest<R>,
    ) -> Result<Page<R>, StoreError> {
        // `i64::MAX` without a cursor, so that one statement, and one plan, serves every page.
        let after = request.after.map_or(i64::MAX, Id::get);
        // One more than the limit tells whether there is a next page.
        let limit = request.limit + 1;
        let mut parameters: Vec<Parameter> = vec![&after, &limit, &request.offset];
        parameters.extend(request.values.iter().map(|value| -> Parameter { &**value }));
        let list = R::statements().lists.get(request.filters);
        let list = list.ok_or_else(|| DatabaseError::unexpected("no list has these filters"))?;
        let rows = self.run(owner, Retry::IfUnknown, list, &parameters).await?;
        let read = |row| Stored::read(owner, &mut Columns::of(row));
        let mut rows: Vec<_> = rows.iter().map(read).collect::<Result<_, _>>()?;
        let limit = usize::try_from(request.limit).map_err(DatabaseError::unexpected)?;
        let more = rows.len() > limit;
        rows.truncate(limit);
        Ok(Page { rows, more })
    }

    /// One row, if `expected` allows its version.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Stale`], [`StoreError::Database`].
    pub async fn get(
        &self,
        owner: &Owner,
        id: Id<R>,
        expected: &Versions,
    ) -> Result<Stored<R>, StoreError> {
        let get = &R::statements().get;
        let rows = self.run(owner, Retry::IfUnknown, get, &[&id.get()]).await?;
        let row = rows.first().ok_or_else(StoreError::not_found::<R>)?;
        let stored = Stored::read(owner, &mut Columns::of(row))?;
        if expected.allow(stored.version) { Ok(stored) } else { Err(StoreError::Stale) }
    }

    /// Creates a row; with a key that was used before, returns the first answer again.
    ///
    /// # Errors
    /// [`StoreError::KeyReused`], [`StoreError::Database`].
    pub async fn create(
        &self,
        owner: &Owner,
        fields: R,
        key: Option<IdempotencyKey>,
    ) -> Result<Created<R>, StoreError> {
        let statements = R::statements();
        let mut values = Values(Vec::new());
        let Ok(()) = fields.visit(&mut values);
        let Values(mut values) = values;
        let rows = match key {
            None => self.run(owner, Retry::Never, &statements.create, &values).await?,
            Some(key) => {
                let (key, hash) = (key.as_str(), RequestHash::of(&fields)?);
                values.extend([&key as Parameter, &hash]);
                self.run(owner, Retry::IfUnknown, &statements.create_once, &values).await?
            }
        };
        let row = rows.first().ok_or_else(|| DatabaseError::unexpected("no row was created"))?;
        let mut columns = Columns::of(row);
        let (id, created_at) = (Stored::<R>::read_id(&mut columns)?, columns.read()?);
        let (same_request, new): (bool, bool) = (columns.read()?, columns.read()?);
        if !same_request {
            return Err(StoreError::KeyReused);
        }
        // A repeated create returns the first answer, even if the row has changed since.
        let user_id = owner.shared_id();
        let stored = Stored { id, user_id, fields, created_at, updated_at: created_at, version: 1 };
        Ok(Created { stored, replayed: !new })
    }

    /// Changes the fields that `change` sets, if `expected` allows the row's version.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Stale`], [`StoreError::Database`].
    pub async fn update(
        &self,
        owner: &Owner,
        id: Id<R>,
        change: R::Change,
        expected: &Versions,
    ) -> Result<Stored<R>, StoreError> {
        let update = &R::statements().update;
        self.change(update, owner, id, expected, Retry::IfUnknown, &change.parameters()).await
    }

    /// Deletes a row, if `expected` allows its version, and returns it as it was.
    ///
    /// # Errors
    /// As [`Store::update`].
    pub async fn delete(
        &self,
        owner: &Owner,
        id: Id<R>,
        expected: &Versions,
    ) -> Result<Stored<R>, StoreError> {
        // A second run would find no row to return.
        self.change(&R::statements().delete, owner, id, expected, Retry::Never, &[]).await
    }

    /// Deletes the owner's oldest rows of this resource, and its idempotency keys, at most 10,000;
    /// those after `until` stay.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn erase(
        &self,
        owner: &Owner,
        until: Option<Timestamp>,
    ) -> Result<Cleared, StoreError> {
        // A second run deletes what the first one left.
        let erase = &R::statements().erase;
        Cleared::read(&self.run(owner, Retry::IfUnknown, erase, &[&until]).await?)
    }

    /// Changes one row, if `expected` allows its version. With expected versions it is never run
    /// twice, whatever `retry` says: the first run changes the version.
    ///
    /// # Errors
    /// As [`Store::update`].
    pub async fn change(
        &self,
        change: &ChangeStatement,
        owner: &Owner,
        id: Id<R>,
        expected: &Versions,
        retry: Retry,
        values: &[Parameter<'_>],
    ) -> Result<Stored<R>, StoreError> {
        let (id, versions) = (id.get(), expected.as_slice());
        let mut parameters: Vec<Parameter> = vec![&id];
        parameters.extend_from_slice(values);
        let (mut statement, mut retry) = (&change.any, retry);
        if let Some((versions, listed)) = &versions {
            parameters.extend([versions as Parameter, listed]);
            (statement, retry) = (&change.if_match, Retry::Never);
        }
        let rows = self.run(owner, retry, statement, &parameters).await?;
        let row = rows.first().ok_or_else(StoreError::not_found::<R>)?;
        let mut columns = Columns::of(row);
        let stored = Stored::read(owner, &mut columns)?;
        if columns.read()? { Ok(stored) } else { Err(StoreError::Stale) }
    }

    /// Runs one of the resource's own statements.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn run(
        &self,
        owner: &Owner,
        retry: Retry,
        statement: &Statement,
        parameters: &[Parameter<'_>],
    ) -> Result<Vec<Row>, StoreError> {
        Ok(self.database.query(owner, retry, statement, parameters).await?)
    }
}

/// A resource for the tests.
#[cfg(test)]
pub(crate) mod sample {
    use super::{Filter, Resource};

    crate::record! {
        /// A sample.
        pub(crate) struct Sample: sample in samples, changed by SampleChange {
            label: String,
            note: Option<String>,
            done: bool,
        }
    }

    impl Resource for Sample {
        const ROLE: &'static str = "sample_role";
        const FILTERS: &'static [Filter] = &[Filter::boolean("done")];
    }
}
