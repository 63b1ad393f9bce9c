//! What else must hold for the boards: names, places, metrics, states, colours, links.

use std::collections::BTreeSet;
use std::path::Path;

use rolling_upgrade_exporter::alert;
use serde_json::Value;

use crate::Finding;
use crate::board::{BOARDS, annotations, label_values, list, panels, query_variables, text};
use crate::linter::Rule;
use crate::promql::selectors;
use crate::states::{colours, states};

/// Every rule of this repository.
pub(crate) const RULES: &[Rule] = &[
    ("model", model),
    ("unique", unique),
    ("grid", grid),
    ("metrics", metrics),
    ("states", states),
    ("colours", colours),
    ("links", links),
    ("variables", variables),
    ("annotations", start_and_end),
];

/// Metrics that the docs do not list: Prometheus's own.
const OTHERS: &[&str] = &["ALERTS", "up"];

pub(crate) fn finding(panel: &Value, what: impl Into<String>) -> Finding {
    Finding {
        panel: text(panel, "/title").to_owned(),
        what: what.into(),
    }
}

/// The classic model, as Grafana 11 and later read it.
fn model(board: &Value) -> Vec<Finding> {
    let version = board["schemaVersion"].as_u64().unwrap_or_default();
    let right = (39..=42).contains(&version)
        && BOARDS.contains(&text(board, "/uid"))
        && board["id"].is_null()
        && board["graphTooltip"] == 1
        && text(board, "/refresh") == "30s"
        && text(board, "/time/from") == "now-6h"
        && list(board, "/tags").contains(&"rolling-upgrade".into());
    (!right)
        .then(|| finding(board, "its head is not as it should be"))
        .into_iter()
        .collect()
}

fn unique(board: &Value) -> Vec<Finding> {
    let mut seen = BTreeSet::new();
    panels(board)
        .into_iter()
        .filter(|p| {
            let title = seen.insert(text(p, "/title").to_owned());
            let id = seen.insert(p["id"].to_string());
            !(title && id && p["id"].is_u64())
        })
        .map(|p| finding(p, "its title or id stands twice"))
        .collect()
}

fn grid(board: &Value) -> Vec<Finding> {
    let mut taken = BTreeSet::new();
    panels(board)
        .into_iter()
        .filter(|panel| {
            let [x, y, w, h] =
                ["x", "y", "w", "h"].map(|k| panel["gridPos"][k].as_u64().unwrap_or(99));
            let free = (x..x + w).all(|x| (y..y + h).all(|y| taken.insert((x, y))));
            !free || w == 0 || h == 0 || x + w > 24
        })
        .map(|p| finding(p, "it lies over another panel, or outside"))
        .collect()
}

/// Returns the metrics in the tables of the docs.
fn documented() -> BTreeSet<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/metrics.md");
    let docs = std::fs::read_to_string(path).unwrap();
    let (_, section) = docs.split_once("\n### Of an upgrade\n").unwrap();
    let (section, _) = section.split_once("\n### Values of labels\n").unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
    let names = rows.map(|row| row.split('`').next().unwrap());
    names.map(str::to_owned).collect()
}

/// Every expression on the board, with its panel.
fn expressions(board: &Value) -> Vec<(&Value, &str)> {
    let targets = panels(board).into_iter().flat_map(|p| {
        list(p, "/targets")
            .iter()
            .map(move |t| (p, text(t, "/expr")))
    });
    let notes = annotations(board).map(|a| (&Value::Null, text(a, "/expr")));
    let variables = query_variables(board).filter_map(label_values);
    let series = variables.map(|(series, _)| (&Value::Null, series));
    targets.chain(notes).chain(series).collect()
}

fn metrics(board: &Value) -> Vec<Finding> {
    let documented = documented();
    assert!(
        documented.len() >= 40,
        "the tables of the docs are not found"
    );
    let exists = |metric: &str| {
        OTHERS.contains(&metric)
            || documented.contains(metric)
            || documented.contains(metric.strip_suffix("_bucket").unwrap_or(metric))
    };
    expressions(board)
        .into_iter()
        .flat_map(|(panel, expr)| selectors(expr).into_iter().map(move |s| (panel, s)))
        .filter(|(_, selector)| !exists(&selector.metric))
        .map(|(panel, selector)| finding(panel, format!("no metric {:?}", selector.metric)))
        .collect()
}

/// Every text in the JSON.
fn texts<'a>(json: &'a Value, out: &mut Vec<&'a str>) {
    match json {
        Value::String(s) => out.push(s),
        Value::Array(all) => all.iter().for_each(|v| texts(v, out)),
        Value::Object(all) => all.values().for_each(|v| texts(v, out)),
        _ => {}
    }
}

/// Links lead to the other board, to the exporter, and to sections of the runbooks that exist; the
/// board of a cluster has every alert that names a cluster.
fn links(board: &Value) -> Vec<Finding> {
    let mut out = Vec::new();
    let mut all = Vec::new();
    texts(board, &mut all);
    let runbooks = concat!(
        env!("CARGO_PKG_REPOSITORY"),
        "/blob/main/alerts/RUNBOOKS.md"
    );
    let ends = |c: char| c == ')' || c.is_whitespace();
    let addresses = all
        .iter()
        .flat_map(|t| t.match_indices("http").map(|(i, _)| t.split_at(i).1));
    let addresses = addresses.filter_map(|t| t.split(ends).next());
    let mut linked = BTreeSet::new();
    for address in addresses {
        let known = alert::rules().find(|rule| rule.runbook_url() == address);
        linked.extend(known.map(|rule| rule.alert));
        if known.is_none() && address != runbooks && address != "http://localhost:10850" {
            out.push(finding(board, address));
        }
    }
    let of_cluster = alert::rules().filter(|rule| rule.labels.contains(&"cluster_id"));
    if text(board, "/uid") == "rolling-upgrade-cluster" {
        let missing = of_cluster.filter(|rule| !linked.contains(rule.alert));
        out.extend(missing.map(|rule| finding(board, format!("no link for {}", rule.alert))));
    } else if linked.len() < 8 {
        out.push(finding(board, format!("few runbooks: {linked:?}")));
    }
    let boards = all
        .iter()
        .filter_map(|t| t.strip_prefix("/d/")?.split('?').next());
    let wrong = boards.filter(|uid| !BOARDS.contains(uid));
    out.extend(wrong.map(|uid| finding(board, format!("no board {uid}"))));
    let other = BOARDS.iter().find(|uid| **uid != text(board, "/uid"));
    let to_other = format!("/d/{}", other.unwrap());
    let head = list(board, "/links");
    let kept = |l: &&Value| l["keepTime"] == true && l["includeVars"] == true;
    if !head.iter().any(|l| text(l, "/url") == to_other && kept(&l)) {
        out.push(finding(board, "no link to the other board"));
    }
    let history = match text(board, "/uid") {
        "rolling-upgrade-overview" => "${exporter_url}/history",
        _ => "${exporter_url}/history?cluster=${cluster_id:percentencode}",
    };
    for url in ["${exporter_url}", history, runbooks] {
        if !head.iter().any(|l| text(l, "/url") == url) {
            out.push(finding(board, format!("no link to {url}")));
        }
    }
    out
}

/// The variables stand in this order, and each query variable is filtered by those before it.
fn variables(board: &Value) -> Vec<Finding> {
    let all = list(board, "/templating/list");
    let names: Vec<_> = all.iter().map(|v| text(v, "/name")).collect();
    let want: &[&str] = match text(board, "/uid") {
        "rolling-upgrade-overview" => &[
            "datasource",
            "job",
            "account",
            "product",
            "cluster_name",
            "exporter_url",
        ],
        _ => &[
            "datasource",
            "job",
            "account",
            "product",
            "cluster_name",
            "cluster_id",
            "kind",
            "exporter_url",
        ],
    };
    let mut out = Vec::new();
    if names != want {
        out.push(finding(board, format!("{names:?}")));
    }
    let queries: Vec<_> = query_variables(board)
        .filter_map(|v| Some((v, label_values(v)?)))
        .collect();
    for (i, (variable, (series, label))) in queries.iter().enumerate() {
        let before = queries.iter().take(i).map(|(_, (_, label))| *label);
        let filtered = before
            .filter(|l| !series.contains(&format!("${l}\"")))
            .count()
            == 0;
        // An escape of Grafana's for regular expressions comes with `multi` only.
        let operator = if variable["multi"] == true { "=~" } else { "=" };
        let mut uses = expressions(board)
            .into_iter()
            .flat_map(|(_, expr)| selectors(expr));
        let wrong = uses.any(|s| {
            let other = if operator == "=" { "=~" } else { "=" };
            s.has(label, other, &format!("${label}"))
        });
        if text(variable, "/name") != *label || !filtered || wrong {
            out.push(finding(board, format!("variable {label}")));
        }
    }
    out
}

fn start_and_end(board: &Value) -> Vec<Finding> {
    let of = |metric: &str| {
        annotations(board).any(|a| {
            let found = selectors(text(a, "/expr"));
            let scaled = text(a, "/expr").ends_with(" * 1000");
            scaled
                && text(a, "/useValueForTime") == "on"
                && found
                    .iter()
                    .all(|s| s.metric == metric && s.has("job", "=~", "$job"))
                && found
                    .iter()
                    .all(|s| s.matchers.iter().any(|(l, _, _)| l == "cluster_name"))
        })
    };
    [
        "rolling_upgrade_requested_timestamp_seconds",
        "rolling_upgrade_ended_timestamp_seconds",
    ]
    .into_iter()
    .filter(|metric| !of(metric))
    .map(|metric| finding(board, format!("no annotation of {metric}")))
    .collect()
}
