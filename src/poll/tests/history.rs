use super::*;

#[tokio::test(start_paused = true)]
async fn an_end_goes_into_the_history_and_tells_the_next() {
    let fake = Arc::new(Fake::default());
    fake.set("1", Ok(Some(UpgradeStatus::Running)));
    let bench = Bench::start(fake, |_| {});
    pass(10).await;
    let estimate = || bench.state("1").unwrap().upgrades[0].estimated_end;
    assert_eq!(estimate(), None, "it is the first");
    assert_eq!(bench.deps.store.history().all().upgrades, []);
    pass(3590).await;
    bench.fake.set("1", Ok(Some(UpgradeStatus::Succeeded)));
    pass(600).await;
    let all = bench.deps.store.history().all();
    assert_eq!((all.upgrades.len(), all.left_out), (1, 0));
    let past = &all.upgrades[0];
    assert_eq!(past.outcome(), UpgradeStatus::Succeeded);
    assert_eq!(past.key.cluster.cluster_id, "1");
    let took = past.duration().as_secs();
    assert!((3570..=3660).contains(&took), "{took}");
    let metrics = bench.registry.encode();
    let name = "ended_upgrade_duration_seconds_bucket";
    let count = |le: &str| {
        let is_it = |line: &&str| {
            let has = |label: &str| line.contains(label);
            has(name) && has(r#"outcome="succeeded""#) && has(&format!("le=\"{le}\""))
        };
        metrics.lines().find(is_it).unwrap().to_owned()
    };
    assert!(count("1800.0").ends_with(" 0"), "{}", count("1800.0"));
    assert!(count("7200.0").ends_with(" 1"), "{}", count("7200.0"));

    bench.fake.set("1", Ok(None));
    pass(1000).await;
    bench.fake.set("1", Ok(Some(UpgradeStatus::Running)));
    pass(400).await;
    let view = bench.state("1").unwrap().upgrades[0].clone();
    let expected = view.started.unwrap() + past.duration();
    assert_eq!(view.estimated_end, Some(expected));
    pass(3600).await;
    assert_eq!(estimate(), None, "it takes longer than the one before");
}

#[tokio::test(start_paused = true)]
async fn a_retry_that_fails_again_is_counted_once_and_noted() {
    let fake = Arc::new(Fake::default());
    fake.set("1", Ok(Some(UpgradeStatus::Running)));
    let bench = Bench::start(fake, |_| {});
    pass(60).await;
    let mut ends = Vec::new();
    for _ in 0..2 {
        bench.fake.set("1", Ok(Some(UpgradeStatus::Failed)));
        pass(1000).await;
        let all = bench.deps.store.history().all().upgrades;
        assert_eq!(all.len(), 1);
        ends.push(all[0].ended);
        bench.fake.set("1", Ok(Some(UpgradeStatus::Running)));
        pass(1000).await;
    }
    assert!(ends[1].duration_since(ends[0]).as_secs() > 1000, "{ends:?}");
    let metrics = bench.registry.encode();
    let count = "ended_upgrade_duration_seconds_count";
    let count = metrics
        .lines()
        .find(|line| line.contains(count) && line.contains("\"failed\""));
    assert!(count.unwrap().ends_with(" 1"), "{count:?}");
}

#[tokio::test(start_paused = true)]
async fn an_upgrade_that_had_ended_at_the_first_poll_stays_out_of_the_history() {
    let fake = Arc::new(Fake::default());
    fake.set("1", Ok(Some(UpgradeStatus::Failed)));
    let bench = Bench::start(fake, |_| {});
    pass(1000).await;
    // Its end is noted by the clock, and moves with a step.
    super::clock::told_twice(&bench, 120);
    pass(1000).await;
    assert_eq!(bench.deps.store.history().all().upgrades, []);
}
