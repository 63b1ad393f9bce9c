//! Comparison of the database with a plain map.

use proptest::prelude::*;

use super::*;

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        "[ab]",
        "\\PC{0,3}",
        Just("a\0b".to_owned())
    ]
}

fn batch() -> impl Strategy<Value = Batch> {
    let key = (name(), name(), name(), name());
    let record = prop::option::weighted(0.7, prop::string::string_regex("(?s).{0,40}").unwrap());
    let clusters = prop::collection::btree_map(key, record, 0..12);
    let total = prop::option::weighted(0.7, 0..=i64::MAX as u64);
    let ended = prop::collection::btree_map((name(), name(), name()), total, 0..4);
    let record = prop::option::weighted(0.7, name());
    let discoveries = prop::collection::btree_map((name(), name(), name()), record, 0..4);
    let sight = prop::option::weighted(0.7, name());
    let alerts = prop::collection::btree_map(name(), sight, 0..6);
    let durations = prop::collection::btree_map((name(), name()), name(), 0..4);
    let key = (name(), name(), name(), name());
    let polls = prop::collection::btree_map(key, any::<i64>(), 0..12);
    let all = (clusters, discoveries, ended, alerts, durations, polls);
    all.prop_map(|(clusters, discoveries, ended, alerts, durations, polls)| {
        let key = |(account, product, location, id)| StoredKey {
            account,
            product,
            location,
            id,
        };
        let discoveries = discoveries.into_iter();
        let discoveries = discoveries.map(|((account, product, location), record)| {
            let key = StoredDiscovery {
                account,
                product,
                location,
            };
            (key, record)
        });
        let clusters = clusters.into_iter();
        let clusters = clusters.map(|(names, record)| (key(names), record));
        let at = |nanos: i64| Timestamp::from_nanosecond(nanos.into()).unwrap();
        let polls = polls.into_iter();
        let polls = polls.map(|(names, nanos)| (key(names), at(nanos)));
        Batch {
            clusters: clusters.collect(),
            discoveries: discoveries.collect(),
            ended,
            alerts,
            durations,
            polls: polls.collect(),
            ..Batch::default()
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn stores_what_a_plain_map_stores(
        batches in prop::collection::vec((batch(), prop::bool::weighted(0.3)), 1..10),
    ) {
        let folder = folder();
        let mut model = Contents::default();
        let mut database = open(folder.path());
        for (batch, reopens) in batches {
            database.write(&batch).unwrap();
            apply(&mut model, &batch);
            if reopens {
                drop(database);
                database = open(folder.path());
            }
            prop_assert_eq!(&database.load().unwrap(), &model);
        }
        drop(database);
        prop_assert_eq!(open(folder.path()).load().unwrap(), model);
    }
}
