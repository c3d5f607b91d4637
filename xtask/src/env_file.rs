//! `.env`: the settings for local use.
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The lines of `.env`; other lines than settings are kept.
pub(crate) struct EnvFile {
    path: PathBuf,
    lines: Vec<String>,
}

impl EnvFile {
    /// The file of this checkout; empty if it does not exist.
    pub(crate) fn load() -> Result<Self> {
        let path = crate::project::root().join(".env");
        if path.exists() { Self::read(&path) } else { Ok(Self { path, lines: Vec::new() }) }
    }

    /// Another file of the same format, which must exist.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read {}", path.display()))?;
        Ok(Self { path: path.into(), lines: text.lines().map(str::to_owned).collect() })
    }

    /// The value of a setting, unless it is missing or empty.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        let last = self.settings().filter(|(given, _)| *given == name).last();
        last.map(|(_, value)| value.to_owned()).filter(|value| !value.is_empty())
    }

    /// Every setting, in order.
    pub(crate) fn settings(&self) -> impl Iterator<Item = (&str, &str)> {
        self.lines.iter().filter_map(|line| setting(line))
    }

    /// Sets a setting in its line, or in a new one.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        let line = format!("{name}={value}");
        match self.lines.iter_mut().rev().find(|l| setting(l).is_some_and(|(n, _)| n == name)) {
            Some(existing) => *existing = line,
            None => self.lines.push(line),
        }
    }

    /// Writes the file atomically, readable only by its owner.
    pub(crate) fn save(&self) -> Result<()> {
        let folder = self.path.parent().context("a file has no folder")?;
        let draft = tempfile::Builder::new().prefix(".env.").tempfile_in(folder);
        let mut draft = draft.context("cannot write .env")?;
        draft.write_all((self.lines.join("\n") + "\n").as_bytes())?;
        draft.persist(&self.path).context("cannot write .env")?;
        Ok(())
    }
}

/// `NAME=value`, `export NAME=value`, with or without quotes around the value.
fn setting(line: &str) -> Option<(&str, &str)> {
    let line = line.trim();
    if line.starts_with('#') {
        return None;
    }
    let (name, value) = line.strip_prefix("export ").unwrap_or(line).split_once('=')?;
    let value = value.trim();
    let unquoted = ['"', '\''].iter().find_map(|q| value.strip_prefix(*q)?.strip_suffix(*q));
    Some((name.trim(), unquoted.unwrap_or(value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_read_with_or_without_quotes() {
        for line in ["A=b c", " export A = 'b c' ", "A=\"b c\""] {
            assert_eq!(setting(line), Some(("A", "b c")), "{line}");
        }
        assert_eq!(setting("A=\""), Some(("A", "\"")));
        for line in ["", "# A=b", "A"] {
            assert_eq!(setting(line), None, "{line}");
        }
    }

    #[test]
    fn the_file_is_readable_by_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".env");
        std::fs::write(&path, "A=1\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        EnvFile::read(&path).unwrap().save().unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn setting_a_value_keeps_the_other_lines() {
        let lines = ["# ours", "A=1", "B=2"].map(str::to_owned).to_vec();
        let mut file = EnvFile { path: PathBuf::new(), lines };
        file.set("A", "3");
        file.set("C", "4");
        assert_eq!(file.lines, ["# ours", "A=3", "B=2", "C=4"]);
        assert_eq!(file.get("A").as_deref(), Some("3"));
        assert_eq!(file.get("D"), None);
    }
}
