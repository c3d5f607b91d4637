//! What `sam build` makes: each function's binary, as Lambda runs it.
use std::collections::BTreeSet;

use crate::tools::{built, root};

/// What `provided.al2023` has.
const GLIBC: (u32, u32) = (2, 34);
/// Of a binary, in bytes: what is linked is paid for in every cold start. Measured: 5.7 MB.
const SIZE: u64 = 6_500_000;

#[test]
fn the_binaries_are_small_and_run_where_lambda_runs_them() {
    let _built = built("dev");
    let folders = std::fs::read_dir(root().join(".aws-sam/build")).unwrap();
    let binaries: Vec<_> = folders
        .map(|entry| entry.unwrap().path().join("bootstrap"))
        .filter(|file| file.is_file())
        .collect();
    assert_eq!(binaries.len(), 6);
    for binary in binaries {
        let bytes = std::fs::read(&binary).unwrap();
        assert_eq!(&bytes[..4], b"\x7fELF");
        let needed = glibc_versions(&bytes);
        assert!(!needed.is_empty() && needed.iter().all(|version| *version <= GLIBC), "{needed:?}");
        assert!((1_000_000..SIZE).contains(&(bytes.len() as u64)), "{} bytes", bytes.len());
    }
}

/// The versions that the binary's symbols ask for: `GLIBC_2.30` and so on.
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
