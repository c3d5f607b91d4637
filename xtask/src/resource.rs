//! `cargo xtask resource`: a second resource beside one that is there, made from its files.
mod document;
mod names;
mod renaming;
mod sources;
mod trial;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use functions::statements;

use crate::{frontend, generate, project};
use names::{LONGEST_IDENTIFIER, Name};
use renaming::{Kind, Renaming};
use sources::Sources;

pub(crate) use trial::whole as whole_trial;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// What many of its items are called, as in paths: `grocery-items`.
    name: String,
    /// What one of them is called, if the rule for English plurals is wrong.
    #[arg(long)]
    singular: Option<String>,
    /// The resource whose files are copied. The default is the first of `functions/src/lib.rs`.
    #[arg(long)]
    like: Option<String>,
    /// Change nothing here: make it in a copy, and run its API tests there.
    #[arg(long)]
    trial: bool,
}

const DOCUMENT: &str = "functions/openapi.yaml";
const RESOURCES: &str = "functions/src/lib.rs";
const TESTS: &str = "tests/api/main.rs";

/// Files with their new texts.
type Files = BTreeMap<String, String>;

pub(crate) fn run(options: &Options) -> Result<()> {
    let Options { name, singular, like, trial } = options;
    if *trial {
        return trial::short(options);
    }
    let root = project::root();
    let new = Name::new(name, singular.as_deref())?;
    let files = made(&root, &new, like.as_deref())?;
    let document = files.get(DOCUMENT).context(DOCUMENT)?;
    let generated = generate::changed(&root, document)?;
    if frontend::exists() {
        frontend::ensure_packages()?;
    }

    for (file, text) in &files {
        let path = root.join(file);
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::write(&path, text).with_context(|| file.clone())?;
        println!("{file}");
    }
    generate::write(&root, generated)?;
    let [many, one] = [&new.many, &new.one].map(|words| words.spelled(names::Style::Prose));
    println!(
        "There are {many} now; the singular is {one}. Change what differs: their record in functions/src/{}/, their columns in functions/migrations/, and both in {DOCUMENT}.",
        new.many.snake()
    );
    Ok(())
}

/// What the new resource adds and changes, except for what is generated.
fn made(root: &Path, new: &Name, like: Option<&str>) -> Result<Files> {
    let read = |file: &str| fs::read_to_string(root.join(file)).context(file.to_owned());
    let text = read(DOCUMENT)?;
    let document = serde_saphyr::from_str(&text)?;
    let resources = document::resources(&document);
    let list = read(RESOURCES)?;
    let old = chosen(&resources, &list, like)?;
    let others: Vec<_> = resources.iter().filter(|name| *name != old).cloned().collect();
    for name in &resources {
        let [ours, theirs] = [&new.many, &name.many].map(|words| format!("{}_", words.snake()));
        ensure!(ours != theirs, "there are {} already", new.many.kebab());
        // The names of their statements begin so.
        let is_apart = !ours.starts_with(&theirs) && !theirs.starts_with(&ours);
        ensure!(is_apart, "{} and {} begin alike", new.many.kebab(), name.many.kebab());
    }

    let renaming = Renaming::new(old, new, &others);
    let sources = Sources::read(root, old, &document::functions(&document, old))?;
    sources.refuse_words_of(new)?;
    refuse_long_names(old, new)?;
    let mut files = sources.copies(&renaming, new)?;
    for file in files.keys() {
        // A module is a file or a folder.
        let module = file.strip_suffix("/mod.rs").map(|module| format!("{module}.rs"));
        let taken = [Some(file.clone()), module].into_iter().flatten();
        let taken = taken.chain(file.strip_suffix(".rs").map(str::to_owned));
        for path in taken {
            ensure!(!root.join(&path).exists(), "there is {path} already");
        }
    }
    let [table, module] = [format!("{}: ", old.many.snake()), format!("mod {};", old.many.snake())];
    for (file, text, begins) in [
        (RESOURCES, list, [table, format!("pub {module}")].as_slice()),
        (TESTS, read(TESTS)?, &[module]),
    ] {
        let mut with = String::new();
        for line in text.split_inclusive('\n') {
            with += line;
            if begins.iter().any(|begin| line.trim_start().starts_with(begin)) {
                with += &sources::renamed(file, line, Kind::Rust, &renaming)?;
            }
        }
        let lines = with.lines().count() - text.lines().count();
        ensure!(lines == begins.len(), "{file} has no lines that begin with {begins:?}");
        files.insert(file.to_owned(), with);
    }
    for (_, text) in
        files.iter_mut().filter(|(file, _)| Path::new(file).extension() == Some("rs".as_ref()))
    {
        *text = sources::formatted(root, text)?;
    }
    files.insert(DOCUMENT.to_owned(), document::with_copies(&text, &renaming)?);
    Ok(files)
}

/// The resource to copy: the named one, or the first of the product's list.
fn chosen<'n>(resources: &'n [Name], list: &str, like: Option<&str>) -> Result<&'n Name> {
    let place = |name: &&Name| list.find(&format!("    {}: ", name.many.snake()));
    let is_it = |name: &&Name| like.is_none_or(|like| name.many.kebab() == like);
    let old = resources.iter().filter(|name| place(name).is_some()).filter(is_it).min_by_key(place);
    old.with_context(|| {
        let all: Vec<_> = resources.iter().map(|name| name.many.kebab()).collect();
        format!(
            "there is no such resource in {DOCUMENT} and {RESOURCES}: there are {}",
            all.join(", ")
        )
    })
}

/// Checks that PostgreSQL takes the names of the routines.
fn refuse_long_names(old: &Name, new: &Name) -> Result<()> {
    let [old, new] = [old, new].map(|name| name.many.snake());
    let prefix = format!("{old}_");
    for statement in statements().iter().filter(|of| of.name.starts_with(&prefix)) {
        let over =
            (statement.routine().len() + new.len()).saturating_sub(LONGEST_IDENTIFIER + old.len());
        ensure!(
            over == 0,
            "{new} is {over} characters too long for the routine of {} in PostgreSQL",
            statement.name
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made_here(plural: &str, singular: Option<&str>) -> Result<Files> {
        made(&project::root(), &Name::new(plural, singular)?, None)
    }

    #[test]
    fn a_resource_is_made_of_anothers_files() {
        let files = made_here("specimen-labels", None).unwrap();
        let text =
            |file: &str| files.get(file).unwrap_or_else(|| panic!("{file}: {:?}", files.keys()));
        assert!(
            text(RESOURCES).contains("    specimen_labels: specimen_labels::SpecimenLabelStore,\n")
        );
        assert!(text(TESTS).contains("\nmod specimen_labels;\n"));
        assert!(
            text("functions/src/bin/create-specimen-label.rs").contains("app.specimen_labels.")
        );
        assert!(text(DOCUMENT).contains("- specimen_label_not_found\n"));
        assert!(text("functions/src/specimen_labels.rs").contains("SpecimenLabelStore"));
        let migrations = files.iter().filter(|(file, _)| file.ends_with("__specimen_labels.sql"));
        let [(_, migration)] = migrations.collect::<Vec<_>>()[..] else { panic!() };
        for sql in ["CREATE TABLE specimen_labels (", "ON SEQUENCE specimen_labels_id_seq TO"] {
            assert!(migration.contains(sql), "{migration}");
        }
        let forced = "specimen_labels ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY";
        assert!(migration.contains(forced), "{migration}");
        let generated = generate::changed(&project::root(), text(DOCUMENT)).unwrap();
        assert!(generated.contains_key("events/list-specimen-labels.json"));
    }

    #[test]
    fn what_is_taken_or_too_long_is_refused() {
        let root = project::root();
        let list = fs::read_to_string(root.join(RESOURCES)).unwrap();
        let document = serde_saphyr::from_str(&fs::read_to_string(root.join(DOCUMENT)).unwrap());
        let resources = document::resources(&document.unwrap());
        let [many, one] = {
            let old = chosen(&resources, &list, None).unwrap();
            [&old.many, &old.one].map(names::Words::kebab)
        };
        let long = "x".repeat(50) + "s";
        for (plural, singular, message) in [
            (many.as_str(), Some(one.as_str()), "already"),
            (&format!("{many}-archives"), None, "begin alike"),
            ("faults", None, "`faults` is a word of"),
            ("events", None, "there is tests/api/events.rs already"),
            ("statements", None, "is a word of"),
            ("options", None, "`Option` is a word of"),
            ("idempotency-keys", None, "there is a table idempotency_keys already"),
            (&long, None, "too long for the routine of"),
        ] {
            let said = format!("{:#}", made_here(plural, singular).unwrap_err());
            assert!(said.contains(message), "{plural}: {said}");
        }
        let unknown = made(&root, &Name::new("specimens", None).unwrap(), Some("nothings"));
        assert!(unknown.unwrap_err().to_string().starts_with("there is no such resource"));
    }
}
