//! Upgrades while the call that tells them fails.

use std::collections::BTreeSet;
use std::time::Duration;

use super::super::untold::{ended, kept, once_more};
use super::*;
use crate::model::{Reason, SecondaryCall, SecondaryFailure};

const CALL: &str = "UpgradeDetail";
const KIND: Kind = Kind::AzMigration;

/// Polls of a cluster whose zone changes.
struct Polls {
    memory: Memory,
    cluster: Cluster,
}

impl Polls {
    fn start(json: &str) -> Self {
        let mut polls = Self {
            memory: Memory::default(),
            cluster: cluster(),
        };
        let (upgrade, _) = read_with(KIND, json, &polls.memory);
        polls.take(Some(upgrade), None, "2023-01-05T00:00:00Z");
        polls
    }

    fn take(&mut self, upgrade: Option<Upgrade>, failure: Option<SecondaryFailure>, now: &str) {
        self.take_unconfirmed(upgrade, failure, BTreeSet::new(), now);
    }

    fn take_unconfirmed(
        &mut self,
        upgrade: Option<Upgrade>,
        failure: Option<SecondaryFailure>,
        unconfirmed: BTreeSet<Kind>,
        now: &str,
    ) {
        let mut observation = observation(&self.cluster);
        observation.unconfirmed = unconfirmed;
        observation.upgrades.extend(upgrade);
        observation.secondary.push(SecondaryCall {
            endpoint: CALL,
            answer: None,
            failure,
        });
        let hour = Duration::from_secs(3600);
        let thresholds = Thresholds {
            stalled_after: hour,
            overdue_after: hour,
            retain_ended: hour * 24,
        };
        let interval = Duration::from_secs(60);
        track::advance(
            &mut self.memory,
            &observation,
            &thresholds,
            interval,
            at(now),
        );
    }

    /// Polls while the call fails.
    fn fail(&mut self, now: &str) -> Upgrade {
        let mut observation = observation(&self.cluster);
        let upgrade = kept(&self.memory, KIND, CALL, &mut observation, at(now)).unwrap();
        let failure = SecondaryFailure {
            reason: Reason::Server,
            message: String::new(),
            missing: "",
            permission: "",
            is_not_offered: false,
            is_earlier: false,
        };
        let unconfirmed = observation.unconfirmed;
        self.take_unconfirmed(Some(upgrade.clone()), Some(failure), unconfirmed, now);
        upgrade
    }

    /// Polls while the call tells of no upgrade.
    fn silence(&mut self, now: &str) -> Option<Upgrade> {
        let mut unconfirmed = BTreeSet::new();
        let upgrade = once_more(&self.memory, KIND, &mut unconfirmed);
        self.take_unconfirmed(upgrade.clone(), None, unconfirmed, now);
        upgrade
    }

    fn changed(&self) -> Option<Timestamp> {
        self.memory.last(KIND).unwrap().changed
    }
}

#[test]
fn a_failing_call_keeps_its_upgrade_for_fifteen_minutes() {
    let mut polls = Polls::start(AZ);
    let (told, _) = read_with(KIND, AZ, &Memory::default());
    for now in ["2023-01-05T01:00:00Z", "2023-01-05T01:14:59Z"] {
        let kept = polls.fail(now);
        assert_eq!(kept.status, UpgradeStatus::Running);
        assert_eq!((&kept.nodes, &kept.tasks), (&told.nodes, &told.tasks));
        assert!(kept.is_stall_suspended);
    }
    let lapsed = polls.fail("2023-01-05T01:15:00Z");
    assert_eq!(lapsed.status, UpgradeStatus::Unknown);
    assert!(lapsed.nodes.is_empty() && lapsed.tasks.is_empty());
    assert!(lapsed.is_same(&told) && lapsed.is_stall_suspended);
    polls.cluster.actions = vec!["SOMETHING_NEW".into()];
    let changing = polls.fail("2023-01-05T01:16:00Z");
    assert_eq!(changing.status, UpgradeStatus::Running);
    polls.cluster.actions.clear();
    polls.cluster.status = "100".to_owned();
    let changing = polls.fail("2023-01-05T01:17:00Z");
    assert_eq!(changing.status, UpgradeStatus::Running);
    assert_eq!(polls.changed(), None, "that a call fails is no progress");
    polls.take(Some(told), None, "2023-01-05T02:00:00Z");
    assert_eq!(polls.changed(), None, "nor that it is answered again");
}

#[test]
fn an_upgrade_that_had_ended_stays_as_it_was() {
    let json = AZ.replacen("RUNNING", "FAILED", 1);
    let mut polls = Polls::start(&json);
    let (told, _) = read_with(KIND, &json, &Memory::default());
    assert_eq!(
        ended(&polls.memory, KIND, &mut BTreeSet::new()),
        Some(told.clone())
    );
    polls.fail("2023-01-05T01:00:00Z");
    let late = polls.fail("2023-01-05T03:00:00Z");
    assert_eq!(late.status, UpgradeStatus::Failed);
    assert_eq!(late.nodes, told.nodes);
    assert_eq!(ended(&polls.memory, KIND, &mut BTreeSet::new()), Some(told));
    assert_eq!(
        ended(&polls.memory, Kind::Version, &mut BTreeSet::new()),
        None
    );
}

#[test]
fn silence_after_a_failure_repeats_what_was_told() {
    let mut polls = Polls::start(AZ);
    let (told, _) = read_with(KIND, AZ, &Memory::default());
    polls.fail("2023-01-05T01:00:00Z");
    polls.fail("2023-01-05T02:00:00Z");
    let once = polls.silence("2023-01-05T02:01:00Z").unwrap();
    assert_eq!(once, told, "with its nodes, and by no failing call");
    polls.fail("2023-01-05T02:01:30Z");
    assert_eq!(polls.silence("2023-01-05T02:02:00Z"), None);
}
