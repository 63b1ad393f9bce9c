//! The page of the history: upgrades that ended, with and without script, on a desktop and on a phone.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use rolling_upgrade_exporter::clock::Clock;
use rolling_upgrade_exporter::model::{
    ClusterState, Kind, Node, NodeStatus, PastUpgrade, Span, Task, TaskStatus, Upgrade,
    UpgradeStatus, UpgradeView,
};
use rolling_upgrade_exporter::store::Store;
use serde_json::json;

use crate::details_stage::{DetailsStage, cluster};
use crate::everyone::FAINT;

const MINUTE: i64 = 60;

/// Upgrade of a cluster that ended so many hours ago.
struct Past {
    cluster: ClusterState,
    status: UpgradeStatus,
    hours_ago: i64,
    /// Minutes for which each node was in work.
    nodes: Vec<(&'static str, i64)>,
}

impl Past {
    fn build(self, change: impl FnOnce(&mut Upgrade)) -> PastUpgrade {
        let ended = Clock::system().now() - SignedDuration::from_hours(self.hours_ago);
        let minutes: i64 = self.nodes.iter().map(|(_, minutes)| minutes).sum();
        let before = |minutes: i64| ended - SignedDuration::from_secs(minutes * MINUTE);
        let requested = before(minutes + 2);
        let mut upgrade = Upgrade::new(Kind::Version, self.status);
        upgrade.requested = Some(requested);
        let mut node_work = Vec::new();
        let mut left = minutes;
        for (name, minutes) in &self.nodes {
            let node = Node::new(name, "data", NodeStatus::Succeeded, "complete");
            upgrade.nodes.push(node);
            let span = |start: Timestamp, end| Span { start, end };
            node_work.push(Some(span(before(left), Some(before(left - minutes)))));
            left -= minutes;
        }
        change(&mut upgrade);
        let view = UpgradeView {
            status_since: ended,
            started: Some(requested),
            ended: Some(ended),
            last_progress: ended,
            stalled: false,
            ratio: None,
            estimated_end: None,
            task_order: None,
            node_work: node_work.into(),
            upgrade: upgrade.into(),
        };
        PastUpgrade::new(&self.cluster, "place", before(minutes + 1), &view).unwrap()
    }
}

/// Puts upgrades that ended into the history.
pub(crate) fn fill(store: &Store) {
    let search = |hours_ago, status, nodes: &[(&'static str, i64)]| Past {
        cluster: cluster("ses", "3427188", "검색-로그", None),
        status,
        hours_ago,
        nodes: nodes.to_vec(),
    };
    let versions = |upgrade: &mut Upgrade, from: &str, to: &str| {
        upgrade.from_version = Some(from.replace('.', "") + "0");
        upgrade.to_version = Some(to.replace('.', "") + "0");
        upgrade.details.from_version_name = Some(format!("OpenSearch {from}"));
        upgrade.details.to_version_name = Some(format!("OpenSearch {to}"));
    };
    let id = "1b0dd1e3-2a3f-4a5c-8c7d-3a0d9a1f7c11";
    let orders = Past {
        cluster: cluster("css", id, "css-orders-production", None),
        status: UpgradeStatus::Failed,
        hours_ago: 30,
        nodes: vec![
            ("css-orders-production-ess-esn-1-1", 31),
            ("css-orders-production-ess-esn-2-1", 75),
            ("css-orders-production-ess-esn-3-1", 12),
        ],
    };
    let task = |order, name: &str, status, description: &str| Task {
        order,
        name: name.to_owned(),
        status,
        start: Some(Clock::system().now() - SignedDuration::from_hours(31)),
        end: None,
        description: Some(description.to_owned()),
    };
    let failed = orders.build(|upgrade| {
        upgrade.id = Some("6d3c2f71-4f4d-4d3e-9d52-9f3a3d1b7a10".to_owned());
        upgrade.from_version = Some("7.6.2".to_owned());
        upgrade.to_version = Some("7.10.2".to_owned());
        upgrade.executions = Some(3);
        upgrade.nodes[2].status = NodeStatus::Failed;
        let texts = [
            (
                "Data migration",
                TaskStatus::Succeeded,
                "Migrates the data.",
            ),
            (
                "Node replacement",
                TaskStatus::Failed,
                "The flavor is sold out in the zone.",
            ),
        ];
        upgrade.tasks = (1..)
            .zip(texts)
            .map(|(order, (name, status, text))| task(order, name, status, text))
            .collect();
    });
    let shop = Past {
        cluster: cluster(
            "cce",
            "b4b9e60f-8aa2-11ee-af09-0255ac10004f",
            "cce-shop",
            None,
        ),
        status: UpgradeStatus::Cancelled,
        hours_ago: 50,
        nodes: vec![("192.168.0.17", 3)],
    };
    let first = [("search-logs-d-1bgd", 20), ("search-logs-d-1bge", 25)];
    let later = [
        ("search-logs-d-1bgd", 42),
        ("search-logs-d-1bge", 31),
        ("search-logs-m-1bgf", 4),
    ];
    let upgrades = [
        search(2, UpgradeStatus::Succeeded, &later)
            .build(|upgrade| versions(upgrade, "2.11", "2.14")),
        search(900, UpgradeStatus::Succeeded, &first)
            .build(|upgrade| versions(upgrade, "2.9", "2.11")),
        failed,
        shop.build(|upgrade| upgrade.to_version = Some("v1.30.4-r0".to_owned())),
    ];
    for upgrade in upgrades {
        store.history().put(Arc::new(upgrade));
    }
}

/// Texts of the page, the latest upgrade first.
const TEXTS: &[&str] = &[
    "Past upgrades",
    "4 upgrades, the latest first",
    "검색-로그",
    "succeeded",
    "kr-prod · ses · KR · 3427188",
    "OpenSearch 2.11 → 2.14",
    "1h19m",
    "usually 47m, 32m longer",
    "3 of 3 done",
    "search-logs-d-1bgd 42m, search-logs-d-1bge 31m, search-logs-m-1bgf 4m",
    "css-orders-production",
    "failed",
    "Vendor’s reason: Node replacement: The flavor is sold out in the zone.",
    "2 of 3 done, 1 failed",
    "3 (2 again)",
    "cce-shop",
    "cancelled",
    "OpenSearch 2.9 → 2.11",
    "The history begins with the start of the exporter",
];

#[tokio::test]
async fn the_history_reads_well_on_any_screen_in_any_light() {
    let stage = DetailsStage::start().await;
    let browser = &stage.browser;
    for scheme in ["light", "dark"] {
        for (width, height) in [(1280, 900), (390, 844)] {
            browser.size(width, height, scheme).await;
            stage.open("history").await;
            browser.picture(&format!("history-{width}-{scheme}")).await;
            let open = "document.querySelectorAll('details').forEach(d => d.open = true);
                document.querySelectorAll('.unseen').forEach(e => e.remove())";
            browser.run(open, json!([])).await;
            let text = browser.text("document.body.innerText").await;
            let mut rest = text.as_str();
            for part in TEXTS {
                let found = rest.split_once(part);
                rest = found
                    .unwrap_or_else(|| panic!("{width}: no {part:?} in {text}"))
                    .1;
            }
            let found = browser.run(FAINT, json!([])).await;
            assert_eq!(found["faint"], json!([]), "{scheme} {width}");
            let cut = "[document.documentElement, ...document.querySelectorAll('.scrolls')]\
                       .filter(e => e.scrollWidth > e.clientWidth).map(e => e.ariaLabel || e.tagName)";
            assert_eq!(browser.eval(cut).await, json!([]), "{width}");
            browser
                .picture(&format!("history-{width}-{scheme}-open"))
                .await;
        }
    }
    assert_eq!(browser.console().await, Vec::<String>::new());
}

#[tokio::test]
async fn the_history_is_found_and_filtered_without_script() {
    let stage = DetailsStage::start().await;
    let browser = &stage.browser;
    let off = json!({"value": true});
    browser
        .cdp("Emulation.setScriptExecutionDisabled", off)
        .await;
    stage.open("").await;
    let click = "const card = [...document.querySelectorAll('article')]
        .find(a => a.querySelector('h3').textContent === 'css-orders-production');
        card.querySelector('.where a').click()";
    browser.run(click, json!([])).await;
    browser.until("location.pathname === '/history'").await;
    let names = "[...document.querySelectorAll('h2.name')].map(e => e.textContent).join(' ')";
    assert_eq!(browser.text(names).await, "css-orders-production");
    let filter = "document.querySelector('[name=account]').value = '';
        document.querySelector('[name=product]').value = '';
        document.querySelector('[name=cluster]').value = '검색*';
        document.querySelector('[name=outcome]').value = 'succeeded';
        document.querySelector('form button').click()";
    browser.run(filter, json!([])).await;
    browser
        .until("location.search.includes('outcome=succeeded')")
        .await;
    assert_eq!(browser.text(names).await, "검색-로그 검색-로그");
    let back = "document.querySelector('header nav a').click()";
    browser.run(back, json!([])).await;
    browser.until("location.pathname === '/'").await;
    assert_eq!(browser.console().await, Vec::<String>::new());
}
