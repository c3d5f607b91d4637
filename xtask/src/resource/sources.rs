//! The files of a resource, and their copies for another.
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, anyhow, bail, ensure};

use super::Files;
use super::names::{LONGEST_IDENTIFIER, Name, Style};
use super::renaming::{Kind, Renaming};

const MIGRATIONS: &str = "functions/migrations";

/// The files of a resource.
pub(super) struct Sources {
    /// Paths from the root, with their texts.
    rust: Files,
    /// Its migrations, in their order.
    migrations: Vec<(String, String)>,
    /// The number of the next migration.
    next: u32,
    /// Every migration's text, the app's included.
    all_migrations: String,
}

impl Sources {
    pub(super) fn read(root: &Path, of: &Name, functions: &[String]) -> Result<Self> {
        let table = of.many.snake();
        let mut rust = Files::new();
        for place in ["functions/src", "tests/api"] {
            read_into(&mut rust, root, &format!("{place}/{table}.rs"))?;
            read_into(&mut rust, root, &format!("{place}/{table}"))?;
        }
        for function in functions {
            read_into(&mut rust, root, &format!("functions/src/bin/{function}.rs"))?;
        }
        let mut all = Files::new();
        read_into(&mut all, root, "frontend/drizzle")?;
        read_into(&mut all, root, MIGRATIONS)?;
        let mut numbered = Vec::new();
        for (file, text) in &all {
            let number = file.strip_prefix(MIGRATIONS).and_then(|name| name.strip_prefix("/V"));
            let number = number.and_then(|name| name.split("__").next()?.parse::<u32>().ok());
            numbered.extend(number.map(|number| (number, file.clone(), text.clone())));
        }
        numbered.sort();
        let next = numbered.last().map_or(0, |(number, ..)| *number) + 1;
        let is_word = |word: &str| word == table || word.starts_with(&format!("{table}_"));
        numbered.retain(|(_, _, text)| words(text).any(is_word));
        Ok(Self {
            rust,
            migrations: numbered.into_iter().map(|(_, file, text)| (file, text)).collect(),
            next,
            all_migrations: all.into_values().collect(),
        })
    }

    /// Refuses a name that means something else in these files, or in the database.
    pub(super) fn refuse_words_of(&self, new: &Name) -> Result<()> {
        let table = new.many.snake();
        for sql in self.all_migrations.split("CREATE TABLE ").skip(1) {
            let name = words(sql).find(|word| !["IF", "NOT", "EXISTS"].contains(word));
            ensure!(name != Some(&table), "there is a table {table} already");
        }
        let own = [Style::Snake, Style::Pascal, Style::Screaming];
        let own = own.map(|style| [new.many.spelled(style), new.one.spelled(style)]).concat();
        for (file, text) in &self.rust {
            let (code, strings) = code_and_strings(text);
            let of_code = words(&code).find(|word| own.iter().any(|own| own == word));
            let found = of_code.or_else(|| words(&strings).find(|word| **word == table));
            if let Some(word) = found {
                bail!(
                    "`{word}` is a word of {file}, which would mean two things in its copy: choose a longer name"
                );
            }
        }
        Ok(())
    }

    /// The copies, which are not formatted yet.
    pub(super) fn copies(&self, renaming: &Renaming, new: &Name) -> Result<Files> {
        let mut files = Files::new();
        for (file, text) in &self.rust {
            let copy = renamed(file, text, Kind::Rust, renaming)?;
            // Slashes are those of a URL in a text.
            let parts = file.split('/').map(|part| renamed(file, part, Kind::Rust, renaming));
            let name = parts.collect::<Result<Vec<_>>>()?.join("/");
            files.insert(name, copy);
        }
        let copies = self.migrations.iter();
        let copies = copies.map(|(file, text)| renamed(file, text, Kind::Sql, renaming));
        let migration = copies.collect::<Result<Vec<_>>>()?.join("\n");
        let long = words(&migration).find(|word| word.len() > LONGEST_IDENTIFIER);
        ensure!(long.is_none(), "{} is too long for PostgreSQL", long.unwrap_or_default());
        let name = format!("{MIGRATIONS}/V{}__{}.sql", self.next, new.many.snake());
        files.insert(name, migration);
        Ok(files)
    }
}

/// Reads a file, or those of a folder, if it is there.
fn read_into(files: &mut Files, root: &Path, path: &str) -> Result<()> {
    let place = root.join(path);
    if place.is_dir() {
        for entry in fs::read_dir(&place)? {
            read_into(files, root, &format!("{path}/{}", entry?.file_name().to_string_lossy()))?;
        }
    } else if place.is_file() {
        files.insert(path.to_owned(), fs::read_to_string(&place).context(path.to_owned())?);
    }
    Ok(())
}

/// A text of a file with the new names.
pub(super) fn renamed(file: &str, text: &str, kind: Kind, renaming: &Renaming) -> Result<String> {
    renaming.apply(text, kind).map_err(|lines| {
        anyhow!("{file} has a word of the old resource that cannot be replaced, in lines {lines:?}")
    })
}

/// A Rust text as `cargo fmt` has it.
pub(super) fn formatted(root: &Path, text: &str) -> Result<String> {
    let mut command = Command::new("rustfmt");
    command.args(["--edition", "2024", "--config-path"]).arg(root);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().context("cannot start rustfmt")?;
    child.stdin.take().context("rustfmt takes no input")?.write_all(text.as_bytes())?;
    let output = child.wait_with_output()?;
    ensure!(output.status.success(), "rustfmt refuses a copy");
    Ok(String::from_utf8(output.stdout)?)
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

/// A Rust text without its comments and strings, and its strings.
fn code_and_strings(text: &str) -> (String, String) {
    let (mut code, mut strings) = (String::new(), String::new());
    let mut in_string = false;
    for line in text.lines() {
        let line = line.split(" // ").next().unwrap_or_default();
        let line = if line.trim_start().starts_with("//") { "" } else { line };
        for (index, piece) in line.replace("'\"'", "").replace("\\\"", "").split('"').enumerate() {
            in_string ^= index > 0;
            let side = if in_string { &mut strings } else { &mut code };
            *side += piece;
            side.push(' ');
        }
    }
    (code, strings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_told_from_strings() {
        let text = "let a = \"b\\\"c\n d\"; // \"e\nf('\"', r#\"{\"g\": 1}\"#) /// h\n/// i";
        let (code, strings) = code_and_strings(text);
        let words = |text| words(text).map(str::to_owned).collect::<Vec<_>>().join(" ");
        assert_eq!((words(&code), words(&strings)), ("let a f r g h".into(), "bc d 1".into()));
    }
}
