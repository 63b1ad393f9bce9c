//! Answers of a size that no honest cloud sends: what becomes of them is bounded, counted and told.

mod vendor;

use std::fmt::Write as _;

use serde_json::{Value, json};

use self::vendor::{Answers, Vendor};
use crate::harness::{
    Process, Sample, eventually, free_port, get, samples, select, start_exporter,
};

const NODES: usize = 1_000_000;

/// An exporter in front of a vendor that answers what the test says.
struct Pair {
    vendor: Vendor,
    exporter: Process,
    url: String,
    _folder: tempfile::TempDir,
}

impl Pair {
    async fn start(answers: Answers, config: &str) -> Self {
        let vendor = Vendor::start(answers).await;
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let config = config.replace("ENDPOINT", &vendor.url);
        let pair = Self {
            exporter: start_exporter(folder.path(), port, &config),
            vendor,
            url: format!("http://127.0.0.1:{port}"),
            _folder: folder,
        };
        pair.until("/-/ready", "readiness", |_| true).await;
        pair
    }

    async fn until(&self, path: &str, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        let patience = std::time::Duration::from_secs(90);
        eventually(patience, what, || async {
            let text = get(&format!("{}{path}", self.url)).await?;
            if wanted(&text) {
                Ok(text)
            } else {
                Err(self.exporter.output())
            }
        })
        .await
    }

    async fn metrics(&self) -> String {
        get(&format!("{}/metrics", self.url)).await.unwrap()
    }

    /// Largest resident memory of the exporter so far, in MiB.
    fn peak(&self) -> u64 {
        let pid = self.exporter.child.id().expect("the process runs");
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:"));
        let kib = line.and_then(|line| line.split_whitespace().nth(1));
        kib.unwrap().parse::<u64>().unwrap() / 1024
    }
}

fn value(samples: &[Sample], name: &str, labels: &[(&str, &str)]) -> f64 {
    let found = select(samples, name, labels);
    assert_eq!(found.len(), 1, "{name} {labels:?}: {found:?}");
    found[0].value
}

fn assert_value(samples: &[Sample], name: &str, labels: &[(&str, &str)], want: f64) {
    let value = value(samples, name, labels);
    assert!((value - want).abs() < 1e-9, "{name} {labels:?} is {value}");
}

/// Names of nodes, joined as CSS joins them.
fn names(numbers: std::ops::Range<usize>) -> String {
    let mut names = String::with_capacity(7 * numbers.len());
    for n in numbers {
        let comma = if names.is_empty() { "" } else { "," };
        write!(names, "{comma}{n}").unwrap();
    }
    names
}

fn css_clusters(list: &Value) -> String {
    json!({"totalSize": list.as_array().unwrap().len(), "clusters": list}).to_string()
}

fn css_cluster(id: &str, name: &str) -> Value {
    json!({"id": id, "name": name, "status": "200", "datastore": {"version": "7.6.2"}})
}

fn css_detail(detail: &Value) -> String {
    json!({"totalSize": 1, "detailList": [detail]}).to_string()
}

const CSS: &str = "
polling: {active_interval: 1h, idle_interval: 1h, discovery_interval: 1h, rate_limit: 100}
accounts:
  - name: cn
    huawei:
      region: cn-north-4
      project_id: p
      access_key: HPUAWEIACCESSKEY
      secret_key: huawei/secret+key0123456789abcdefghijklm
      css: {endpoint: ENDPOINT}
";

const NO_UPGRADE: &str = r#"{"totalSize":0,"detailList":[]}"#;

#[tokio::test]
async fn an_answer_with_a_million_nodes_is_bounded() {
    let upgrade = css_detail(&json!({
        "id": "u", "startTime": "2026-01-01T00:00:00", "status": "RUNNING",
        "totalNodes": names(0..NODES),
        "completedNodes": names(0..100_000),
        "currentNodeName": "999999",
    }));
    assert!(upgrade.len() > 6_900_000 && upgrade.len() < 8 << 20);
    let small = css_detail(&json!({
        "id": "v", "startTime": "2026-01-01T00:00:00", "status": "RUNNING",
        "totalNodes": "a,b", "currentNodeName": "a",
    }));
    let answers: Answers = [
        (
            "/clusters",
            css_clusters(&json!([
                css_cluster("large", "l"),
                css_cluster("small", "s")
            ])),
        ),
        ("/large/upgrade/detail", upgrade),
        ("/small/upgrade/detail", small),
    ]
    .map(|(path, body)| (path.to_owned(), body))
    .into();
    let pair = Pair::start(answers, CSS).await;
    let shown = |text: &str| text.matches("rolling_upgrade_nodes{").count() == 10;
    let text = pair.until("/metrics", "both upgrades", shown).await;
    let now = samples(&text);

    let large = |name: &str, more: &[(&str, &str)], want: f64| {
        let labels = [&[("cluster_id", "large")], more].concat();
        assert_value(&now, name, &labels, want);
    };
    for (status, want) in [
        ("succeeded", 100_000.0),
        ("upgrading", 1.0),
        ("waiting", 899_999.0),
        ("failed", 0.0),
        ("unknown", 0.0),
    ] {
        large("rolling_upgrade_nodes", &[("status", status)], want);
    }
    large("rolling_upgrade_progress_ratio", &[], 0.1);
    large("rolling_upgrade_status", &[("status", "running")], 1.0);
    let labels = [("node", "999999"), ("status", "upgrading")];
    large("rolling_upgrade_node_status", &labels, 1.0);
    let of_nodes = select(
        &now,
        "rolling_upgrade_node_status",
        &[("cluster_id", "large")],
    );
    assert_eq!(of_nodes.len(), 5 * 20_000);
    assert!(text.len() < 32 << 20, "{} bytes", text.len());

    let truncated = "rolling_upgrade_exporter_truncated_total";
    for (what, want) in [
        ("nodes", 1.0),
        ("tasks", 0.0),
        ("clusters", 0.0),
        ("label", 0.0),
    ] {
        assert_value(&now, truncated, &[("what", what)], want);
    }
    assert_value(&now, "rolling_upgrade_up", &[("cluster_id", "small")], 1.0);
    let labels = [("cluster_id", "small"), ("status", "upgrading")];
    assert_value(&now, "rolling_upgrade_nodes", &labels, 1.0);

    let log = pair.exporter.output();
    assert_eq!(log.matches("exceeds the bounds").count(), 1, "{log}");
    assert!(log.contains("left_out=980000"), "{log}");
    let page = get(&format!("{}/?q=large", pair.url)).await.unwrap();
    assert!(page.contains("20,000 of 1,000,000 nodes are shown."));
    let report = get(&format!("{}/api/v1/upgrades?q=large", pair.url))
        .await
        .unwrap();
    let report: Value = serde_json::from_str(&report).unwrap();
    let left_out = &report["clusters"][0]["upgrades"][0]["nodes_left_out"];
    assert_eq!(left_out["succeeded"], 100_000);
    assert_eq!(left_out["waiting"], 880_000);
    let peak = pair.peak();
    println!("{peak} MiB at most, /metrics of {} bytes", text.len());
    assert!(peak < 512, "{peak} MiB");
}

#[tokio::test]
async fn escapes_in_a_large_answer_cost_no_memory() {
    // Small values are the most expensive ones to keep apart from each other.
    let extra = r#"{"a":1},"#.repeat(7_800_000 / 8);
    let cluster = css_cluster("a", "line\none, HPUAWEIACCESSKEY, two");
    let list = format!(
        r#"{{"totalSize":1,"clusters":[{cluster}],"note":"\n\u0048PUAWEIACCESSKEY\/","extra":[{extra}{{}}]}}"#
    );
    assert!(list.len() > 7_800_000 && list.len() < 8 << 20);
    let answers: Answers = [
        ("/clusters", list),
        ("/a/upgrade/detail", NO_UPGRADE.to_owned()),
    ]
    .map(|(path, body)| (path.to_owned(), body))
    .into();
    let pair = Pair::start(answers, CSS).await;
    let shown = |text: &str| text.contains("rolling_upgrade_cluster_info{");
    let text = pair.until("/metrics", "the cluster", shown).await;
    let now = samples(&text);
    let up = select(&now, "rolling_upgrade_up", &[("cluster_id", "a")]);
    let name = up[0].label("cluster_name");
    assert!(name.ends_with("one, [redacted], two"), "{name}");
    let peak = pair.peak();
    println!("{peak} MiB at most");
    assert!(peak < 256, "{peak} MiB");
}

#[tokio::test]
async fn a_name_of_eight_megabytes_is_cut() {
    let name = "é".repeat(4_000_000);
    let answers: Answers = [
        ("/clusters", css_clusters(&json!([css_cluster("a", &name)]))),
        ("/a/upgrade/detail", NO_UPGRADE.to_owned()),
    ]
    .map(|(path, body)| (path.to_owned(), body))
    .into();
    let pair = Pair::start(answers, CSS).await;
    let shown = |text: &str| text.contains("rolling_upgrade_cluster_info{");
    let text = pair.until("/metrics", "the cluster", shown).await;
    let now = samples(&text);
    let up = select(&now, "rolling_upgrade_up", &[("cluster_id", "a")]);
    assert_eq!(up[0].label("cluster_name"), format!("{}…", "é".repeat(255)));
    assert!(text.len() < 100_000, "{} bytes", text.len());
    // The list and the poll each bring the name.
    let truncated = "rolling_upgrade_exporter_truncated_total";
    assert_value(&now, truncated, &[("what", "label")], 2.0);
    let log = pair.exporter.output();
    assert_eq!(log.matches("exceeds the bounds").count(), 2, "{log}");
    assert!(log.len() < 50_000, "{} bytes of log", log.len());
    let peak = pair.peak();
    println!("{peak} MiB at most, /metrics of {} bytes", text.len());
    assert!(peak < 256, "{peak} MiB");
}

#[tokio::test]
async fn ids_that_are_no_ids_fail_as_protocol_and_hide_nothing() {
    let config = CSS.replace("1h", "1s");
    let bad = css_detail(&json!({
        "id": "forged\nlevel=ERROR", "startTime": "2026-01-01T00:00:00", "status": "RUNNING",
        "totalNodes": "a",
    }));
    let answers: Answers = [
        (
            "/clusters",
            css_clusters(&json!([css_cluster("a", "a"), css_cluster("b", "b")])),
        ),
        ("/a/upgrade/detail", NO_UPGRADE.to_owned()),
        ("/b/upgrade/detail", bad),
    ]
    .map(|(path, body)| (path.to_owned(), body))
    .into();
    let pair = Pair::start(answers, &config).await;
    let polled = |text: &str| {
        let now = samples(text);
        let up = |id| select(&now, "rolling_upgrade_up", &[("cluster_id", id)])[0].value;
        up("a") > 0.5 && up("b") < 0.5
    };
    pair.until("/metrics", "the good cluster alone is up", polled)
        .await;
    let log = pair.exporter.output();
    assert!(log.contains("UpgradeDetail: id of the upgrade"), "{log}");
    assert!(!log.contains("\nlevel=ERROR"), "{log}");

    let too_long = "x".repeat(257);
    for id in ["new\nline", "spaced out", "\u{1b}[31m", &too_long] {
        let list = json!([css_cluster("a", "a"), css_cluster(id, "c")]);
        pair.vendor.set("/clusters", css_clusters(&list));
        let discovery = "ListClustersDetails: id";
        let report = "/api/v1/upgrades";
        pair.until(report, id, |text| text.contains(discovery))
            .await;
        let counted = "rolling_upgrade_exporter_polls_total";
        let polls = value(&samples(&pair.metrics().await), counted, &[]);
        let later = |text: &str| {
            let now = samples(text);
            let up = select(&now, "rolling_upgrade_up", &[("cluster_id", "a")]);
            up.len() == 1 && up[0].value > 0.5 && value(&now, counted, &[]) > polls + 3.0
        };
        let text = pair
            .until("/metrics", "the known cluster stays", later)
            .await;
        let now = samples(&text);
        assert_eq!(select(&now, "rolling_upgrade_up", &[]).len(), 2);
        let labels = [("reason", "protocol")];
        assert!(
            value(
                &now,
                "rolling_upgrade_exporter_poll_failures_total",
                &labels
            ) > 1.5
        );
        pair.vendor.set(
            "/clusters",
            css_clusters(&json!([css_cluster("a", "a"), css_cluster("b", "b")])),
        );
        pair.until(report, "a good list", |text| !text.contains(discovery))
            .await;
    }
}
