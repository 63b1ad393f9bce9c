//! State of all clusters of an account that outlasts a poll, even one that fails.

use std::collections::BTreeSet;

use parking_lot::Mutex;

/// Clusters whose tasks were listed since the last discovery. Should a list have lagged behind
/// `upgradeinfo`, the next discovery puts it right.
#[derive(Debug, Default)]
pub(super) struct Rounds(Mutex<BTreeSet<String>>);

impl Rounds {
    /// Begins anew after a discovery.
    pub(super) fn begin(&self) {
        self.0.lock().clear();
    }

    pub(super) fn set_listed(&self, id: &str) {
        self.0.lock().insert(id.to_owned());
    }

    pub(super) fn is_listed(&self, id: &str) -> bool {
        self.0.lock().contains(id)
    }
}
