//! Histories by chance: what is evaluated bit by bit is what is evaluated at once.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::expose::check::{at, chance};
use crate::model::{Reason, UpgradeStatus};
use crate::store::Failing;

/// Returns the labels of all alerts whose condition holds, evaluated at once.
fn at_once(times: &Times, snapshot: &Snapshot, health: &ExporterHealth) -> BTreeSet<Labels> {
    let input = AlertInput::new(times.clone(), snapshot.values(), health.clone());
    let mut all = holding(&input, true);
    all.extend(holding(&input, false));
    all.into_keys().collect()
}

/// Returns a cluster with times around the limits of the rules that ask for the time.
fn around_limits(rng: &mut fastrand::Rng, id: &str, seconds: i64) -> ClusterState {
    let mut state = chance(rng, id, at(seconds));
    state.key.account = ["kr", "cn"][rng.usize(0..2)].into();
    state.last_success = at(seconds - rng.i64(0..1000));
    for view in &mut state.upgrades {
        if rng.bool() {
            view.upgrade_mut().status = UpgradeStatus::Succeeded;
            view.ended = Some(at(seconds - rng.i64(0..4000)));
        }
    }
    state
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn evaluates_what_changed_as_if_it_evaluated_all(seed: u64) {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut conditions = Conditions::default();
        let mut snapshot = Snapshot::default();
        let mut health = ExporterHealth::default();
        let (mut held, mut local) = (BTreeSet::new(), 0);
        for _ in 0..60 {
            // Time goes on, stands still, and is set back.
            local += [0, 1, 60, 300, 1000, -200][rng.usize(0..6)];
            let times = Times::at(at(local)).with("cn", at(local + rng.i64(-100..100)));
            for _ in 0..rng.usize(0..3) {
                let id = rng.u32(0..12).to_string();
                let state = Arc::new(around_limits(&mut rng, &id, local));
                if rng.u8(0..4) == 0 {
                    snapshot.remove(&state.key);
                } else {
                    snapshot.insert(state);
                }
            }
            if rng.u8(0..4) == 0 {
                health.reload_failed = rng.bool();
                health.storage_up = [None, Some(true), Some(false)][rng.usize(0..3)];
                health.failing = vec![Failing {
                    account: "kr".into(),
                    product: "ses",
                    reason: Reason::Auth,
                    since: at(local - rng.i64(0..300)),
                }];
            }
            let difference = conditions.update(times.clone(), &snapshot, health.clone());
            for labels in difference.over {
                prop_assert!(held.remove(&*labels), "{labels:?} did not hold");
            }
            for (labels, _) in difference.begun {
                prop_assert!(held.insert(Labels::clone(&labels)), "{labels:?} held");
            }
            prop_assert_eq!(&held, &at_once(&times, &snapshot, &health));
        }
    }
}

#[test]
fn evaluates_only_clusters_that_changed() {
    let mut rng = fastrand::Rng::with_seed(7);
    let states = (0..1000).map(|id| Arc::new(chance(&mut rng, &id.to_string(), at(0))));
    let mut snapshot: Snapshot = states.collect();
    let mut conditions = Conditions::default();
    let mut evaluated = |snapshot: &Snapshot, seconds| {
        let before = conditions.evaluated;
        conditions.update(Times::at(at(seconds)), snapshot, ExporterHealth::default());
        conditions.evaluated - before
    };
    assert_eq!(evaluated(&snapshot, 0), 1000);
    let mut state = ClusterState::clone(snapshot.values().nth(500).unwrap());
    state.last_success += Duration::from_secs(1);
    let key = state.key.clone();
    snapshot.insert(Arc::new(state));
    let gone = snapshot.values().nth(3).unwrap().key.clone();
    snapshot.remove(&gone);
    assert!(snapshot.get(&key).is_some());
    assert_eq!(evaluated(&snapshot, 0), 2);
    assert_eq!(evaluated(&snapshot, 0), 0);
}

#[test]
fn data_of_a_polled_cluster_become_old_in_time() {
    let mut conditions = Conditions::default();
    let state = crate::expose::check::cluster("1");
    let mut snapshot = Snapshot::default();
    let mut is_old = |polled: Option<i64>, seconds| {
        if let Some(polled) = polled {
            snapshot.insert(Arc::new(ClusterState {
                last_success: at(polled),
                ..state.clone()
            }));
        }
        let times = Times::at(at(seconds));
        conditions.update(times, &snapshot, ExporterHealth::default());
        conditions.clusters.contains_key(&state.key)
    };
    assert!(!is_old(Some(0), 0));
    assert!(!is_old(Some(600), 600));
    for seconds in [899, 900, 901, 1499, 1500] {
        assert!(!is_old(None, seconds), "{seconds}");
    }
    assert!(is_old(None, 1501));
    assert!(!is_old(None, 1400), "the clock was set back");
    assert!(is_old(None, 1501));
    assert!(!is_old(Some(1502), 1502));
}
