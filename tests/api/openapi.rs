//! `functions/openapi.yaml`, the local gateway's routes and the functions must agree. All tests here
//! also check every answer against the document.
use std::collections::BTreeSet;
use std::fmt::Debug;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tests::{ONCE, Route, requests, root, routes};

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
    assert!(missing.is_empty(), "{missing:?} of functions/openapi.yaml is missing in {place}");
    let unknown: Vec<_> = found.difference(described).collect();
    assert!(unknown.is_empty(), "{unknown:?} of {place} is not in functions/openapi.yaml");
}

#[test]
fn the_document_has_the_routes_of_the_gateway() {
    assert_same(&routes(), &routed(), "Cargo.toml's [workspace.metadata.lambda.watch.router]");
}

#[test]
fn what_must_not_run_twice_is_a_request_of_the_document() {
    let names: Vec<_> = requests().into_iter().map(|request| request.name).collect();
    for once in ONCE {
        assert!(names.iter().any(|name| name == once), "{once} of ONCE is none of {names:?}");
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
fn every_operation_has_tests_of_its_own_and_a_place_in_the_readme() {
    let (modules, readme) = (include_str!("main.rs"), include_str!("../../README.md"));
    for (method, path, function) in routes() {
        let name = function.split('-').next().unwrap();
        assert!(
            modules.contains(&format!("mod {name};")),
            "{function} has no tests: write tests/api/{name}.rs, and `mod {name};` into tests/api/main.rs"
        );
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
