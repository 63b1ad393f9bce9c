//! What the page shows of a report.

mod clock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use super::*;
use crate::clouds::CLOUDS;
use crate::model::{Reason, UpgradeStatus};
use crate::report::ClusterReport;

const GOLDEN: &str = include_str!("../../../tests/data/api/upgrades.json");

pub(super) fn report() -> Report {
    serde_json::from_str(GOLDEN).unwrap()
}

fn before(seconds: i64) -> Timestamp {
    report().generated - SignedDuration::from_secs(seconds)
}

/// The golden's cluster under another name, changed.
fn cluster(name: &str, change: impl FnOnce(&mut ClusterReport)) -> ClusterReport {
    let mut cluster = report().clusters.remove(0);
    cluster.cluster_id = format!("id-{name}");
    cluster.cluster_name = name.to_owned();
    change(&mut cluster);
    cluster
}

/// One of each part, in an order that is not the page's.
fn fleet() -> Report {
    let mut report = report();
    report.products[0].last_error = None;
    report.clusters = vec![
        cluster("idle", |c| c.upgrades.clear()),
        cluster("done", |c| {
            c.upgrades[0].status = UpgradeStatus::Succeeded.into();
            c.upgrades[0].ended = Some(before(300));
            c.upgrades[0].duration_seconds = Some(11_100.0);
        }),
        cluster("runs", |c| c.upgrades[0].overdue = false),
        cluster("dark", |c| {
            c.up = false;
            c.last_success = Some(before(900));
            c.last_error = self::report().products[0].last_error.clone();
        }),
        cluster("stuck", |c| c.upgrades[0].stalled = true),
        cluster("broken", |c| {
            c.upgrades[0].status = UpgradeStatus::PartiallyFailed.into();
        }),
    ];
    report
}

pub(super) fn render(report: Report, query: &str) -> String {
    let html = page(report, query, "/metrics", CLOUDS).html;
    // The script's own words are not the page's.
    html.replace(SCRIPT, "").replace(STYLE, "")
}

/// Asserts that these texts are there, in this order.
pub(super) fn in_order(html: &str, texts: &[&str]) {
    let mut rest = html;
    for text in texts {
        let (_, after) = rest
            .split_once(text)
            .unwrap_or_else(|| panic!("no {text:?} after the one before it in {html}"));
        rest = after;
    }
}

#[test]
fn trouble_comes_first() {
    let html = render(fleet(), "");
    in_order(
        &html,
        &[
            "<title>1 failed, 1 stalled, 1 without an answer · Rolling upgrades</title>",
            ">broken<",
            ">stuck<",
            ">dark<",
            ">runs<",
            ">done<",
            ">idle<",
        ],
    );
    for state in [
        "partially failed<",
        "running, stalled<",
        "no answer, was running<",
        "succeeded<",
    ] {
        assert!(html.contains(state), "{state}");
    }
    assert_eq!(html.matches("overdue<").count(), 4, "{html}");
}

#[test]
fn what_runs_is_ordered_by_the_time_since_anything_moved() {
    let mut report = report();
    let silent =
        |name: &str, seconds| cluster(name, |c| c.upgrades[0].last_progress = before(seconds));
    report.clusters = vec![
        silent("a", 5),
        silent("b", 900),
        silent("c", 60),
        silent("d", 60),
    ];
    in_order(&render(report, ""), &[">b<", ">c<", ">d<", ">a<"]);
}

#[test]
fn a_list_that_fails_is_told_below_what_failed_and_stalled() {
    let mut report = fleet();
    report.products = self::report().products;
    report.clusters.remove(3);
    let refused = "(throttled): <bdi>too many calls</bdi>";
    in_order(
        &render(report, ""),
        &[
            ">broken<",
            ">stuck<",
            "Cannot list the css",
            refused,
            ">runs<",
        ],
    );
}

#[test]
fn an_error_that_a_card_tells_is_not_repeated() {
    let mut report = report();
    report.clusters = vec![cluster("dark", |c| {
        (c.up, c.last_success) = (false, None);
        c.cluster_name.clear();
        c.upgrades.clear();
        c.last_error = self::report().products[0].last_error.clone();
    })];
    let number = |report: &Report, query: &str, text: &str| {
        render(report.clone(), query).matches(text).count()
    };
    assert_eq!(number(&report, "", "too many calls"), 1);
    assert_eq!(
        number(&report, "", "<bdi>id-dark</bdi>"),
        1,
        "its id is its title"
    );
    assert_eq!(number(&report, "state=failed", "too many calls"), 1);
    let error = report.clusters[0].last_error.as_mut().unwrap();
    error.message = "too many calls (request 7)".into();
    report.products[0].last_error.as_mut().unwrap().message = "too many calls (request 8)".into();
    assert_eq!(number(&report, "", "too many calls"), 1);
    report.clusters[0].last_error.as_mut().unwrap().reason = Reason::Timeout.into();
    assert_eq!(number(&report, "", "too many calls"), 2);
}

#[test]
fn the_header_tells_how_much_is_watched_and_how_new_it_is() {
    let about = |report: Report| {
        let html = render(report, "state=failed");
        let (_, rest) = html.split_once("<p id=\"about\">").unwrap();
        rest.split_once("</p>").unwrap().0.to_owned()
    };
    let mut report = fleet();
    assert!(about(report.clone()).starts_with("6 clusters in 1 account · data of <time"));
    assert!(about(report.clone()).ends_with(">08:01:30</time> UTC"));
    report.clusters.truncate(1);
    report.clusters[0].account = "other".into();
    report.clusters[0].last_success = Some(before(86_400));
    let text = about(report.clone());
    assert!(text.starts_with("1 cluster in 2 accounts"), "{text}");
    assert!(text.ends_with(">2027-01-14 08:01</time> UTC"), "{text}");
    report.clusters.clear();
    assert_eq!(about(report), "0 clusters in 1 account · no data yet");
}

#[test]
fn a_card_tells_what_a_failing_call_leaves_out() {
    let html = render(report(), "");
    in_order(
        &html,
        &[
            r#"<p class="notice"><strong>Degraded</strong>"#,
            "for 1m10s</time>, missing: states of nodes. ListNodes needs cce:node:list. ",
            "Last failure (permission): <bdi>ListNodes: not allowed (HTTP 403)</bdi></p>",
            "<details",
        ],
    );
    let mut idle = report();
    idle.clusters[0].upgrades.clear();
    assert!(render(idle, "").contains("missing: states of nodes"));
    let found = |query| render(report(), query).contains("name-1");
    assert!(found("q=degraded+cce%3Anode"));
    let mut whole = report();
    whole.clusters[0].degraded.clear();
    assert!(!render(whole, "").contains("Degraded"));
}

#[test]
fn a_start_after_the_request_is_told() {
    assert!(
        !render(report(), "").contains("Started"),
        "it is the request"
    );
    let mut later = report();
    later.clusters[0].upgrades[0].started = Some(before(70));
    let html = render(later, "");
    in_order(&html, &["Requested", "1m40s ago", "Started", "1m10s ago"]);
}

#[test]
fn a_card_tells_all_that_is_known() {
    let html = render(report(), "");
    in_order(
        &html,
        &[
            "Cannot list the css clusters of <bdi>cn-prod</bdi>",
            "20s ago",
            "(throttled): <bdi>too many calls</bdi>",
            "<bdi>name-1</bdi>",
            "css · cn-north-4",
            r#"<progress max="1" value="0.500""#,
            "<strong>50%</strong>",
            "1 of 2 nodes done, 1 in work",
            "<bdi>Elasticsearch 7.6.2</bdi> ",
            "<bdi>7.10.2</bdi>",
            "Requested",
            "1m40s ago",
            "Estimated end",
            "in 1m40s",
            "Last progress",
            "30s ago",
            "stalled after 1m",
            "Task",
            "<bdi>restart (1 of 1)</bdi>",
            "2 (1 again)",
            "10s old",
            "<bdi>200 available</bdi>",
            "<bdi>u-1</bdi>",
            "2 nodes, 1 task",
            "<bdi>n-1</bdi>",
            "ess",
            "succeeded",
            "50s",
            "<bdi>completed</bdi>",
            "<bdi>n-2</bdi>",
            "upgrading",
            "40s",
            "<bdi>restart</bdi>",
            "08:01:10",
            "30s",
            "What is watched",
            "(fails now)",
        ],
    );
    assert!(
        !html.contains("Changed"),
        "a column without a word is left out"
    );
}

#[test]
fn tells_what_is_left_out() {
    let mut report = report();
    assert!(!render(report.clone(), "").contains("are shown."));
    let upgrade = &mut report.clusters[0].upgrades[0];
    let (nodes, tasks) = (upgrade.nodes.len(), upgrade.tasks.len());
    upgrade.nodes_left_out.failed = 1_000_000;
    upgrade.tasks_left_out = 5_000;
    (report.products[0].watched, report.products[0].left_out) = (20_000, 3);
    let html = render(report, "");
    assert!(html.contains(&format!("{nodes} of 1,000,00{nodes} nodes are shown.")));
    assert!(html.contains(&format!("{tasks} of 5,00{tasks} tasks are shown.")));
    let done = format!("1 of 1,000,00{nodes} nodes done, 1 in work, 1,000,000 failed");
    assert!(html.contains(&done), "{html}");
    assert!(html.contains(&format!("1,000,00{nodes} nodes, 5,00{tasks} tasks")));
    assert!(html.contains("20,000 of 20,003 css clusters of"), "{html}");
}

#[test]
fn what_ended_and_what_is_old_say_so() {
    let html = render(fleet(), "");
    in_order(
        &html,
        &[">done<", "Ended", "5m ago", "<small>took 3h5m</small>"],
    );
    in_order(
        &html,
        &[">dark<", "15m old", "(out of date)", "Last poll failed"],
    );
    assert_eq!(html.matches("(out of date)").count(), 1);
}

#[test]
fn filters_and_counts_what_other_states_would_leave() {
    let html = render(fleet(), "state=failed&q=id-");
    assert!(html.contains(">broken<") && !html.contains(">stuck<"));
    in_order(
        &html,
        &[
            r#"href="?state=failed&amp;q=id-" aria-current="true""#,
            r#"href="?state=stalled&amp;q=id-""#,
            "<strong>1</strong> stalled",
            "Filter: state <strong><bdi>failed</bdi></strong>, text <strong><bdi>id-</bdi></strong>",
            r#"<a href="?">Show all</a>"#,
        ],
    );
    assert!(html.contains(r#"<option value="failed" selected>"#));
    assert!(html.contains(r#"name="q" value="id-""#));
    assert!(html.contains(r#"href="./api/v1/upgrades?state=failed&amp;q=id-""#));
    let html = render(fleet(), "q=nowhere");
    assert!(html.contains("No cluster matches the filter"));
    assert!(!html.contains("No cluster is watched"));
}

#[test]
fn a_wrong_query_is_told_and_a_foreign_one_is_not() {
    let html = render(fleet(), "state=<b>&utm_source=chat");
    assert!(html.contains("The address asks for no state &quot;&lt;b&gt;&quot;; there are failed"));
    assert!(!html.contains("utm_source"));
    assert!(
        html.contains(">runs<"),
        "what is wrong leaves everything in"
    );
}

#[test]
fn says_when_nothing_is_known() {
    let mut empty = report();
    empty.clusters.clear();
    empty.products.clear();
    assert!(render(empty.clone(), "").contains("check --live"));
    empty.ready = false;
    let html = render(empty, "");
    assert!(html.contains("first poll round has not ended"));
    assert!(!html.contains("check --live"));
    let mut new = report();
    new.clusters = vec![cluster("new", |c| {
        c.upgrades.clear();
        (c.up, c.last_success) = (false, None);
    })];
    let html = render(new, "");
    assert!(html.contains("not known yet") && html.contains("none yet"));
}

#[test]
fn an_id_holds_over_time_and_is_no_two_upgrades() {
    let report = fleet();
    let ids: std::collections::BTreeSet<String> = report
        .by_attention()
        .iter()
        .map(|(_, cluster, upgrade)| cluster::id(cluster, *upgrade))
        .collect();
    assert_eq!(ids.len(), 6);
    assert!(ids.iter().all(|id| id.len() == 18), "{ids:?}");
}

#[test]
fn the_policy_names_the_hashes_of_style_and_script_in_the_page() {
    let page = page(report(), "", "/metrics", CLOUDS);
    for tag in ["style", "script"] {
        let (_, rest) = page.html.split_once(&format!("<{tag}>")).unwrap();
        let (text, _) = rest.split_once(&format!("</{tag}>")).unwrap();
        let hash = STANDARD.encode(Sha256::digest(text));
        let source = format!("{tag}-src 'sha256-{hash}'");
        assert!(page.policy.contains(&source), "{}", page.policy);
    }
    assert!(!page.policy.contains("unsafe"));
}

/// Everybody upgrades at once: the worst that a page can be.
#[test]
fn a_page_of_two_thousand_stays_small_enough() {
    let mut report = report();
    report.clusters = (0..2000)
        .map(|number| {
            cluster(&format!("cluster-{number}"), |c| {
                let node = c.upgrades[0].nodes[1].clone();
                c.upgrades[0].nodes = vec![node; 6];
            })
        })
        .collect();
    let begun = tokio::time::Instant::now();
    let html = page(report.clone(), "", "/metrics", CLOUDS).html;
    println!("{} bytes in {:?}", html.len(), begun.elapsed());
    assert!(html.len() < 5 << 20, "{} bytes", html.len());
    assert_eq!(html.matches("<article").count(), 2000);
    for cluster in &mut report.clusters {
        cluster.upgrades.clear();
    }
    let html = page(report, "", "/metrics", CLOUDS).html;
    println!("{} bytes when idle", html.len());
    assert!(html.len() < 2 << 20, "{} bytes", html.len());
    assert!(html.contains(r#"<details id="idle-clusters"><summary>2,000 clusters"#));
}
