//! Copies of texts with the names of one resource in place of another's.
use super::names::{Name, Style, Words};

/// Its `task` is no resource.
const TOKIO: &str = "tokio::";

/// What a text is, which tells how a lone word in lower case is spelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Rust,
    Sql,
    /// The document.
    Yaml,
}

/// Replaces the names of a resource by another's, in every spelling.
pub(super) struct Renaming {
    /// The longest first.
    found: Vec<Found>,
}

/// A spelling of a name.
struct Found {
    text: String,
    /// None if others of the name are the same text.
    style: Option<Style>,
    /// What takes its place; none for another resource's name, which stays.
    new: Option<Words>,
}

impl Renaming {
    /// From one resource to another; the names of `others` stay, even if they contain the old one.
    pub(super) fn new(old: &Name, new: &Name, others: &[Name]) -> Self {
        let pairs = [(&old.many, Some(&new.many)), (&old.one, Some(&new.one))];
        let stay = others.iter().flat_map(|name| [(&name.many, None), (&name.one, None)]);
        let mut found = Vec::new();
        for (words, new) in pairs.into_iter().chain(stay) {
            for style in Style::ALL {
                found.push(Found {
                    text: words.spelled(style),
                    style: (!words.is_one()).then_some(style),
                    new: new.cloned(),
                });
            }
        }
        found.sort_by_key(|found| std::cmp::Reverse(found.text.len()));
        Self { found }
    }

    /// The text for the new resource.
    ///
    /// # Errors
    /// The lines, from 1 on, in which a word of the old one is left over.
    pub(super) fn apply(&self, text: &str, kind: Kind) -> Result<String, Vec<usize>> {
        let mut new = String::new();
        let mut left_over = Vec::new();
        for (number, line) in (1..).zip(text.split_inclusive('\n')) {
            if !self.apply_to(line, kind, &mut new) {
                left_over.push(number);
            }
        }
        if left_over.is_empty() { Ok(new) } else { Err(left_over) }
    }

    /// Whether a text has a name of the old resource.
    pub(super) fn concerns(&self, text: &str) -> bool {
        self.apply(text, Kind::Yaml).ok().as_deref() != Some(text)
    }

    /// Adds a line for the new resource; false if a word of the old one is left over.
    fn apply_to(&self, line: &str, kind: Kind, new: &mut String) -> bool {
        let (mut at, mut whole) = (0, true);
        while let Some((before, rest)) =
            line.split_at_checked(at).filter(|(_, rest)| !rest.is_empty())
        {
            let place = |found: &&Found| {
                let after = rest.strip_prefix(&found.text)?;
                Some(Place { before, after, line, kind }).filter(|place| place.is_word(&found.text))
            };
            let found = self.found.iter().find_map(|found| Some((found, place(&found)?)));
            if let Some((found, place)) = found {
                match &found.new {
                    Some(words) => place.write(found, words, new),
                    None => new.push_str(&found.text),
                }
                at += found.text.len();
                continue;
            }
            whole &= before.ends_with(TOKIO) || !self.begins(rest);
            let next = rest.chars().next().unwrap_or_default();
            new.push(next);
            at += next.len_utf8();
        }
        whole
    }

    /// Whether a text begins with a name of the old resource, whatever its case.
    fn begins(&self, text: &str) -> bool {
        self.found.iter().filter(|found| found.new.is_some()).any(|found| {
            text.get(..found.text.len())
                .is_some_and(|begin| begin.eq_ignore_ascii_case(&found.text))
        })
    }
}

/// Where a name is in a line.
struct Place<'a> {
    before: &'a str,
    after: &'a str,
    line: &'a str,
    kind: Kind,
}

impl Place<'_> {
    fn previous(&self) -> char {
        self.before.chars().next_back().unwrap_or(' ')
    }

    fn next(&self) -> char {
        self.after.chars().next().unwrap_or(' ')
    }

    /// Whether `text` is a word there, or a part of a name of several words.
    fn is_word(&self, text: &str) -> bool {
        let (previous, next) = (self.previous(), self.next());
        if is_screaming(text) {
            return !previous.is_ascii_alphanumeric() && !next.is_ascii_alphanumeric();
        }
        let begins = if text.starts_with(|c: char| c.is_ascii_uppercase()) {
            !previous.is_ascii_uppercase()
        } else {
            !previous.is_ascii_alphanumeric()
        };
        let is_tokios = self.before.ends_with(TOKIO);
        begins && !is_tokios && !next.is_ascii_lowercase() && !next.is_ascii_digit()
    }

    /// Adds the new name.
    fn write(&self, found: &Found, words: &Words, new: &mut String) {
        let style = found.style.unwrap_or_else(|| self.style(&found.text));
        let name = words.spelled(style);
        // An article before it.
        let is_vowel = name.starts_with(['a', 'e', 'i', 'o']);
        if style == Style::Prose && is_vowel && [" a ", "A "].iter().any(|a| new.ends_with(a)) {
            new.insert(new.len() - 1, 'n');
        }
        new.push_str(&name);
    }

    /// The spelling of a single word.
    fn style(&self, text: &str) -> Style {
        let (previous, next) = (self.previous(), self.next());
        if is_screaming(text) {
            return Style::Screaming;
        }
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if text.starts_with(|c: char| c.is_ascii_uppercase()) {
            let is_alone = !is_part(previous) && !is_part(next);
            return if is_alone && self.is_prose() { Style::Sentence } else { Style::Pascal };
        }
        match (previous, next) {
            (_, next) if next.is_ascii_uppercase() => Style::Camel,
            ('_', _) | (_, '_') => Style::Snake,
            ('-' | '/', _) | (_, '-') => Style::Kebab,
            _ if self.is_prose() => Style::Prose,
            _ if self.kind == Kind::Yaml => Style::Kebab,
            _ => Style::Snake,
        }
    }

    fn is_prose(&self) -> bool {
        let line = self.line.trim_start();
        let comment = match self.kind {
            Kind::Rust => "//",
            Kind::Sql => "--",
            Kind::Yaml => {
                let is_name = ["tags:", "- name:"].iter().any(|key| line.starts_with(key));
                let is_key = self.before.trim().is_empty() && self.next() == ':';
                return !is_name && !is_key && self.previous() != '/';
            }
        };
        let begins = line.starts_with(comment) || self.before.contains(&format!(" {comment} "));
        let is_code = !self.before.matches('`').count().is_multiple_of(2);
        begins && !is_code
    }
}

/// Whether a name is in upper case.
fn is_screaming(text: &str) -> bool {
    text.len() > 1 && !text.contains(|c: char| c.is_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn renaming(from: &str, to: &str) -> Renaming {
        let name = |plural| Name::new(plural, None).unwrap();
        Renaming::new(&name(from), &name(to), &[name("task-lists")])
    }

    #[test]
    fn a_name_is_spelled_as_its_place_wants() {
        for (kind, old, new) in [
            (
                Kind::Rust,
                "use crate::tasks::{Task, TaskChange};",
                "use crate::grocery_items::{GroceryItem, GroceryItemChange};",
            ),
            (
                Kind::Rust,
                "let task = app.tasks.create(&owner, task);",
                "let grocery_item = app.grocery_items.create(&owner, grocery_item);",
            ),
            (
                Kind::Rust,
                "struct Task: task in tasks, TASKS_AT",
                "struct GroceryItem: grocery_item in grocery_items, GROCERY_ITEMS_AT",
            ),
            (
                Kind::Rust,
                "//! `GET /api/{user_id}/tasks/{task_id}`: a task.",
                "//! `GET /api/{user_id}/grocery-items/{grocery_item_id}`: a grocery item.",
            ),
            (
                Kind::Rust,
                "x(); // Tasks first, `Task`s",
                "x(); // Grocery items first, `GroceryItem`s",
            ),
            (
                Kind::Rust,
                "fn a_task_stays() { operation(\"clear-tasks\") }",
                "fn a_grocery_item_stays() { operation(\"clear-grocery-items\") }",
            ),
            (
                Kind::Rust,
                "{ taskOf(\"/tasks?x\", \"FROM tasks\") }",
                "{ groceryItemOf(\"/grocery-items?x\", \"FROM grocery_items\") }",
            ),
            (
                Kind::Rust,
                "tokio::task::spawn(task_lists, TaskList)",
                "tokio::task::spawn(task_lists, TaskList)",
            ),
            (
                Kind::Sql,
                "CREATE INDEX tasks_by ON tasks; -- the task",
                "CREATE INDEX grocery_items_by ON grocery_items; -- the grocery item",
            ),
            (Kind::Yaml, "operationId: createTask", "operationId: createGroceryItem"),
            (Kind::Yaml, "      tags: [tasks]", "      tags: [grocery-items]"),
            (
                Kind::Yaml,
                "schema: { $ref: '#/components/schemas/Task' }",
                "schema: { $ref: '#/components/schemas/GroceryItem' }",
            ),
            (Kind::Yaml, "    Task:", "    GroceryItem:"),
            (
                Kind::Yaml,
                "summary: Tasks of a task's owner: a task.",
                "summary: Grocery items of a grocery item's owner: a grocery item.",
            ),
        ] {
            assert_eq!(renaming("tasks", "grocery-items").apply(old, kind).unwrap(), new);
            let back = renaming("grocery-items", "tasks").apply(new, kind).unwrap();
            assert_eq!(back, old);
        }
    }

    #[test]
    fn an_article_follows() {
        let said = renaming("tasks", "orders").apply("// A task, a task's `a task`", Kind::Rust);
        assert_eq!(said.unwrap(), "// An order, an order's `a order`");
    }

    #[test]
    fn a_word_that_is_left_over_is_found() {
        for text in ["subtask", "TaSk", "tasking", "task2", "TASKed"] {
            let text = format!("tasks\n{text}\n");
            let left_over = renaming("tasks", "notes").apply(&text, Kind::Rust);
            assert_eq!(left_over, Err(vec![2]), "{text}");
        }
        // The new name may contain the old one.
        let new = renaming("tasks", "subtasks").apply("TaskStore of tasks", Kind::Rust);
        assert_eq!(new.unwrap(), "SubtaskStore of subtasks");
    }
}
