//! Log lines of a cluster's worker: each tells a change, once.

use super::Course;
use crate::model::{Degraded, UpgradeView};

impl Course {
    /// Logs each secondary call once when it begins to fail, and once when it fails no more.
    pub(super) fn log_degraded(&self, degraded: &[Degraded]) {
        let is_among = |calls: &[Degraded], call: &Degraded| {
            calls.iter().any(|other| other.endpoint == call.endpoint)
        };
        let (account, product) = (&*self.watch.account.name, self.watch.product.name);
        let before = &self.state.degraded;
        for call in degraded.iter().filter(|call| !is_among(before, call)) {
            tracing::warn!(
                account, product, cluster = %self.wanted.id, name = self.state.name,
                endpoint = call.endpoint, reason = call.reason, error = call.message,
                missing = call.missing, permission = call.permission,
                "A secondary call failed; what it tells is missing."
            );
        }
        for call in before.iter().filter(|call| !is_among(degraded, call)) {
            tracing::info!(
                account, product, cluster = %self.wanted.id, name = self.state.name,
                endpoint = call.endpoint, "A secondary call fails no more."
            );
        }
    }

    /// Logs each upgrade that entered a state.
    pub(super) fn log_status(&self, views: &[UpgradeView]) {
        for view in views {
            let upgrade = &view.upgrade;
            let before = find(&self.state.upgrades, view);
            if before.is_none_or(|v| v.upgrade.status != upgrade.status) {
                tracing::info!(
                    account = %self.watch.account.name, product = self.watch.product.name,
                    cluster = %self.wanted.id, name = self.state.name,
                    kind = upgrade.kind.as_str(),
                    status = upgrade.status.as_str(),
                    from = upgrade.from_version.as_deref().unwrap_or_default(),
                    to = upgrade.to_version.as_deref().unwrap_or_default(),
                    "An upgrade is in a new state."
                );
            }
        }
    }

    /// Logs each upgrade that stalled.
    pub(super) fn log_stalled(&self, before: &[UpgradeView], after: &[UpgradeView]) {
        for view in after.iter().filter(|view| view.stalled) {
            if !find(before, view).is_some_and(|v| v.stalled) {
                tracing::warn!(
                    account = %self.watch.account.name, product = self.watch.product.name,
                    cluster = %self.wanted.id, name = self.state.name,
                    last_progress = %view.last_progress,
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
