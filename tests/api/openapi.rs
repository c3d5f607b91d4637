//! `shared/openapi.yaml`, the local gateway's routes and the functions must agree. All tests here
//! also check every answer against the document.
use std::collections::BTreeSet;
use std::fmt::Debug;
use std::fs::read_to_string;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tests::{Request, Route, operations, resources, root, routes};

fn routed() -> BTreeSet<Route> {
    let output =
        Command::new("cargo").args(["metadata", "--no-deps", "--format-version=1"]).output();
    let metadata: Value = serde_json::from_slice(&output.unwrap().stdout).unwrap();
    let paths = metadata["metadata"]["lambda"]["watch"]["router"].as_object().unwrap();
    let text = |entry: &Value, name: &str| entry[name].as_str().unwrap().to_owned();
    let routes = paths.iter().flat_map(|(path, entries)| {
        let entries = entries.as_array().unwrap().iter();
        entries.map(move |entry| (text(entry, "method"), path.clone(), text(entry, "function")))
    });
    routes.collect()
}

/// Compares a list with the document's.
fn assert_same<T: Ord + Debug>(described: &BTreeSet<T>, found: &BTreeSet<T>, place: &str) {
    let missing: Vec<_> = described.difference(found).collect();
    assert!(missing.is_empty(), "{missing:?} of shared/openapi.yaml is missing in {place}");
    let unknown: Vec<_> = found.difference(described).collect();
    assert!(unknown.is_empty(), "{unknown:?} of {place} is not in shared/openapi.yaml");
}

#[test]
fn the_document_has_the_routes_of_the_gateway() {
    assert_same(&routes(), &routed(), "Cargo.toml's [workspace.metadata.lambda.watch.router]");
}

#[test]
fn what_makes_a_request_safe_to_repeat_is_a_part_of_it_that_is_optional() {
    for operation in operations() {
        let repeat: BTreeSet<_> = operation.requests().iter().map(Request::repeats).collect();
        let expected = match operation.repeat() {
            None => vec![true],
            Some("never") => vec![false],
            Some(_) => vec![false, true],
        };
        let hint = "the operation has no such header, or no optional body";
        assert!(repeat.iter().eq(&expected), "x-repeat of {}: {hint}", operation.function);
    }
}

#[test]
fn every_route_has_its_function_and_every_function_its_route() {
    let files = std::fs::read_dir(root().join("functions/src/bin")).unwrap();
    let name = |path: &Path| path.file_stem().unwrap().to_str().unwrap().to_owned();
    let functions: BTreeSet<_> = files.map(|file| name(&file.unwrap().path())).collect();
    let described = tests::functions().into_iter().map(str::to_owned).collect();
    assert_same(&described, &functions, "functions/src/bin, a binary an operation");
}

#[test]
fn every_failure_of_every_operation_has_an_example() {
    tests::check_examples();
}

#[test]
fn every_operation_has_a_place_in_the_readme() {
    let readme = include_str!("../../README.md");
    for (method, path, _) in routes() {
        let ends = [format!(" {path}` |"), format!(" {path}?")];
        let has = |row: &str| {
            row.contains(&format!("`{method}")) && ends.iter().any(|end| row.contains(end))
        };
        assert!(
            readme.lines().any(has),
            "README.md has no row of `{method} {path}` in its table of requests"
        );
    }
}

#[test]
fn every_operation_has_tests_among_those_of_its_resource() {
    for resource in resources() {
        assert_has_tests("main", &resource.table, resource.name);
        // Of each statement.
        assert_has_tests(&format!("{}/mod", resource.table), "statements", resource.name);
    }
    for operation in operations() {
        let place = operation.resource().map_or("main".into(), |of| format!("{}/mod", of.table));
        let name = operation.function.split('-').next().unwrap();
        assert_has_tests(&place, name, operation.function);
    }
}

/// Checks that a module of tests has this one.
fn assert_has_tests(place: &str, name: &str, of: &str) {
    let place = format!("tests/api/{place}.rs");
    let modules = read_to_string(root().join(&place)).unwrap_or_default();
    let has = modules.lines().any(|line| line == format!("mod {name};"));
    assert!(has, "{of} has no tests: `mod {name};` is not in {place}");
}
