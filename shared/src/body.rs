//! A JSON body, read member by member, so that a client hears of all its faults at once.
use serde_json::{Map, Value};

use crate::problem::Fault;
use crate::task::Expectation;

/// What can be read from a JSON object. `None` only after a fault was noted.
pub trait FromBody: Sized {
    /// Takes what it needs; members it does not know are ignored.
    fn from_body(body: &mut Members) -> Option<Self>;
}

/// The members of a JSON object, and the faults found in them so far.
pub struct Members {
    members: Map<String, Value>,
    faults: Vec<Fault>,
}

/// Reads a whole body.
pub(crate) fn parse<T: FromBody>(bytes: &[u8]) -> Result<T, Vec<Fault>> {
    let members = match serde_json::from_slice(bytes) {
        Ok(Value::Object(members)) => members,
        Ok(_) => return Err(vec![Fault::new("body", "must be a JSON object")]),
        Err(error) => return Err(vec![Fault::new("body", format!("is not valid JSON: {error}"))]),
    };
    let mut body = Members { members, faults: Vec::new() };
    match T::from_body(&mut body) {
        Some(value) if body.faults.is_empty() => Ok(value),
        _ => Err(body.faults),
    }
}

impl Members {
    pub(crate) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    pub(crate) fn has(&self, field: &str) -> bool {
        self.members.contains_key(field)
    }

    pub(crate) fn fault(&mut self, fault: Fault) {
        self.faults.push(fault);
    }

    /// A member that may be absent.
    pub(crate) fn optional<T>(
        &mut self,
        field: &'static str,
        parse: impl Fn(&Value) -> Result<T, Expectation>,
    ) -> Option<T> {
        let value = self.members.remove(field)?;
        parse(&value).map_err(|expected| self.fault(Fault::new(field, expected))).ok()
    }

    /// A member whose absence is a fault.
    pub(crate) fn required<T>(
        &mut self,
        field: &'static str,
        parse: impl Fn(&Value) -> Result<T, Expectation>,
    ) -> Option<T> {
        if !self.has(field) {
            self.fault(Fault::new(field, "is required"));
        }
        self.optional(field, parse)
    }
}
