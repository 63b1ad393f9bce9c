//! Secrets: where each comes from, and its value when it is needed.

mod file;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};

use super::{Account, Cloud, HuaweiAuth};
use crate::provider::{ApiError, Reason};

pub use file::SecretFile;

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

impl Secret {
    /// The secret in this file, which has to be readable now.
    pub fn in_file(path: PathBuf) -> Result<Self, String> {
        let file = SecretFile::new(path);
        file.get()?;
        Ok(Self::File(Arc::new(file)))
    }

    /// The value now. A file that never gave one is an `auth` error that names it.
    ///
    /// It may be called on an async thread: what it does is one look at the file's times, and when it
    /// was replaced, to read some bytes. That takes microseconds, less than to hand it to another
    /// thread. A network file system that hangs would hold the thread up: keep secrets on a local one.
    pub fn get(&self) -> Result<SecretString, ApiError> {
        match self {
            Self::Value(value) => Ok(value.clone()),
            Self::File(file) => file.get().map_err(|why| {
                ApiError::new(
                    Reason::Auth,
                    format!("cannot read the secret in {}: {why}", file.path().display()),
                )
            }),
        }
    }
}

impl Account {
    /// The secrets that it signs in with.
    pub(crate) fn secrets(&self) -> Vec<&Secret> {
        match &self.cloud {
            Cloud::Ncloud(ncloud) => vec![&ncloud.access_key, &ncloud.secret_key],
            Cloud::Huawei(huawei) => match &huawei.auth {
                HuaweiAuth::Keys {
                    access_key,
                    secret_key,
                    security_token,
                } => [access_key, secret_key]
                    .into_iter()
                    .chain(security_token)
                    .collect(),
                HuaweiAuth::Token { password, .. } => vec![password],
            },
        }
    }

    /// A number that changes when one of these does, which it does not tell; none when none of them
    /// can.
    pub(crate) fn secrets_mark(&self) -> Option<u64> {
        let secrets = self.secrets();
        let can_change = secrets.iter().any(|s| matches!(s, Secret::File(_)));
        can_change.then(|| {
            let mut mark = DefaultHasher::new();
            for secret in secrets {
                let value = secret.get().ok();
                let value = value.as_ref().map(ExposeSecret::expose_secret);
                value.hash(&mut mark);
            }
            mark.finish()
        })
    }
}
