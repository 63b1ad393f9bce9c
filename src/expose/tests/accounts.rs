//! Accounts whose vendors' clocks differ.

use super::*;

#[test]
fn durations_and_estimates_are_by_the_clock_of_the_account() {
    let (mut ahead, mut right) = (running(), running());
    (ahead.key.account, right.key.account) = ("ahead".into(), "right".into());
    let snapshot: Snapshot = [ahead, right].into_iter().map(Arc::new).collect();
    let mut builder = PageBuilder::default();
    let before = Times::at(at(0)).with("ahead", at(300));
    let page = builder.next(&snapshot, &before);
    let first = running().upgrades[0].estimated_end.unwrap();
    let until = first.duration_since(at(300));
    assert_eq!(builder.until_next_flip(&before), Some(until));
    let times = Times::at(at(100)).with("ahead", at(400));
    for text in [
        page.text(&times, 0),
        gunzip(&page.gzip(&times, Deflater::new()).finish().0.concat()),
    ] {
        let families = parse(&text);
        let duration = |account| {
            let name = "rolling_upgrade_duration_seconds";
            sample(&families, name, &[("account", account)]).unwrap()
        };
        assert_eq!(duration("ahead") - duration("right"), 300.0);
    }
    // The estimate of the account that is ahead has passed, and the other's has not.
    let times = Times::at(first - Duration::from_secs(1)).with("ahead", first);
    let families = parse(&builder.next(&snapshot, &times).text(&times, 0));
    let estimate = |account| {
        let name = "rolling_upgrade_estimated_end_timestamp_seconds";
        sample(&families, name, &[("account", account)])
    };
    assert!(estimate("ahead").is_none() && estimate("right").is_some());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4))]

    /// Clocks go on and are set back, clusters come and go in many shards: the page is that made anew.
    #[test]
    fn pages_follow_clocks_that_step(seed: u64) {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut snapshot = Snapshot::default();
        let mut builder = PageBuilder::default();
        let (mut now, mut size) = (0i64, 400);
        for _ in 0..12 {
            now += [0, 1, 600, 3700, -900, -1][rng.usize(0..6)];
            let mut times = Times::at(at(now));
            if rng.bool() {
                times = times.with("cn", at(now + rng.i64(-4000..4000)));
            }
            for _ in 0..size {
                let id = rng.u32(0..900).to_string();
                let mut state = chance(&mut rng, &id, at(now));
                state.key.account = ["kr", "cn"][rng.usize(0..2)].into();
                if rng.u8(0..4) == 0 {
                    snapshot.remove(&state.key);
                } else {
                    snapshot.insert(Arc::new(state));
                }
            }
            size = [0, 0, 1, 3, 200][rng.usize(0..5)];
            if rng.u8(0..6) == 0 {
                let keys: Vec<_> = snapshot.values().map(|s| s.key.clone()).collect();
                let from = rng.usize(0..keys.len().max(1));
                for key in keys.iter().skip(from).take(rng.usize(0..400)) {
                    snapshot.remove(key);
                }
            }
            let page = builder.next(&snapshot, &times);
            let text = page.text(&times, 0);
            let anew = PageBuilder::default().next(&snapshot, &times).text(&times, 0);
            prop_assert!(text == anew, "not the page made anew");
            let joined = gunzip(&page.gzip(&times, Deflater::new()).finish().0.concat());
            prop_assert!(text == joined, "gzip holds another text");
        }
    }
}
