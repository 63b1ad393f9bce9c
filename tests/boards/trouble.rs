//! The overview shows trouble first, and keeps panels about the exporter itself closed.

use serde_json::{Value, json};

use crate::Finding;
use crate::board::{list, panels, text};
use crate::house::finding;
use crate::linter::Rule;
use crate::promql::{Selector, selectors};

/// Rules about what stands first.
pub(crate) const RULES: &[Rule] = &[("rank", rank), ("alerts", alerts), ("closed", closed)];

/// The ranks of the fleet table, the least urgent first. A cluster without an upgrade has rank 0.
const RANKS: [&str; 9] = [
    "cancelled",
    "succeeded",
    "pending",
    "running",
    "paused",
    "unknown",
    "stalled",
    "partially_failed",
    "failed",
];

/// Metrics of the exporter itself that tell how far the data can be trusted.
const OPEN: [&str; 5] = [
    "rolling_upgrade_exporter_clusters",
    "rolling_upgrade_exporter_degraded_since_timestamp_seconds",
    "rolling_upgrade_exporter_failing_since_timestamp_seconds",
    "rolling_upgrade_exporter_poll_failures_total",
    "rolling_upgrade_exporter_upgrades_ended_total",
];

fn is_overview(board: &Value) -> bool {
    text(board, "/uid") == "rolling-upgrade-overview"
}

/// Returns one finding unless the condition holds.
fn unless(holds: bool, panel: &Value, what: &str) -> Vec<Finding> {
    (!holds).then(|| finding(panel, what)).into_iter().collect()
}

/// Returns the word that a term of the rank stands for.
fn word(selector: &Selector) -> Option<(&str, &str)> {
    let factor = selector.factor.as_deref()?;
    match selector.metric.as_str() {
        "rolling_upgrade_stalled" => Some((factor, "stalled")),
        "rolling_upgrade_status" => Some((factor, selector.equal("status")?)),
        _ => None,
    }
}

/// Checks that the fleet table is sorted by a rank that is not shown: a transformation does it, since
/// Grafana's table does not sort by a hidden column.
fn rank(board: &Value) -> Vec<Finding> {
    if !is_overview(board) {
        return Vec::new();
    }
    let is_fleet = |p: &&Value| text(p, "/title") == "Upgrades with their progress";
    let Some(panel) = panels(board).into_iter().find(is_fleet) else {
        return vec![finding(board, "no table of the fleet")];
    };
    let steps = list(panel, "/transformations");
    let ids: Vec<_> = steps.iter().map(|step| text(step, "/id")).collect();
    let column = text(panel, "/transformations/1/options/sort/0/field");
    let sorted = ids == ["merge", "sortBy", "organize"]
        && steps[1]["options"]["sort"] == json!([{"desc": true, "field": column}])
        && list(panel, "/options/sortBy").is_empty();
    let hidden = panel
        .pointer("/transformations/2/options/excludeByName")
        .and_then(|names| names.get(column))
        == Some(&Value::Bool(true));
    let of_column = |t: &&Value| format!("Value #{}", text(t, "/refId")) == column;
    let target = list(panel, "/targets").iter().find(of_column);
    let found = target.map(|t| selectors(text(t, "/expr")));
    let mut terms: Vec<_> = found.iter().flatten().filter_map(word).collect();
    terms.retain(|(factor, _)| *factor != "0");
    terms.sort_unstable();
    let factors: std::collections::BTreeSet<_> = terms.iter().map(|(factor, _)| factor).collect();
    let distinct = factors.len() == terms.len();
    let words: Vec<_> = terms.iter().map(|(_, word)| *word).collect();
    let mut out = unless(sorted, panel, "is not sorted by one column, largest first");
    out.extend(unless(hidden, panel, "shows its rank"));
    let ranked = distinct && words == RANKS;
    out.extend(unless(ranked, panel, &format!("ranks {terms:?}")));
    out
}

/// Checks that one list shows the alerts of the shipped rules that ask for a person.
fn alerts(board: &Value) -> Vec<Finding> {
    if !is_overview(board) {
        return Vec::new();
    }
    let all: Vec<_> = panels(board)
        .into_iter()
        .filter(|p| text(p, "/type") == "alertlist")
        .collect();
    let [panel] = all.as_slice() else {
        return vec![finding(board, format!("{} lists of alerts", all.len()))];
    };
    let options = &panel["options"];
    let filter = r#"{alertname=~"RollingUpgrade.+", severity=~"critical|warning"}"#;
    let state = |name: &str| options["stateFilter"][name] == true;
    let right = text(options, "/alertName") == "RollingUpgrade"
        && text(options, "/alertInstanceLabelFilter") == filter
        && text(options, "/viewMode") == "list"
        && options["showInstances"] == true
        // Of this board's rules there are none: they are Prometheus's.
        && options["dashboardAlerts"] == false
        && state("firing")
        && state("pending")
        && !state("normal");
    let first = panel["gridPos"]["y"] == 1;
    let mut out = unless(right, panel, "does not list the alerts of the rules");
    out.extend(unless(first, panel, "does not stand at the top"));
    out
}

fn is_own(metric: &str) -> bool {
    metric == "up"
        || metric.starts_with("process_")
        || metric.starts_with("rolling_upgrade_exporter_")
}

/// Returns the metrics that a panel asks for.
fn metrics(panel: &Value) -> Vec<String> {
    let targets = list(panel, "/targets").iter();
    targets
        .flat_map(|t| selectors(text(t, "/expr")))
        .map(|s| s.metric)
        .collect()
}

/// Checks that the last row is closed, and has every panel about the exporter itself and no other.
fn closed(board: &Value) -> Vec<Finding> {
    if !is_overview(board) {
        return Vec::new();
    }
    let Some((last, open)) = list(board, "/panels").split_last() else {
        return vec![finding(board, "no panels")];
    };
    let is_closed = text(last, "/type") == "row" && last["collapsed"] == true;
    let mut out = unless(is_closed, last, "is no closed row");
    for panel in open {
        let own = |m: &String| is_own(m) && !OPEN.contains(&m.as_str());
        let right = panel["collapsed"] != true && !metrics(panel).iter().any(own);
        out.extend(unless(right, panel, "belongs into the closed row"));
    }
    for panel in list(last, "/panels") {
        let right = metrics(panel).iter().all(|m| is_own(m));
        out.extend(unless(right, panel, "is about upgrades, and closed"));
    }
    out
}
