//! What the page of the history shows.

use std::sync::Arc;

use jiff::SignedDuration;

use super::*;
use crate::clouds::CLOUDS;
use crate::model::{NodeStatus, PastUpgrade, Span};
use crate::store::history::tests::past;
use crate::web::page::STYLE;
use crate::web::page::escaping::{evil, names, poison, unprintable, uses_only};
use crate::web::page::tests::in_order;

const GOLDEN: &str = include_str!("../../../../tests/data/api/history.json");

fn now() -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24)
}

/// Returns the page of upgrades of a process with a storage, of which older ones are too many.
fn stored(upgrades: Vec<PastUpgrade>, left_out: u64, query: &str) -> String {
    html(upgrades, left_out, true, query)
}

fn html(upgrades: Vec<PastUpgrade>, left_out: u64, has_storage: bool, query: &str) -> String {
    let past = PastUpgrades::new(upgrades.into_iter().map(Arc::new).collect(), left_out);
    let html = page(&past, has_storage, query, CLOUDS, now()).html;
    html.replace(STYLE, "")
}

/// Returns an upgrade whose nodes were in work for these seconds.
fn timed(id: &str, start: i64, nodes: &[i64]) -> PastUpgrade {
    let at = |seconds| Timestamp::from_second(seconds).unwrap();
    let mut past = past(id, start, start + 3_600, nodes.len());
    past.upgrade.node_work = nodes
        .iter()
        .map(|seconds| {
            Some(Span {
                start: at(start),
                end: Some(at(start + seconds)),
            })
        })
        .collect();
    past
}

fn numbered(count: i64) -> Vec<PastUpgrade> {
    let ids = 0..count;
    ids.map(|n| past(&format!("c{n:03}"), n, n + 1, 0))
        .collect()
}

/// Returns the titles of the cards.
fn titles(html: &str) -> Vec<String> {
    let cards = html.split("<h2 class=\"name\"").skip(1);
    let names = cards.map(|card| card.split_once("<bdi>").unwrap().1);
    names
        .map(|name| name.split_once('<').unwrap().0.to_owned())
        .collect()
}

#[test]
fn a_card_tells_how_an_upgrade_went() {
    let mut last = timed("c1", 40_000, &[60, 900, 300]);
    let upgrade = last.upgrade.upgrade_mut();
    upgrade.status = UpgradeStatus::Failed;
    upgrade.nodes[1].status = NodeStatus::Failed;
    upgrade.from_version = Some("2.9.0".to_owned());
    upgrade.to_version = Some("2.14.0".to_owned());
    upgrade.executions = Some(3);
    let earlier = timed("c1", 10_000, &[60]);
    let html = stored(vec![earlier, last], 0, "");
    assert_eq!(titles(&html), ["name-c1", "name-c1"], "the latest is first");
    in_order(
        &html,
        &[
            "2 upgrades, the latest first",
            "class=\"card failed\"",
            "name-c1",
            "failed</span>",
            "<bdi>kr</bdi> · ses · KR · ",
            "<bdi>c1</bdi>",
            "<bdi>2.9.0</bdi> ",
            "<bdi>2.14.0</bdi>",
            "Ended (UTC)",
            ">1970-01-01 12:06</time>",
            "11h53m ago",
            "Took",
            "1h<small>usually 1h</small>",
            "2 of 3 done, 1 failed",
            "3 (2 again)",
            "Slowest nodes",
            "<span><bdi>n1</bdi> 15m,</span> <span><bdi>n2</bdi> 5m,</span> <span><bdi>n0</bdi> 1m</span>",
            "<details",
            "3 nodes",
            "Began (UTC)",
            "class=\"card ended\"",
            "succeeded</span>",
        ],
    );
    assert_eq!(html.matches("Slowest nodes").count(), 1, "one node is none");
}

#[test]
fn the_page_links_to_the_current_upgrades_and_the_document() {
    let html = stored(numbered(3), 0, "cluster=c00*&outcome=succeeded");
    assert!(html.contains(r#"<a href="./">Current upgrades</a>"#));
    let json = r#"href="./api/v1/history?cluster=c00*&amp;outcome=succeeded""#;
    assert!(html.contains(json), "{html}");
    assert!(!html.contains("<script"));
}

#[test]
fn the_filter_leaves_what_it_says() {
    let query = "account=kr&product=ses&outcome=succeeded&cluster=name-c001&utm=x";
    let html = stored(numbered(3), 0, query);
    assert_eq!(titles(&html), ["name-c001"]);
    in_order(
        &html,
        &[
            "Filter (in use)",
            r#"<option value="kr" selected>"#,
            r#"<option value="succeeded" selected>"#,
            r#"value="name-c001""#,
            "Filter: account <strong>",
            r#"<a href="?">Show all</a>"#,
        ],
    );
    let html = stored(numbered(3), 0, "outcome=failed&product=none");
    in_order(
        &html,
        &[
            "The address asks for no product",
            "No upgrade matches the filter: ",
            "<bdi>failed</bdi>",
        ],
    );
    assert!(!html.contains("No upgrade has ended"), "{html}");
}

#[test]
fn an_empty_history_says_since_when_it_is_kept() {
    let html = stored(Vec::new(), 0, "");
    assert!(html.contains("No upgrade has ended since the exporter began to watch."));
    assert!(!html.contains("--storage.path"), "{html}");
    let html = self::html(Vec::new(), 0, false, "");
    in_order(
        &html,
        &[
            "No upgrade has ended since the exporter started.",
            "--storage.path",
        ],
    );
    let html = self::html(numbered(1), 0, false, "");
    assert!(html.contains("The history begins with the start of the exporter"));
}

#[test]
fn a_page_has_200_upgrades_and_links_to_the_next() {
    let links = |query: &str| {
        let html = stored(numbered(401), 0, query);
        let links = html.split("<a rel=").skip(1);
        let links = links.map(|link| link.split_once('>').unwrap().0.replace('"', ""));
        let about = html.split_once("<p id=\"about\">").unwrap().1;
        let about = about.split_once("</p>").unwrap().0.to_owned();
        (titles(&html).len(), about, links.collect::<Vec<_>>())
    };
    let (number, about, next) = links("outcome=succeeded");
    assert_eq!(number, 200);
    assert_eq!(about, "1 to 200 of 401 upgrades, the latest first");
    assert_eq!(next, ["next href=?outcome=succeeded&amp;page=2"]);
    let (number, about, both) = links("outcome=succeeded&page=2");
    assert_eq!(number, 200);
    assert_eq!(about, "201 to 400 of 401 upgrades, the latest first");
    let previous = "prev href=?outcome=succeeded";
    let next = "next href=?outcome=succeeded&amp;page=3";
    assert_eq!(both, [previous, next]);
    let (number, _, links) = links("page=3");
    assert_eq!((number, links), (1, vec!["prev href=?page=2".to_owned()]));
    let html = stored(numbered(401), 0, &format!("page={}", usize::MAX));
    assert!(html.contains("There is no such page."), "{html}");
}

#[test]
fn older_upgrades_on_the_disk_are_told() {
    let html = stored(numbered(1), 1_200, "");
    in_order(
        &html,
        &[
            "1,200 older upgrades are too many for the exporter's memory",
            "history --storage.path",
        ],
    );
    let html = self::html(numbered(1), 1, false, "");
    assert!(html.contains("1 older upgrade left the exporter's memory."));
    assert!(!stored(numbered(1), 0, "").contains("older upgrade"));
}

#[test]
fn nodes_beyond_200_are_counted_and_those_that_failed_come_first() {
    let mut large = past("c1", 0, 60, 500);
    large.upgrade.upgrade_mut().nodes[444].status = NodeStatus::Failed;
    let html = stored(vec![large], 0, "");
    in_order(
        &html,
        &[
            "500 nodes",
            "200 of 500 nodes are shown.",
            r#"href="./api/v1/history?account=kr&amp;product=ses&amp;cluster=c1""#,
            "<bdi>n444</bdi>",
            "<bdi>n0</bdi>",
        ],
    );
    assert_eq!(html.matches("<th scope=\"row\">").count(), 200);
    let many = (0..40).map(|n| past(&format!("c{n}"), n, n + 1, 200));
    let html = stored(many.collect(), 0, "");
    assert_eq!(html.matches("<th scope=\"row\">").count(), 5_000);
    assert_eq!(html.matches("200 nodes: see the <a").count(), 15);
}

/// Returns the document without a hole.
fn full() -> serde_json::Value {
    let mut report: HistoryReport = serde_json::from_str(GOLDEN).unwrap();
    let upgrade = &mut report.upgrades[0];
    upgrade.reason = Some(String::new());
    upgrade.earlier_median_seconds = Some(60.0);
    for node in &mut upgrade.nodes {
        node.updated = Some(report.generated);
        (node.started, node.ended) = (node.updated, node.updated);
        node.duration_seconds = Some(60.0);
        node.task_order = Some(4);
    }
    serde_json::to_value(report).unwrap()
}

fn rendered(document: serde_json::Value, query: &str) -> String {
    let (filter, wrong) = HistoryFilter::parse(query, &["ses"]);
    let account = evil(90);
    let html = render(&View {
        report: serde_json::from_value(document).unwrap(),
        filter,
        wrong,
        accounts: BTreeSet::from([account.as_str()]),
        products: vec!["ses"],
        has_storage: true,
    });
    html.html.replace(STYLE, "")
}

#[test]
fn markup_in_any_text_of_the_history_stays_text() {
    let mut allowed = names(&rendered(full(), "account=x&cluster=x&limit=x"));
    allowed.extend(["small".to_owned(), "/small".to_owned()]);
    let mut document = full();
    let mut places = Vec::new();
    poison(&mut document, "", &mut places);
    assert!(places.len() > 15, "{places:?}");
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("account", &evil(99))
        .append_pair("cluster", &evil(100))
        .append_pair("outcome", &evil(101))
        .append_pair(&evil(102), "x")
        .finish();
    for query in ["", &query] {
        let html = rendered(document.clone(), query);
        uses_only(&html, &allowed);
        assert!(!html.contains("<script"));
        assert_eq!(unprintable(&html), None);
        for (number, place) in places.iter().enumerate() {
            let is_shown = html.contains(&format!("evil{number}&lt;b id=x&gt;&quot;"));
            let is_hidden = [".api_version", ".cloud", ".kind"]
                .iter()
                .any(|end| place.ends_with(end));
            assert_eq!(is_shown, !is_hidden, "{place}");
        }
    }
}
