//! A query string, parsed as `FastAPI` does.
use crate::tasks::FieldError;

/// The query parameters: the last of a repeated one wins, unknown ones are ignored.
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) fn parse(query: &str) -> Self {
        Self(form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The parameter `completed`, in any case: Python sends `True`.
    pub(super) fn completed(&self, errors: &mut Vec<FieldError>) -> Option<bool> {
        match self.get("completed")?.to_ascii_lowercase().as_str() {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => {
                errors.push(FieldError::new("completed", "must be true, false, 1 or 0"));
                None
            }
        }
    }

    /// All parameters except these, in their order.
    pub(super) fn without(self, names: &[&str]) -> Vec<(String, String)> {
        self.0.into_iter().filter(|(name, _)| !names.contains(&name.as_str())).collect()
    }
}
