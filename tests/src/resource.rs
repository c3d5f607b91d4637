//! The resources of the document: each is a collection, `/api/{user_id}/<name>`, and what is under
//! it.
use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::operation::{Operation, name_in, operations};

/// A resource of the API.
#[derive(Debug, PartialEq, Eq)]
pub struct Resource {
    /// Its name in paths.
    pub name: &'static str,
    /// Its table.
    pub table: String,
}

/// Every resource of the document.
pub fn resources() -> &'static [Resource] {
    static RESOURCES: LazyLock<Vec<Resource>> = LazyLock::new(|| {
        let mut names: Vec<_> = operations().iter().filter_map(|of| name_in(of.path)).collect();
        names.sort_unstable();
        names.dedup();
        let resource = |name: &'static str| Resource { name, table: name.replace('-', "_") };
        names.into_iter().map(resource).collect()
    });
    &RESOURCES
}

/// The resource with this table.
pub fn resource(table: &str) -> &'static Resource {
    let found = resources().iter().find(|resource| resource.table == table);
    found.unwrap_or_else(|| panic!("functions/openapi.yaml has no resource {table}"))
}

/// Some resource, for tests that concern none in particular.
pub fn any_resource() -> &'static Resource {
    resources().first().expect("a resource")
}

impl Resource {
    /// Its operations.
    pub fn operations(&self) -> impl Iterator<Item = &'static Operation> {
        let name = self.name;
        operations().iter().filter(move |operation| name_in(operation.path) == Some(name))
    }

    fn operation(&self, method: &str, of_an_item: bool) -> &'static Operation {
        let is = |operation: &&Operation| {
            operation.method == method && operation.is_of_an_item() == of_an_item
        };
        let found = self.operations().find(is);
        found.unwrap_or_else(|| panic!("no {method} of {}", self.name))
    }

    /// Its list.
    pub fn list(&self) -> &'static Operation {
        self.operation("GET", false)
    }

    /// Its create.
    pub fn create(&self) -> &'static Operation {
        self.operation("POST", false)
    }

    /// A query of its list for each combination of its filters, which are all but the page's.
    pub fn filters(&self) -> Vec<String> {
        let names = self.list().names_in("query").into_iter();
        let filters = names.filter(|name| !["limit", "offset", "after"].contains(name));
        filters.fold(vec![String::new()], |queries, name| {
            let with = queries.iter().map(|query| format!("{query}&{name}=true"));
            [with.collect(), queries.clone()].concat()
        })
    }

    /// Its get.
    pub fn get(&self) -> &'static Operation {
        self.operation("GET", true)
    }

    /// Its update.
    pub fn update(&self) -> &'static Operation {
        self.operation("PUT", true)
    }

    /// Its delete.
    pub fn delete(&self) -> &'static Operation {
        self.operation("DELETE", true)
    }

    /// Two items of the document's examples: one as it is created, and one that every change was
    /// applied to. Each operation that writes has an effect on one of them.
    pub fn kinds(&self) -> [Value; 2] {
        let created = self.create().example_body();
        let mut changed = created.clone();
        for operation in self.operations().filter(|operation| operation.is_of_an_item()) {
            let members = operation.example_body();
            for (name, value) in members.as_object().into_iter().flatten() {
                changed[name] = value.clone();
            }
        }
        [created, changed]
    }

    /// The SQL that stores an item for a user, both SQL expressions, for each row of `from`; it
    /// returns the ids.
    pub fn insert(&self, item: &Value, user: &str, from: &str) -> String {
        let Self { table, .. } = self;
        let columns: Vec<_> = item.as_object().unwrap().keys().map(String::as_str).collect();
        let (columns, values) = (columns.join(", "), columns.join(", item."));
        let item = item.to_string().replace('\'', "''");
        format!(
            "INSERT INTO {table} (user_id, {columns}) SELECT {user}, item.{values} \
             FROM {from}, jsonb_populate_record(NULL::{table}, '{item}') item RETURNING id"
        )
    }

    /// The SQL that stores an item with this id.
    pub fn insert_one(&self, item: &Value, id: i64, user: &str) -> String {
        let mut item = item.clone();
        item["id"] = json!(id);
        self.insert(&item, &format!("'{user}'"), "generate_series(1, 1)")
    }
}
