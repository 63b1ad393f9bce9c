//! Secrets: where each comes from, and its value when it is needed.

mod file;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};
use tokio::runtime::{Handle, RuntimeFlavor};

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
    /// It may be called on an async thread: others take over what else that one has to do, since a
    /// network file system that hangs would hold it up.
    pub fn get(&self) -> Result<SecretString, ApiError> {
        match self {
            Self::Value(value) => Ok(value.clone()),
            Self::File(file) => aside(|| file.get()).map_err(|why| {
                ApiError::new(
                    Reason::Auth,
                    format!("cannot read the secret in {}: {why}", file.path().display()),
                )
            }),
        }
    }
}

/// Does what may block. A runtime of one thread has no other to go on with; only tests have those.
fn aside<T>(work: impl FnOnce() -> T) -> T {
    match Handle::try_current().map(|runtime| runtime.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        _ => work(),
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

    /// Whether one of these is in a file.
    pub(crate) fn can_secrets_change(&self) -> bool {
        let secrets = self.secrets();
        secrets.iter().any(|s| matches!(s, Secret::File(_)))
    }

    /// A number that changes when one of these does, which it does not tell; none when none of them
    /// can.
    pub(crate) fn secrets_mark(&self) -> Option<u64> {
        self.can_secrets_change().then(|| {
            let mut mark = DefaultHasher::new();
            for secret in self.secrets() {
                let value = secret.get().ok();
                let value = value.as_ref().map(ExposeSecret::expose_secret);
                value.hash(&mut mark);
            }
            mark.finish()
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;
    use std::time::Duration;

    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn a_file_that_hangs_holds_up_no_other_task() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        std::fs::write(&path, "a").unwrap();
        let secret = Secret::in_file(path).unwrap();
        let Secret::File(file) = &secret else {
            panic!("{secret:?}");
        };
        file.hangs.store(true, Ordering::Relaxed);
        // Whatever the code does, it hangs no longer than this.
        let end = std::thread::spawn({
            let file = file.clone();
            move || {
                std::thread::sleep(Duration::from_secs(1));
                file.hangs.store(false, Ordering::Relaxed);
            }
        });
        let get = |secret: &Secret| {
            let secret = secret.clone();
            tokio::spawn(async move { secret.get().unwrap().expose_secret().to_owned() })
        };
        let first = get(&secret);
        while !file.is_looked_at() && !first.is_finished() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        // The only worker is held up now, and another one goes on with what is known.
        assert_eq!(get(&secret).await.unwrap(), "a");
        assert!(file.is_looked_at() && !first.is_finished(), "it waited");
        assert_eq!(first.await.unwrap(), "a");
        end.join().unwrap();
    }
}
