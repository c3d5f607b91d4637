//! Node.js, and npm packages from a lock file.
use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

use crate::tools;

/// The minimum version of Next.js, which is higher than the CDK's.
const OLDEST: (u32, u32) = (20, 9);

/// Ensures that Node.js is installed, and the packages of `folder`'s lock file.
pub(crate) fn ensure_packages(folder: &Path) -> Result<()> {
    let name = folder.file_name().unwrap_or_default().display();
    let version = Command::new("node").arg("--version").output();
    let version = version.ok().and_then(|output| String::from_utf8(output.stdout).ok());
    let version = version.as_deref().map(str::trim);
    if version.and_then(parse_version).is_none_or(|version| version < OLDEST) {
        let found =
            version.map_or("there is none".to_owned(), |version| format!("this is {version}"));
        let (major, minor) = OLDEST;
        bail!(
            "the folder {name} needs Node.js {major}.{minor} or newer, and {found}: get it from https://nodejs.org"
        );
    }
    let modified = |path: &str| folder.join(path).metadata().and_then(|m| m.modified()).ok();
    // npm writes the second file when it is done.
    if modified("node_modules/.package-lock.json") < modified("package-lock.json") {
        eprintln!("Installing the packages of {name} (once) …");
        let ci = ["ci", "--silent", "--no-audit", "--no-fund"];
        tools::run(Command::new("npm").current_dir(folder).args(ci))?;
    }
    Ok(())
}

/// Parses v20.20.2 as (20, 20).
fn parse_version(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.strip_prefix('v')?.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn node_says_its_version_with_a_v() {
        assert_eq!(parse_version("v20.9.0"), Some((20, 9)));
        assert_eq!(parse_version("v8.17.0"), Some((8, 17)));
        assert!(parse_version("20").is_none());
    }
}
