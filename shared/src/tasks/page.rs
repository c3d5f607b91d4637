//! Pages of a task list.
use super::task::{Task, TaskId};

/// Selects a page.
#[derive(Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// Completed tasks or open ones; `None` for both.
    pub(crate) completed: Option<bool>,
    /// The maximum number of tasks.
    pub(crate) limit: i64,
    /// The number of tasks to skip.
    pub(crate) offset: i64,
    /// Only tasks older than this one.
    pub(crate) after: Option<TaskId>,
}

/// A page of tasks, newest first.
#[derive(Debug)]
pub struct Page {
    pub(crate) tasks: Vec<Task>,
    /// Whether more tasks follow.
    pub(crate) more: bool,
}
