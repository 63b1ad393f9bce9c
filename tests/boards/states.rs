//! The states on the boards: their words, their numbers, their colours.

use std::collections::{BTreeMap, BTreeSet};

use rolling_upgrade_exporter::model::{NodeStatus, TaskStatus, UpgradeStatus};
use serde_json::Value;

use crate::Finding;
use crate::board::{list, panels, text};
use crate::house::finding;
use crate::promql::selectors;

/// The palette of Okabe and Ito, which colour-blind people can tell apart, and two greys.
const PALETTE: &[&str] = &[
    "#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7", "#BBBBBB",
    "#999999",
];

/// The value mappings of a panel: number, word and colour of each.
fn mappings(panel: &Value) -> Vec<Vec<(String, String, String)>> {
    let overrides = list(panel, "/fieldConfig/overrides").iter();
    let own = overrides
        .flat_map(|o| list(o, "/properties"))
        .filter(|p| text(p, "/id") == "mappings")
        .flat_map(|p| list(p, "/value"));
    own.chain(list(panel, "/fieldConfig/defaults/mappings"))
        .filter_map(|m| m["options"].as_object())
        .map(|options| {
            let word = |v: &Value| (text(v, "/text").to_owned(), text(v, "/color").to_owned());
            let entries = options.iter().map(|(number, v)| (number, word(v)));
            entries
                .map(|(number, (word, colour))| (number.clone(), word, colour))
                .collect()
        })
        .collect()
}

/// The words of the states of a one-hot metric.
fn words(metric: &str) -> Option<BTreeSet<&'static str>> {
    Some(match metric {
        "rolling_upgrade_status" => UpgradeStatus::ALL.iter().map(|s| s.as_str()).collect(),
        "rolling_upgrade_node_status" => NodeStatus::ALL.iter().map(|s| s.as_str()).collect(),
        "rolling_upgrade_task_status" => TaskStatus::ALL.iter().map(|s| s.as_str()).collect(),
        _ => return None,
    })
}

/// An expression that makes states into numbers knows every state, and the panel's mapping has the
/// same word for each number. `none` may be left out: it is no upgrade.
pub(crate) fn states(board: &Value) -> Vec<Finding> {
    let mut out = Vec::new();
    for panel in panels(board) {
        let mappings = mappings(panel);
        for target in list(panel, "/targets") {
            let mut numbers: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
            for s in selectors(text(target, "/expr")) {
                if let (Some(factor), Some(word)) = (&s.factor, s.equal("status")) {
                    let of = numbers.entry(s.metric.clone()).or_default();
                    of.insert(word.to_owned(), factor.clone());
                }
            }
            numbers.retain(|_, of| of.len() > 1);
            for (metric, of) in numbers {
                let want = words(&metric).unwrap_or_default();
                let mut have: BTreeSet<_> = of.keys().map(String::as_str).collect();
                if want.contains("none") {
                    have.insert("none");
                }
                let whole = |mapping: &Vec<(String, String, String)>| {
                    let mapped: BTreeSet<_> =
                        mapping.iter().map(|(_, word, _)| word.as_str()).collect();
                    let right = |(number, word, _): &(String, String, String)| {
                        of.get(word).map_or(word == "none", |n| n == number)
                    };
                    mapped == want && mapping.iter().all(right)
                };
                if have != want || !mappings.iter().any(whole) {
                    out.push(finding(
                        panel,
                        format!("{metric}: {of:?} beside {mappings:?}"),
                    ));
                }
            }
        }
    }
    out
}

/// Every colour is of the palette, and no two words of a mapping share one.
pub(crate) fn colours(board: &Value) -> Vec<Finding> {
    let mut out = Vec::new();
    for panel in panels(board) {
        let json = panel.to_string();
        let used = json
            .split('"')
            .filter(|s| s.len() == 7 && s.starts_with('#'));
        out.extend(
            used.filter(|c| !PALETTE.contains(c))
                .map(|c| finding(panel, c)),
        );
        for mapping in mappings(panel) {
            let different: BTreeSet<_> = mapping.iter().map(|(_, _, colour)| colour).collect();
            let all = mapping
                .iter()
                .all(|(_, _, colour)| PALETTE.contains(&colour.as_str()));
            if different.len() != mapping.len() || !all {
                out.push(finding(panel, format!("{mapping:?}")));
            }
        }
    }
    out
}
