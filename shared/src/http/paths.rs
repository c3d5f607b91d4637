//! The paths of the API, as used in `Location` and `Link`.
use crate::percent::encoded;
use crate::tasks::TaskId;

/// The path of a user's tasks.
pub(super) fn tasks(user: &str) -> String {
    format!("/api/{}/tasks", encoded(user))
}

/// The path of one task.
pub(super) fn task(user: &str, id: TaskId) -> String {
    format!("{}/{}", tasks(user), id.get())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_users_id_is_one_segment() {
        assert_eq!(tasks("a/ü b"), "/api/a%2F%C3%BC%20b/tasks");
        assert_eq!(task("a/ü b", TaskId::new(7).unwrap()), "/api/a%2F%C3%BC%20b/tasks/7");
    }
}
