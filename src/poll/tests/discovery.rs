//! Tests of looking for clusters.

use super::*;

#[tokio::test(start_paused = true)]
async fn clusters_come_and_go_with_discovery() {
    let fake = Arc::new(Fake::default());
    fake.set("1", Ok(None));
    let bench = Bench::start(fake, |_| {});
    pass(10).await;
    bench.fake.set("2", Ok(None));
    bench.fake.clusters.lock().remove("1");
    let discoveries = || bench.fake.discoveries.load(Ordering::Relaxed);
    let mut seconds = 0;
    while discoveries() < 2 {
        pass(1).await;
        seconds += 1;
    }
    assert!(bench.state("2").is_some(), "the next discovery found it");
    let one = bench.state("1").expect("one list without it is not enough");
    assert!(!one.up);
    assert_eq!(one.last_error.as_ref().unwrap().reason, Reason::NotFound);
    pass(62).await;
    assert!(bench.state("1").is_none(), "two in a row are");
    assert!(seconds + 62 < 900, "before its data count as stale");
    pass(400).await;
    assert_eq!(discoveries(), 3, "nothing is missed any more");
    let polls = bench.fake.polls("1");
    pass(3000).await;
    assert_eq!(bench.fake.polls("1"), polls, "its worker ended");
    let metrics = bench.registry.encode();
    assert!(!metrics.contains("reason=\"not_found\"} 1.8"), "{metrics}");
    assert!(metrics.contains(r#"state="inaccessible"} 2"#), "{metrics}");
}

#[tokio::test(start_paused = true)]
async fn a_product_that_is_not_published_is_left_alone() {
    let fake = Arc::new(Fake::default());
    *fake.listing.lock() = Some(Reason::NotFound);
    let bench = Bench::start(fake, |_| {});
    // The interval is ten minutes, give or take a tenth.
    pass(500).await;
    assert_eq!(bench.fake.discoveries.load(Ordering::Relaxed), 1);
    pass(170).await;
    assert_eq!(bench.fake.discoveries.load(Ordering::Relaxed), 2);
}

#[tokio::test(start_paused = true)]
async fn how_discovery_goes_is_known() {
    let fake = Arc::new(Fake::default());
    fake.set("1", Ok(None));
    *fake.listing.lock() = Some(Reason::Auth);
    let bench = Bench::start(fake, |_| {});
    let known = || bench.deps.store.discoveries().values().next().cloned();
    pass(10).await;
    let failed = known().unwrap();
    assert_eq!(failed.last_error.as_ref().unwrap().reason, Reason::Auth);
    assert_eq!((failed.last_success, failed.watched), (None, 0));
    *bench.fake.listing.lock() = None;
    pass(600).await;
    let good = known().unwrap();
    assert!(good.last_error.is_none() && good.last_success.is_some());
    assert_eq!((good.watched, good.inaccessible), (1, 2));
}
