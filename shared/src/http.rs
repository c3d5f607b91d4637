//! HTTP: parses requests and makes answers, for any resource.
#[cfg(test)]
mod arbitrary;
mod bearer;
mod etag;
mod field_error;
mod fields;
mod page;
mod paths;
mod problem;
mod query;
mod reply;
mod request;

pub use self::etag::IfNoneMatch;
pub use self::field_error::{Expectation, FieldError};
pub use self::fields::{Fields, FromBody, boolean, line, optional_text};
pub use self::problem::Problem;
pub use self::query::Query;
pub use self::reply::Reply;
pub use self::request::Request;
