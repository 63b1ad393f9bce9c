//! Changes that wait for their commit.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::database::{Batch, Contents, StoredKey};
use super::record::ClusterRecord;
use crate::model::{ClusterState, Memory, PastKey, PastUpgrade};
use crate::store::history::History;
use crate::text;

/// Changes that are not committed yet. A cluster stands here once, however often it was polled, so that a
/// disk that fails for long costs no more memory than the fleet.
#[derive(Debug, Default)]
pub(super) struct Pending {
    pub(super) clusters: BTreeMap<StoredKey, Option<Known>>,
    pub(super) ended: BTreeMap<(String, String, String), u64>,
    pub(super) alerts: BTreeMap<String, Option<String>>,
    pub(super) upgrades: BTreeMap<PastKey, Arc<PastUpgrade>>,
    pub(super) durations: BTreeMap<(String, String), String>,
    pub(super) forget_before: Option<Timestamp>,
}

/// Most ended upgrades that wait for a disk that fails. With more, those of the last cluster by name are lost.
const MOST_UPGRADES: usize = 10_000;

/// All that is handed over when it changes only, and not again at each poll: a database that is opened anew,
/// since the one before failed or was corrupt, gets the whole of it.
#[derive(Debug, Default)]
pub(super) struct Seldom {
    pub(super) ended: BTreeMap<(String, String, String), u64>,
    pub(super) alerts: BTreeMap<String, String>,
    pub(super) durations: BTreeMap<(String, String), String>,
    pub(super) history: History,
}

/// Knowledge of a cluster that is written as its record.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) state: Arc<ClusterState>,
    pub(super) memory: Arc<Memory>,
    pub(super) clock_step: SignedDuration,
    /// The name is that of the config.
    pub(super) is_named: bool,
}

impl Known {
    fn record(&self) -> ClusterRecord {
        ClusterRecord::new(&self.state, &self.memory, self.clock_step, self.is_named)
    }
}

impl Seldom {
    /// Takes it from what was stored.
    pub(super) fn load(&mut self, contents: &Contents) {
        self.ended.clone_from(&contents.ended);
        self.alerts.clone_from(&contents.alerts);
        self.durations.clone_from(&contents.durations);
    }

    /// Puts the first sight of an alert, or removes it.
    pub(super) fn put_alert(&mut self, labels: &str, sight: Option<&str>) {
        match sight {
            Some(sight) => self.alerts.insert(labels.to_owned(), sight.to_owned()),
            None => self.alerts.remove(labels),
        };
    }

    /// Adds what the batch does not have.
    pub(super) fn add_to(&self, batch: &mut Batch) {
        for (key, total) in &self.ended {
            batch.ended.entry(key.clone()).or_insert(*total);
        }
        for (labels, sight) in &self.alerts {
            let entry = batch.alerts.entry(labels.clone());
            entry.or_insert_with(|| Some(sight.clone()));
        }
        for (key, record) in &self.durations {
            let entry = batch.durations.entry(key.clone());
            entry.or_insert_with(|| record.clone());
        }
        for upgrade in self.history.all().upgrades {
            let entry = batch.upgrades.entry(upgrade.key.clone());
            entry.or_insert(upgrade);
        }
    }
}

impl Pending {
    pub(super) fn batch(&self) -> Batch {
        let clusters = self.clusters.iter().filter_map(|(key, known)| {
            let Some(known) = known else {
                return Some((key.clone(), None));
            };
            // It cannot fail: a record is texts and numbers.
            let record = text::json::to_string(&known.record()).ok()?;
            Some((key.clone(), Some(record)))
        });
        Batch {
            clusters: clusters.collect(),
            ended: self.ended.clone(),
            alerts: self.alerts.clone(),
            upgrades: self.upgrades.clone(),
            durations: self.durations.clone(),
            forget_before: self.forget_before,
        }
    }

    /// Takes changes that were not committed, where no newer one came.
    pub(super) fn put_back(&mut self, earlier: Self) {
        for (key, known) in earlier.clusters {
            self.clusters.entry(key).or_insert(known);
        }
        for (key, total) in earlier.ended {
            self.ended.entry(key).or_insert(total);
        }
        for (labels, sight) in earlier.alerts {
            self.alerts.entry(labels).or_insert(sight);
        }
        for (key, upgrade) in earlier.upgrades {
            self.upgrades.entry(key).or_insert(upgrade);
        }
        while self.upgrades.len() > MOST_UPGRADES {
            self.upgrades.pop_last();
        }
        for (key, record) in earlier.durations {
            self.durations.entry(key).or_insert(record);
        }
        self.forget_before = self.forget_before.max(earlier.forget_before);
    }
}
