//! The documentation's pages, and the commands on them.
use std::collections::BTreeSet;
use std::path::Path;

use crate::root;

/// Folders in the project's root that are not part of the repository.
const ELSEWHERE: [&str; 4] = ["target", "node_modules", "cdk.out", "test-results"];
/// Hidden folders that are part of it.
const HIDDEN: [&str; 2] = [".ci", ".github"];

/// A piece of a page, and its first line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// The line number on the page, from 1.
    pub line: usize,
    /// The text without its delimiters.
    pub text: String,
}

/// A parsed page.
#[derive(Debug, Default)]
pub struct Page {
    /// The text in backticks within lines.
    pub spans: Vec<Piece>,
    /// The code blocks, each with its language.
    pub blocks: Vec<(String, Piece)>,
}

impl Page {
    /// Reads a page of the repository.
    pub fn read(path: &str) -> Self {
        let text = std::fs::read_to_string(root().join(path));
        let text = text.unwrap_or_else(|error| panic!("{path}: {error}"));
        let mut page = Self::default();
        let mut fenced = false;
        for (line, text) in (1..).zip(text.lines()) {
            let open = page.blocks.last_mut().filter(|_| fenced);
            match (text.trim_start().strip_prefix("```"), open) {
                (Some(_), Some(_)) => fenced = false,
                (Some(language), None) => {
                    fenced = true;
                    let block = Piece { line, text: String::new() };
                    page.blocks.push((language.to_owned(), block));
                }
                (None, Some((_, block))) => block.text.extend([text, "\n"]),
                (None, None) => {
                    let pairs = text.matches('`').count().is_multiple_of(2);
                    assert!(pairs, "{path}:{line}: code that ends on another line");
                    let odd = text.split('`').skip(1).step_by(2);
                    page.spans.extend(odd.map(|span| Piece { line, text: span.to_owned() }));
                }
            }
        }
        page
    }

    /// The blocks of code in a language.
    pub fn blocks(&self, language: &str) -> Vec<&str> {
        let of = self.blocks.iter().filter(|(of, _)| of == language);
        of.map(|(_, block)| block.text.as_str()).collect()
    }

    /// The commands in shell blocks, without comments.
    pub fn commands(&self) -> Vec<Piece> {
        let mut commands = Vec::new();
        for (_, block) in self.blocks.iter().filter(|(language, _)| language == "sh") {
            let mut begun: Option<Piece> = None;
            for (line, text) in (block.line + 1..).zip(block.text.lines()) {
                let text = text.split(" #").next().unwrap().trim();
                let piece = begun.get_or_insert(Piece { line, text: String::new() });
                piece.text += text.trim_end_matches('\\');
                if !text.ends_with('\\') {
                    let Piece { line, text } = begun.take().unwrap();
                    let parts = text.split("&& ").map(str::trim).filter(|part| !part.is_empty());
                    commands.extend(parts.map(|part| Piece { line, text: part.to_owned() }));
                }
            }
        }
        commands
    }
}

/// A command on a page, which must have exactly this text.
pub fn documented(page: &str, command: &str) -> String {
    let found = Page::read(page).commands().iter().any(|piece| piece.text == command);
    assert!(found, "{page} has no command `{command}`: a test runs it as a step of that page");
    command.to_owned()
}

/// The paths of the repository's pages.
pub fn pages() -> Vec<String> {
    let is_page = |path: &String| Path::new(path).extension().is_some_and(|of| of == "md");
    files().into_iter().filter(is_page).collect()
}

/// The paths of the repository's files and folders.
pub fn files() -> BTreeSet<String> {
    fn add(folder: &Path, prefix: &str, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let name = entry.file_name().into_string().unwrap();
            let is_folder = entry.file_type().unwrap().is_dir();
            let hidden = name.starts_with('.') && !HIDDEN.contains(&name.as_str());
            if is_folder && (hidden || ELSEWHERE.contains(&name.as_str())) {
                continue;
            }
            let path = format!("{prefix}{name}");
            if is_folder {
                add(&entry.path(), &format!("{path}/"), found);
            }
            found.insert(path);
        }
    }
    let mut found = BTreeSet::new();
    add(root(), "", &mut found);
    found
}
