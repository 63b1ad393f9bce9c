//! Calls that the cloud may not offer: which were answered well, and which are skipped until the next
//! discovery.

use std::collections::BTreeSet;
use std::sync::Arc;

use parking_lot::Mutex;

use super::client::Client;
use crate::cloud::Call;
use crate::cloud::transport::Transport;
use crate::telemetry::log::LogOnce;

/// Identity of a call. Two that differ in their query only have one name: at most one of them is
/// secondary.
type Key = (&'static str, bool);

fn key(call: &Call) -> Key {
    (call.name, call.secondary.is_some())
}

/// Calls of an account that were answered well in this process, by address and project: such a call is
/// offered there, whatever a later answer says. Outlives a reload of the config, which may change both.
#[derive(Debug, Default)]
struct Answered(Mutex<BTreeSet<(Arc<str>, Key)>>);

/// Knowledge that a product of an account has of the calls that its cloud may not offer.
#[derive(Debug)]
pub(super) struct Offered {
    /// Address and project of the calls.
    site: Arc<str>,
    answered: Arc<Answered>,
    round: Mutex<Round>,
    /// Line that a call is not offered.
    logged: LogOnce<()>,
}

/// A call for one cluster.
type ClusterCall = (String, Key);

#[derive(Debug, Default)]
struct Round {
    /// Calls that the last poll was told not to be offered.
    doubted: BTreeSet<ClusterCall>,
    /// Calls that are not made until the next discovery.
    skipped: BTreeSet<ClusterCall>,
}

impl Offered {
    /// Begins for a product that makes its calls by `client`.
    pub(super) fn new(client: &Client, transport: &Transport) -> Self {
        let (base, project) = client.place(str::to_owned);
        Self {
            site: format!("{base} {project}").into(),
            answered: transport.shared(Answered::default),
            round: Mutex::default(),
            logged: LogOnce::default(),
        }
    }

    /// Records a good answer about a cluster.
    pub(super) fn answer(&self, cluster: &str, call: &Call) {
        let mut answered = self.answered.0.lock();
        answered.insert((self.site.clone(), key(call)));
        drop(answered);
        self.settle(cluster, call);
    }

    /// Returns whether the call was answered well before, for any cluster: the cloud offers it.
    pub(super) fn has_answered(&self, call: &Call) -> bool {
        self.answered
            .0
            .lock()
            .contains(&(self.site.clone(), key(call)))
    }

    /// Records that a poll of the cluster was told that the call is not offered. Returns whether the
    /// poll before was told so, too.
    pub(super) fn doubt(&self, cluster: &str, call: &Call) -> bool {
        let mut round = self.round.lock();
        !round.doubted.insert((cluster.to_owned(), key(call)))
    }

    /// Records that a poll of the cluster was not told that the call is not offered.
    pub(super) fn settle(&self, cluster: &str, call: &Call) {
        let mut round = self.round.lock();
        round.doubted.remove(&(cluster.to_owned(), key(call)));
    }

    /// Skips the call for this cluster until the next discovery.
    pub(super) fn skip(&self, cluster: &str, call: &Call) {
        let mut round = self.round.lock();
        round.skipped.insert((cluster.to_owned(), key(call)));
    }

    pub(super) fn is_skipped(&self, cluster: &str, call: &Call) -> bool {
        let round = self.round.lock();
        round.skipped.contains(&(cluster.to_owned(), key(call)))
    }

    /// Returns true at the first call, for what is logged once.
    pub(super) fn is_first_log(&self) -> bool {
        self.logged.is_new(())
    }

    /// Has every call tried again after a discovery of the clusters that `exists` tells.
    pub(super) fn discovered(&self, exists: impl Fn(&str) -> bool) {
        let mut round = self.round.lock();
        round.skipped.clear();
        round.doubted.retain(|(cluster, _)| exists(cluster));
    }
}
