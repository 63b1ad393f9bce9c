//! Secrets that change: what was refused is asked again.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::{Course, Fleet};
use crate::http::Reason;

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
        if !account.can_secrets_change() {
            return;
        }
        let mark = account.secrets_mark().await;
        let mut course = self.course.lock();
        if Arc::ptr_eq(&account, &course.watch.account) && course.are_other_secrets(mark) {
            course.retry_refused();
            self.changed.notify_one();
        }
    }
}

impl Course {
    /// Returns whether the secrets differ from those at the last look. The first look finds no difference.
    fn are_other_secrets(&mut self, mark: Option<u64>) -> bool {
        let before = std::mem::replace(&mut self.secrets, mark);
        before.is_some() && before != mark
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
