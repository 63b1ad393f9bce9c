//! Log lines of a cluster's worker: each tells a change, once.

use jiff::Timestamp;

use super::WatchedCluster;
use crate::model::{Degraded, UpgradeStatus, UpgradeView};

impl WatchedCluster {
    /// Logs each secondary call once when it begins to fail, and once when it fails no more.
    pub(super) fn log_degraded(&self, degraded: &[Degraded]) {
        let is_among = |calls: &[Degraded], call: &Degraded| {
            calls.iter().any(|other| other.endpoint == call.endpoint)
        };
        let (account, product) = (&*self.state.key.account, self.state.key.product);
        let before = &self.state.degraded;
        for call in degraded.iter().filter(|call| !is_among(before, call)) {
            tracing::warn!(
                account, product, cluster = %self.wanted.id, name = &*self.state.name,
                endpoint = call.endpoint, reason = call.reason.as_str(), error = call.message,
                missing = call.missing, permission = call.permission,
                "A secondary call failed; what it tells is missing."
            );
        }
        for call in before.iter().filter(|call| !is_among(degraded, call)) {
            tracing::info!(
                account, product, cluster = %self.wanted.id, name = &*self.state.name,
                endpoint = call.endpoint, "A secondary call fails no more."
            );
        }
    }

    /// Logs each upgrade that entered a state by a poll at `now`, with the vendor's reason where something
    /// is wrong: a failed one at error, others at info. One that ended longer ago than `retain_ended` is
    /// not shown, and not logged.
    pub(super) fn log_status(&self, views: &[UpgradeView], now: Timestamp) {
        for view in views {
            let upgrade = &view.upgrade;
            let before = find(&self.state.upgrades, view);
            let is_known = before.is_some_and(|v| v.upgrade.status == upgrade.status);
            let is_forgotten = self.state.forgotten_at(view).is_some_and(|at| at <= now);
            if is_known || is_forgotten {
                continue;
            }
            macro_rules! log {
                ($level:ident) => {
                    tracing::$level!(
                        account = %self.state.key.account, product = self.state.key.product,
                        cluster = %self.wanted.id, name = &*self.state.name,
                        kind = upgrade.kind.as_str(),
                        status = upgrade.status.as_str(),
                        from = upgrade.from_version.as_deref().unwrap_or_default(),
                        to = upgrade.to_version.as_deref().unwrap_or_default(),
                        why = view.reason().as_deref(),
                        "An upgrade is in a new state."
                    )
                };
            }
            match upgrade.status {
                UpgradeStatus::Failed | UpgradeStatus::PartiallyFailed => log!(error),
                _ => log!(info),
            }
        }
    }

    /// Logs each upgrade that stalled, at warn, with the vendor's reason where it gives one.
    pub(super) fn log_stalled(&self, before: &[UpgradeView], after: &[UpgradeView]) {
        for view in after.iter().filter(|view| view.stalled) {
            if !find(before, view).is_some_and(|v| v.stalled) {
                tracing::warn!(
                    account = %self.state.key.account, product = self.state.key.product,
                    cluster = %self.wanted.id, name = &*self.state.name,
                    kind = view.upgrade.kind.as_str(),
                    last_progress = %view.last_progress.strftime("%Y-%m-%dT%H:%M:%SZ"),
                    why = view.reason().as_deref(),
                    "An upgrade is stalled."
                );
            }
        }
    }
}

/// Returns this upgrade among others.
fn find<'a>(views: &'a [UpgradeView], view: &UpgradeView) -> Option<&'a UpgradeView> {
    let upgrade = &view.upgrade;
    views
        .iter()
        .find(|v| v.upgrade.kind == upgrade.kind && v.upgrade.is_same(upgrade))
}
