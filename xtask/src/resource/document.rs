//! The document's part of a resource.
use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::names::{Name, Words};
use super::renaming::{Kind, Renaming};

const COLLECTIONS: &str = "/api/{user_id}/";

/// The resources of the document: each has a path, and its items one with their id.
pub(super) fn resources(document: &Value) -> Vec<Name> {
    let paths = document.get("paths").and_then(Value::as_object).into_iter().flatten();
    let item = |path: &String| {
        let (many, one) = path.strip_prefix(COLLECTIONS)?.split_once("/{")?;
        let one = one.strip_suffix("_id}")?;
        Some(Name { many: Words::of(many), one: Words::of(one) })
    };
    paths.filter_map(|(path, _)| item(path)).collect()
}

/// The functions of a resource.
pub(super) fn functions(document: &Value, of: &Name) -> Vec<String> {
    let collection = format!("{COLLECTIONS}{}", of.many.kebab());
    let paths = document.get("paths").and_then(Value::as_object).into_iter().flatten();
    let is_ours = |path: &str| {
        path.strip_prefix(&collection).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let items = paths.filter(|(path, _)| is_ours(path)).filter_map(|(_, item)| item.as_object());
    let functions =
        items.flatten().filter_map(|(_, operation)| operation.get("x-function")?.as_str());
    let mut functions: Vec<_> = functions.map(str::to_owned).collect();
    functions.sort();
    functions.dedup();
    functions
}

/// A part of the document that has a name: a tag, a path, a component.
struct Part {
    /// The keys above it.
    section: String,
    /// Its key, or the first line of an item.
    name: String,
    text: String,
}

/// The document with the parts of a resource once more, for the new one.
pub(super) fn with_copies(document: &str, renaming: &Renaming) -> Result<String> {
    let parts = parts(document);
    let is_ours = |part: &Part| !part.section.is_empty() && renaming.concerns(&part.name);
    let mut new = String::new();
    for (index, part) in parts.iter().enumerate() {
        let of_section = || parts.iter().filter(|other| other.section == part.section);
        if !is_ours(part) {
            new += &with_codes(&part.text, renaming)?;
            continue;
        }
        new += &part.text;
        let later = parts.iter().skip(index + 1);
        if later.filter(|other| other.section == part.section).any(is_ours) {
            continue;
        }
        for part in of_section().filter(|part| is_ours(part)) {
            let copy = renamed(&part.text, renaming)?;
            let name = name(&copy);
            ensure!(
                of_section().all(|other| other.name != name),
                "functions/openapi.yaml has `{name}` in {} already",
                part.section
            );
            new += &copy;
        }
    }
    Ok(new)
}

fn renamed(text: &str, renaming: &Renaming) -> Result<String> {
    let copy = renaming.apply(text, Kind::Yaml).ok();
    let name = text.lines().next().unwrap_or_default().trim();
    copy.with_context(|| {
        format!(
            "functions/openapi.yaml has a word of the old resource that cannot be replaced, below `{name}`"
        )
    })
}

/// A part of the platform, with the new resource's failure code after the old one's.
fn with_codes(text: &str, renaming: &Renaming) -> Result<String> {
    let mut new = String::new();
    for line in text.split_inclusive('\n') {
        new += line;
        let code = line.trim().strip_prefix("- ");
        let is_code =
            code.is_some_and(|code| code.chars().all(|c| c.is_ascii_lowercase() || c == '_'));
        if is_code && renaming.concerns(line) {
            new += &renamed(line, renaming)?;
        }
    }
    Ok(new)
}

/// The name of a part.
fn name(text: &str) -> &str {
    let line = text.lines().next().unwrap_or_default().trim();
    if line.starts_with("- ") {
        line
    } else {
        line.split(": ").next().unwrap_or(line).trim_end_matches(':')
    }
}

/// The parts of the document, in its order; what is between them has no section.
fn parts(document: &str) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let (mut top, mut category) = ("", "");
    for line in document.split_inclusive('\n') {
        let indent = line.len() - line.trim_start().len();
        let key = line.trim().trim_end_matches(':');
        let (section, depth) = match top {
            "tags" | "paths" => (top.to_owned(), 2),
            "components" => (format!("{top}/{category}"), 4),
            _ => (String::new(), 2),
        };
        let begins = indent == depth && !section.is_empty() && !line.trim().is_empty();
        if indent == 0 && !line.trim().is_empty() {
            top = key;
        } else if top == "components" && indent == 2 {
            category = key;
        }
        let leaves = indent < depth && !line.trim().is_empty();
        let section = if begins { section } else { String::new() };
        if begins || leaves || parts.is_empty() {
            parts.push(Part { section, name: name(line).to_owned(), text: line.to_owned() });
        } else if let Some(part) = parts.last_mut() {
            part.text += line;
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "info:
  title: The tasks
tags:
  - name: tasks
    description: The tasks.
  - name: account
# A comment.
paths:
  /api/{user_id}:
    delete: { x-function: erase-account }
  /api/{user_id}/tasks:
    get: { operationId: listTasks, x-function: list-tasks }
  /api/{user_id}/tasks/{task_id}:
    get:
      responses: { '404': { $ref: '#/components/responses/TaskNotFound' } }
components:
  parameters:
    task_id:
      name: task_id
    limit: {}
  schemas:
    NewTask: {}
    Problem:
      enum:
        - task_not_found
        - internal
";

    fn named(plural: &str) -> Name {
        Name::new(plural, None).unwrap()
    }

    #[test]
    fn each_part_is_copied_after_the_old_ones() {
        let renaming = Renaming::new(&named("tasks"), &named("wish-lists"), &[]);
        let new = with_copies(OLD, &renaming).unwrap();
        let copied: Vec<_> =
            new.lines().filter(|line| !OLD.lines().any(|old| old == *line)).collect();
        assert_eq!(
            copied,
            [
                "  - name: wish-lists",
                "    description: The wish lists.",
                "  /api/{user_id}/wish-lists:",
                "    get: { operationId: listWishLists, x-function: list-wish-lists }",
                "  /api/{user_id}/wish-lists/{wish_list_id}:",
                "      responses: { '404': { $ref: '#/components/responses/WishListNotFound' } }",
                "    wish_list_id:",
                "      name: wish_list_id",
                "    NewWishList: {}",
                "        - wish_list_not_found",
            ]
        );
        let kept: Vec<_> = new.lines().filter(|line| !copied.contains(line)).collect();
        assert_eq!(kept.len(), OLD.lines().count() + 1, "a `get:` is in both");
        let value: Value = serde_saphyr::from_str(&new).unwrap();
        assert_eq!(resources(&value), [named("tasks"), named("wish-lists")]);
        assert_eq!(functions(&value, &named("wish-lists")), ["list-wish-lists"]);
        // Copied from the copy, it is the same.
        let back = Renaming::new(&named("wish-lists"), &named("notes"), &[named("tasks")]);
        let again = Renaming::new(&named("tasks"), &named("notes"), &[named("wish-lists")]);
        let sorted = |text: String| {
            let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
            lines.sort();
            lines
        };
        let [back, again] = [back, again].map(|of| sorted(with_copies(&new, &of).unwrap()));
        assert_eq!(back, again);
    }

    #[test]
    fn a_part_that_exists_is_refused() {
        let taken = OLD.replace("    limit: {}", "    wish_id: {}");
        let renaming = Renaming::new(&named("tasks"), &named("wishes"), &[]);
        let said = with_copies(&taken, &renaming).unwrap_err().to_string();
        assert_eq!(said, "functions/openapi.yaml has `wish_id` in components/parameters already");
    }
}
