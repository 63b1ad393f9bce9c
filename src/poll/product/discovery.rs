//! Discovery: clusters that come and go.

use std::collections::HashSet;
use std::time::Duration;

use tokio::time::Instant;

use super::ProductPoller;
use super::calls::Target;
use crate::cloud::Discovery;
use crate::http::ApiError;
use crate::model::{LastError, Reason};
use crate::poll::cluster::WatchedCluster;
use crate::poll::select::{self, Wanted};
use crate::poll::{asked, schedule};
use crate::ready::Latch;

/// Pause before the next discovery when one missed a cluster: one that was deleted should be gone before
/// its data count as stale.
const CONFIRM: Duration = Duration::from_secs(60);

impl ProductPoller {
    /// Takes the end of a discovery.
    pub(super) fn discovered(&mut self, outcome: Result<Discovery, ApiError>, took: Duration) {
        let generation = self.generation.clone();
        let now = self.now();
        let first = self.first.take().unwrap_or_else(Latch::spent);
        let (account, product) = (&*generation.account.name, generation.product().name);
        let failure = outcome.as_ref().err().map(|error| error.reason);
        generation.metrics.polled(took, failure);
        self.asked_pause = match outcome {
            Ok(discovery) => {
                if self.failures > 0 {
                    tracing::info!(account, product, "Discovery works again.");
                }
                self.failures = 0;
                let clusters = self.clusters.values_mut();
                clusters.for_each(WatchedCluster::discovered);
                if let Some(listed) = select::listed(&generation.config, &discovery) {
                    self.add_new(listed, &first);
                } else {
                    let selected = select::selected(&generation.config, &discovery);
                    self.drop_gone(&discovery, &selected);
                    let watched = self.clusters.keys().cloned().collect();
                    let chosen = select::bounded(selected, &watched);
                    self.add_new(chosen.clusters, &first);
                    self.shown.left_out = chosen.left_out;
                }
                generation.tell_of_list(&discovery, self.shown.left_out);
                self.shown.inaccessible = discovery.inaccessible;
                self.shown.last_success = Some(now);
                self.shown.last_error = None;
                self.found = Some(discovery);
                None
            }
            Err(error) => {
                if self.failures == 0 {
                    let local = generation.deps.clock.now();
                    tracing::warn!(
                        account, product, reason = error.reason.as_str(),
                        until = asked::until(&error, local), %error, "Clusters could not be listed."
                    );
                }
                self.failures = self.failures.saturating_add(1);
                // Those that the config names are watched all the same.
                let listed = select::listed(&generation.config, &Discovery::default());
                self.add_new(listed.unwrap_or_default(), &first);
                let before = self.shown.last_error.as_ref();
                self.shown.last_error =
                    Some(LastError::new(error.reason, error.to_string(), now).after(before));
                error.retry_after
            }
        };
        self.show();
        let storage = &generation.deps.storage;
        if self.shown_step.is_none_or(|step| step.is_zero()) {
            storage.put_discovery(&generation, &self.shown, self.stepped);
        }
        let interval = generation.account.polling.discovery_interval;
        // A product that the cloud does not publish will not be there in a minute.
        let in_a_hurry = match failure {
            Some(Reason::NotFound) => 0,
            _ => self.failures,
        };
        let (asked, dice) = (self.asked_pause, fastrand::f64());
        let mut pause = schedule::discovery_pause(interval, in_a_hurry, asked, dice);
        if self.failures == 0 && self.missing.is_waiting() {
            pause = pause.min(CONFIRM);
        }
        self.discovered = Instant::now();
        self.next = self.discovered + pause;
    }

    /// Drops the clusters that are gone, or that the config does not select any more.
    fn drop_gone(&mut self, discovery: &Discovery, selected: &[Wanted]) {
        for id in self.missing.gone(self.clusters.keys(), selected) {
            let Some(cluster) = self.clusters.remove(&id) else {
                continue;
            };
            let listed = discovery.clusters.iter().find(|one| *one.id == *id);
            let reason = listed.map_or(
                "The cluster is gone: two discoveries in a row did not list it.",
                |_| "The cluster was renamed, and the config does not select its name.",
            );
            let name = listed.map_or(&cluster.wanted().name, |one| &one.name);
            tracing::info!(
                account = %self.generation.account.name, product = self.generation.product().name,
                cluster = %id, name, "{reason}"
            );
            self.generation.deps.store.remove(&cluster.state().key);
            self.generation.deps.storage.remove(&self.generation, &id);
            self.calls.abort(&Target::Cluster(id));
        }
    }

    fn add_new(&mut self, wanted: Vec<Wanted>, first: &Latch) {
        let mut seen = HashSet::new();
        let new = wanted.into_iter().filter(|wanted| {
            !self.clusters.contains_key(&wanted.id) && seen.insert(wanted.id.clone())
        });
        let new = new.collect();
        self.add(new, first);
    }
}
