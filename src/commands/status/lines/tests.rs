//! What counts as news.

use super::*;

fn fleet() -> Report {
    serde_json::from_str(include_str!("../../../../tests/data/status/fleet.json")).unwrap()
}

/// The news of a report that was changed, without the time.
fn news(change: impl Fn(&mut Report)) -> Vec<String> {
    let before = fleet();
    let mut now = before.clone();
    change(&mut now);
    let lines = changes(Some(&before), &now);
    let text = |line: &String| {
        line.strip_prefix("2027-01-15T10:00:00Z ")
            .unwrap()
            .to_owned()
    };
    lines.iter().map(text).collect()
}

/// The upgrade at this place of the clusters.
fn upgrade(report: &mut Report, place: usize) -> &mut UpgradeReport {
    &mut report.clusters[place].upgrades[0]
}

#[test]
fn the_first_report_tells_what_is_in_work_and_in_trouble() {
    let lines = changes(None, &fleet());
    let text = lines.join("\n");
    for part in [
        "sg-test cce: clusters cannot be listed: auth: the vendor refused",
        "cn-prod css css-billing: failed, 33%, 7.6.2 -> 7.10.2, after 1h15m, 1 retry",
        "cn-prod css css-billing: move to another zone partially failed, 50%, after 1h",
        "kr-prod ses 검색-상점: stalled: nothing moved for 50m",
        "kr-prod ses 검색-상점: data node shop-d-2: upgrading (Upgrade_OpenSearch)",
        "kr-prod ses 3427192: no answer: not_found: there is no such cluster",
        "kr-prod cdss 주문-이벤트: overdue: running for longer than 6h",
        "cn-prod cce 商店-前端: waits until a person goes on with it",
        "cn-prod cce 商店-前端: degraded: missing: states of nodes (needs cce:node:list); permission: ListNodes: ",
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
    assert!(!text.contains("shop-m-1"), "it only waits: {text}");
    assert!(!text.contains("logs-d-1"), "it is done: {text}");
    assert!(
        !text.contains("css-billing-ess-esn-2-1"),
        "it is over: {text}"
    );
    let is_raw = |c: char| c.is_control() && c != '\n';
    assert!(!text.contains(is_raw), "{text:?}");
}

#[test]
fn no_change_is_no_news() {
    assert_eq!(news(|_| {}), Vec::<String>::new());
    // Ages and shares alone are none.
    let ages = news(|report| {
        let upgrade = upgrade(report, 5);
        upgrade.duration_seconds = Some(1.0);
        upgrade.progress_ratio = Some(0.9);
        report.clusters[5].last_success = None;
    });
    assert_eq!(ages, Vec::<String>::new());
}

#[test]
fn each_change_is_told_once() {
    let told = news(|report| upgrade(report, 5).stalled = false);
    assert_eq!(told, ["kr-prod ses 검색-상점: moves again"]);
    let told = news(|report| {
        let node = &mut upgrade(report, 5).nodes[1];
        node.status = "failed".to_owned();
        node.raw_status = "error\u{7}".to_owned();
    });
    assert_eq!(
        told,
        ["kr-prod ses 검색-상점: data node shop-d-2: failed (error\\u{7})"]
    );
    let told = news(|report| {
        upgrade(report, 0).tasks[2].status = "running".to_owned();
        upgrade(report, 0).waits_for_person = false;
    });
    assert_eq!(told, ["cn-prod cce 商店-前端: task 3 PostCheck: running"]);
    let told = news(|report| report.clusters[6].last_error = None);
    assert_eq!(told, ["kr-prod ses search-silent: answers again"]);
    let told = news(|report| report.products[4].last_error = None);
    assert_eq!(told, ["sg-test cce: clusters can be listed again"]);
    let told = news(|report| drop(report.clusters.pop()));
    assert_eq!(told, ["cn-prod cce spare: is gone"]);
    let told = news(|report| report.clusters[0].upgrades.clear());
    let want = "cn-prod cce 商店-前端: upgrade is not shown any more";
    assert_eq!(told, [want]);
    // Those have ended, and are shown for a while.
    let told = news(|report| report.clusters[1].upgrades.clear());
    assert_eq!(told, Vec::<String>::new());
    let told = news(|report| {
        let upgrade = upgrade(report, 2);
        upgrade.status = "succeeded".to_owned();
        upgrade.ended = Some(upgrade.last_progress);
    });
    assert_eq!(
        told,
        ["kr-prod cdss 주문-이벤트: succeeded, 50%, from 2.8.2, after 6h30m"]
    );
}

#[test]
fn a_new_upgrade_is_not_taken_for_the_old_one() {
    let told = news(|report| {
        let upgrade = upgrade(report, 4);
        upgrade.requested = Some(upgrade.last_progress);
        upgrade.ended = None;
        upgrade.status = "running".to_owned();
        upgrade.progress_ratio = Some(0.0);
    });
    assert_eq!(told, ["kr-prod ses search-logs: running, 0%, 270 -> 290"]);
}

#[test]
fn counts_say_how_all_stand() {
    let want = "1 failed, 1 partially failed, 1 stalled, 3 running, 1 unknown, 1 succeeded";
    assert_eq!(counts(&fleet()), want);
}

#[test]
fn a_call_that_begins_or_ceases_to_fail_is_news() {
    let recovered = news(|report| report.clusters[0].degraded.clear());
    assert_eq!(
        recovered,
        ["cn-prod cce 商店-前端: ListNodes fails no more"]
    );
    let other_reason = news(|report| {
        let call = &mut report.clusters[0].degraded[0];
        (call.reason, call.message) = ("server".into(), "ListNodes: (HTTP 500)".into());
    });
    let line = "cn-prod cce 商店-前端: degraded: missing: states of nodes (needs cce:node:list); server: ListNodes: (HTTP 500)";
    assert_eq!(other_reason, [line]);
    let other_text = news(|report| report.clusters[0].degraded[0].message.clear());
    assert_eq!(other_text, Vec::<String>::new());
}
