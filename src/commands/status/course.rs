//! What a watch has seen run, what is not shown any more, and when the watch is over. Pure.

use jiff::{SignedDuration, Timestamp};
use rolling_upgrade_exporter::model::Kind;
use rolling_upgrade_exporter::report::{ClusterReport, Report, UpgradeReport, Word};

use super::text::whose;

/// So many polls say the same before it is believed.
const POLLS: i32 = 3;

/// The shortest and the longest wait for that: polls may follow each other quickly, and a cluster that
/// is not in an upgrade is asked seldom.
const WAITS: (SignedDuration, SignedDuration) =
    (SignedDuration::from_secs(30), SignedDuration::from_mins(5));

/// How far a watch is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stand {
    /// Something runs.
    Runs,
    /// Nothing runs, but time must tell whether that is the end.
    Waits,
    /// All have ended, or nobody can tell how.
    Over,
}

/// The upgrades that a watch has not yet seen end.
#[derive(Debug, Default)]
pub(super) struct Course {
    open: Vec<Open>,
}

#[derive(Debug)]
struct Open {
    key: Key,
    whose: String,
    /// Between two polls when it was last shown.
    interval: SignedDuration,
    /// Since when it is not shown.
    gone: Option<Timestamp>,
    /// Since when it is shown as failed.
    failed: Option<Timestamp>,
}

/// Account, product and cluster, and the kind: no two of a kind run at a time.
type Key = (String, String, String, Word<Kind>);

impl Course {
    /// Takes a report in, and tells how far the watch is by it.
    pub(super) fn look(&mut self, report: &Report) -> Stand {
        let times = report.times();
        let mut runs = false;
        let mut waits = false;
        let mut shown = Vec::new();
        for cluster in &report.clusters {
            let now = times.of(&cluster.account);
            for upgrade in &cluster.upgrades {
                let key = key(cluster, upgrade);
                let place = self.open.iter().position(|open| open.key == key);
                let earlier = place.map(|place| self.open.swap_remove(place));
                let has_failed = upgrade.has_failed();
                let failed = earlier.and_then(|open| open.failed).unwrap_or(now);
                let open = Open {
                    whose: whose(cluster),
                    interval: interval(cluster),
                    gone: None,
                    failed: has_failed.then_some(failed),
                    key,
                };
                match (upgrade.is_over(), has_failed) {
                    (false, _) => runs = true,
                    // A node that is red for a moment looks like a failure, while the upgrade goes on.
                    (true, true) if !open.is_believed(upgrade.status_since, now) => waits = true,
                    (true, _) => continue,
                }
                shown.push(open);
            }
        }
        for open in &mut self.open {
            let now = times.of(&open.key.0);
            let since = *open.gone.get_or_insert(now);
            waits |= now.duration_since(since) < open.silence();
        }
        self.open.extend(shown);
        match (runs, waits) {
            (true, _) => Stand::Runs,
            (false, true) => Stand::Waits,
            (false, false) => Stand::Over,
        }
    }

    /// Whose upgrades ran, and are not shown any more: nobody knows how they ended.
    pub(super) fn lost(&self) -> Vec<&str> {
        let lost = self.open.iter().filter(|open| open.gone.is_some());
        lost.map(|open| open.whose.as_str()).collect()
    }
}

impl Open {
    /// Whether a failure is the end: it has stood for some polls, by the vendor's times or by ours.
    fn is_believed(&self, since: Timestamp, now: Timestamp) -> bool {
        let since = since.min(self.failed.unwrap_or(now));
        now.duration_since(since) >= self.polls()
    }

    /// For how long it may not be shown before it counts as lost.
    fn silence(&self) -> SignedDuration {
        self.polls().max(WAITS.0)
    }

    fn polls(&self) -> SignedDuration {
        self.interval.saturating_mul(POLLS).min(WAITS.1)
    }
}

fn key(cluster: &ClusterReport, upgrade: &UpgradeReport) -> Key {
    (
        cluster.account.clone(),
        cluster.product.clone(),
        cluster.cluster_id.clone(),
        upgrade.kind.clone(),
    )
}

/// Foreign numbers are no reason to fail.
fn interval(cluster: &ClusterReport) -> SignedDuration {
    SignedDuration::try_from_secs_f64(cluster.poll_interval_seconds).unwrap_or(WAITS.0)
}

#[cfg(test)]
mod tests {
    use rolling_upgrade_exporter::model::UpgradeStatus;

    use super::*;

    /// A report of one cluster that is polled every 30 s, so many seconds after the first; its upgrade
    /// has been in its state since `since`.
    fn report(seconds: i64, upgrade: Option<(UpgradeStatus, i64)>) -> Report {
        let fleet = include_str!("../../../tests/data/status/fleet.json");
        let mut report: Report = serde_json::from_str(fleet).unwrap();
        let at = |seconds| Timestamp::from_second(1_800_000_000 + seconds).unwrap();
        report.generated = at(seconds);
        report.clusters.truncate(1);
        let cluster = &mut report.clusters[0];
        cluster.poll_interval_seconds = 30.0;
        cluster.upgrades.truncate(1);
        match upgrade {
            Some((status, since)) => {
                let upgrade = &mut cluster.upgrades[0];
                upgrade.status = status.into();
                upgrade.status_since = at(since);
                upgrade.ended = (status != UpgradeStatus::Running).then(|| at(since));
            }
            None => cluster.upgrades.clear(),
        }
        report
    }

    #[test]
    fn an_upgrade_that_ends_well_ends_the_watch_at_once() {
        let mut course = Course::default();
        let running = Some((UpgradeStatus::Running, -100));
        assert_eq!(course.look(&report(0, running)), Stand::Runs);
        for ended in [UpgradeStatus::Succeeded, UpgradeStatus::Cancelled] {
            assert_eq!(course.look(&report(30, Some((ended, 30)))), Stand::Over);
        }
        assert_eq!(course.lost(), Vec::<&str>::new());
        assert_eq!(course.look(&report(60, None)), Stand::Over);
        assert_eq!(course.lost(), Vec::<&str>::new(), "its end was seen");
    }

    #[test]
    fn an_upgrade_that_is_not_shown_any_more_is_lost_after_some_polls() {
        let mut course = Course::default();
        let running = Some((UpgradeStatus::Running, -100));
        for (seconds, upgrade, want) in [
            (0, running, Stand::Runs),
            (30, None, Stand::Waits),
            (60, running, Stand::Runs),
            (90, None, Stand::Waits),
            (179, None, Stand::Waits),
            (180, None, Stand::Over),
        ] {
            let stand = course.look(&report(seconds, upgrade));
            assert_eq!(stand, want, "{seconds}");
        }
        assert_eq!(course.lost(), ["cn-prod cce 商店-前端"]);
        // Its cluster can be gone, too, and polls can be quick.
        let mut course = Course::default();
        let quick = |seconds, upgrade| {
            let mut report = report(seconds, upgrade);
            report.clusters[0].poll_interval_seconds = 0.2;
            report
        };
        assert_eq!(course.look(&quick(0, running)), Stand::Runs);
        let mut without = quick(10, None);
        without.clusters.clear();
        assert_eq!(course.look(&without), Stand::Waits);
        assert_eq!(course.look(&quick(39, None)), Stand::Waits);
        assert_eq!(course.look(&quick(40, None)), Stand::Over);
        assert_eq!(course.lost().len(), 1);
    }

    #[test]
    fn a_failure_ends_the_watch_once_it_has_stood_for_some_polls() {
        let mut course = Course::default();
        for (seconds, upgrade, want) in [
            (0, (UpgradeStatus::Running, -100), Stand::Runs),
            (30, (UpgradeStatus::Failed, 30), Stand::Waits),
            (60, (UpgradeStatus::Running, 60), Stand::Runs),
            (90, (UpgradeStatus::PartiallyFailed, 90), Stand::Waits),
            (179, (UpgradeStatus::PartiallyFailed, 90), Stand::Waits),
            (180, (UpgradeStatus::PartiallyFailed, 90), Stand::Over),
        ] {
            let stand = course.look(&report(seconds, Some(upgrade)));
            assert_eq!(stand, want, "{seconds}");
        }
        assert_eq!(course.lost(), Vec::<&str>::new());
        // An old one is no question, and a vendor's clock that is ahead no reason to wait for it.
        let old = Some((UpgradeStatus::Failed, -90));
        assert_eq!(Course::default().look(&report(0, old)), Stand::Over);
        let mut course = Course::default();
        assert_eq!(
            course.look(&report(0, Some((UpgradeStatus::Failed, 800)))),
            Stand::Waits
        );
        assert_eq!(
            course.look(&report(90, Some((UpgradeStatus::Failed, 800)))),
            Stand::Over
        );
    }

    #[test]
    fn a_cluster_that_is_asked_seldom_does_not_hold_the_watch_up_for_long() {
        let mut course = Course::default();
        let failed = |seconds| {
            let mut report = report(seconds, Some((UpgradeStatus::Failed, 0)));
            report.clusters[0].poll_interval_seconds = 3600.0;
            report
        };
        assert_eq!(course.look(&failed(0)), Stand::Waits);
        assert_eq!(course.look(&failed(300)), Stand::Over);
        // What a foreign exporter sends.
        let mut odd = report(0, None);
        odd.clusters[0].poll_interval_seconds = f64::NAN;
        assert_eq!(interval(&odd.clusters[0]), WAITS.0);
    }
}
