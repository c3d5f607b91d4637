//! The artifacts of `sam build`: each function's binary, runnable on Lambda.
use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::Value;
use tests::functions;

use crate::tools::{built, failure, root, sam, success};

/// The glibc version in `provided.al2023`.
const GLIBC: (u32, u32) = (2, 34);
/// The limit of a binary in bytes, since its size costs time in every cold start. Measured: 8.4 MB
/// as the tests link it, 6.5 MB as deployed.
const SIZE: u64 = 8_900_000;

#[test]
fn the_binaries_are_small_and_run_where_lambda_runs_them() {
    let _built = built();
    let folders = std::fs::read_dir(root().join(".aws-sam/build")).unwrap();
    let binaries: Vec<_> = folders
        .map(|entry| entry.unwrap().path().join("bootstrap"))
        .filter(|file| file.is_file())
        .collect();
    assert_eq!(binaries.len(), functions().len());
    for binary in binaries {
        let bytes = std::fs::read(&binary).unwrap();
        assert_eq!(&bytes[..4], b"\x7fELF");
        let needed = glibc_versions(&bytes);
        assert!(!needed.is_empty() && needed.iter().all(|version| *version <= GLIBC), "{needed:?}");
        assert!((1_000_000..SIZE).contains(&(bytes.len() as u64)), "{} bytes", bytes.len());
    }
}

#[test]
fn functions_built_elsewhere_are_deployed_as_if_built_here() {
    let _built = built();
    let here = root().join(".aws-sam/build");
    let elsewhere = tempfile::tempdir().unwrap();
    let copy = elsewhere.path().join(".aws-sam/build");
    std::fs::copy(root().join("template.yaml"), elsewhere.path().join("template.yaml")).unwrap();
    let functions = std::fs::read_dir(&here).unwrap().map(|entry| entry.unwrap().file_name());
    for function in functions.filter(|name| here.join(name).is_dir()) {
        std::fs::create_dir_all(copy.join(&function)).unwrap();
        // An uploaded artifact loses its executable permission.
        std::fs::write(copy.join(&function).join("bootstrap"), "built elsewhere").unwrap();
    }
    let place = || {
        let mut python = sam("python");
        python.arg(root().join(".github/place.py")).current_dir(elsewhere.path());
        python
    };
    success(&mut place());
    let template = |folder: &Path| -> Value {
        let text = std::fs::read_to_string(folder.join("template.yaml")).unwrap();
        let mut template: Value = serde_saphyr::from_str(&text).unwrap();
        for resource in template["Resources"].as_object_mut().unwrap().values_mut() {
            // SAM's note of the logical id.
            if let Some(metadata) = resource["Metadata"].as_object_mut() {
                metadata.remove("SamResourceId");
            }
        }
        template
    };
    let (ours, theirs) = (template(&copy), template(&here));
    for (id, resource) in theirs["Resources"].as_object().unwrap() {
        assert_eq!(ours["Resources"][id]["Properties"], resource["Properties"], "{id}");
    }
    assert_eq!(ours["Globals"], theirs["Globals"]);
    for function in std::fs::read_dir(&copy).unwrap().map(|entry| entry.unwrap().path()) {
        if function.is_dir() {
            let mode = function.join("bootstrap").metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o755);
        }
    }

    // Nothing else is included, and nothing is missing.
    std::fs::write(copy.join("evil"), "").unwrap();
    let refusal = failure(&mut place());
    assert!(refusal.contains("'evil'"), "{refusal}");
}

/// The glibc versions of the binary's symbols: `GLIBC_2.30` and so on.
fn glibc_versions(bytes: &[u8]) -> BTreeSet<(u32, u32)> {
    let mark = b"GLIBC_";
    let places = bytes.windows(mark.len()).enumerate().filter(|(_, window)| window == mark);
    let version = |(at, _): (usize, &[u8])| {
        let text = bytes[at + mark.len()..].split(|byte| *byte == 0).next()?;
        let mut parts = std::str::from_utf8(text).ok()?.split('.');
        Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
    };
    places.filter_map(version).collect()
}
