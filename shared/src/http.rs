//! HTTP: parses requests into the types of [`crate::tasks`] and makes answers of them.
mod bearer;
mod body;
mod clear;
mod etag;
mod page;
mod paths;
mod problem;
mod query;
mod reply;
mod request;

pub use self::etag::IfNoneMatch;
pub use self::page::ListQuery;
pub use self::problem::Problem;
pub use self::reply::Reply;
pub use self::request::Request;
