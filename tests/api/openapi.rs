//! `functions/openapi.yaml` and the functions must agree. All tests here also check every answer
//! against the document; `cargo xtask generate` writes what follows from it.
use std::collections::BTreeSet;
use std::fs::read_to_string;
use std::path::Path;

use tests::{Request, operations, resources, root};

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
fn every_operation_has_its_binary_and_every_binary_its_operation() {
    let files = std::fs::read_dir(root().join("functions/src/bin")).unwrap();
    let name = |path: &Path| path.file_stem().unwrap().to_str().unwrap().to_owned();
    let binaries: BTreeSet<_> = files.map(|file| name(&file.unwrap().path())).collect();
    let described: BTreeSet<_> = tests::functions().into_iter().map(str::to_owned).collect();
    let missing: Vec<_> = described.difference(&binaries).collect();
    assert!(
        missing.is_empty(),
        "{missing:?} of functions/openapi.yaml is not in functions/src/bin"
    );
    let unknown: Vec<_> = binaries.difference(&described).collect();
    assert!(
        unknown.is_empty(),
        "{unknown:?} of functions/src/bin is not in functions/openapi.yaml"
    );
}

#[test]
fn every_failure_of_every_operation_has_an_example() {
    tests::check_examples();
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
