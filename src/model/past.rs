//! Upgrades that ended, as the history keeps them, and what they tell of one that runs.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::progress::count;
use super::{Begin, ClusterState, Kind, UpgradeStatus, UpgradeView};

/// Number of earlier upgrades from which an estimate is made: the latest tell most of the next.
const MOST_EARLIER: usize = 5;

/// Upgrade that was seen to end. Its JSON is the form on the disk, which is read for years: fields are added,
/// never renamed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PastUpgrade {
    /// Identity.
    #[serde(flatten)]
    pub key: PastKey,
    /// Name of the cloud.
    pub cloud: String,
    /// Region in the config.
    pub cloud_region: String,
    /// Name of the cluster when the upgrade ended.
    pub cluster_name: String,
    /// Time of the end.
    pub ended: Timestamp,
    /// The upgrade at its end.
    pub upgrade: UpgradeView,
}

/// Identity of an upgrade that ended: one that fails and then turns out well is one upgrade.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PastKey {
    /// Cluster that was upgraded.
    #[serde(flatten)]
    pub cluster: PastCluster,
    /// Kind of the upgrade.
    pub kind: Kind,
    /// Time at which the upgrade was first seen.
    pub first_seen: Timestamp,
}

/// Identity of a cluster of the history, which may have left the config since.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PastCluster {
    /// Name of the account in the config.
    pub account: String,
    /// Name of the product.
    pub product: String,
    /// Region or zone of the cluster, which keeps equal ids apart.
    pub location: String,
    /// The vendor's id of the cluster.
    pub cluster_id: String,
}

impl PastUpgrade {
    /// Builds the record of an upgrade of a cluster at a location; `None` while it has not ended.
    pub fn new(
        state: &ClusterState,
        location: &str,
        first_seen: Timestamp,
        view: &UpgradeView,
    ) -> Option<Self> {
        let cluster = PastCluster {
            account: state.key.account.to_string(),
            product: state.key.product.to_owned(),
            location: location.to_owned(),
            cluster_id: state.key.id.to_string(),
        };
        Some(Self {
            key: PastKey {
                cluster,
                kind: view.upgrade.kind,
                first_seen,
            },
            cloud: state.cloud.to_owned(),
            cloud_region: state.cloud_region.to_string(),
            cluster_name: state.name.to_string(),
            ended: view.ended?,
            upgrade: view.clone(),
        })
    }

    /// Returns the outcome.
    pub fn outcome(&self) -> UpgradeStatus {
        self.upgrade.upgrade.status
    }

    /// Returns the time from the request, or from the first sight where the vendor tells none, to the end.
    pub fn duration(&self) -> Duration {
        let requested = self.upgrade.upgrade.requested;
        length(requested.unwrap_or(self.key.first_seen), self.ended)
    }

    /// Returns the number of nodes and tasks that it lists.
    pub fn items(&self) -> usize {
        let upgrade = &self.upgrade.upgrade;
        upgrade.nodes.len() + upgrade.tasks.len()
    }

    /// Returns the time from the start of the last try to the end, as far as it tells the length of the next.
    fn work(&self) -> Option<Duration> {
        let is_example = self.outcome() == UpgradeStatus::Succeeded && !self.is_cut();
        let started = self.upgrade.started.filter(|_| is_example)?;
        let requested = self.upgrade.upgrade.requested;
        let started = requested.map_or(started, |requested| started.max(requested));
        Some(length(started, self.ended)).filter(|work| !work.is_zero())
    }

    /// Returns whether the exporter saw only the last part of the upgrade: the first poll of the cluster found it
    /// under way, and its first sight stands for its request.
    pub fn is_cut(&self) -> bool {
        let upgrade = &self.upgrade.upgrade;
        upgrade.begin == Begin::Unseen && upgrade.requested == Some(self.key.first_seen)
    }
}

/// Returns the end of a running upgrade by the cluster's `earlier` upgrades of its kind, the latest first: the
/// median of the last five that succeeded, by the number of nodes where both tell it. `None` where none
/// succeeded, while the upgrade does not run, and when it should have ended by `now`.
pub fn estimated_end<'a>(
    view: &UpgradeView,
    earlier: impl Iterator<Item = &'a PastUpgrade>,
    now: Timestamp,
) -> Option<Timestamp> {
    let upgrade = &view.upgrade;
    if upgrade.status != UpgradeStatus::Running || upgrade.waits_for_person {
        return None;
    }
    let started = view.started?;
    let nodes = upgrade.node_counts().total();
    let works = earlier.filter_map(|past| {
        let work = past.work()?.as_secs_f64();
        let before = past.upgrade.upgrade.node_counts().total();
        let is_told = nodes > 0 && before > 0;
        Some(if is_told {
            work * count(nodes) / count(before)
        } else {
            work
        })
    });
    let median = SignedDuration::try_from_secs_f64(median_of_latest(works)?).ok()?;
    let end = started.checked_add(median).ok()?;
    Some(end).filter(|end| *end > now)
}

/// Returns the median of the last five of these lengths in seconds, of which the latest comes first; of an even
/// number the longer of the two in the middle. `None` where there is none.
pub fn median_of_latest(latest_first: impl Iterator<Item = f64>) -> Option<f64> {
    let mut lengths: Vec<f64> = latest_first.take(MOST_EARLIER).collect();
    lengths.sort_by(f64::total_cmp);
    lengths.get(lengths.len() / 2).copied()
}

fn length(from: Timestamp, to: Timestamp) -> Duration {
    to.duration_since(from).try_into().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expose::check::cluster;
    use crate::model::{Node, NodeStatus, Observation, Thresholds, Upgrade, track};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    /// Returns an upgrade of so many nodes that was requested at a time, as it is seen at another.
    fn view(status: UpgradeStatus, nodes: usize, requested: i64, now: i64) -> UpgradeView {
        let mut upgrade = Upgrade::new(Kind::Version, status);
        upgrade.requested = Some(at(requested));
        upgrade.begin = Begin::Seen;
        let node = |n: usize| Node::new(&format!("n{n}"), "", NodeStatus::Waiting, "");
        upgrade.nodes = (0..nodes).map(node).collect();
        let observation = Observation {
            upgrades: vec![upgrade],
            ..Observation::default()
        };
        let limits = Thresholds {
            stalled_after: Duration::from_secs(60),
            overdue_after: Duration::from_secs(60),
            retain_ended: Duration::from_secs(60),
        };
        let (mut memory, interval) = (super::super::Memory::default(), Duration::from_secs(30));
        let advanced = track::advance(&mut memory, &observation, &limits, interval, at(now));
        advanced.upgrades.into_iter().next().unwrap()
    }

    fn past(status: UpgradeStatus, nodes: usize, took: i64) -> PastUpgrade {
        let view = view(status, nodes, 1_000, 1_000 + took);
        PastUpgrade::new(&cluster("c1"), "kr", at(1_000), &view).unwrap()
    }

    #[test]
    fn the_median_of_earlier_upgrades_tells_the_end() {
        use UpgradeStatus::{Failed, Running, Succeeded};
        let earlier = [
            past(Succeeded, 4, 100),
            past(Failed, 4, 9_000),
            past(Succeeded, 4, 300),
            past(Succeeded, 2, 100),
        ];
        let running = view(Running, 4, 50_000, 50_010);
        let end = |count: usize, view: &UpgradeView, now| {
            estimated_end(view, earlier[..count].iter(), at(now))
        };
        assert_eq!(end(4, &running, 50_010), Some(at(50_200)));
        assert_eq!(end(1, &running, 50_010), Some(at(50_100)));
        assert_eq!(end(1, &running, 50_100), None, "it should have ended");
        assert_eq!(end(0, &running, 50_010), None);
        let pending = view(UpgradeStatus::Pending, 4, 50_000, 50_010);
        assert_eq!(end(4, &pending, 50_010), None);
    }

    #[test]
    fn an_upgrade_that_was_found_under_way_tells_no_length() {
        let mut found = past(UpgradeStatus::Succeeded, 4, 100);
        found.upgrade.upgrade_mut().begin = Begin::Unseen;
        let running = view(UpgradeStatus::Running, 4, 50_000, 50_010);
        let end = |past: &PastUpgrade| estimated_end(&running, [past].into_iter(), at(50_010));
        assert_eq!(end(&found), None);
        // The vendor tells when it was requested.
        found.key.first_seen = at(1_050);
        assert_eq!(end(&found), Some(at(50_100)));
        // A retry is a request of its own.
        found.upgrade.upgrade_mut().requested = Some(at(1_060));
        assert_eq!(end(&found), Some(at(50_040)));
    }

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let past = past(UpgradeStatus::Succeeded, 2, 90);
        assert_eq!(past.duration(), Duration::from_secs(90));
        let text = crate::text::json::to_string(&past).unwrap();
        assert_eq!(serde_json::from_str::<PastUpgrade>(&text).unwrap(), past);
    }

    #[test]
    fn what_goes_on_is_not_past() {
        let running = view(UpgradeStatus::Running, 2, 1_000, 1_010);
        let past = PastUpgrade::new(&cluster("c1"), "kr", at(1_000), &running);
        assert_eq!(past, None);
    }
}
