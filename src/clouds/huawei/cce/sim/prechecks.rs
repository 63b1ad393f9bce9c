//! The simulated prechecks: items of the cluster, of an add-on and of each node.

use serde_json::{Value, json};

use super::findings::SimFinding;
use super::keys::Keys;
use super::points::{Points, go};
use super::view::{View, valid_until};
use crate::model::FindingScope;
use crate::sim::timeline::{Moment, State};

impl View<'_> {
    pub(super) fn prechecks(&self) -> Value {
        let runs = self.runs.iter();
        let items: Vec<Value> = runs.filter_map(|run| self.precheck(run)).collect();
        json!({"apiVersion": "v3", "kind": "List", "metadata": {}, "items": items})
    }

    fn precheck(&self, run: &Moment) -> Option<Value> {
        let points = Points::of(run);
        let (at, point) = points
            .all
            .iter()
            .enumerate()
            .find(|(_, point)| point.name == "PreCheck" && point.state != State::Waiting)?;
        let phase = match point.state {
            State::Succeeded => "Success",
            State::Failed => "Failed",
            _ => "Running",
        };
        let items = |scope, target: &str| self.items(phase, scope, target);
        let names = self.cluster.nodes.iter().map(|node| node.name.as_str());
        let nodes: Vec<Value> = names
            .enumerate()
            .map(|(at, name)| {
                json!({
                    "nodeInfo": {
                        "uid": self.node_uid(at), "name": name, "status": "Active", "nodeType": "node",
                    },
                    "itemsStatus": items(FindingScope::Node, name),
                })
            })
            .collect();
        let all = |items: &[Value]| {
            let has_failed = items.iter().any(|item| item["phase"] == "Failed");
            match phase {
                "Failed" if !has_failed => "Success",
                phase => phase,
            }
        };
        let (cluster, addons) = (
            items(FindingScope::Cluster, ""),
            items(FindingScope::Addon, ""),
        );
        let node_items = nodes
            .iter()
            .filter_map(|node| node["itemsStatus"].as_array());
        let node_items: Vec<Value> = node_items.flatten().cloned().collect();
        let mut status = json!({
            "phase": phase,
            "clusterCheckStatus": {"phase": all(&cluster), "itemsStatus": cluster},
            "addonCheckStatus": {"phase": all(&addons), "itemsStatus": addons},
            "nodeCheckStatus": {"phase": all(&node_items), "nodeStageStatus": nodes},
        });
        if let Some(until) = valid_until(point) {
            status["expireTimeStamp"] = json!(go(until));
        }
        Some(json!({
            "kind": "PreCheckTask", "apiVersion": "v3",
            "metadata": {
                "uid": self.task_id(run, at),
                "creationTimestamp": go(point.begun.unwrap_or(run.requested)),
                "updateTimestamp": go(point.ended.unwrap_or(run.updated)),
            },
            "spec": {
                "clusterID": self.cluster.id,
                "clusterVersion": run.from,
                "targetVersion": run.to,
            },
            "status": status,
        }))
    }

    /// Returns the items of an object in a precheck of this phase: one that always passes once the
    /// check ended, and the scenario's findings where it failed.
    fn items(&self, phase: &str, scope: FindingScope, target: &str) -> Vec<Value> {
        let findings = &Keys::of(self.cluster).findings;
        let group = group(scope);
        let fails_everywhere =
            phase == "Failed" && scope == FindingScope::Node && findings.is_empty();
        let usual = match phase {
            "Failed" if !fails_everywhere => "Success",
            phase => phase,
        };
        let mut items = vec![json!({
            "name": usual_name(scope), "kind": "Exception", "group": group, "level": "Info",
            "phase": usual,
        })];
        let is_of = |finding: &&SimFinding| {
            finding.scope == scope && (scope != FindingScope::Node || finding.target == target)
        };
        if phase == "Failed" {
            items.extend(findings.iter().filter(is_of).map(item));
        }
        items
    }
}

fn item(finding: &SimFinding) -> Value {
    let mut item = json!({
        "name": finding.item, "kind": "Exception", "group": group(finding.scope),
        "level": finding.level, "phase": "Failed",
        "message": finding.message, "errorCodes": finding.codes,
    });
    if finding.scope == FindingScope::Addon {
        item["riskSource"] = json!({"addonRisks": [{"addonTemplateName": finding.target}]});
    }
    item
}

const fn group(scope: FindingScope) -> &'static str {
    match scope {
        FindingScope::Cluster => "LimitCheck",
        FindingScope::Addon => "AddonCheck",
        FindingScope::Node => "NodeCheck",
    }
}

const fn usual_name(scope: FindingScope) -> &'static str {
    match scope {
        FindingScope::Cluster => "ClusterStatusCheck",
        FindingScope::Addon => "AddonStatusCheck",
        FindingScope::Node => "NodeReadyCheck",
    }
}
