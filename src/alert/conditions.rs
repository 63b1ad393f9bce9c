//! Which conditions hold. Those of a cluster are evaluated when it changes, and when time alone may change
//! them; those of the exporter each time.

mod turns;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use self::turns::Turns;
use super::input::AlertInput;
use super::rule::{Labels, Rule};
use super::rules;
use crate::clock::Times;
use crate::model::{ClusterState, FailingCalls, Key};
use crate::store::{ExporterHealth, Snapshot};

/// Conditions that hold, by what they are about.
#[derive(Debug, Default)]
pub(super) struct Conditions {
    /// Snapshot on which they were evaluated.
    seen: Snapshot,
    turns: Turns,
    failing: FailingCalls,
    /// Labels of the alerts of each cluster that has any.
    clusters: HashMap<Key, BTreeSet<Arc<Labels>>>,
    /// Labels of all other alerts.
    exporter: BTreeSet<Arc<Labels>>,
    /// Number of clusters evaluated so far.
    pub(super) evaluated: u64,
}

/// Difference between two evaluations.
#[derive(Debug, Default)]
pub(super) struct Difference {
    /// Alerts whose condition holds now and did not.
    pub(super) begun: Vec<(Arc<Labels>, &'static Rule)>,
    /// Alerts whose condition held and does not now.
    pub(super) over: Vec<Arc<Labels>>,
}

impl Conditions {
    /// Evaluates what may have changed since the last time.
    pub(super) fn update(
        &mut self,
        times: Times,
        snapshot: &Snapshot,
        health: ExporterHealth,
    ) -> Difference {
        let mut states: BTreeMap<Key, Option<&ClusterState>> = BTreeMap::new();
        for key in self.turns.passed(&times, &self.seen) {
            let state = snapshot.get(&key).map(|state| &**state);
            states.insert(key, state);
        }
        for change in snapshot.changes(&self.seen) {
            let (before, now) = (change.before.map(|s| &**s), change.now.map(|s| &**s));
            self.failing.replace(before, now);
            if let Some(ClusterState { key, .. }) = now.or(before) {
                self.turns.replace(&times, before, now);
                states.insert(key.clone(), now);
            }
        }
        let mut input = AlertInput {
            times,
            clusters: Vec::new(),
            failing_calls: self.failing.calls().collect(),
            health,
        };
        let mut difference = Difference::default();
        let held = std::mem::take(&mut self.exporter);
        self.exporter = difference.add(held, holding(&input, false));
        for (key, state) in states {
            input.clusters.clear();
            input.clusters.extend(state);
            self.evaluated += 1;
            let held = self.clusters.remove(&key).unwrap_or_default();
            let holds = difference.add(held, holding(&input, true));
            if !holds.is_empty() {
                self.clusters.insert(key, holds);
            }
        }
        self.seen = snapshot.clone();
        difference
    }
}

impl Difference {
    /// Adds what differs between the alerts that held and those that hold, and returns the latter.
    fn add(
        &mut self,
        mut held: BTreeSet<Arc<Labels>>,
        holding: BTreeMap<Labels, &'static Rule>,
    ) -> BTreeSet<Arc<Labels>> {
        let mut holds = BTreeSet::new();
        for (labels, rule) in holding {
            let labels = held.take(&labels).unwrap_or_else(|| {
                let labels = Arc::new(labels);
                self.begun.push((labels.clone(), rule));
                labels
            });
            holds.insert(labels);
        }
        self.over.extend(held);
        holds
    }
}

/// Returns the alerts whose condition is true by their labels: those of clusters, or the others.
fn holding(input: &AlertInput<'_>, of_clusters: bool) -> BTreeMap<Labels, &'static Rule> {
    rules::all()
        .filter(|rule| rule.is_of_cluster() == of_clusters)
        .filter_map(|rule| Some((rule, rule.holds?)))
        .flat_map(|(rule, holds)| {
            let conditions = holds(input).into_iter();
            conditions.map(move |condition| (rule.alert_labels(&condition), rule))
        })
        .collect()
}

#[cfg(test)]
mod tests;
