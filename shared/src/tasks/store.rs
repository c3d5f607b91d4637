//! The task store: each method runs one SQL statement in one network round trip. Each statement
//! filters by user; if one did not, row-level security would still hide the rows of others.
use ring::digest::{Context, SHA256};
use tokio_postgres::Row;
use tokio_postgres::types::FromSql;

use super::clear::{ClearRequest, Cleared, Scope};
use super::error::TaskError;
use super::idempotency_key::IdempotencyKey;
use super::page::{Page, PageRequest};
use super::statements::{
    CLEAR, CLEAR_ALL, COMPLETE, COMPLETE_IF_MATCH, CREATE, CREATE_ONCE, DELETE, DELETE_IF_MATCH,
    GET, LIST, LIST_BY_COMPLETION, TASK, UPDATE, UPDATE_IF_MATCH,
};
use super::task::{Completion, Created, Description, NewTask, Task, TaskChange, TaskId, Title};
use super::versions::Versions;
use crate::auth::Owner;
use crate::database::{Database, Parameter, Repeat, Statement};

/// The tasks of all users; each method reads and writes only the given owner's.
pub struct TaskStore {
    database: Database,
}

impl TaskStore {
    pub(crate) fn new(database: Database) -> Self {
        Self { database }
    }

    /// Connects before the first request; if that fails, the first request tries again.
    pub(crate) async fn warm_up(&self) {
        if let Err(reason) = self.database.connection().await {
            tracing::warn!(reason, "no database connection at start");
        }
    }

    /// A page of the owner's tasks, newest first.
    ///
    /// # Errors
    /// [`TaskError::Database`].
    pub async fn list(&self, owner: &Owner, request: &PageRequest) -> Result<Page, TaskError> {
        // `i64::MAX` without a cursor, so that one statement, and one plan, serves every page.
        let after = request.after.map_or(i64::MAX, TaskId::get);
        // One more than the limit tells whether there is a next page.
        let limit = request.limit + 1;
        let mut parameters: Vec<Parameter> = vec![&after, &limit, &request.offset];
        let mut statement = &LIST;
        if let Some(completed) = &request.completed {
            parameters.push(completed);
            statement = &LIST_BY_COMPLETION;
        }
        let rows = self.database.query(owner, Repeat::Safe, statement, &parameters).await?;
        let mut tasks: Vec<Task> =
            rows.iter().map(|row| task(owner, row)).collect::<Result<_, _>>()?;
        let limit = usize::try_from(request.limit).map_err(TaskError::unexpected)?;
        let more = tasks.len() > limit;
        tasks.truncate(limit);
        Ok(Page { tasks, more })
    }

    /// One task, if `expected` allows its version.
    ///
    /// # Errors
    /// [`TaskError::NotFound`], [`TaskError::Stale`], [`TaskError::Database`].
    pub async fn get(
        &self,
        owner: &Owner,
        id: TaskId,
        expected: &Versions,
    ) -> Result<Task, TaskError> {
        let rows = self.database.query(owner, Repeat::Safe, &GET, &[&id.get()]).await?;
        let task = task(owner, rows.first().ok_or(TaskError::NotFound)?)?;
        if expected.allow(task.version) { Ok(task) } else { Err(TaskError::Stale) }
    }

    /// Creates a task; with a key that was used before, returns the first answer again.
    ///
    /// # Errors
    /// [`TaskError::KeyReused`], [`TaskError::Database`].
    pub async fn create(
        &self,
        owner: &Owner,
        new: NewTask,
        key: Option<IdempotencyKey>,
    ) -> Result<Created, TaskError> {
        let NewTask { title, description, completed } = &new;
        let (title, description) = (title.as_str(), description.as_deref());
        let rows = match key {
            None => {
                let parameters: [Parameter; 3] = [&title, &description, completed];
                self.database.query(owner, Repeat::Never, &CREATE, &parameters).await?
            }
            Some(key) => {
                let (key, hash) = (key.as_str(), request_hash(&new));
                let parameters: [Parameter; 5] = [&title, &description, completed, &key, &hash];
                self.database.query(owner, Repeat::Safe, &CREATE_ONCE, &parameters).await?
            }
        };
        let row = rows.first().ok_or_else(|| TaskError::unexpected("a create returned no row"))?;
        if !column::<bool>(row, 2)? {
            return Err(TaskError::KeyReused);
        }
        // A repeated create returns the first answer, even if the task has changed since.
        let created_at = column(row, 1)?;
        let task = Task {
            id: task_id(row)?,
            user_id: owner.id().to_owned(),
            title: new.title.into(),
            description: new.description.into(),
            completed: new.completed,
            created_at,
            updated_at: created_at,
            version: 1,
        };
        Ok(Created { task, replayed: !column::<bool>(row, 3)? })
    }

    /// Changes the fields that `change` sets, if `expected` allows the task's version.
    ///
    /// # Errors
    /// [`TaskError::NotFound`], [`TaskError::Stale`], [`TaskError::Database`].
    pub async fn update(
        &self,
        owner: &Owner,
        id: TaskId,
        change: TaskChange,
        expected: &Versions,
    ) -> Result<Task, TaskError> {
        let TaskChange { title, description, completed } = change;
        let title = title.as_ref().map(Title::as_str);
        let describes = description.is_some();
        let description = description.as_ref().and_then(Description::as_deref);
        let set: [Parameter; 4] = [&title, &describes, &description, &completed];
        self.change(repeat_unless(expected), [&UPDATE, &UPDATE_IF_MATCH], owner, id, expected, &set)
            .await
    }

    /// Completes, reopens or toggles a task, if `expected` allows its version.
    ///
    /// # Errors
    /// As [`TaskStore::update`].
    pub async fn complete(
        &self,
        owner: &Owner,
        id: TaskId,
        completion: Completion,
        expected: &Versions,
    ) -> Result<Task, TaskError> {
        let (repeat, completed) = match completion {
            Completion::Toggle => (Repeat::Never, None),
            Completion::Set(completed) => (repeat_unless(expected), Some(completed)),
        };
        self.change(repeat, [&COMPLETE, &COMPLETE_IF_MATCH], owner, id, expected, &[&completed])
            .await
    }

    /// Deletes a task, if `expected` allows its version, and returns it as it was.
    ///
    /// # Errors
    /// As [`TaskStore::update`].
    pub async fn delete(
        &self,
        owner: &Owner,
        id: TaskId,
        expected: &Versions,
    ) -> Result<Task, TaskError> {
        // A second run would find no task to return.
        self.change(Repeat::Never, [&DELETE, &DELETE_IF_MATCH], owner, id, expected, &[]).await
    }

    /// Deletes the owner's oldest tasks that match `request`, at most 10,000.
    ///
    /// # Errors
    /// [`TaskError::Database`].
    pub async fn clear(&self, owner: &Owner, request: ClearRequest) -> Result<Cleared, TaskError> {
        let ClearRequest { scope, until } = request;
        // A second run deletes what the first one left.
        let rows = match scope {
            Scope::Completed(completed) => {
                let parameters: [Parameter; 2] = [&completed, &until];
                self.database.query(owner, Repeat::Safe, &CLEAR, &parameters).await?
            }
            Scope::All => self.database.query(owner, Repeat::Safe, &CLEAR_ALL, &[&until]).await?,
        };
        let row = rows.first().ok_or_else(|| TaskError::unexpected("a clear returned no row"))?;
        Ok(Cleared { deleted: column(row, 0)?, more: column(row, 1)? })
    }

    /// Runs the first statement, or the second if certain versions are expected.
    async fn change(
        &self,
        repeat: Repeat,
        [change, change_if_match]: [&Statement; 2],
        owner: &Owner,
        id: TaskId,
        expected: &Versions,
        set: &[Parameter<'_>],
    ) -> Result<Task, TaskError> {
        let (id, versions) = (id.get(), expected.listed());
        let mut parameters: Vec<Parameter> = vec![&id];
        parameters.extend_from_slice(set);
        let mut statement = change;
        if let Some((versions, listed)) = &versions {
            parameters.push(versions);
            parameters.push(listed);
            statement = change_if_match;
        }
        let rows = self.database.query(owner, repeat, statement, &parameters).await?;
        let row = rows.first().ok_or(TaskError::NotFound)?;
        if column(row, TASK.len())? { task(owner, row) } else { Err(TaskError::Stale) }
    }
}

/// Setting a value may run twice, except with expected versions: the first run changes the version.
fn repeat_unless(expected: &Versions) -> Repeat {
    match expected {
        Versions::Any => Repeat::Safe,
        Versions::OneOf(_) | Versions::NoneOf(_) => Repeat::Never,
    }
}

/// Tells whether two creates describe the same task, however their JSON is written. A default adds
/// nothing, so that keys stored before the member existed are still recognized.
fn request_hash(new: &NewTask) -> Vec<u8> {
    let NewTask { title, description, completed } = new;
    let mut hash = Context::new(&SHA256);
    hash.update(title.as_str().as_bytes());
    // Neither text can contain the separator.
    hash.update(b"\0");
    if let Some(description) = description.as_deref() {
        hash.update(b"\0");
        hash.update(description.as_bytes());
    }
    if *completed {
        hash.update(b"\0\0completed");
    }
    hash.finish().as_ref().to_vec()
}

fn task(owner: &Owner, row: &Row) -> Result<Task, TaskError> {
    Ok(Task {
        id: task_id(row)?,
        user_id: owner.id().to_owned(),
        title: column(row, 1)?,
        description: column(row, 2)?,
        completed: column(row, 3)?,
        created_at: column(row, 4)?,
        updated_at: column(row, 5)?,
        version: column(row, 6)?,
    })
}

fn task_id(row: &Row) -> Result<TaskId, TaskError> {
    TaskId::new(column(row, 0)?).ok_or_else(|| TaskError::unexpected("a task's id is out of range"))
}

fn column<'a, T: FromSql<'a>>(row: &'a Row, index: usize) -> Result<T, TaskError> {
    row.try_get(index).map_err(TaskError::unexpected)
}
