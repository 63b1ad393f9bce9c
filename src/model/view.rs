//! What is shown: an upgrade with all that is derived from it, and a cluster's whole state.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    AvailableVersion, Degraded, Finding, Key, Kind, NodeStatus, Reason, Span, TaskStatus, Upgrade,
    UpgradeStatus, progress, shifted,
};

/// The limits in force for one cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Thresholds {
    /// No progress for this long is stalled.
    pub stalled_after: Duration,
    /// Running for this long is overdue.
    pub overdue_after: Duration,
    /// How long an ended upgrade keeps its series.
    pub retain_ended: Duration,
}

/// One upgrade with everything that is derived from it, ready to be shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UpgradeView {
    /// The upgrade itself.
    pub upgrade: Arc<Upgrade>,
    /// When it entered its state, as far as known.
    pub status_since: Timestamp,
    /// Time at which it started: the request, or the first start of a task where its tasks are steps of
    /// the whole upgrade; `None` while nothing has begun.
    pub started: Option<Timestamp>,
    /// When it ended, once it has.
    pub ended: Option<Timestamp>,
    /// The last sign of progress.
    pub last_progress: Timestamp,
    /// Whether it counts as stalled.
    pub stalled: bool,
    /// Progress from 0 to 1; 1 only when succeeded. None when there is nothing to compute it from.
    pub ratio: Option<f64>,
    /// End by the pace of its finished nodes, or by earlier upgrades; `None` when it cannot be told.
    pub estimated_end: Option<Timestamp>,
    /// Order of the current task.
    pub task_order: Option<u32>,
    /// Work on each node: in the order of `upgrade.nodes`, none when unknown or waiting.
    pub node_work: Arc<[Option<Span>]>,
}

impl UpgradeView {
    /// Returns whether another view is equal, and shares its upgrade and the work on its nodes: for readers that keep
    /// what they made of a view. It does not look into the shared parts; views that are equal by
    /// chance do not count.
    pub fn is_shared_with(&self, other: &Self) -> bool {
        let Self {
            upgrade,
            status_since,
            started,
            ended,
            last_progress,
            stalled,
            ratio,
            estimated_end,
            task_order,
            node_work,
        } = self;
        Arc::ptr_eq(upgrade, &other.upgrade)
            && Arc::ptr_eq(node_work, &other.node_work)
            && (status_since, started, ended) == (&other.status_since, &other.started, &other.ended)
            && (last_progress, stalled, task_order)
                == (&other.last_progress, &other.stalled, &other.task_order)
            && (ratio, estimated_end) == (&other.ratio, &other.estimated_end)
    }

    /// Returns the upgrade to be changed, which is copied where other views share it.
    pub fn upgrade_mut(&mut self) -> &mut Upgrade {
        Arc::make_mut(&mut self.upgrade)
    }

    /// Returns the limit of silence while it is in force: nothing is stalled that waits for a person, or
    /// whose progress cannot be seen.
    pub fn stalled_after(&self, limits: &Thresholds) -> Option<Duration> {
        let is_suspended = self.upgrade.waits_for_person || self.upgrade.is_stall_suspended;
        (!is_suspended).then_some(limits.stalled_after)
    }

    /// Returns the limit of running while it is in force: not before an upgrade that waits for a person
    /// has started.
    pub fn overdue_after(&self, limits: &Thresholds) -> Option<Duration> {
        let is_in_force = self.started.is_some() || !self.upgrade.waits_for_person;
        is_in_force.then_some(limits.overdue_after)
    }

    /// Returns the vendor's reason why the upgrade, or a node of it, failed or does not move: the
    /// description of the task that failed or is in work, else the first item of the check that did not
    /// pass. `None` when nothing is wrong, or the vendor gives no reason.
    pub fn reason(&self) -> Option<String> {
        let upgrade = &self.upgrade;
        let is_failed = matches!(
            upgrade.status,
            UpgradeStatus::Failed | UpgradeStatus::PartiallyFailed
        );
        let node_failed = upgrade.node_counts().of(NodeStatus::Failed) > 0;
        if !(is_failed || self.stalled || node_failed) {
            return None;
        }
        let in_state = |state| {
            let mut tasks = upgrade.tasks.iter();
            tasks.find(move |task| task.status == state)
        };
        // A task that went well is no reason, even where it is the last that anything is known of.
        let (first, second) = if is_failed || node_failed {
            (TaskStatus::Failed, TaskStatus::Running)
        } else {
            (TaskStatus::Running, TaskStatus::Failed)
        };
        let current = in_state(first).or_else(|| in_state(second));
        let of_task = current.and_then(|task| {
            let description = task.description.as_deref()?;
            Some(format!("{}: {description}", task.name))
        });
        of_task.or_else(|| {
            let findings = &upgrade.details.precheck.as_ref()?.findings;
            findings.first().map(Finding::line)
        })
    }

    /// Work on the node at this place of `upgrade.nodes`. Nothing is in work any more once the
    /// upgrade ended.
    pub fn work(&self, place: usize) -> Option<Span> {
        let work = self.node_work.get(place).copied().flatten()?;
        Some(Span {
            end: work.end.or(self.ended),
            ..work
        })
    }
}

/// A failed poll, for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastError {
    /// The fixed word: the label `reason` of the metrics.
    pub reason: Reason,
    /// What happened, and what to do.
    pub message: String,
    /// When.
    pub at: Timestamp,
    /// Time at which polls began to fail for this reason.
    pub since: Timestamp,
}

impl LastError {
    /// Builds the record of a failure of this time.
    pub fn new(reason: Reason, message: String, at: Timestamp) -> Self {
        Self {
            reason,
            message,
            at,
            since: at,
        }
    }

    /// Keeps the begin of the failure before, if that had the reason of this one.
    #[must_use]
    pub fn after(mut self, before: Option<&Self>) -> Self {
        if let Some(before) = before.filter(|before| before.reason == self.reason) {
            self.since = before.since;
        }
        self
    }

    /// Shifts what was noted by the clock.
    pub fn shift_noted(&mut self, by: SignedDuration) {
        self.at = shifted(self.at, by);
        self.since = shifted(self.since, by);
    }
}

/// Identity of a discovery: that of one product of an account in one region.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DiscoveryKey {
    /// The account's name in the config.
    pub account: Arc<str>,
    /// The product's name.
    pub product: &'static str,
    /// The region.
    pub region: Arc<str>,
}

impl DiscoveryState {
    /// Returns its identity.
    pub fn key(&self) -> DiscoveryKey {
        DiscoveryKey {
            account: self.account.clone(),
            product: self.product,
            region: self.cloud_region.clone(),
        }
    }
}

/// How looking for the clusters of one product of an account goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiscoveryState {
    /// The account's name in the config.
    pub account: Arc<str>,
    /// The product's name.
    pub product: &'static str,
    /// Name of the cloud.
    pub cloud: &'static str,
    /// The region in the config.
    pub cloud_region: Arc<str>,
    /// When the clusters were last listed.
    pub last_success: Option<Timestamp>,
    /// The last failure, if the last attempt failed.
    pub last_error: Option<LastError>,
    /// Clusters that are watched.
    pub watched: u64,
    /// Clusters that exist and that the account may not read.
    pub inaccessible: u64,
    /// Clusters beyond [`bounds::MAX_CLUSTERS`](super::bounds::MAX_CLUSTERS), which are not watched.
    pub left_out: u64,
}

/// All that is known of one cluster: immutable, replaced at each poll.
#[derive(Debug, Clone, PartialEq)]
pub struct ClusterState {
    /// Its identity.
    pub key: Key,
    /// Name of the cloud.
    pub cloud: &'static str,
    /// The region in the config.
    pub cloud_region: Arc<str>,
    /// Its name, the config's or the vendor's.
    pub name: Arc<str>,
    /// The version that it runs.
    pub version: Arc<str>,
    /// Name of that version, where it is a code; `None` when not known.
    pub version_name: Option<Arc<str>>,
    /// The vendor's own word for its state.
    pub raw_status: Arc<str>,
    /// Meaning of that word, where it is a code.
    pub status_meaning: Option<&'static str>,
    /// Versions to which the vendor offers to upgrade it.
    pub available: Vec<AvailableVersion>,
    /// Whether the last poll was good.
    pub up: bool,
    /// Whether any poll was ever good; before that nothing is known of its upgrades.
    pub answered: bool,
    /// When a poll was last good; before the first one, when the cluster was added.
    pub last_success: Timestamp,
    /// The last failure, if the last poll failed.
    pub last_error: Option<LastError>,
    /// The configured interval in force.
    pub poll_interval: Duration,
    /// The limits in force.
    pub thresholds: Thresholds,
    /// Its upgrades.
    pub upgrades: Vec<UpgradeView>,
    /// Secondary calls that failed at the last poll that needed them.
    pub degraded: Vec<Degraded>,
}

impl ClusterState {
    /// The upgrades that are shown at `now`, one of each kind: nothing before the first good poll,
    /// and none that ended longer ago than `retain_ended`.
    pub fn shown(&self, now: Timestamp) -> impl Iterator<Item = &UpgradeView> {
        let mut kinds: Vec<Kind> = Vec::new();
        self.upgrades.iter().filter(move |view| {
            let kind = view.upgrade.kind;
            let shown = self.answered
                && view.upgrade.status != UpgradeStatus::None
                && self.forgotten_at(view).is_none_or(|at| now < at)
                && !kinds.contains(&kind);
            if shown {
                kinds.push(kind);
            }
            shown
        })
    }

    /// Sets other limits. What depends on them is as it would be if they had been in force at the last
    /// good poll.
    pub fn set_thresholds(&mut self, limits: Thresholds) {
        self.thresholds = limits;
        for view in &mut self.upgrades {
            view.stalled = progress::stalled(
                &view.upgrade,
                self.last_success,
                view.last_progress,
                limits.stalled_after,
            );
        }
    }

    /// Returns whether an upgrade has been running for longer than its limit by the last good poll: while
    /// the API is dark nothing ages.
    pub fn is_overdue(&self, view: &UpgradeView) -> bool {
        let over = |limit: Duration| {
            let age = self.last_success.duration_since(view.started?);
            Some(age > SignedDuration::try_from(limit).ok()?)
        };
        view.upgrade.status == UpgradeStatus::Running
            && view.overdue_after(&self.thresholds).and_then(over) == Some(true)
    }

    /// Returns the instants at which time alone changes what is shown of it, values that grow with time
    /// aside.
    pub fn flips(&self) -> impl Iterator<Item = Timestamp> {
        let views = self.upgrades.iter();
        views
            .flat_map(|view| [self.forgotten_at(view), view.estimated_end])
            .flatten()
    }

    /// When an upgrade becomes `none` again.
    pub fn forgotten_at(&self, view: &UpgradeView) -> Option<Timestamp> {
        view.ended
            .and_then(|at| at.checked_add(self.thresholds.retain_ended).ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failure_keeps_its_begin_until_the_reason_changes() {
        let failure = |reason, seconds| {
            let at = Timestamp::from_second(seconds).unwrap();
            LastError::new(reason, "no".to_owned(), at)
        };
        let first = failure(Reason::Auth, 10).after(None);
        let again = failure(Reason::Auth, 30).after(Some(&first));
        assert_eq!((again.at.as_second(), again.since.as_second()), (30, 10));
        let other = failure(Reason::Network, 50).after(Some(&again));
        assert_eq!(other.since.as_second(), 50);
        let mut shifted = again;
        shifted.shift_noted(SignedDuration::from_secs(-5));
        assert_eq!((shifted.at.as_second(), shifted.since.as_second()), (25, 5));
    }
}
