//! The sizes of the zips that are uploaded.
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use tests::operations;

use crate::functions::{binary, lean_binary};

/// The largest zip of a function, in MB.
pub(crate) struct Sizes {
    pub(crate) zip: f64,
    /// Without the AWS SDK.
    pub(crate) lean: f64,
}

pub(crate) fn measure() -> Result<Sizes> {
    let mut sizes = Sizes { zip: 0.0, lean: 0.0 };
    for operation in operations() {
        sizes.zip = sizes.zip.max(zipped(&binary(operation.function))?);
        sizes.lean = sizes.lean.max(zipped(&lean_binary(operation.function))?);
    }
    Ok(sizes)
}

fn zipped(binary: &Path) -> Result<f64> {
    let folder = tempfile::tempdir()?;
    let zip = folder.path().join("bootstrap.zip");
    // Compressed as SAM does.
    let pack = "import sys, zipfile\nwith zipfile.ZipFile(sys.argv[2], 'w', zipfile.ZIP_DEFLATED) as z: z.write(sys.argv[1], 'bootstrap')";
    let status = Command::new("python3").args(["-c", pack]).arg(binary).arg(&zip).status()?;
    ensure!(status.success(), "the binary cannot be zipped");
    let bytes = std::fs::metadata(&zip).with_context(|| format!("no {}", zip.display()))?.len();
    Ok(bytes as f64 / 1e6)
}
