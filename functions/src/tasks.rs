//! Tasks.
mod clear;
mod completion;
mod store;
mod task;

pub use self::clear::Clear;
pub use self::completion::Completion;
pub use self::store::TaskStore;
pub use self::task::{Task, TaskChange};
