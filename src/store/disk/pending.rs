//! Changes that wait for their commit.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::database::{Batch, Contents, StoredDiscovery, StoredKey};
use super::record::ClusterRecord;
use crate::model::{ClusterState, Memory, PastKey, PastUpgrade};
use crate::store::history::History;
use crate::text;

/// Changes that are not committed yet. A cluster stands here once, however often it was polled, so that a
/// disk that fails for long costs no more memory than the fleet.
#[derive(Debug, Default)]
pub(super) struct Pending {
    /// Clusters whose record is to be written, or removed.
    pub(super) clusters: BTreeMap<StoredKey, Option<Arc<Known>>>,
    /// Last good polls of clusters whose record is else as it is stored.
    pub(super) polls: BTreeMap<StoredKey, Timestamp>,
    pub(super) discoveries: BTreeMap<StoredDiscovery, Option<String>>,
    pub(super) ended: BTreeMap<(String, String, String), Option<u64>>,
    pub(super) alerts: BTreeMap<String, Option<String>>,
    pub(super) upgrades: BTreeMap<PastKey, Arc<PastUpgrade>>,
    pub(super) durations: BTreeMap<(String, String), String>,
    pub(super) forget_before: Option<Timestamp>,
}

/// Most ended upgrades that wait for a disk that fails. With more, those of the last cluster by name are lost.
const MOST_UPGRADES: usize = 10_000;

/// All that is stored, but for what only a poll changes: a database that is opened anew, since the one before
/// failed or was corrupt, gets the whole of it.
#[derive(Debug, Clone, Default)]
pub(super) struct Seldom {
    /// Clusters that were polled or restored by this process.
    pub(super) clusters: HashMap<StoredKey, Arc<Known>>,
    pub(super) discoveries: BTreeMap<StoredDiscovery, String>,
    pub(super) ended: BTreeMap<(String, String, String), u64>,
    pub(super) alerts: BTreeMap<String, String>,
    pub(super) durations: BTreeMap<(String, String), String>,
    pub(super) history: History,
}

/// Knowledge of a cluster that is written as its record.
#[derive(Debug)]
pub struct Known {
    /// State that is shown.
    pub state: Arc<ClusterState>,
    /// Memory of its worker.
    pub memory: Arc<Memory>,
    /// Sum of the steps of the vendor's clock.
    pub clock_step: SignedDuration,
    /// The name is that of the config.
    pub is_named: bool,
}

impl Known {
    fn record(&self) -> ClusterRecord {
        ClusterRecord::new(&self.state, &self.memory, self.clock_step, self.is_named)
    }

    /// Returns the last good poll, where it is all in which the record differs from an earlier one.
    pub(super) fn poll_since(&self, earlier: &Self) -> Option<Timestamp> {
        let is_else_one = self.clock_step == earlier.clock_step
            && self.is_named == earlier.is_named
            && is_one_state(&self.state, &earlier.state)
            && is_one_memory(&self.memory, &earlier.memory);
        let polled = self.memory.last_success?;
        (is_else_one && polled == self.state.last_success).then_some(polled)
    }
}

/// Returns whether two states differ in the last good poll at most, as far as the record has them.
fn is_one_state(a: &ClusterState, b: &ClusterState) -> bool {
    a.name == b.name
        && a.version == b.version
        && a.version_name == b.version_name
        && a.raw_status == b.raw_status
        && a.available == b.available
        && a.last_error == b.last_error
}

/// Returns whether two memories differ in the last good poll at most.
fn is_one_memory(a: &Memory, b: &Memory) -> bool {
    let Memory {
        last_success: _,
        upgrades,
        unconfirmed,
        calls,
        unpublished,
        discoveries,
        notes,
    } = a;
    (discoveries, notes) == (&b.discoveries, &b.notes)
        && (unconfirmed, unpublished) == (&b.unconfirmed, &b.unpublished)
        && *calls == b.calls
        && *upgrades == b.upgrades
}

impl Seldom {
    /// Takes it from what was stored.
    pub(super) fn load(&mut self, contents: &Contents) {
        self.discoveries.clone_from(&contents.discoveries);
        self.ended.clone_from(&contents.ended);
        self.alerts.clone_from(&contents.alerts);
        self.durations.clone_from(&contents.durations);
    }

    /// Adds what the batch does not have.
    pub(super) fn add_to(&self, batch: &mut Batch) {
        for (key, known) in &self.clusters {
            if !batch.clusters.contains_key(key) {
                batch.polls.remove(key);
                batch.clusters.extend(record(key, known));
            }
        }
        for (key, record) in &self.discoveries {
            let entry = batch.discoveries.entry(key.clone());
            entry.or_insert_with(|| Some(record.clone()));
        }
        for (key, total) in &self.ended {
            batch.ended.entry(key.clone()).or_insert(Some(*total));
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

/// Returns an entry of a batch with the record of a cluster.
fn record(key: &StoredKey, known: &Known) -> Option<(StoredKey, Option<String>)> {
    // It cannot fail: a record is texts and numbers.
    let record = text::json::to_string(&known.record()).ok()?;
    Some((key.clone(), Some(record)))
}

/// Puts a value, or removes that of the key.
pub(super) fn put_or_remove<K: Ord, V>(map: &mut BTreeMap<K, V>, key: K, value: Option<V>) {
    match value {
        Some(value) => drop(map.insert(key, value)),
        None => drop(map.remove(&key)),
    }
}

impl Pending {
    /// Takes a cluster; `poll` is the last good poll, where nothing else of the record is new.
    pub(super) fn put(&mut self, key: StoredKey, known: Arc<Known>, poll: Option<Timestamp>) {
        match (self.clusters.get_mut(&key), poll) {
            (None, Some(poll)) => drop(self.polls.insert(key, poll)),
            (Some(waiting), _) => *waiting = Some(known),
            (None, None) => {
                self.polls.remove(&key);
                self.clusters.insert(key, Some(known));
            }
        }
    }

    /// Removes a cluster.
    pub(super) fn remove(&mut self, key: StoredKey) {
        self.polls.remove(&key);
        self.clusters.insert(key, None);
    }

    pub(super) fn batch(&self) -> Batch {
        let clusters = self.clusters.iter().filter_map(|(key, known)| {
            let Some(known) = known else {
                return Some((key.clone(), None));
            };
            record(key, known)
        });
        Batch {
            clusters: clusters.collect(),
            polls: self.polls.clone(),
            discoveries: self.discoveries.clone(),
            ended: self.ended.clone(),
            alerts: self.alerts.clone(),
            upgrades: self.upgrades.clone(),
            durations: self.durations.clone(),
            forget_before: self.forget_before,
        }
    }

    /// Takes changes that were not committed, where no newer one came.
    pub(super) fn put_back(&mut self, earlier: Self) {
        for (key, poll) in earlier.polls {
            if !self.clusters.contains_key(&key) {
                self.polls.entry(key).or_insert(poll);
            }
        }
        for (key, known) in earlier.clusters {
            self.clusters.entry(key).or_insert(known);
        }
        for (key, record) in earlier.discoveries {
            self.discoveries.entry(key).or_insert(record);
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
