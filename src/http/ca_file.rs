//! CA files: PEM certificates to trust instead of the system's.

mod bundle;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::time::Instant;
use tokio_rustls::rustls::pki_types::CertificateDer;

use self::bundle::Damaged;
use watched_file::{FileError, FileKind};

/// CA file with the certificates that were in it when it was read.
#[derive(Clone)]
pub struct CaFile {
    path: PathBuf,
    pem: Arc<[u8]>,
    certificates: Vec<CertificateDer<'static>>,
}

/// Reason why a CA file cannot be used. The text completes "cannot use FILE: …".
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum CaFileError {
    /// The file was not read.
    #[error(transparent)]
    File(#[from] FileError),
    /// The file holds no certificate.
    #[error("it holds no PEM certificate")]
    NoCertificate,
    /// The file holds a certificate that cannot be read.
    #[error(transparent)]
    Damaged(#[from] Damaged),
}

impl CaFileError {
    /// Returns the text with a remedy, for a file that this flag or key names.
    pub(crate) fn named_by(&self, flag: &str) -> String {
        match self {
            Self::File(error) => error.named_by(flag),
            Self::NoCertificate | Self::Damaged(_) => self.to_string(),
        }
    }
}

impl CaFile {
    /// Reads a CA file. Blocks the calling thread until the deadline at most: not for async code.
    pub(crate) fn read_blocking(path: &Path, deadline: Instant) -> Result<Self, CaFileError> {
        let read = watched_file::read_blocking(path, FileKind::PEM, deadline)?;
        Self::parse(path, read.bytes)
    }

    /// Reads a CA file, waiting until the deadline at most.
    pub(crate) async fn read(path: &Path, deadline: Instant) -> Result<Self, CaFileError> {
        let read = watched_file::read(path, FileKind::PEM, deadline).await?;
        Self::parse(path, read.bytes)
    }

    fn parse(path: &Path, pem: Vec<u8>) -> Result<Self, CaFileError> {
        let certificates = bundle::read(&pem)?;
        if certificates.is_empty() {
            return Err(CaFileError::NoCertificate);
        }
        Ok(Self {
            path: path.to_owned(),
            pem: pem.into(),
            certificates,
        })
    }

    /// Returns the path of the file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the certificates, at least one. Each can be a trust anchor.
    pub(crate) fn certificates(&self) -> Vec<CertificateDer<'static>> {
        self.certificates.clone()
    }
}

impl PartialEq for CaFile {
    fn eq(&self, other: &Self) -> bool {
        (&self.path, &self.pem) == (&other.path, &other.pem)
    }
}

impl fmt::Debug for CaFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CaFile").field(&self.path).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_ca_file_must_hold_a_certificate() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), "hello").unwrap();
        let whole = include_str!("../../tests/data/tls/ca.pem");
        let damaged = format!("{whole}{}", whole.replacen("MII", "M", 1));
        std::fs::write(folder.path().join("damaged.pem"), damaged).unwrap();
        let deadline = Instant::now() + watched_file::LIMIT;
        for (name, want) in [
            ("ca.pem", "it holds no PEM certificate"),
            ("damaged.pem", "the certificate at its line 13 is damaged"),
            ("none.pem", "No such file"),
            (".", "not a regular file"),
        ] {
            let path = folder.path().join(name);
            let blocking = CaFile::read_blocking(&path, deadline).unwrap_err();
            let waiting = CaFile::read(&path, deadline).await.unwrap_err();
            assert!(blocking.to_string().contains(want), "{blocking}");
            assert_eq!(blocking.to_string(), waiting.to_string());
        }
    }
}
