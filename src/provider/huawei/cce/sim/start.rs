//! The simulated `operation/upgrade`: it refuses what the vendor would, and else the upgrade begins.

use serde_json::{Value, json};

use super::view::View;
use super::{failure, not_found, ok, unpublished};
use crate::sim::scenario::Cluster;
use crate::sim::{Answer, Request, World};

/// Answers the request; none when the path, below the project, is another one.
pub(super) fn answer(world: &World, request: &Request<'_>, path: &str) -> Option<Answer> {
    let id = path.strip_prefix("clusters/")?;
    let id = id.strip_suffix("/operation/upgrade")?;
    if !world.scenario.huawei.cce_upgrades_published {
        return Some(unpublished());
    }
    let Some(cluster) = world.cluster("cce", id) else {
        return Some(not_found(id));
    };
    let body = request.json().unwrap_or_default();
    Some(match wrong(&body, request) {
        Some(what) => failure(400, "CCE.01400001", "BadRequest", "Invalid request.").refusing(what),
        None => order(world, cluster, &body["spec"]["clusterUpgradeAction"]),
    })
}

fn order(world: &World, cluster: &Cluster, action: &Value) -> Answer {
    let wanted = action["targetVersion"].as_str().unwrap_or_default();
    let moment = world.moment(cluster);
    let from = cluster.version(moment.as_ref()).to_owned();
    let bad = |message: &str| failure(400, "CCE.01400001", "BadRequest", message);
    let Some(to) = resolve(cluster, wanted) else {
        return bad(&format!("target version {wanted} is not supported"));
    };
    if parts(to) <= parts(&from) {
        return bad(&format!(
            "target version {to} is not later than the cluster's version {from}"
        ));
    }
    if world.order(cluster, to).is_none() {
        let message = "The cluster is being upgraded.";
        return failure(409, "CCE.01409002", "Conflict", message);
    }
    ok(&json!({
        "metadata": {"uid": View::new(world, cluster).last_task()},
        "spec": {"clusterUpgradeAction": {
            "version": from,
            "targetVersion": to,
            "targetPlatformVersion": "cce.10",
            "strategy": action["strategy"],
            "config": {},
        }},
    }))
}

/// `v1.28` stands for the scenario's version of that release.
fn resolve<'a>(cluster: &'a Cluster, wanted: &str) -> Option<&'a str> {
    let versions = || cluster.versions.iter().map(String::as_str);
    let is_of = |version: &&str| {
        let rest = version.strip_prefix(wanted);
        rest.is_some_and(|rest| rest.starts_with(['.', '-']))
    };
    versions().find(|v| *v == wanted).or(versions().find(is_of))
}

fn parts(version: &str) -> Vec<u64> {
    version
        .split(|c: char| !c.is_ascii_digit())
        .filter(|part| !part.is_empty())
        .map(|part| part.parse().unwrap_or_default())
        .collect()
}

/// What is not as the documents have it.
fn wrong(body: &Value, request: &Request<'_>) -> Option<String> {
    let is_json = request
        .header("content-type")
        .is_some_and(|value| value.starts_with("application/json"));
    if !is_json {
        return Some("a POST needs Content-Type: application/json".to_owned());
    }
    if body["metadata"] != json!({"apiVersion": "v3", "kind": "UpgradeTask"}) {
        return Some("metadata is not that of an UpgradeTask".to_owned());
    }
    let Some(action) = body["spec"]["clusterUpgradeAction"].as_object() else {
        return Some("spec.clusterUpgradeAction is missing".to_owned());
    };
    let known = [
        "addons",
        "nodeOrder",
        "nodePoolOrder",
        "strategy",
        "targetVersion",
        "isOnlyUpgrade",
        "agencyName",
    ];
    if let Some(key) = action.keys().find(|key| !known.contains(&key.as_str())) {
        return Some(format!("there is no field {key}"));
    }
    let strategy = &body["spec"]["clusterUpgradeAction"]["strategy"];
    let step = &strategy["inPlaceRollingUpdate"]["userDefinedStep"];
    if strategy["type"] != "inPlaceRollingUpdate"
        || !step.as_u64().is_some_and(|step| (1..=120).contains(&step))
    {
        return Some("the strategy is not one that there is".to_owned());
    }
    let addons = body["spec"]["clusterUpgradeAction"]["addons"].as_array();
    let is_whole = |addon: &Value| {
        addon["operation"] == "patch"
            && addon["addonTemplateName"].is_string()
            && addon["version"].is_string()
    };
    if !addons.into_iter().flatten().all(is_whole) {
        return Some("an add-on lacks its name, version or operation".to_owned());
    }
    None
}
