use std::collections::{BTreeMap, HashSet};

use proptest::prelude::*;

use super::*;
use crate::expose::check::cluster;

fn state(number: u32) -> Arc<ClusterState> {
    Arc::new(cluster(&format!("{number:06}")))
}

fn leaves(snapshot: &Snapshot) -> Vec<&Leaf> {
    snapshot.root.iter().flat_map(Node::leaves).collect()
}

/// Returns the number of leaves that only the later snapshot has.
fn copied(before: &Snapshot, now: &Snapshot) -> usize {
    let addresses = |snapshot| -> HashSet<_> {
        let leaves = leaves(snapshot).into_iter();
        leaves.map(std::ptr::from_ref).collect()
    };
    addresses(now).difference(&addresses(before)).count()
}

/// Panics unless each node has a sane number of parts and their first keys, and all leaves have one depth.
fn check(snapshot: &Snapshot) {
    fn keys<T: Part>(list: &List<T>) {
        let keys: Vec<_> = list.parts.iter().filter_map(Part::first_key).collect();
        assert!((1..=MOST).contains(&keys.len()));
        assert_eq!(list.keys.first(), keys.first().copied());
        let places = keys.iter().map(|key| list.keys.place(key));
        assert!(places.eq((0..keys.len()).map(Ok)));
    }
    fn depth(node: &Node) -> usize {
        match node {
            Node::Leaf(leaf) => {
                keys(leaf);
                0
            }
            Node::Inner(inner) => {
                keys(inner);
                let depths: HashSet<_> = inner.parts.iter().map(depth).collect();
                assert_eq!(depths.len(), 1);
                depths.into_iter().next().unwrap() + 1
            }
        }
    }
    if let Some(root) = &snapshot.root {
        depth(root);
    }
}

#[test]
fn a_change_copies_one_leaf_and_shares_all_other_states() {
    for size in [100, 10_000] {
        let before: Snapshot = (0..size).map(state).collect();
        let mut now = before.clone();
        now.insert(state(size / 2));
        assert_eq!(copied(&before, &now), 1);
        let shared = before.values().zip(now.values());
        let shared = shared.filter(|(a, b)| Arc::ptr_eq(a, b)).count();
        assert_eq!(shared, now.len() - 1);
        assert_eq!(now.changes(&before).len(), 1);
    }
}

#[test]
fn parts_stay_small_and_become_few_when_clusters_leave() {
    let mut snapshot: Snapshot = (0..10_000).map(state).collect();
    check(&snapshot);
    for number in (0..10_000).filter(|number| number % 100 != 0) {
        snapshot.remove(&state(number).key);
    }
    assert_eq!(snapshot.len(), 100);
    check(&snapshot);
    let leaves = leaves(&snapshot).len();
    assert!(leaves < 40, "{leaves} leaves of 100 clusters");
    for number in 0..10_000 {
        snapshot.remove(&state(number).key);
    }
    assert!(snapshot.is_empty() && snapshot.root.is_none());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn matches_a_plain_map_and_finds_every_change(
        steps in prop::collection::vec((0u32..300, prop::bool::weighted(0.7)), 0..900),
        cut in 0usize..900,
    ) {
        let (mut snapshot, mut plain) = (Snapshot::default(), BTreeMap::new());
        let mut before = (snapshot.clone(), plain.clone());
        for (step, (number, is_put)) in steps.into_iter().enumerate() {
            if step == cut {
                before = (snapshot.clone(), plain.clone());
            }
            let state = state(number);
            if is_put {
                plain.insert(state.key.clone(), state.clone());
                snapshot.insert(state);
            } else {
                plain.remove(&state.key);
                snapshot.remove(&state.key);
            }
            prop_assert_eq!(snapshot.len(), plain.len());
        }
        check(&snapshot);
        let same = |a: Option<&Arc<ClusterState>>, b: Option<&Arc<ClusterState>>| {
            a.map(Arc::as_ptr) == b.map(Arc::as_ptr)
        };
        prop_assert!(snapshot.values().map(Arc::as_ptr).eq(plain.values().map(Arc::as_ptr)));
        for number in 0..300 {
            let key = &state(number).key;
            prop_assert!(same(snapshot.get(key), plain.get(key)));
        }
        let keys: std::collections::BTreeSet<_> = before.1.keys().chain(plain.keys()).collect();
        let differ = keys.into_iter().filter(|key| !same(before.1.get(key), plain.get(key)));
        let differ: Vec<_> = differ.collect();
        let changes = snapshot.changes(&before.0);
        prop_assert_eq!(changes.len(), differ.len());
        for (change, key) in changes.iter().zip(differ) {
            prop_assert!(same(change.before, before.1.get(key)));
            prop_assert!(same(change.now, plain.get(key)));
        }
    }
}
