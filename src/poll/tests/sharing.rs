//! What the states of a cluster share.

use super::*;

/// Polls a cluster with a running upgrade, and returns its state after the first polls and after further ones.
async fn polled_again() -> (Bench, Arc<ClusterState>, Arc<ClusterState>) {
    let fake = Arc::new(Fake::default());
    fake.set("1", Ok(Some(UpgradeStatus::Running)));
    let bench = Bench::start(fake, |_| {});
    pass(10).await;
    let first = bench.state("1").unwrap();
    pass(100).await;
    let later = bench.state("1").unwrap();
    assert!(later.last_success > first.last_success);
    (bench, first, later)
}

#[tokio::test(start_paused = true)]
async fn states_share_an_upgrade_that_polls_find_unchanged() {
    let (bench, first, later) = polled_again().await;
    assert!(later.upgrades[0].is_shared_with(&first.upgrades[0]));
    bench.fake.set("1", Err(Reason::Server));
    pass(100).await;
    bench.fake.set("1", Ok(Some(UpgradeStatus::Running)));
    pass(1000).await;
    let again = bench.state("1").unwrap();
    assert!(again.up);
    assert!(again.upgrades[0].is_shared_with(&first.upgrades[0]));
    bench.fake.set("1", Ok(Some(UpgradeStatus::Failed)));
    pass(100).await;
    let failed = bench.state("1").unwrap();
    assert_eq!(failed.upgrades[0].upgrade.status, UpgradeStatus::Failed);
    assert!(!failed.upgrades[0].is_shared_with(&first.upgrades[0]));
}

#[tokio::test(start_paused = true)]
async fn states_share_texts_that_polls_find_unchanged() {
    let (_bench, first, later) = polled_again().await;
    let texts = |state: &ClusterState| {
        let version_name = state.version_name.clone().unwrap();
        let state = state.clone();
        [state.name, state.version, state.raw_status, version_name]
    };
    assert_eq!(
        texts(&first).each_ref().map(|text| &**text),
        ["name-1", "1", "running", "one"]
    );
    for (before, after) in texts(&first).iter().zip(&texts(&later)) {
        assert!(Arc::ptr_eq(before, after), "{after}");
    }
}
