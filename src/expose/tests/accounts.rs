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
        gunzip(&page.gzip(&times, 0, Deflater::new()).finish().0),
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
