//! `cargo xtask generate`: what follows from the operations of `functions/openapi.yaml`.
mod event;
mod lists;
mod operation;
mod template;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::{frontend, project};
use operation::Operations;

pub(crate) use template::reserved_concurrency;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Change nothing; fail if a file is stale.
    #[arg(long)]
    check: bool,
}

/// The longest name of a function in Lambda, with its stack's before it.
const LONGEST_NAME: usize = 64;

/// The files that a part of the document changes, each with its new text, or none if it goes.
type Files = BTreeMap<String, Option<String>>;

pub(crate) fn run(options: &Options) -> Result<()> {
    if options.check { check() } else { write() }
}

/// Fails if a generated file differs from what the document says.
pub(crate) fn check() -> Result<()> {
    let mut stale: Vec<_> = changed(&project::root())?.into_keys().collect();
    if frontend::exists() {
        frontend::ensure_packages()?;
        if frontend::script("check:api", &[], &[]).is_err() {
            stale.push("frontend/lib/api-types.ts".to_owned());
        }
    }
    ensure!(
        stale.is_empty(),
        "stale: {}. `cargo xtask generate` writes what {} says",
        stale.join(", "),
        operation::DOCUMENT
    );
    Ok(())
}

fn write() -> Result<()> {
    let root = project::root();
    for (file, text) in changed(&root)? {
        match text {
            Some(text) => fs::write(root.join(&file), text),
            None => fs::remove_file(root.join(&file)),
        }
        .with_context(|| file.clone())?;
        println!("{file}");
    }
    if frontend::exists() {
        frontend::ensure_packages()?;
        frontend::script("generate:api", &[], &[])?;
    }
    Ok(())
}

/// The files that are not as the document says.
fn changed(root: &Path) -> Result<Files> {
    let read = |file: &str| fs::read_to_string(root.join(file)).context(file.to_owned());
    let document = serde_saphyr::from_str(&read(operation::DOCUMENT)?)?;
    let operations = Operations::of(&document)?;
    fits(&operations, &read("samconfig.toml")?)?;

    let mut files = Files::new();
    for (file, blocks) in [
        ("Cargo.toml", vec![("routes", lists::routes(&operations))]),
        ("README.md", vec![("operations", lists::rows(&operations)?)]),
        ("template.yaml", template::blocks(&operations, &read("template.yaml")?)?),
    ] {
        let mut text = read(file)?;
        for (name, block) in blocks {
            text = replaced(&text, name, &block).context(file)?;
        }
        files.insert(file.to_owned(), Some(text));
    }
    for entry in fs::read_dir(root.join("events"))? {
        files.insert(format!("events/{}", entry?.file_name().to_string_lossy()), None);
    }
    for operation in operations.mains() {
        let event = event::event(operation)?;
        files.insert(format!("events/{}.json", operation.function), Some(format!("{event:#}\n")));
    }
    files.retain(|file, text| fs::read_to_string(root.join(file)).ok() != *text);
    Ok(files)
}

/// Checks that Lambda takes the functions' names in each stack.
fn fits(operations: &Operations, samconfig: &str) -> Result<()> {
    let stacks = samconfig.lines().filter_map(|line| line.strip_prefix("stack_name = "));
    let longest = stacks.map(|name| name.trim_matches('"')).max_by_key(|name| name.len());
    let stack = longest.context("samconfig.toml has no stack_name")?;
    for operation in operations.mains() {
        let name = format!("{stack}-{}", operation.function);
        let over = name.len().saturating_sub(LONGEST_NAME);
        ensure!(over == 0, "{name} is {over} characters too long for a function's name in Lambda");
    }
    Ok(())
}

/// The text with another block between the lines of its markers.
fn replaced(text: &str, name: &str, block: &str) -> Result<String> {
    let (begin, end) = (format!("generated: {name} "), "generated: end");
    let (mut new, mut begun, mut ended) = (String::new(), false, false);
    for line in text.split_inclusive('\n') {
        ended |= begun && line.contains(end);
        if !begun || ended {
            new += line;
        }
        if line.contains(&begin) {
            new += block;
            begun = true;
        }
    }
    ensure!(ended, "the lines `{begin}…` and `{end}` are missing");
    Ok(new)
}
