//! The product: what there is of resources. Each operation is a binary in `src/bin`.
// Arbitrary client input: the platform's, compiled for these tests alone.
#[cfg(test)]
#[allow(dead_code, reason = "the platform's tests use the rest")]
#[path = "../../shared/src/arbitrary.rs"]
mod arbitrary;
pub mod tasks;

/// The database role of each request: it has only the rights that the operations need. The setting
/// `api_request.user_id` names the user whose rows it sees.
pub const DATABASE_ROLE: &str = "api_request";

shared::app! {
    metrics: "TaskApi",
    role: DATABASE_ROLE,
    tasks: tasks::TaskStore,
}
