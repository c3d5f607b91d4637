//! A page of tasks.
use super::task::{Task, TaskId};

/// Which page of which tasks.
#[derive(Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// Completed ones, or open ones; `None` for both.
    pub(crate) completed: Option<bool>,
    /// How many at most.
    pub(crate) limit: i64,
    /// How many to skip.
    pub(crate) offset: i64,
    /// Only those older than this one.
    pub(crate) after: Option<TaskId>,
}

/// A page of tasks, newest first.
#[derive(Debug)]
pub struct Page {
    pub(crate) tasks: Vec<Task>,
    /// Whether there are tasks after these.
    pub(crate) more: bool,
}
