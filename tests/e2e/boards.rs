//! Every query of the boards, asked of a real Prometheus that scrapes the demo.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use crate::harness::{PROGRAM, Process, client, eventually, free_port, get};
use board::{
    BOARDS, annotations, label_values, list, panels, query_variables, read, substitute, text,
};

#[path = "../boards/board.rs"]
mod board;
mod fleet;

/// Panels for which the demo has no data, with the reason.
const WITHOUT_DATA: &[(&str, &str)] = &[
    (
        "Polls that keep failing",
        "the demo's simulator has no faults",
    ),
    (
        "Secondary calls that keep failing",
        "the demo's simulator has no faults",
    ),
    ("Alerts sent", "the demo has no sidecar"),
    ("Alerts not delivered", "the demo has no sidecar"),
    ("Alertmanagers out of reach", "the demo has no sidecar"),
];

/// What stands for Grafana's variables. The list of the demo's clusters comes from Prometheus.
const VALUES: &[(&str, &str)] = &[
    ("__rate_interval", "10s"),
    ("__interval", "1s"),
    ("__range", "120s"),
    ("job", ".+"),
    ("account", ".+"),
    ("product", ".+"),
];

/// For how long the queries may find nothing; the demo goes round in two minutes.
const PATIENCE: Duration = Duration::from_secs(100);

/// One query of a board.
#[derive(Debug)]
struct Query {
    board: &'static str,
    title: String,
    expr: String,
    instant: bool,
}

/// A name, an id and a kind of an upgrade of the demo.
type Chosen = BTreeMap<String, String>;

struct Prometheus {
    url: String,
    server: Process,
    demo: Option<Process>,
    _folder: tempfile::TempDir,
}

impl Prometheus {
    /// Starts the demo, and a Prometheus that scrapes it.
    async fn of_demo() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let address = format!("127.0.0.1:{}", free_port());
        let args = ["demo", "--web.listen-address", &address];
        let demo = Process::start(folder.path(), PROGRAM, &args);
        Self::start(folder, &[address], Some(demo)).await
    }

    /// Starts a Prometheus that scrapes these addresses, and waits for the first scrape of each.
    async fn start(folder: tempfile::TempDir, targets: &[String], demo: Option<Process>) -> Self {
        let port = free_port();
        let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("alerts/rolling-upgrade.rules.yml");
        let config = format!(
            "global: {{scrape_interval: 1s, evaluation_interval: 1s}}\nrule_files: ['{}']\nscrape_configs:\n  - job_name: rolling-upgrade-exporter\n    static_configs: [{{targets: [{}]}}]\n",
            rules.display(),
            targets.join(", ")
        );
        let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
        std::fs::write(path("prometheus.yml"), config).unwrap();
        let server = Process::start(
            folder.path(),
            "prometheus",
            &[
                &format!("--config.file={}", path("prometheus.yml")),
                &format!("--storage.tsdb.path={}", path("data")),
                &format!("--web.listen-address=127.0.0.1:{port}"),
            ],
        );
        let this = Self {
            url: format!("http://127.0.0.1:{port}"),
            server,
            demo,
            _folder: folder,
        };
        eventually(Duration::from_secs(30), "a first scrape", || async {
            get(&format!("{}/-/ready", this.url))
                .await
                .map_err(|e| this.told(&e))?;
            let up = this.ask("up == 1", true).await?;
            if up.len() < targets.len() {
                Err(this.told("not yet"))
            } else {
                Ok(())
            }
        })
        .await;
        this
    }

    fn told(&self, what: &str) -> String {
        let demo = self.demo.as_ref().map(Process::output).unwrap_or_default();
        format!("{what}\n{}\n{demo}", self.server.output())
    }

    /// The series of an answer, now or over the last two minutes.
    async fn ask(&self, expr: &str, instant: bool) -> Result<Vec<Value>, String> {
        // The server's own clock, so that no clock of the test is asked.
        let mut url = reqwest::Url::parse(&format!("{}/api/v1/query", self.url)).unwrap();
        if !instant {
            let now = Box::pin(self.ask("vector(time())", true)).await?;
            let now: f64 = text(&now[0], "/value/1").parse().map_err(|_| "no time")?;
            url.set_path("/api/v1/query_range");
            url.query_pairs_mut()
                .append_pair("start", &(now - 120.0).to_string())
                .append_pair("end", &now.to_string())
                .append_pair("step", "1");
        }
        url.query_pairs_mut().append_pair("query", expr);
        let answer = client().get(url).send().await.map_err(|e| e.to_string())?;
        let body = answer.text().await.map_err(|e| e.to_string())?;
        let body: Value = serde_json::from_str(&body).map_err(|e| format!("{e}: {body}"))?;
        if text(&body, "/status") != "success" {
            return Err(format!("{expr}\n{body}"));
        }
        Ok(list(&body, "/data/result").to_vec())
    }

    /// The upgrades that Prometheus knows.
    async fn upgrades(&self) -> Vec<Chosen> {
        let expr = "group by (cluster_name, cluster_id, kind) (rolling_upgrade_progress_ratio)";
        let found = self.ask(expr, true).await.unwrap();
        found
            .iter()
            .map(|s| serde_json::from_value(s["metric"].clone()).unwrap())
            .collect()
    }

    /// Asks a query of a board, for each of these upgrades until there is data.
    async fn ask_board(&self, query: &Query, upgrades: &[Chosen]) -> Vec<Value> {
        let all = [Chosen::from([("cluster_name".into(), ".*".into())])];
        let one = query.board == "rolling-upgrade-cluster";
        for chosen in if one { upgrades } else { &all } {
            let mut values = VALUES.to_vec();
            values.extend(chosen.iter().map(|(k, v)| (k.as_str(), v.as_str())));
            let expr = substitute(&query.expr, &values);
            let found = self.ask(&expr, query.instant).await;
            let found = found.unwrap_or_else(|e| panic!("{}: {e}", query.title));
            if found.iter().any(has_number) {
                return found;
            }
        }
        Vec::new()
    }
}

/// Whether a series has a value that a panel can draw.
fn has_number(series: &Value) -> bool {
    let now = series.get("value").into_iter();
    let over_time = list(series, "/values").iter();
    now.chain(over_time)
        .any(|sample| text(sample, "/1") != "NaN")
}

/// Every query of both boards: targets, annotations, variables.
fn queries() -> Vec<Query> {
    let mut out = Vec::new();
    for name in BOARDS {
        let json = read(name);
        let mut add = |title: &str, expr: &str, instant: bool| {
            out.push(Query {
                board: name,
                title: title.to_owned(),
                expr: expr.to_owned(),
                instant,
            });
        };
        for panel in panels(&json) {
            for target in list(panel, "/targets") {
                add(
                    text(panel, "/title"),
                    text(target, "/expr"),
                    target["instant"] == true,
                );
            }
        }
        for annotation in annotations(&json) {
            add(text(annotation, "/name"), text(annotation, "/expr"), false);
        }
        for variable in query_variables(&json) {
            let (series, label) = label_values(variable).unwrap();
            add(
                text(variable, "/name"),
                &format!("group by ({label}) ({series})"),
                true,
            );
        }
    }
    out
}

#[tokio::test]
async fn every_query_of_the_boards_returns_data() {
    let prometheus = Prometheus::of_demo().await;
    let all = queries();
    assert!(all.len() > 80, "only {} queries", all.len());
    let listed = |q: &Query| WITHOUT_DATA.iter().any(|(title, _)| *title == q.title);
    for (title, _) in WITHOUT_DATA {
        assert!(all.iter().any(|q| q.title == *title), "no panel {title}");
    }
    let (without, mut open): (Vec<_>, Vec<_>) = all.iter().partition(|q| listed(q));
    let mut order = None;
    let begun = Instant::now();
    while !open.is_empty() || order.is_none() {
        let upgrades = prometheus.upgrades().await;
        let mut left = Vec::new();
        for query in open {
            let found = prometheus.ask_board(query, &upgrades).await;
            if found.is_empty() {
                left.push(query);
            }
            for series in &found {
                // Several jobs and replicas are one: only panels about exporters tell them apart.
                let labels = &series["metric"];
                let plain = query.title == "job" || labels.get("job").is_none();
                let own = query.expr.contains("by (instance") || query.expr.contains(", instance)");
                let one = own || labels.get("instance").is_none();
                assert!(plain && one, "{}: {labels}", query.title);
            }
        }
        open = left;
        order = order.or(node_order(&prometheus, &all, &upgrades).await);
        for query in &without {
            let found = prometheus.ask_board(query, &upgrades).await;
            assert!(
                found.is_empty(),
                "{} has data: take it off the list",
                query.title
            );
        }
        let titles: BTreeSet<_> = open.iter().map(|q| (q.board, &q.title, &q.expr)).collect();
        assert!(
            begun.elapsed() < PATIENCE,
            "{}",
            prometheus.told(&format!("no data: {titles:#?}, order: {order:?}"))
        );
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    assert_eq!(
        order.unwrap(),
        [
            "events-z-1",
            "events-z-2",
            "events-z-3",
            "events-b-1",
            "events-b-2",
            "events-b-3",
        ]
    );
}

/// The rows of the state timeline for a cluster whose nodes come to work in an order that is not
/// that of their names; none before its first upgrade has reached the last node.
async fn node_order(
    prometheus: &Prometheus,
    all: &[Query],
    upgrades: &[Chosen],
) -> Option<Vec<String>> {
    let events = upgrades.iter().find(|u| u["cluster_name"] == "events")?;
    let last = r#"rolling_upgrade_node_status{node="events-b-3", status="waiting"} == 0"#;
    if prometheus.ask(last, true).await.unwrap().is_empty() {
        return None;
    }
    let timeline = all
        .iter()
        .find(|q| q.title == "State of every node")
        .unwrap();
    let rows = prometheus
        .ask_board(timeline, std::slice::from_ref(events))
        .await;
    let node = |row: &Value| text(row, "/metric/node").to_owned();
    let newest = |row: &Value| {
        list(row, "/values")
            .last()
            .map(|v| text(v, "/1").to_owned())
    };
    let states: BTreeSet<_> = rows.iter().filter_map(newest).collect();
    let known = ["1", "2", "3", "4", "5"];
    assert!(
        states.iter().all(|s| known.contains(&s.as_str())),
        "{states:?}"
    );
    Some(rows.iter().map(node).collect())
}
