//! Secrets: where each comes from, and its value when it is needed.

use std::io::Read;
use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};

use crate::provider::{ApiError, Reason};

/// A secret by its source. Its value is in no log, no error and no `Debug`.
#[derive(Debug, Clone)]
pub enum Secret {
    /// From the config itself or from an environment variable, read when the config was.
    Value(SecretString),
    /// From a file, read each time it is needed: a rotated file needs no reload.
    File(PathBuf),
}

impl PartialEq for Secret {
    /// Whether it is the same one from the same source; of two files, not what stands in them.
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Value(one), Self::Value(other)) => one.expose_secret() == other.expose_secret(),
            (Self::File(one), Self::File(other)) => one == other,
            _ => false,
        }
    }
}

impl Secret {
    /// The value now. A file that cannot be read, or is empty, is an `auth` error that names it.
    pub fn get(&self) -> Result<SecretString, ApiError> {
        match self {
            Self::Value(value) => Ok(value.clone()),
            Self::File(path) => read(path).map_err(|why| {
                ApiError::new(
                    Reason::Auth,
                    format!("cannot read the secret in {}: {why}", path.display()),
                )
            }),
        }
    }
}

/// Longer than any key or password; a token that somebody put into a file fits too.
const LONGEST: usize = 64 << 10;

/// Reads a secret from a file, without the line end that editors add.
pub fn read(path: &std::path::Path) -> Result<SecretString, String> {
    // A named pipe would block whoever opens it.
    if !std::fs::metadata(path)
        .map_err(|e| e.to_string())?
        .is_file()
    {
        return Err("it is not a regular file".to_owned());
    }
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(LONGEST as u64 + 1).read_to_end(&mut bytes))
        .map_err(|e| e.to_string())?;
    if bytes.len() > LONGEST {
        return Err("it is longer than 64 KiB, so it is not a secret".to_owned());
    }
    let text = String::from_utf8(bytes).map_err(|_| "it is not text".to_owned())?;
    let text = SecretString::from(text.trim_end_matches(['\r', '\n']).to_owned());
    if text.expose_secret().is_empty() {
        return Err("it is empty".to_owned());
    }
    Ok(text)
}
