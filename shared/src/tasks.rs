//! The task store: every SQL statement of the product, one a method, one network round trip each. Each names its user;
//! where one forgot to, the policies of the database would still show the owner's rows alone.
use ring::digest::{Context, SHA256};
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, ToSql, Type};

use crate::auth::Owner;
use crate::db::{Database, Repeat};
use crate::etag::IfMatch;
use crate::page::{ListQuery, Page};
use crate::problem::Problem;
use crate::request::IdempotencyKey;
use crate::task::{Completion, Description, NewTask, Task, TaskChange, TaskId, Title};

/// The tasks of all users, of which each method shows and changes the given owner's alone.
pub struct TaskStore {
    database: Database,
}

/// A task made by a create.
#[derive(Debug)]
pub struct Created {
    pub(crate) task: Task,
    /// Whether this is the answer to an earlier create with the same key.
    pub(crate) replayed: bool,
}

const LIST: &str = "
    SELECT id, title, description, completed, created_at, updated_at, version
    FROM tasks
    WHERE user_id = $1
      AND ($2::boolean IS NULL OR completed = $2)
      AND ($3::bigint IS NULL OR id < $3)
    ORDER BY id DESC
    LIMIT $4 OFFSET $5";

const GET: &str = "
    SELECT id, title, description, completed, created_at, updated_at, version
    FROM tasks
    WHERE user_id = $1 AND id = $2";

const CREATE: &str = "
    INSERT INTO tasks (user_id, title, description)
    VALUES ($1, $2, $3)
    RETURNING id, created_at, true, true";

/// Of creates with one key at the same moment, one claims the key; the others wait for it, and
/// the update that changes nothing lets them see the row, which their snapshot does not hold yet.
const CREATE_ONCE: &str = "
    WITH proposed AS (
        SELECT nextval('tasks_id_seq') AS id
    ), claim AS (
        INSERT INTO idempotency_keys AS held (user_id, key, request_hash, task_id)
        SELECT $1, $4, $5, id FROM proposed
        ON CONFLICT (user_id, key) DO UPDATE SET key = held.key
        RETURNING task_id, request_hash, created_at
    ), created AS (
        INSERT INTO tasks (id, user_id, title, description, created_at, updated_at)
        SELECT task_id, $1, $2, $3, created_at, created_at
        FROM claim JOIN proposed ON task_id = id
        RETURNING id
    )
    SELECT task_id, created_at, request_hash = $5, EXISTS (SELECT FROM created)
    FROM claim";

/// A change of one task that `$3`, the versions of `If-Match`, must allow. Its row comes back
/// with `true`; a row with `false` says that the task is there in another version.
macro_rules! guarded {
    ($change:literal) => {
        concat!(
            "WITH changed AS (",
            $change,
            " WHERE user_id = $1 AND id = $2 AND ($3::bigint[] IS NULL OR version = ANY ($3))
              RETURNING id, title, description, completed, created_at, updated_at, version)
            SELECT *, true FROM changed
            UNION ALL
            SELECT id, title, description, completed, created_at, updated_at, version, false
            FROM tasks
            WHERE user_id = $1 AND id = $2 AND $3 IS NOT NULL AND NOT EXISTS (SELECT FROM changed)"
        )
    };
}

const UPDATE: &str = guarded!(
    "UPDATE tasks SET
        title = coalesce($4, title),
        description = CASE WHEN $5 THEN $6 ELSE description END,
        completed = coalesce($7, completed),
        version = version + 1,
        updated_at = clock_timestamp()"
);

const COMPLETE: &str = guarded!(
    "UPDATE tasks SET
        completed = coalesce($4, NOT completed),
        version = version + 1,
        updated_at = clock_timestamp()"
);

const DELETE: &str = guarded!("DELETE FROM tasks");

impl TaskStore {
    pub(crate) fn new(database: Database) -> Self {
        Self { database }
    }

    /// Connects ahead of the first request; where that fails, the first request tries again.
    pub(crate) async fn warm_up(&self) {
        if let Err(reason) = self.database.connection().await {
            tracing::warn!(reason, "no database connection at start");
        }
    }

    /// A page of the owner's tasks, newest first.
    ///
    /// # Errors
    /// [`Problem::DatabaseUnavailable`], [`Problem::Internal`].
    pub async fn list(&self, owner: &Owner, query: &ListQuery) -> Result<Page, Problem> {
        let after = query.after.map(TaskId::get);
        // One more than asked for tells whether there is a next page.
        let limit = query.limit + 1;
        let params: [Param; 5] = [
            (&owner.id(), Type::TEXT),
            (&query.completed, Type::BOOL),
            (&after, Type::INT8),
            (&limit, Type::INT8),
            (&query.offset, Type::INT8),
        ];
        let rows = self.database.query(owner, Repeat::Safe, LIST, &params).await?;
        let mut tasks: Vec<Task> =
            rows.iter().map(|row| task(owner, row)).collect::<Result<_, _>>()?;
        let limit = usize::try_from(query.limit).map_err(Problem::internal)?;
        let more = tasks.len() > limit;
        tasks.truncate(limit);
        Ok(Page { tasks, more })
    }

    /// One task.
    ///
    /// # Errors
    /// [`Problem::TaskNotFound`], [`Problem::DatabaseUnavailable`], [`Problem::Internal`].
    pub async fn get(&self, owner: &Owner, id: TaskId) -> Result<Task, Problem> {
        let params: [Param; 2] = [(&owner.id(), Type::TEXT), (&id.get(), Type::INT8)];
        let rows = self.database.query(owner, Repeat::Safe, GET, &params).await?;
        task(owner, rows.first().ok_or(Problem::TaskNotFound)?)
    }

    /// A new task; with a key that was used before, the first answer again.
    ///
    /// # Errors
    /// [`Problem::InvalidRequest`] where the key was used for another task,
    /// [`Problem::DatabaseUnavailable`], [`Problem::Internal`].
    pub async fn create(
        &self,
        owner: &Owner,
        new: NewTask,
        key: Option<IdempotencyKey>,
    ) -> Result<Created, Problem> {
        let (id, title, description) = (owner.id(), new.title.as_str(), new.description.as_deref());
        let what: [Param; 3] =
            [(&id, Type::TEXT), (&title, Type::TEXT), (&description, Type::TEXT)];
        let rows = match key {
            None => self.database.query(owner, Repeat::Never, CREATE, &what).await?,
            Some(key) => {
                let (key, hash) = (key.as_str(), request_hash(&new));
                let once: [Param; 2] = [(&key, Type::TEXT), (&hash, Type::BYTEA)];
                self.database
                    .query(owner, Repeat::Safe, CREATE_ONCE, &[what.as_slice(), &once].concat())
                    .await?
            }
        };
        let row = rows.first().ok_or_else(|| Problem::internal("a create returned no row"))?;
        if !column::<bool>(row, 2)? {
            let fault = "was used before, for a task with another title or description";
            return Err(Problem::invalid("Idempotency-Key", fault));
        }
        // The answer to a repeated create is that to the first, whatever became of the task since.
        let created_at = column(row, 1)?;
        let task = Task {
            id: task_id(row)?,
            user_id: owner.id().to_owned(),
            title: new.title.into(),
            description: new.description.into(),
            completed: false,
            created_at,
            updated_at: created_at,
            version: 1,
        };
        Ok(Created { task, replayed: !column::<bool>(row, 3)? })
    }

    /// Changes what `change` sets of a task, if `expected` allows the version it is in.
    ///
    /// # Errors
    /// [`Problem::TaskNotFound`], [`Problem::StaleEtag`], [`Problem::DatabaseUnavailable`],
    /// [`Problem::Internal`].
    pub async fn update(
        &self,
        owner: &Owner,
        id: TaskId,
        change: TaskChange,
        expected: &IfMatch,
    ) -> Result<Task, Problem> {
        let title = change.title.as_ref().map(Title::as_str);
        let describes = change.description.is_some();
        let description = change.description.as_ref().and_then(Description::as_deref);
        let set: [Param; 4] = [
            (&title, Type::TEXT),
            (&describes, Type::BOOL),
            (&description, Type::TEXT),
            (&change.completed, Type::BOOL),
        ];
        self.change(repeat_unless(expected), UPDATE, owner, id, expected, &set).await
    }

    /// Completes, reopens or toggles a task, if `expected` allows the version it is in.
    ///
    /// # Errors
    /// As [`TaskStore::update`].
    pub async fn complete(
        &self,
        owner: &Owner,
        id: TaskId,
        completion: Completion,
        expected: &IfMatch,
    ) -> Result<Task, Problem> {
        let (repeat, completed) = match completion {
            Completion::Toggle => (Repeat::Never, None),
            Completion::Set(completed) => (repeat_unless(expected), Some(completed)),
        };
        self.change(repeat, COMPLETE, owner, id, expected, &[(&completed, Type::BOOL)]).await
    }

    /// Deletes a task, if `expected` allows the version it is in, and returns what it was.
    ///
    /// # Errors
    /// As [`TaskStore::update`].
    pub async fn delete(
        &self,
        owner: &Owner,
        id: TaskId,
        expected: &IfMatch,
    ) -> Result<Task, Problem> {
        // A second run would find nothing, and nothing to answer with.
        self.change(Repeat::Never, DELETE, owner, id, expected, &[]).await
    }

    async fn change(
        &self,
        repeat: Repeat,
        sql: &str,
        owner: &Owner,
        id: TaskId,
        expected: &IfMatch,
        set: &[Param<'_>],
    ) -> Result<Task, Problem> {
        let (user, id, versions) = (owner.id(), id.get(), expected.versions());
        let which: [Param; 3] =
            [(&user, Type::TEXT), (&id, Type::INT8), (&versions, Type::INT8_ARRAY)];
        let rows =
            self.database.query(owner, repeat, sql, &[which.as_slice(), set].concat()).await?;
        let row = rows.first().ok_or(Problem::TaskNotFound)?;
        if column(row, 7)? { task(owner, row) } else { Err(Problem::StaleEtag) }
    }
}

type Param<'a> = (&'a (dyn ToSql + Sync), Type);

/// A change that sets may run twice, but not under `If-Match`: the first run has made it stale.
fn repeat_unless(expected: &IfMatch) -> Repeat {
    match expected {
        IfMatch::Any => Repeat::Safe,
        IfMatch::Versions(_) => Repeat::Never,
    }
}

/// Tells whether two creates ask for the same task, however their JSON is written.
fn request_hash(new: &NewTask) -> Vec<u8> {
    let mut hash = Context::new(&SHA256);
    hash.update(new.title.as_str().as_bytes());
    // Neither text can hold the separator.
    hash.update(b"\0");
    if let Some(description) = new.description.as_deref() {
        hash.update(b"\0");
        hash.update(description.as_bytes());
    }
    hash.finish().as_ref().to_vec()
}

fn task(owner: &Owner, row: &Row) -> Result<Task, Problem> {
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

fn task_id(row: &Row) -> Result<TaskId, Problem> {
    TaskId::new(column(row, 0)?).ok_or_else(|| Problem::internal("a task's id is out of range"))
}

fn column<'a, T: FromSql<'a>>(row: &'a Row, index: usize) -> Result<T, Problem> {
    row.try_get(index).map_err(Problem::internal)
}
