//! The simulated `operation/upgrade`: it refuses what the vendor would, and else the upgrade begins.

use serde_json::{Value, json};

use super::body::wrong;
use super::versions::parts;
use super::view::View;
use super::{failure, not_found, ok, unpublished};
use crate::clouds::huawei::sim::account::SimulatedAccount;
use crate::sim::scenario::Cluster;
use crate::sim::{Answer, Request, World};

/// Answers the request; none when the path, below the project, is another one.
pub(super) fn answer(world: &World, request: &Request<'_>, path: &str) -> Option<Answer> {
    let id = path.strip_prefix("clusters/")?;
    let id = id.strip_suffix("/operation/upgrade")?;
    if !SimulatedAccount::of(world).cce_upgrades_published {
        return Some(unpublished());
    }
    let Some(cluster) = world.cluster("cce", id) else {
        return Some(not_found("cluster", id));
    };
    let body = request.json().unwrap_or_default();
    Some(match wrong(&body, request) {
        Some(what) => failure(400, "CCE.01400001", "BadRequest", &what).refusing(what),
        None => order(world, cluster, &body["spec"]["clusterUpgradeAction"]),
    })
}

fn order(world: &World, cluster: &Cluster, action: &Value) -> Answer {
    let wanted = action["targetVersion"].as_str().unwrap_or_default();
    let moment = world.moment(cluster);
    let from = cluster.version(moment.as_ref()).to_owned();
    let bad = |message: &str| failure(400, "CCE.01400001", "BadRequest", message);
    let versions = world.versions(cluster, 1);
    let Some(to) = resolve(&versions, wanted) else {
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

/// Returns the scenario's version that is wanted; `v1.28` stands for that of this release.
fn resolve<'a>(versions: &'a [String], wanted: &str) -> Option<&'a str> {
    let versions = || versions.iter().map(String::as_str);
    let is_of = |version: &&str| {
        let rest = version.strip_prefix(wanted);
        rest.is_some_and(|rest| rest.starts_with(['.', '-']))
    };
    versions().find(|v| *v == wanted).or(versions().find(is_of))
}
