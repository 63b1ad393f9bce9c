//! Lists and answers beyond the bounds.

use std::collections::BTreeSet;

use super::*;
use crate::model::bounds::MAX_CLUSTERS;

fn truncated(bench: &Bench, what: &str) -> Option<String> {
    let text = bench.registry.encode();
    let series = format!(
        "rolling_upgrade_exporter_truncated_total{{account=\"a\",product=\"fake\",what=\"{what}\"}} "
    );
    let mut lines = text.lines();
    lines.find_map(|line| Some(line.strip_prefix(&series)?.to_owned()))
}

#[tokio::test(start_paused = true)]
async fn watches_a_bounded_number_of_clusters_and_counts_it() {
    let fake = Arc::new(Fake {
        slow: Duration::from_secs(3600),
        ..Fake::default()
    });
    for n in 0..MAX_CLUSTERS + 3 {
        fake.set(&format!("{n:06}"), Ok(None));
    }
    let bench = Bench::start(fake, |_| {});
    assert_eq!(truncated(&bench, "clusters").as_deref(), Some("0"));
    pass(1).await;
    assert_eq!(bench.deps.store.snapshot().len(), MAX_CLUSTERS);
    assert!(bench.state("020000").is_none(), "the first by id");
    let discoveries = bench.deps.store.discoveries();
    let shown = discoveries.values().next().unwrap();
    assert_eq!((shown.watched, shown.left_out), (20_000, 3));
    for (what, count) in [
        ("clusters", "1"),
        ("nodes", "0"),
        ("tasks", "0"),
        ("label", "0"),
    ] {
        assert_eq!(truncated(&bench, what).as_deref(), Some(count), "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn newcomers_beyond_the_bound_displace_no_watched_cluster() {
    let fake = Arc::new(Fake {
        slow: Duration::from_secs(36_000),
        ..Fake::default()
    });
    let watched = 3..MAX_CLUSTERS + 3;
    for n in watched.clone() {
        fake.set(&format!("{n:06}"), Ok(None));
    }
    let bench = Bench::start(fake.clone(), |_| {});
    pass(1).await;
    for newcomer in ["000000", "000001", "000002"] {
        fake.set(newcomer, Ok(None));
    }
    let left_out = || {
        let discoveries = bench.deps.store.discoveries();
        let shown = discoveries.values().next().unwrap();
        (shown.watched, shown.left_out)
    };
    let discoveries = fake.discoveries.load(Ordering::Relaxed);
    pass(2000).await;
    assert!(fake.discoveries.load(Ordering::Relaxed) >= discoveries + 2);
    let snapshot = bench.deps.store.snapshot();
    let ids: BTreeSet<_> = snapshot.values().map(|s| s.key.id.to_string()).collect();
    assert!(ids == watched.map(|n| format!("{n:06}")).collect());
    assert_eq!(left_out(), (20_000, 3));

    // The place of a cluster that is gone is free.
    fake.clusters.lock().remove("010000");
    pass(2000).await;
    assert!(bench.state("010000").is_none());
    assert!(bench.state("000000").is_some() && bench.state("000001").is_none());
    assert_eq!(left_out(), (20_000, 2));
}
