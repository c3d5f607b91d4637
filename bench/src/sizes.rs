//! The sizes of the binaries and of their zips, which are uploaded.
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use tests::operations;

use crate::functions::{binary, lean_binary};

/// The sizes of a function, in MB.
pub(crate) struct Size {
    pub(crate) function: &'static str,
    pub(crate) binary: f64,
    pub(crate) zip: f64,
    pub(crate) binary_without: f64,
    pub(crate) zip_without: f64,
}

pub(crate) fn measure() -> Result<Vec<Size>> {
    let of = |function| -> Result<Size> {
        let [binary, zip] = sizes(&binary(function))?;
        let [binary_without, zip_without] = sizes(&lean_binary(function))?;
        Ok(Size { function, binary, zip, binary_without, zip_without })
    };
    operations().iter().map(|operation| of(operation.function)).collect()
}

/// The sizes of a binary and of its zip.
fn sizes(binary: &Path) -> Result<[f64; 2]> {
    let folder = tempfile::tempdir()?;
    let zip = folder.path().join("bootstrap.zip");
    // Compressed as SAM does.
    let pack = "import sys, zipfile\nwith zipfile.ZipFile(sys.argv[2], 'w', zipfile.ZIP_DEFLATED) as z: z.write(sys.argv[1], 'bootstrap')";
    let status = Command::new("python3").args(["-c", pack]).arg(binary).arg(&zip).status()?;
    ensure!(status.success(), "the binary cannot be zipped");
    let size = |path: &Path| -> Result<f64> {
        let bytes =
            std::fs::metadata(path).with_context(|| format!("no {}", path.display()))?.len();
        Ok(bytes as f64 / 1e6)
    };
    Ok([size(binary)?, size(&zip)?])
}
