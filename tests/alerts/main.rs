//! The rules for Prometheus and the conditions of the exporter's own alerting say the same: both are
//! given the same histories, made by chance, and every alert is compared at every moment.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod chance;
mod cluster;
mod exporter;
mod promtool;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rolling_upgrade_exporter::alert::{self, AlertInput, Labels, Rule};

use exporter::{Exporter, Moment};
use promtool::{Alert, Test};

/// Histories of each pace.
const HISTORIES: u64 = 14;
/// Moments of a history.
const MOMENTS: i64 = 36;
/// Time between two moments: short against most limits, and long enough for hours to pass.
const PACES: [Duration; 2] = [Duration::from_secs(60), Duration::from_secs(300)];

/// Alerts that a length of time decides.
const TIMED: [&str; 10] = [
    "RollingUpgradeStalled",
    "RollingUpgradeOverdue",
    "RollingUpgradeNodeSlow",
    "RollingUpgradePaused",
    "RollingUpgradeSucceeded",
    "RollingUpgradeDataStale",
    "RollingUpgradeCredentialsRejected",
    "RollingUpgradeThrottled",
    "RollingUpgradeDegraded",
    "RollingUpgradeNotificationsFailing",
];

/// What the histories reached: how often each rule fired, and how often it was within a second of
/// its limit.
#[derive(Debug, Default)]
struct Reached {
    fired: BTreeMap<String, u32>,
    at_the_limit: BTreeMap<&'static str, u32>,
    skews: BTreeSet<String>,
}

#[test]
fn prometheus_and_the_exporter_decide_the_same() {
    let mut reached = Reached::default();
    let files = PACES.map(|pace| {
        let tests: Vec<Test> = (0..HISTORIES)
            .map(|seed| history(seed, pace, &mut reached))
            .collect();
        std::thread::spawn(move || promtool::run(pace, &tests))
    });
    for file in files {
        file.join().unwrap();
    }
    for rule in alert::rules().filter(|rule| rule.holds.is_some()) {
        assert!(
            reached.fired.contains_key(&format!("{rule:?}")),
            "{rule:?} never fired: {reached:?}"
        );
    }
    for name in TIMED {
        assert!(
            reached.at_the_limit.contains_key(name),
            "{name} was never at its limit: {reached:?}"
        );
    }
    for skew in ["-60", "60", "-60.25", "60.25"] {
        assert!(reached.skews.contains(skew), "{skew}: {reached:?}");
    }
}

/// One history: what is scraped, and which alerts the exporter's own conditions give.
fn history(seed: u64, pace: Duration, reached: &mut Reached) -> Test {
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut exporter = Exporter::new(&mut rng, pace);
    let mut test = Test::new(seed, pace);
    let mut active = Active::default();
    for step in 0..MOMENTS {
        let seconds = step * i64::try_from(pace.as_secs()).unwrap();
        let now = Timestamp::from_second(seconds).unwrap();
        let moment = exporter.step(&mut rng, now);
        test.scrape(&moment.text);
        test.expect(seconds, active.firing(&moment, reached));
        near(&moment, reached);
    }
    test
}

/// The conditions that hold, by rule and labels, and since when.
#[derive(Debug, Default)]
struct Active(BTreeMap<(String, Labels), Timestamp>);

impl Active {
    /// The alerts that fire, by name, with `for` as Prometheus applies it.
    fn firing(
        &mut self,
        moment: &Moment,
        reached: &mut Reached,
    ) -> BTreeMap<&'static str, Vec<Alert>> {
        let before = std::mem::take(&mut self.0);
        let mut firing: BTreeMap<&'static str, Vec<Alert>> = BTreeMap::new();
        for rule in alert::rules() {
            let alerts = firing.entry(rule.alert).or_default();
            for condition in holding(rule, &moment.input()) {
                let key = (format!("{rule:?}"), condition);
                let since = before.get(&key).copied().unwrap_or(moment.now);
                if moment.now.duration_since(since).unsigned_abs() >= rule.hold {
                    alerts.push(Alert {
                        labels: rule.alert_labels(&key.1),
                        annotations: rule.annotations(&key.1),
                    });
                    *reached.fired.entry(key.0.clone()).or_default() += 1;
                }
                self.0.insert(key, since);
            }
        }
        firing
    }
}

/// The labels of each for which the rule's condition holds.
fn holding(rule: &Rule, input: &AlertInput<'_>) -> BTreeSet<Labels> {
    let holds = rule.holds.map(|holds| holds(input));
    holds.into_iter().flatten().collect()
}

/// Notes the rules that would decide otherwise if a second more, or one less, had passed.
fn near(moment: &Moment, reached: &mut Reached) {
    let others: Vec<Moment> = [SignedDuration::from_secs(1), SignedDuration::from_secs(-1)]
        .into_iter()
        .flat_map(|second| {
            // Some lengths end now, some at the last good poll.
            let mut data = moment.clone();
            for state in data.clusters.values_mut() {
                Arc::make_mut(state).last_success += second;
            }
            let mut clock = moment.clone();
            clock.now += second;
            [data, clock]
        })
        .collect();
    for rule in alert::rules() {
        let now = holding(rule, &moment.input());
        let differs = |other: &Moment| holding(rule, &other.input()) != now;
        if others.iter().any(differs) {
            *reached.at_the_limit.entry(rule.alert).or_default() += 1;
        }
    }
    let skews = moment.health.clock_skew.iter();
    reached
        .skews
        .extend(skews.map(|(_, skew)| skew.to_string()));
}
