//! Secrets that change: what was refused is asked again.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;
use std::time::Duration;

use secrecy::ExposeSecret;
use tokio::time::Instant;

use super::{Course, Fleet};
use crate::config::Account;
use crate::http::Reason;
use crate::secret::{PATIENCE, Secret, refresh_all};

/// Interval at which the files of an account's secrets are read while no call is made.
const LOOK: Duration = Duration::from_secs(5);

impl Fleet {
    pub(super) async fn keep_looking(&self) {
        loop {
            self.look_at_secrets().await;
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Reads the files of the account's secrets, and asks again whatever was refused when they changed.
    async fn look_at_secrets(&self) {
        let account = self.course.lock().watch.account.clone();
        let Some(fingerprint) = fingerprint(&account).await else {
            return;
        };
        let mut course = self.course.lock();
        if Arc::ptr_eq(&account, &course.watch.account) && course.are_other_secrets(fingerprint) {
            course.retry_refused();
            self.changed.notify_one();
        }
    }
}

/// Reads the files of the account's secrets, and returns a number that changes with the secrets and does
/// not tell them; `None` when no secret is in a file.
async fn fingerprint(account: &Account) -> Option<u64> {
    let secrets = account.cloud.secrets();
    if !secrets.iter().any(|s| matches!(s, Secret::File(_))) {
        return None;
    }
    refresh_all(&secrets, Instant::now() + PATIENCE).await;
    let mut hasher = DefaultHasher::new();
    for secret in secrets {
        let value = secret.get().ok();
        let value = value.as_ref().map(ExposeSecret::expose_secret);
        value.hash(&mut hasher);
    }
    Some(hasher.finish())
}

impl Course {
    /// Returns whether the secrets differ from those at the last look. The first look finds no difference.
    fn are_other_secrets(&mut self, fingerprint: u64) -> bool {
        let before = self.secrets.replace(fingerprint);
        before.is_some_and(|before| before != fingerprint)
    }

    /// Ends the lockout of refused credentials, which lasts for minutes, once there are others.
    pub(super) fn retry_refused(&mut self) {
        for (worker, _) in self.workers.values() {
            worker.retry_refused();
        }
        let last = self.shown.last_error.as_ref();
        if last.is_some_and(|error| error.reason == Reason::Auth.as_str()) {
            self.next = Instant::now();
        }
    }
}
