//! `functions/openapi.yaml` and the functions must agree. All tests here also check every answer
//! against the document; `cargo xtask generate` writes what follows from it.
use std::collections::BTreeSet;
use std::path::Path;

use tests::{ONCE, requests, root};

#[test]
fn what_must_not_run_twice_is_a_request_of_the_document() {
    let names: Vec<_> = requests().into_iter().map(|request| request.name).collect();
    for once in ONCE {
        assert!(names.iter().any(|name| name == once), "{once} of ONCE is none of {names:?}");
    }
}

#[test]
fn every_operation_has_its_binary_and_every_binary_its_operation() {
    let files = std::fs::read_dir(root().join("functions/src/bin")).unwrap();
    let name = |path: &Path| path.file_stem().unwrap().to_str().unwrap().to_owned();
    let functions: BTreeSet<_> = files.map(|file| name(&file.unwrap().path())).collect();
    let described: BTreeSet<_> = tests::functions().into_iter().map(str::to_owned).collect();
    let missing: Vec<_> = described.difference(&functions).collect();
    assert!(missing.is_empty(), "functions/src/bin has no binary for {missing:?}");
    let unknown: Vec<_> = functions.difference(&described).collect();
    assert!(unknown.is_empty(), "functions/openapi.yaml has no operation of {unknown:?}");
}

#[test]
fn every_failure_of_every_operation_has_an_example() {
    tests::check_examples();
}

#[test]
fn every_operation_has_tests_of_its_own() {
    let modules = include_str!("main.rs");
    for function in tests::functions() {
        let name = function.split('-').next().unwrap();
        assert!(
            modules.contains(&format!("mod {name};")),
            "{function} has no tests: write tests/api/{name}.rs, and `mod {name};` into tests/api/main.rs"
        );
    }
}
