//! What counts as news.

use rolling_upgrade_exporter::model::{NodeStatus, Reason, TaskStatus, UpgradeStatus};

use super::*;

fn fleet() -> Report {
    serde_json::from_str(include_str!("../../../../tests/data/status/fleet.json")).unwrap()
}

/// The news of a report that was changed, without the time.
fn news(change: impl Fn(&mut Report)) -> Vec<String> {
    news_since(&fleet(), change)
}

fn news_since(before: &Report, change: impl Fn(&mut Report)) -> Vec<String> {
    let mut now = before.clone();
    change(&mut now);
    let lines = changes(Some(before), &now);
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
        "cn-prod css css-billing: failed: Node replacement: No address is left in subnet 子网-a\\u{1b}[31m: \
         free some, and upgrade again. Data of the node are complete on the others.; 33%, 7.6.2 -> 7.10.2, \
         after 1h15m, 1 retry",
        "cn-prod css css-billing: ess node css-billing-ess-esn-2-1: failed at Node replacement (2 of 3)",
        "cn-prod css css-billing: task Node replacement (2 of 3): failed",
        "cn-prod css css-billing: move to another zone partially failed, 50%, cn-north-4a -> cn-north-4c (ess), \
         after 1h",
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
        node.status = NodeStatus::Failed.into();
        node.raw_status = "error\u{7}".to_owned();
    });
    assert_eq!(
        told,
        ["kr-prod ses 검색-상점: data node shop-d-2: failed (error\\u{7})"]
    );
    let told = news(|report| {
        upgrade(report, 0).tasks[2].status = TaskStatus::Running.into();
        upgrade(report, 0).waits_for_person = false;
    });
    let line = "cn-prod cce 商店-前端: task PostCheck (3 of 3): running";
    assert_eq!(told, [line]);
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
        upgrade.status = UpgradeStatus::Succeeded.into();
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
        upgrade.status = UpgradeStatus::Running.into();
        upgrade.progress_ratio = Some(0.0);
    });
    assert_eq!(told, ["kr-prod ses search-logs: running, 0%, 270 -> 290"]);
}

#[test]
fn counts_say_how_all_stand() {
    let want = "1 failed, 1 partially failed, 1 stalled, 3 running, 1 unknown, 1 succeeded";
    assert_eq!(format::counts(&fleet()), want);
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
        (call.reason, call.message) = (Reason::Server.into(), "ListNodes: (HTTP 500)".into());
    });
    let line = "cn-prod cce 商店-前端: degraded: missing: states of nodes (needs cce:node:list); server: ListNodes: (HTTP 500)";
    assert_eq!(other_reason, [line]);
    let other_text = news(|report| report.clusters[0].degraded[0].message.clear());
    assert_eq!(other_text, Vec::<String>::new());
}

#[test]
fn trouble_that_began_before_the_watch_is_told_first() {
    let lines = changes(None, &fleet());
    let place = |part: &str| {
        let is_it = |line: &String| line.contains(part);
        let place = lines.iter().position(is_it);
        place.unwrap_or_else(|| panic!("{part} is not in\n{}", lines.join("\n")))
    };
    assert_eq!(place("css-billing: failed: "), 0);
    let order = [
        "css-billing: ess node css-billing-ess-esn-2-1: failed at Node replacement (2 of 3)",
        "검색-상점: stalled: nothing moved for 50m",
        "검색-상점: data node shop-d-2: upgrading",
        "商店-前端: running",
        "sg-test cce: clusters cannot be listed",
    ];
    assert!(order.map(place).is_sorted(), "{}", lines.join("\n"));
}

#[test]
fn the_vendors_reason_is_told_with_what_it_explains() {
    let stall = |report: &mut Report, reason: Option<&str>| {
        let upgrade = upgrade(report, 0);
        upgrade.stalled = true;
        upgrade.reason = reason.map(str::to_owned);
    };
    let told = news(|report| stall(report, Some("Cluster: no\nquota")));
    assert_eq!(
        told,
        [r"cn-prod cce 商店-前端: stalled: nothing moved for 5m; Cluster: no\u{a}quota"]
    );
    let mut stalled = fleet();
    stall(&mut stalled, None);
    let told = news_since(&stalled, |report| stall(report, Some("Cluster: no quota")));
    let later = "cn-prod cce 商店-前端: the vendor's reason: Cluster: no quota";
    assert_eq!(told, [later]);
}

#[test]
fn checks_and_cancelling_are_news() {
    let document = include_str!("../../../../tests/data/api/upgrades.json");
    let item = || {
        let report: Report = serde_json::from_str(document).unwrap();
        let precheck = report.clusters[0].upgrades[0].precheck.clone();
        precheck.unwrap().findings.remove(0)
    };
    let told = news(|report| {
        let upgrade = upgrade(report, 0);
        upgrade.can_be_cancelled = Some(false);
        let precheck = upgrade.precheck.as_mut().unwrap();
        precheck.findings = vec![item(); 12];
    });
    let failed = "cn-prod cce 商店-前端: precheck: failed: addon-limit-check (addon coredns): the add-on \
                  is too old [CCE.01400001]";
    assert_eq!(told[..10], [failed; 10]);
    assert_eq!(
        told[10..],
        [
            "cn-prod cce 商店-前端: precheck: 2 more items failed",
            "cn-prod cce 商店-前端: cannot be cancelled now"
        ]
    );
    let mut unchecked = fleet();
    upgrade(&mut unchecked, 0).precheck = None;
    let told = news_since(&unchecked, |report| {
        upgrade(report, 0).precheck = upgrade(&mut fleet(), 0).precheck.clone();
    });
    let passed = "cn-prod cce 商店-前端: precheck: passed, and good for 1h";
    assert_eq!(told, [passed]);
}

#[test]
fn a_wrong_clock_of_the_host_is_told_once() {
    let mut off = fleet();
    for product in &mut off.products {
        let is_off = product.account == "cn-prod";
        product.clock_skew_seconds = is_off.then_some(1200.0);
    }
    let skewed = off.products.clone();
    let told = news(|report| report.products.clone_from(&skewed));
    let [line] = told.as_slice() else {
        panic!("{told:?}")
    };
    let begin = "cn-prod: the clock of the exporter's host is 20m ahead of the vendor's. ";
    assert!(line.starts_with(begin), "{line}");
    assert_eq!(news_since(&off, |_| {}), [""; 0]);
}
