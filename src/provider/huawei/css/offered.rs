//! Calls that the cloud may not offer: which were answered well, and which are skipped until the next
//! discovery.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::wire::Cluster;
use crate::model::Kind;
use crate::provider::http::Transport;

/// Calls that were answered well in this process, for this product of the account. Lives as long as
/// the account's credentials.
#[derive(Debug, Default)]
struct Answered {
    version: AtomicBool,
    az_migration: AtomicBool,
}

/// What is known of the calls that tell upgrades.
#[derive(Debug)]
pub(super) struct Offered {
    answered: Arc<Answered>,
    calls: Mutex<Calls>,
}

#[derive(Debug, Default)]
struct Calls {
    /// Clusters whose upgrades are not asked for until the next discovery.
    skipped: BTreeSet<(Kind, String)>,
    /// Clusters whose last poll was refused to tell changes of the zone.
    refused: BTreeSet<String>,
    /// The log tells once that the cloud does not publish upgrades.
    is_logged: bool,
}

impl Offered {
    pub(super) fn new(transport: &Transport) -> Self {
        Self {
            answered: transport.shared(Answered::default),
            calls: Mutex::default(),
        }
    }

    /// Records a good answer about a cluster.
    pub(super) fn answer(&self, kind: Kind, cluster: &str) {
        self.flag(kind).store(true, Ordering::Relaxed);
        if kind == Kind::AzMigration {
            self.lock().refused.remove(cluster);
        }
    }

    /// Returns whether the call was answered well before, for any cluster: the cloud offers it.
    pub(super) fn is_offered(&self, kind: Kind) -> bool {
        self.flag(kind).load(Ordering::Relaxed)
    }

    /// Leaves the call alone for this cluster until the next discovery.
    pub(super) fn skip(&self, kind: Kind, cluster: &str) {
        self.lock().skipped.insert((kind, cluster.to_owned()));
    }

    pub(super) fn is_skipped(&self, kind: Kind, cluster: &str) -> bool {
        self.lock().skipped.contains(&(kind, cluster.to_owned()))
    }

    /// Records that the cloud refused to tell changes of the zone, and returns whether the poll before
    /// was refused too.
    pub(super) fn refuse(&self, cluster: &str) -> bool {
        !self.lock().refused.insert(cluster.to_owned())
    }

    /// Records a failure that is no refusal.
    pub(super) fn fail(&self, cluster: &str) {
        self.lock().refused.remove(cluster);
    }

    /// Returns true at the first call, for what is logged once.
    pub(super) fn is_first_log(&self) -> bool {
        !std::mem::replace(&mut self.lock().is_logged, true)
    }

    /// Has every call of these clusters tried again.
    pub(super) fn discovered(&self, clusters: &[Cluster]) {
        let mut calls = self.lock();
        calls.skipped.clear();
        if !calls.refused.is_empty() {
            let listed: BTreeSet<&str> = clusters.iter().map(|cluster| &*cluster.id).collect();
            calls.refused.retain(|id| listed.contains(id.as_str()));
        }
    }

    fn flag(&self, kind: Kind) -> &AtomicBool {
        match kind {
            Kind::Version => &self.answered.version,
            Kind::AzMigration => &self.answered.az_migration,
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Calls> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
