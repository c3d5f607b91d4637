//! What only tasks have of operations, and their SQL.
use std::ops::Deref;
use std::sync::{Arc, LazyLock};

use shared::{
    ChangeStatement, Cleared, Database, HasStatements, Id, Owner, Parameter, ResourceStore, Retry,
    Statement, Store, StoreError, Stored, Versions, own_statement,
};
use tokio_postgres::types::Type;

use super::{Clear, Completion, Task};

static COMPLETE: LazyLock<ChangeStatement> = LazyLock::new(|| {
    ChangeStatement::new::<Task>(
        "complete",
        "completed = coalesce($3, NOT completed)",
        vec![Type::BOOL],
    )
});

/// Deletes at most the 10,000 oldest. A task that was changed concurrently and no longer matches
/// stays: the conditions are checked again once its row is locked.
static CLEAR: LazyLock<Statement> = LazyLock::new(|| {
    own_statement::<Task>(
        "clear",
        "
        WITH chosen AS (
            SELECT id FROM tasks
            WHERE user_id = $1 AND completed = $2 AND updated_at <= coalesce($3, 'infinity')
            ORDER BY id
            LIMIT 10001
        ), deleted AS (
            DELETE FROM tasks
            WHERE user_id = $1 AND id = ANY (ARRAY(SELECT id FROM chosen ORDER BY id LIMIT 10000))
              AND completed = $2 AND updated_at <= coalesce($3, 'infinity')
            RETURNING id
        )
        SELECT (SELECT count(*) FROM deleted), (SELECT count(*) FROM chosen) > 10000",
        vec![Type::TEXT, Type::BOOL, Type::TIMESTAMPTZ],
        vec![Type::INT8, Type::BOOL],
    )
});

/// The tasks of all users.
pub struct TaskStore(Store<Task>);

impl ResourceStore for TaskStore {
    type Of = Task;

    fn new(database: Arc<Database>) -> Self {
        Self(Store::new(database))
    }

    fn statements() -> Vec<&'static Statement> {
        Task::statements().all().chain(COMPLETE.all()).chain([&*CLEAR]).collect()
    }
}

impl Deref for TaskStore {
    type Target = Store<Task>;

    fn deref(&self) -> &Store<Task> {
        &self.0
    }
}

impl TaskStore {
    /// Completes, reopens or toggles a task, if `expected` allows its version.
    ///
    /// # Errors
    /// As [`Store::update`].
    pub async fn complete(
        &self,
        owner: &Owner,
        id: Id<Task>,
        completion: Completion,
        expected: &Versions,
    ) -> Result<Stored<Task>, StoreError> {
        let (retry, completed) = match completion {
            Completion::Toggle => (Retry::Never, None),
            Completion::Set(completed) => (Retry::IfUnknown, Some(completed)),
        };
        self.change(&COMPLETE, owner, id, expected, retry, &[&completed]).await
    }

    /// Deletes the owner's oldest tasks that match, at most 10,000.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn clear(&self, owner: &Owner, clear: Clear) -> Result<Cleared, StoreError> {
        let Clear { completed: Some(completed), until } = clear else {
            return self.erase(owner, clear.until).await;
        };
        // A second run deletes what the first one left.
        let values: [Parameter; 2] = [&completed, &until];
        Cleared::read(&self.run(owner, Retry::IfUnknown, &CLEAR, &values).await?)
    }
}
