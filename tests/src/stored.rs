//! What a user has stored, which requests that are refused must not change.
use serde_json::Value;

use crate::{Items, Request, User, resources};

/// A user's items of every resource, both kinds of each: every operation that writes would change
/// one of them.
pub struct Stored(Vec<(Items, Value)>);

impl Stored {
    /// The items of a user who had none.
    pub fn of(user: &User) -> Self {
        let lists = resources().iter().map(|resource| {
            let items = user.items(resource);
            let [created, changed] = items.add_kinds();
            let list = items.list("").expect(200);
            assert_eq!((&list[1], &list[0]["id"]), (&created, &changed["id"]));
            assert_ne!(list[0], changed, "the document's examples change nothing");
            (items, list)
        });
        Self(lists.collect())
    }

    /// The id of an item of the request's resource; null if it is for none.
    pub fn item_for(&self, request: &Request) -> &Value {
        let resource = request.operation.resource();
        let of = self.0.iter().find(|(items, _)| Some(items.resource) == resource);
        of.map_or(&Value::Null, |(_, list)| &list[0]["id"])
    }

    /// Checks that it is as it was.
    pub fn expect_unchanged(&self) {
        for (items, list) in &self.0 {
            assert_eq!(&items.list("").expect(200), list);
        }
    }
}
