//! Secrets: where each comes from, and its value when it is needed.

mod file;
mod text;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;

pub use file::SecretFile;
pub(crate) use text::{NoSecret, trimmed, written};

/// A secret by its source. Its value is in no log, no error and no `Debug`.
#[derive(Debug, Clone)]
pub enum Secret {
    /// From the config itself or from an environment variable, read when the config was.
    Value(SecretString),
    /// From a file, looked at each time it is needed: a rotated file needs no reload.
    File(Arc<SecretFile>),
}

impl PartialEq for Secret {
    /// Whether it is the same one from the same source; of two files, not what stands in them.
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Value(one), Self::Value(other)) => one.expose_secret() == other.expose_secret(),
            (Self::File(one), Self::File(other)) => one.path() == other.path(),
            _ => false,
        }
    }
}

/// Failure of a file that never gave a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot read the secret in {}: {why}", path.display())]
pub struct SecretError {
    path: PathBuf,
    why: String,
}

/// Longest time that a call waits for the files of its secrets, before it goes on with the secrets
/// that were read last.
pub(crate) const PATIENCE: Duration = Duration::from_secs(1);

impl Secret {
    /// Reads the secret in this file, which has to be readable now. Blocks the calling thread until the
    /// deadline at most.
    pub fn in_file(path: PathBuf, deadline: Instant) -> Result<Self, String> {
        let file = SecretFile::new(path);
        file.refresh_blocking(deadline);
        file.get()?;
        Ok(Self::File(Arc::new(file)))
    }

    /// Returns the value that was read last.
    ///
    /// # Errors
    /// Fails for a file that never gave one.
    pub fn get(&self) -> Result<SecretString, SecretError> {
        match self {
            Self::Value(value) => Ok(value.clone()),
            Self::File(file) => file.get().map_err(|why| SecretError {
                path: file.path().to_owned(),
                why,
            }),
        }
    }

    /// Reads the file again, waiting for at most [`PATIENCE`] and not beyond the deadline.
    pub(crate) async fn refresh(&self, deadline: Instant) {
        if let Self::File(file) = self {
            file.refresh(deadline.min(Instant::now() + PATIENCE)).await;
        }
    }
}

/// Reads the files of these secrets again at the same time, waiting for at most [`PATIENCE`] and not
/// beyond the deadline.
pub(crate) async fn refresh_all(secrets: &[&Secret], deadline: Instant) {
    join_all(secrets.iter().map(|secret| secret.refresh(deadline))).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use watched_file::hang::hang;

    #[tokio::test]
    async fn a_file_that_hangs_leaves_the_secret_from_before_in_use() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        std::fs::write(&path, "a").unwrap();
        let deadline = || Instant::now() + watched_file::LIMIT;
        let secret = Secret::in_file(path.clone(), deadline()).unwrap();
        let hang = hang(&path);
        let begun = Instant::now();
        secret.refresh(deadline()).await;
        let took = begun.elapsed();
        assert!(took < PATIENCE + watched_file::LIMIT / 2, "{took:?}");
        assert_eq!(secret.get().unwrap().expose_secret(), "a");
        hang.until_stuck();
        // The next call does not wait, and no second thread is stuck.
        let begun = Instant::now();
        secret.refresh(deadline()).await;
        assert!(begun.elapsed() < PATIENCE / 2);
        assert_eq!(hang.stuck(), 1);
    }

    #[tokio::test]
    async fn a_file_that_hangs_from_the_start_is_an_error_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        std::fs::write(&path, "a").unwrap();
        let _hang = hang(&path);
        let secret = Secret::File(Arc::new(SecretFile::new(path.clone())));
        secret.refresh(Instant::now() + PATIENCE / 10).await;
        let error = secret.get().unwrap_err().to_string();
        assert!(error.contains(path.to_str().unwrap()), "{error}");
        assert!(error.contains("disk does not answer"), "{error}");
    }
}
