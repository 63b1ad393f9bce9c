//! Secrets that change: what was refused is asked again.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::Duration;

use secrecy::ExposeSecret;
use tokio::time::Instant;

use super::ProductPoller;
use super::calls::Target;
use crate::config::Account;
use crate::model::{LastError, Reason};
use crate::secret::{PATIENCE, Secret, refresh_all};

/// Interval at which the files of an account's secrets are read while no call is made.
pub(super) const LOOK: Duration = Duration::from_secs(5);

/// Returns whether a secret of the account is in a file.
pub(super) fn may_change(account: &Account) -> bool {
    let secrets = account.cloud.secrets();
    secrets.iter().any(|s| matches!(s, Secret::File(_)))
}

/// Reads the files of the account's secrets, and returns a number that changes with the secrets and does
/// not tell them.
pub(super) async fn fingerprint(account: &Account) -> u64 {
    let secrets = account.cloud.secrets();
    refresh_all(&secrets, Instant::now() + PATIENCE).await;
    let mut hasher = DefaultHasher::new();
    for secret in secrets {
        let value = secret.get().ok();
        let value = value.as_ref().map(ExposeSecret::expose_secret);
        value.hash(&mut hasher);
    }
    hasher.finish()
}

impl ProductPoller {
    /// Compares the secrets with those at the last look. Once there are others, makes everything due
    /// that was refused, or is asked with those before: a pause after a refusal lasts for minutes.
    pub(super) fn compare(&mut self, fingerprint: u64) {
        let before = self.secrets.replace(fingerprint);
        if before.is_none_or(|before| before == fingerprint) {
            return;
        }
        let now = Instant::now();
        for (id, cluster) in &mut self.clusters {
            if is_refused(cluster.state().last_error.as_ref()) || cluster.next() <= now {
                cluster.set_due(now);
                self.calls.wait(Target::Cluster(id.clone()), now);
            }
        }
        if is_refused(self.shown.last_error.as_ref()) || self.next <= now {
            self.next = now;
            self.calls.wait(Target::Discovery, now);
        }
    }
}

fn is_refused(error: Option<&LastError>) -> bool {
    error.is_some_and(|error| error.reason == Reason::Auth)
}
