//! Tasks: their types, their validation and their store. Nothing here knows HTTP.
mod clear;
mod error;
mod field;
mod idempotency_key;
mod page;
mod statements;
mod store;
mod task;
mod versions;

pub use self::clear::{ClearRequest, Cleared, Scope};
pub use self::error::TaskError;
pub(crate) use self::field::Expectation;
pub use self::field::FieldError;
pub use self::idempotency_key::IdempotencyKey;
pub use self::page::{Page, PageRequest};
pub use self::statements::{STATEMENTS, statement};
pub use self::store::TaskStore;
pub(crate) use self::task::MAX_SAFE_INTEGER;
pub use self::task::{Completion, Created, Description, NewTask, Task, TaskChange, TaskId, Title};
pub use self::versions::Versions;
