//! The names of a resource, and how they are spelled.
use anyhow::{Result, ensure};

use crate::generate::capitalized;

/// The longest identifier of PostgreSQL.
pub(super) const LONGEST_IDENTIFIER: usize = 63;

/// Words that are no identifier in Rust.
const OF_RUST: &str = "abstract as async await become box break const continue crate do dyn else enum \
    extern false final fn for gen if impl in let loop macro match mod move mut override priv pub ref \
    return self static struct super trait true try type typeof unsafe unsized use virtual where while \
    yield";
/// Words that are no table in PostgreSQL without quotes.
const OF_SQL: &str = "all analyse analyze and any array as asc asymmetric authorization binary both \
    case cast check collate collation column concurrently constraint create cross current_catalog \
    current_date current_role current_schema current_time current_timestamp current_user default \
    deferrable desc distinct do else end except false fetch for foreign freeze from full grant group \
    having ilike in initially inner intersect into is isnull join lateral leading left like limit \
    localtime localtimestamp natural not notnull null offset on only or order outer overlaps placing \
    primary references returning right select session_user similar some symmetric system_user table \
    tablesample then to trailing true union unique user using variadic verbose when where window with";
/// What the platform has of a user.
const OF_THE_PLATFORM: &str = "account user";

/// A resource: what many of its items are called, and one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) many: Words,
    pub(super) one: Words,
}

/// The words of a name, in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Words(Vec<String>);

/// A spelling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// `grocery-items`, in paths and functions.
    Kebab,
    /// `grocery_items`, in SQL and Rust.
    Snake,
    /// `GROCERY_ITEMS`
    Screaming,
    /// `GroceryItems`, in types.
    Pascal,
    /// `groceryItems`
    Camel,
    /// `grocery items`
    Prose,
    /// `Grocery items`, where a sentence begins.
    Sentence,
}

impl Style {
    pub(super) const ALL: [Self; 7] = [
        Self::Kebab,
        Self::Snake,
        Self::Screaming,
        Self::Pascal,
        Self::Camel,
        Self::Prose,
        Self::Sentence,
    ];
}

impl Words {
    /// The words of a name with hyphens or underscores.
    pub(super) fn of(name: &str) -> Self {
        Self(name.split(['-', '_']).map(str::to_owned).collect())
    }

    pub(super) fn spelled(&self, style: Style) -> String {
        let Self(words) = self;
        let pascal = || words.iter().map(|word| capitalized(word)).collect::<String>();
        match style {
            Style::Kebab => words.join("-"),
            Style::Snake => words.join("_"),
            Style::Screaming => words.join("_").to_ascii_uppercase(),
            Style::Pascal => pascal(),
            Style::Camel => {
                let first = words.first().map_or("", String::as_str);
                first.to_owned() + pascal().get(first.len()..).unwrap_or_default()
            }
            Style::Prose => words.join(" "),
            Style::Sentence => capitalized(&words.join(" ")),
        }
    }

    pub(super) fn snake(&self) -> String {
        self.spelled(Style::Snake)
    }

    pub(super) fn kebab(&self) -> String {
        self.spelled(Style::Kebab)
    }

    /// Whether it is one word, whose spellings in lower case are all the same.
    pub(super) fn is_one(&self) -> bool {
        self.0.len() == 1
    }
}

impl Name {
    /// The name of a new resource: its plural as in paths, and its singular if the rule is wrong.
    pub(super) fn new(plural: &str, singular: Option<&str>) -> Result<Self> {
        let one = singular.map_or_else(|| by_rule(plural), |one| Some(one.to_owned()));
        let one = one.filter(|one| one != plural);
        ensure!(
            one.is_some(),
            "{plural} is no plural with another singular: name that with --singular"
        );
        let one = one.unwrap_or_default();
        for name in [plural, &one] {
            let is_word = |word: &str| {
                word.starts_with(|c: char| c.is_ascii_lowercase())
                    && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
            };
            ensure!(
                name.split('-').all(is_word),
                "{name} is no name of a path: use lower-case words with hyphens between, such as grocery-items"
            );
        }
        let name = Self { many: Words::of(plural), one: Words::of(&one) };
        for (of, reserved, words) in [
            ("Rust", OF_RUST, [&name.many, &name.one].as_slice()),
            ("SQL", OF_SQL, &[&name.many]),
            ("the platform", OF_THE_PLATFORM, &[&name.many, &name.one]),
        ] {
            for word in words.iter().map(|words| words.snake()) {
                let free = reserved.split_whitespace().all(|reserved| reserved != word);
                ensure!(free, "{word} is reserved, it is a word of {of}");
            }
        }
        Ok(name)
    }
}

/// The singular of most plurals.
fn by_rule(plural: &str) -> Option<String> {
    if plural.ends_with("ss") {
        return None;
    }
    if let Some(stem) = plural.strip_suffix("ies") {
        return Some(format!("{stem}y"));
    }
    let hissing = ["sses", "xes", "ches", "shes"].iter().any(|end| plural.ends_with(end));
    plural.strip_suffix(if hissing { "es" } else { "s" }).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_a_spelling_for_each_place() {
        let Name { many, one } = Name::new("grocery-items", None).unwrap();
        let spelled = |words: &Words| Style::ALL.map(|style| words.spelled(style)).join(", ");
        assert_eq!(
            spelled(&many),
            "grocery-items, grocery_items, GROCERY_ITEMS, GroceryItems, groceryItems, grocery items, Grocery items"
        );
        assert_eq!(
            spelled(&one),
            "grocery-item, grocery_item, GROCERY_ITEM, GroceryItem, groceryItem, grocery item, Grocery item"
        );
    }

    #[test]
    fn a_singular_is_by_rule_or_given() {
        for (plural, given, singular) in [
            ("notes", None, "note"),
            ("diaries", None, "diary"),
            ("addresses", None, "address"),
            ("mail-boxes", None, "mail-box"),
            ("branches", None, "branch"),
            ("wishes", None, "wish"),
            ("expenses", None, "expense"),
            ("indices", Some("index"), "index"),
            ("movies", Some("movie"), "movie"),
        ] {
            assert_eq!(Name::new(plural, given).unwrap().one.kebab(), singular, "{plural}");
        }
    }

    #[test]
    fn what_cannot_be_a_name_is_refused() {
        for (plural, given, message) in [
            ("Notes", None, "Notes is no name of a path"),
            ("grocery_items", None, "is no name of a path"),
            ("grocery--items", None, "is no name of a path"),
            ("notes-", Some("note"), "is no name of a path"),
            ("2nd-notes", None, "is no name of a path"),
            ("notes/x", Some("note"), "is no name of a path"),
            ("", Some("note"), "is no name of a path"),
            ("notes", Some("a note"), "is no name of a path"),
            ("sheep", None, "name that with --singular"),
            ("address", None, "name that with --singular"),
            ("sheep", Some("sheep"), "name that with --singular"),
            ("types", None, "type is reserved, it is a word of Rust"),
            ("boxes", None, "box is reserved, it is a word of Rust"),
            ("references", None, "references is reserved, it is a word of SQL"),
            ("account", Some("one"), "account is reserved, it is a word of the platform"),
            ("accounts", None, "account is reserved, it is a word of the platform"),
        ] {
            let said = Name::new(plural, given).unwrap_err().to_string();
            assert!(said.contains(message), "{plural}: {said}");
        }
    }
}
