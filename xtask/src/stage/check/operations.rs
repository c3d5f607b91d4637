//! The operations: a success and a refusal of each, and at the end the removal of what was created.
use std::collections::BTreeMap;
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::json;

use super::client::Client;
use super::row::Responsible::Product;
use super::row::{Actual, Row};
use crate::event;

/// An operation of the document, as its event has it.
pub(super) struct Operation {
    pub(super) function: String,
    pub(super) method: String,
    /// With the names of parameters in braces.
    path: String,
}

/// What is created comes first, what is deleted last, and a collection after its items.
pub(super) fn operations() -> Result<Vec<Operation>> {
    let mut operations = Vec::new();
    for function in event::functions()? {
        let event = event::read(&function)?;
        let (method, path) = event::route(&event)?;
        operations.push(Operation { method: method.to_owned(), path: path.to_owned(), function });
    }
    operations.sort_by_key(|operation| {
        let methods = ["POST", "GET", "PUT", "PATCH", "DELETE"];
        let method = methods.iter().position(|method| *method == operation.method);
        let length = operation.path.len();
        (method, if operation.method == "DELETE" { usize::MAX - length } else { length })
    });
    Ok(operations)
}

impl Operation {
    /// The path until an item's id.
    fn collection(&self) -> &str {
        self.path.match_indices("/{").nth(1).map_or(&self.path, |(end, _)| &self.path[..end])
    }

    /// Whether it is one of all items.
    pub(super) fn is_of_collection(&self, method: &str) -> bool {
        self.method == method && self.collection() == self.path
    }
}

/// A success and a refusal of each operation.
pub(super) fn rows<'a>(client: &Client, operations: &'a [Operation]) -> Vec<Row> {
    // The id of an item of each collection.
    let mut items = BTreeMap::new();
    let row = |operation: &'a Operation| Row {
        name: operation.function.clone(),
        expected: "2xx; 403 wrong_user for another user",
        actual: ask(client, operation, &mut items),
        owner: Product,
        hint: "see the function's log (docs/operate.md#logs); if it has no line, the answer is the gateway's: see the access log",
    };
    operations.iter().map(row).collect()
}

fn ask<'a>(
    client: &Client,
    operation: &'a Operation,
    items: &mut BTreeMap<&'a str, String>,
) -> Result<Actual> {
    let (function, user) = (&operation.function, client.user.as_str());
    let other = client.send(&client.request(function, user, &format!("{user}-else"), "1")?)?;
    let collection = operation.collection();
    let item = if operation.path == collection {
        ""
    } else {
        items.get(collection).context("nothing was created to ask for")?
    };
    let answer = client.send(&client.request(function, user, user, item)?)?;
    if operation.is_of_collection("POST")
        && let Some((_, id)) = answer.header("location").and_then(|path| path.rsplit_once('/'))
    {
        items.insert(collection, id.to_owned());
    }
    let (text, took, refusal) = (answer.text(), answer.took.as_millis(), other.text());
    let expected = answer.is_success() && refusal == "403 wrong_user";
    Ok(Actual::of(format!("{text} in {took} ms; {refusal}"), expected))
}

/// Refuses a user who has something, which the check would erase.
pub(super) fn expect_nothing(client: &Client, operations: &[Operation]) -> Result<()> {
    for list in operations.iter().filter(|operation| operation.is_of_collection("GET")) {
        let user = client.user.as_str();
        let answer = client.send(&client.request(&list.function, user, user, "")?)?;
        ensure!(
            answer.body == json!([]),
            "{} of {user} is not an empty list, but {}: the check needs a valid token of a throwaway user",
            list.function,
            answer.text()
        );
    }
    Ok(())
}

/// Erases the user's account, even after failures, and looks whether something is left.
pub(super) fn erase(client: &Client, operations: &[Operation]) -> Result<Actual> {
    let user = client.user.as_str();
    // The last one is that of the shortest path.
    let erase = operations.last().context("there are no operations")?;
    // A request deletes up to 10,000 rows; there are only a few.
    for attempt in 0..3 {
        sleep(Duration::from_secs(attempt));
        let request = client.request(&erase.function, user, user, "")?;
        if client.send(&request)?.body.get("more") == Some(&json!(false)) {
            break;
        }
    }
    for list in operations.iter().filter(|operation| operation.is_of_collection("GET")) {
        let left = client.send(&client.request(&list.function, user, user, "")?)?;
        if left.body != json!([]) {
            let count = left.body.as_array().map_or(0, Vec::len);
            return Ok(Actual::Other(format!("{}, {count} in {}", left.text(), list.function)));
        }
    }
    Ok(Actual::Expected("nothing is left".to_owned()))
}
