//! Names on pages: files, tests, scripts, settings. `.ci/run` checks links and style.
use std::collections::BTreeSet;
use std::fs::{read_dir, read_to_string};
use std::path::Path;

use serde_json::Value;
use tests::{Page, failure_codes, files, pages, root};

/// Names with these endings are files of the repository.
const FILES: [&str; 10] =
    [".rs", ".md", ".yaml", ".yml", ".toml", ".ts", ".tsx", ".mjs", ".sql", ".py"];

/// The errors that `check` finds in the names of all pages.
fn faults(check: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let mut faults = Vec::new();
    for page in pages() {
        for span in Page::read(&page).spans {
            let fault = check(&span.text);
            faults.extend(fault.map(|fault| format!("{page}:{}: {fault}", span.line)));
        }
    }
    faults
}

#[test]
fn every_file_that_a_page_names_is_there() {
    let files = files();
    let is_part = |c: char| c.is_ascii_alphanumeric() || "._/-[]".contains(c);
    let faults = faults(|span| {
        let path = span.trim_start_matches("../").trim_end_matches('/');
        let first = span.contains('/').then(|| path.split('/').next().unwrap());
        let is_file = FILES.iter().any(|end| path.len() > end.len() && path.ends_with(end));
        let is_ours = is_file || first.is_some_and(|first| files.contains(first));
        if !span.chars().all(is_part) || span.starts_with('/') || !is_ours {
            return None;
        }
        // A name may omit its leading folders.
        let end = format!("/{path}");
        let found = files.contains(path) || files.iter().any(|file| file.ends_with(&end));
        (!found).then(|| format!("there is no {path}"))
    });
    assert_eq!(faults, [""; 0]);
}

#[test]
fn every_test_that_a_page_names_is_there() {
    let files = files();
    let is_source = |file: &&String| Path::new(file).extension().is_some_and(|of| of == "rs");
    let sources = files.iter().filter(is_source);
    let sources = sources.map(|file| read_to_string(root().join(file)).unwrap());
    let code = sources.collect::<Vec<_>>().join("\n");
    let is_part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_:".contains(c);
    let faults = faults(|span| {
        let found = if [".spec", ".test"].iter().any(|end| span.ends_with(end)) {
            files.iter().any(|file| file.ends_with(&format!("/{span}.ts")))
        } else if span.contains("::") && span.chars().all(is_part) {
            let name = span.trim_end_matches(':').rsplit(':').next().unwrap();
            let module = files.iter().any(|file| file.ends_with(&format!("/{name}.rs")));
            module || code.contains(&format!("fn {name}("))
        } else {
            true
        };
        (!found).then(|| format!("there is no {span}"))
    });
    assert_eq!(faults, [""; 0]);
}

#[test]
fn every_failure_is_explained() {
    let page = read_to_string(root().join("docs/api.md")).unwrap();
    // Each resource has a code for a missing item, which is explained once.
    let explained =
        |code: &str| if code.ends_with("_not_found") { "_not_found" } else { code }.to_owned();
    let missing = failure_codes().map(explained).filter(|code| !page.contains(&format!("{code}`")));
    assert_eq!(missing.collect::<Vec<_>>(), [""; 0], "in docs/api.md");
}

#[test]
fn every_setting_is_explained() {
    let page = read_to_string(root().join("docs/settings.md")).unwrap();
    let mut missing = Vec::new();
    for (file, quote) in [("shared/src/settings/config.rs", '"'), ("frontend/lib/env.ts", '\'')] {
        let text = read_to_string(root().join(file)).unwrap();
        // A setting is read in the code by a string of its name.
        let words = text.split(|c: char| !c.is_ascii_uppercase() && c != '_');
        let names = words.filter(|name| text.contains(&format!("{quote}{name}{quote}")));
        let unknown =
            names.filter(|name| name.contains('_') && !page.contains(&format!("`{name}`")));
        missing.extend(unknown.map(|name| format!("{name} of {file}")));
    }
    assert_eq!(missing, [""; 0], "in docs/settings.md");
}

#[test]
fn every_alarm_says_where_to_read_on() {
    let template = read_to_string(root().join("template.yaml")).unwrap();
    let texts = template.lines().filter(|line| line.contains("AlarmDescription:"));
    let mute = texts.filter(|text| !text.contains("See docs/operate.md#")).collect::<Vec<_>>();
    assert_eq!(mute, [""; 0]);
}

#[test]
fn every_npm_script_that_a_page_names_is_there() {
    let folders = read_dir(root()).unwrap().map(|entry| entry.unwrap().path());
    let packages = folders.filter_map(|folder| read_to_string(folder.join("package.json")).ok());
    let scripts: BTreeSet<String> = packages
        .flat_map(|text| {
            let package: Value = text.parse().unwrap();
            package["scripts"].as_object().unwrap().keys().cloned().collect::<Vec<_>>()
        })
        .collect();
    let unknown = |text: &str| {
        let named = text.split("npm run ").skip(1);
        let named = named.map(|rest| rest.split([' ', '\n', '`', '"', ')']).next().unwrap());
        let unknown = named.filter(|name| !scripts.contains(*name)).collect::<Vec<_>>();
        (!unknown.is_empty()).then(|| format!("no package.json has {unknown:?}"))
    };
    let mut faults = faults(unknown);
    for page in pages() {
        for command in Page::read(&page).commands() {
            let fault = unknown(&command.text);
            faults.extend(fault.map(|fault| format!("{page}:{}: {fault}", command.line)));
        }
    }
    assert_eq!(faults, [""; 0]);
}

#[test]
fn the_readme_takes_three_minutes() {
    let text = read_to_string(root().join("README.md")).unwrap();
    // The rows of the operations are looked up, not read.
    let words = text.lines().filter(|line| !line.starts_with('|')).flat_map(str::split_whitespace);
    let words = words.count();
    assert!(words <= 900, "{words} words: what does not fit goes to docs/");
}
