//! CA files: PEM certificates to trust instead of the system's.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::time::Instant;

use super::decode::Field;
use super::problem::quote;
use crate::file::{self, Kind};
use crate::provider::http::client::certificates;

/// CA file of an account with the certificates that were in it when the config was read.
#[derive(Clone, PartialEq, Eq)]
pub struct CaFile {
    path: PathBuf,
    pem: Arc<[u8]>,
}

impl CaFile {
    /// Reads a file, which has to hold a certificate. Blocks the calling thread until the deadline at
    /// most.
    pub fn read(path: PathBuf, deadline: Instant) -> Result<Self, String> {
        let read = file::read_blocking(&path, Kind::Pem, deadline);
        let pem = read.map_err(|error| error.to_string())?.bytes;
        Ok(Self::parse(path, pem)?)
    }

    fn parse(path: PathBuf, pem: Vec<u8>) -> Result<Self, &'static str> {
        certificates(&pem)?;
        let pem = pem.into();
        Ok(Self { path, pem })
    }

    /// Returns the path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the PEM text.
    pub(crate) fn pem(&self) -> &[u8] {
        &self.pem
    }
}

impl fmt::Debug for CaFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CaFile").field(&self.path).finish()
    }
}

/// Reads the path of a CA file, relative to `folder`, and the file. An error quotes the path, which is
/// no secret.
pub(super) fn read(field: &Field<'_>, folder: &Path, deadline: Instant) -> Option<CaFile> {
    let text = field.text()?;
    let path = folder.join(text);
    let read = file::read_blocking(&path, Kind::Pem, deadline)
        .map_err(|why| why.named_by(&field.name))
        .and_then(|read| Ok(CaFile::parse(path, read.bytes)?));
    read.map_err(|why| field.wrong(format!("cannot use {} {}: {why}", field.name, quote(text))))
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ca_file_must_hold_a_certificate() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), "hello").unwrap();
        let deadline = Instant::now() + file::LIMIT;
        let check = |name| CaFile::read(folder.path().join(name), deadline).unwrap_err();
        assert!(check("ca.pem").contains("no PEM certificate"));
        assert!(check("none.pem").contains("No such file"));
        assert!(check(".").contains("not a regular file"));
    }
}
