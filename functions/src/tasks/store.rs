//! What only tasks have of operations, and their SQL.
use std::ops::Deref;
use std::sync::{Arc, LazyLock};

use shared::{
    ChangeStatement, Cleared, Database, HasStatements, Id, Owner, Parameter, ResourceStore, Retry,
    Statement, Store, StoreError, Stored, Versions, clear_statement,
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

static CLEAR: LazyLock<Statement> =
    LazyLock::new(|| clear_statement::<Task>("clear", "completed = $3", vec![Type::BOOL]));

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
        let values: [Parameter; 2] = [&until, &completed];
        Cleared::read(&self.run(owner, Retry::IfUnknown, &CLEAR, &values).await?)
    }
}
