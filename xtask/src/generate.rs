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

pub(crate) use template::{capitalized, reserved_concurrency};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Change nothing; fail if a file is stale.
    #[arg(long)]
    check: bool,
}

/// The longest name of a function in Lambda, with its stack's before it.
const LONGEST_NAME: usize = 64;

/// The files that a part of the document changes, each with its new text, or none if it goes.
pub(crate) type Files = BTreeMap<String, Option<String>>;

pub(crate) fn run(options: &Options) -> Result<()> {
    if options.check {
        check()
    } else {
        let root = project::root();
        write(&root, changed(&root, &document(&root)?)?)
    }
}

/// Fails if a generated file differs from what the document says.
pub(crate) fn check() -> Result<()> {
    let root = project::root();
    let mut stale: Vec<_> = changed(&root, &document(&root)?)?.into_keys().collect();
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

/// Writes the files, and the app's types of the API.
pub(crate) fn write(root: &Path, files: Files) -> Result<()> {
    for (file, text) in files {
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

fn document(root: &Path) -> Result<String> {
    fs::read_to_string(root.join(operation::DOCUMENT)).context(operation::DOCUMENT)
}

/// The files that are not as a document says.
pub(crate) fn changed(root: &Path, document: &str) -> Result<Files> {
    let read = |file: &str| fs::read_to_string(root.join(file)).context(file.to_owned());
    let document = serde_saphyr::from_str(document).context(operation::DOCUMENT)?;
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
    let (first, last) = (format!("generated: {name} "), "generated: end");
    let (mut new, mut begun, mut ended) = (String::new(), false, false);
    for line in text.split_inclusive('\n') {
        ended |= begun && line.contains(last);
        if !begun || ended {
            new += line;
        }
        if line.contains(&first) {
            new += block;
            begun = true;
        }
    }
    ensure!(ended, "the lines `{first}…` and `{last}` are missing");
    Ok(new)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEW: &str = "paths:
  /api/{user_id}:
    parameters:
      - { name: user_id, in: path, required: true }
    delete:
      operationId: eraseAccount
      x-function: erase-account
      summary: 'Erase an account: everything of a user'
      responses: { '204': { description: All is erased. } }
  /api/{user_id}/notes/{note_id}:
    put:
      operationId: updateNote
      x-function: update-note
      summary: Update a note
      parameters:
        - { name: note_id, in: path, required: true }
        - { name: draft, in: query, example: false }
      requestBody: { content: { application/json: { schema: { $ref: '#/components/schemas/Note' } } } }
      responses: { '200': { description: The note. With its tag. } }
components:
  schemas: { Note: { properties: { text: {} }, examples: [text: Remember] } }
";

    /// What changes in a project with this document.
    fn changed_by(document: &str) -> Result<Files> {
        let folder = tempfile::tempdir()?;
        for file in ["Cargo.toml", "README.md", "template.yaml", "samconfig.toml"] {
            fs::copy(project::root().join(file), folder.path().join(file))?;
        }
        fs::create_dir(folder.path().join("events"))?;
        fs::write(folder.path().join("events/gone.json"), "")?;
        changed(folder.path(), document)
    }

    #[test]
    fn operations_of_any_path_are_in_every_list() {
        let files = changed_by(NEW).unwrap();
        let names = ["erase-account", "update-note"].map(|name| format!("events/{name}.json"));
        let listed = ["Cargo.toml", "README.md", &names[0], "events/gone.json", &names[1]];
        assert_eq!(files.keys().collect::<Vec<_>>(), [&listed[..], &["template.yaml"]].concat());
        assert_eq!(files["events/gone.json"], None);
        let has = |file: &str, lines: &str| {
            let text = files[file].as_ref().unwrap();
            assert!(text.contains(lines), "{text}");
        };
        has(
            "Cargo.toml",
            "\"/api/{user_id}\" = [\n  { function = \"erase-account\", method = \"DELETE\" },\n]\n",
        );
        has(
            "README.md",
            "| `DELETE /api/{user_id}` | Erase an account: everything of a user | 204: All is erased |\n\
             | `PUT /api/{user_id}/notes/{note_id}` | Update a note: `draft`, `text` | 200: The note |\n",
        );
        has("template.yaml", "prod: { ReservedConcurrency: 140 }");
        has("template.yaml", "  EraseAccountFunction:\n    Type: AWS::Serverless::Function\n");
        has("template.yaml", "      Description: \"Erase an account: everything of a user\"\n");
        has("template.yaml", "Method: PUT, Path: '/api/{user_id}/notes/{note_id}' }");
        let event: serde_json::Value = files[&names[1]].as_ref().unwrap().parse().unwrap();
        assert_eq!(event["pathParameters"]["note_id"], "1");
        assert_eq!(event["queryStringParameters"]["draft"], "false");
        assert_eq!(event["body"], r#"{"text":"Remember"}"#);
    }

    #[test]
    fn what_is_missing_is_named() {
        for (text, instead, message) in [
            (
                "x-function: update-note",
                "",
                "PUT /api/{user_id}/notes/{note_id} of functions/openapi.yaml has no x-function",
            ),
            (
                "operationId: updateNote",
                "",
                "one operation of update-note must have it as operationId",
            ),
            ("summary: Update a note", "", "has no summary"),
            ("examples: [text: Remember]", "", "has no `examples` of its body"),
            ("example: false", "required: true", "has no `example` of draft"),
            ("schemas/Note", "schemas/Notes", "has no #/components/schemas/Notes"),
            ("'200'", "'404'", "has no 2xx response"),
        ] {
            let said = format!("{:#}", changed_by(&NEW.replacen(text, instead, 1)).unwrap_err());
            assert!(said.contains(message), "{said}");
        }
        let long = "x".repeat(LONGEST_NAME - "task-api-staging-".len() + 1);
        let document = NEW.replace("update-note", &long).replace("updateNote", &long);
        let said = changed_by(&document).unwrap_err().to_string();
        assert!(said.contains("is 1 characters too long"), "{said}");
    }
}
