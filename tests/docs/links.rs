//! Links between pages, and from the code to pages.
use std::collections::{BTreeMap, BTreeSet};

use tests::{Page, files, pages, root};

/// Other files that name pages.
const SOURCES: [&str; 6] = [".rs", ".yaml", ".yml", ".toml", ".ts", ".tsx"];

const PAGE: &str = ".md";

/// The anchors of a page's headings on GitHub.
fn anchors(path: &str) -> BTreeSet<String> {
    let mut counts = BTreeMap::new();
    let headings = Page::read(path).prose.into_iter();
    let headings = headings.filter_map(|line| {
        let title = line.text.trim_start_matches('#');
        (title.len() < line.text.len()).then(|| title.trim().to_lowercase())
    });
    let anchor = |title: String| {
        let kept = title.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        let anchor = kept.collect::<String>().replace(' ', "-");
        let count = counts.entry(anchor.clone()).and_modify(|count| *count += 1).or_insert(0);
        if *count == 0 { anchor } else { format!("{anchor}-{count}") }
    };
    headings.map(anchor).collect()
}

/// The path of `target`, relative to the file `from`.
fn beside(from: &str, target: &str) -> String {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in target.trim_end_matches('/').split('/') {
        match part {
            ".." => drop(parts.pop()),
            "." => {}
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// The error in a link of a path and an optional anchor; `None` if the target exists.
fn fault(files: &BTreeSet<String>, path: &str, anchor: Option<&str>) -> Option<String> {
    if !files.contains(path) {
        return Some(format!("there is no {path}"));
    }
    let anchor = anchor?;
    let anchors = anchors(path);
    let known = anchors.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    (!anchors.contains(anchor)).then(|| format!("{path} has no #{anchor}, but {known}"))
}

fn split(target: &str) -> (&str, Option<&str>) {
    target.split_once('#').map_or((target, None), |(path, anchor)| (path, Some(anchor)))
}

#[test]
fn every_link_of_a_page_leads_somewhere() {
    let files = files();
    let mut faults = Vec::new();
    for page in pages() {
        for line in Page::read(&page).prose {
            for link in line.text.split("](").skip(1) {
                let target = link.split(')').next().unwrap();
                if target.contains("://") {
                    continue;
                }
                let (path, anchor) = split(target);
                let path = if path.is_empty() { page.clone() } else { beside(&page, path) };
                let fault = fault(&files, &path, anchor);
                faults.extend(fault.map(|fault| format!("{page}:{}: {fault}", line.line)));
            }
        }
    }
    assert_eq!(faults, [""; 0]);
}

#[test]
fn every_page_that_the_code_names_is_there() {
    let files = files();
    let mut faults = Vec::new();
    for source in files.iter().filter(|path| SOURCES.iter().any(|end| path.ends_with(end))) {
        let Ok(text) = std::fs::read_to_string(root().join(source)) else { continue };
        for (line, text) in (1..).zip(text.lines()).filter(|(_, text)| text.contains(PAGE)) {
            let is_part = |c: char| c.is_ascii_alphanumeric() || "._/#-".contains(c);
            let words = text.split(|c| !is_part(c)).map(|word| word.trim_end_matches('.'));
            for (path, anchor) in words.map(split).filter(|(path, _)| path.ends_with(PAGE)) {
                let path = path.trim_start_matches("../");
                // A string may begin below a folder, and its anchor may be in another string.
                let end = format!("/{path}");
                let found = files.iter().find(|file| *file == path || file.ends_with(&end));
                let path = found.map_or(path, String::as_str);
                let fault = fault(&files, path, anchor.filter(|anchor| !anchor.is_empty()));
                let fault = fault.filter(|_| path != PAGE);
                faults.extend(fault.map(|fault| format!("{source}:{line}: {fault}")));
            }
        }
    }
    assert_eq!(faults, [""; 0]);
}
