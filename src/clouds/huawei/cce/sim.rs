//! The simulator's half of CCE: clusters, workflows, upgrade tasks, `upgradeinfo`, nodes, prechecks, and
//! requests that start an upgrade.

mod body;
mod findings;
mod keys;
mod points;
mod prechecks;
mod start;
mod versions;
mod view;

use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use spanned_yaml::Section;

use self::keys::Keys;
use self::view::View;
use crate::clouds::huawei::sim::account::SimulatedAccount;
use crate::sim::scenario::SimNode;
use crate::sim::{Answer, Extensions, Request, Service, World};

/// Nodes of a page, at most and where the request does not say.
const PAGE: usize = 2000;

/// What there is below a cluster.
const PATHS: &[&str] = &[
    "nodes",
    "upgradeinfo",
    "operation/upgradeworkflows",
    "operation/upgrade/tasks",
    "operation/precheck/tasks",
];

/// Paths below a cluster whose last word is the id of an entry.
const ENTRIES: &[&str] = &["operation/upgradeworkflows", "operation/upgrade/tasks"];

/// The simulated service.
pub(super) struct Simulator;

impl Service for Simulator {
    fn answer(&self, world: &World, request: &Request<'_>) -> Option<Answer> {
        let path = request.path.strip_prefix("/api/v3/projects/")?;
        let (_project, path) = path.split_once('/')?;
        if request.method == "POST" {
            return start::answer(world, request, path);
        }
        if request.method != "GET" {
            return None;
        }
        if path == "clusters" {
            return Some(ok(&clusters(world)));
        }
        let (id, rest) = path.strip_prefix("clusters/")?.split_once('/')?;
        let id = percent_decode_str(id).decode_utf8_lossy();
        let is_published = SimulatedAccount::of(world).cce_upgrades_published || rest == "nodes";
        let entry = rest.rsplit_once('/');
        let entry = entry.filter(|(list, uid)| ENTRIES.contains(list) && !uid.is_empty());
        let Some(cluster) = world.cluster("cce", &id).filter(|_| is_published) else {
            return match rest {
                _ if !PATHS.contains(&rest) && entry.is_none() => None,
                _ if !is_published => Some(unpublished()),
                _ => Some(not_found("cluster", &id)),
            };
        };
        let view = View::new(world, cluster);
        if let Some((list, uid)) = entry {
            let uid = percent_decode_str(uid).decode_utf8_lossy();
            let (what, found) = if list == "operation/upgradeworkflows" {
                ("upgrade workflow", view.workflow_of(&uid))
            } else {
                ("upgrade task", view.task_of(&uid))
            };
            return Some(found.map_or_else(|| not_found(what, &uid), |entry| ok(&entry)));
        }
        Some(match rest {
            "operation/upgradeworkflows" => ok(&view.workflows()),
            "operation/upgrade/tasks" => ok(&view.tasks()),
            "operation/precheck/tasks" => ok(&view.prechecks()),
            "upgradeinfo" => ok(&view.info()),
            "nodes" => nodes(&view, request),
            _ => return None,
        })
    }

    fn demo(&self) -> &'static str {
        include_str!("demo.yml")
    }

    fn read_cluster(
        &self,
        section: &mut Section<'_>,
        nodes: &[SimNode],
        extensions: &mut Extensions,
    ) -> Option<()> {
        Keys::read(section, nodes, extensions)
    }

    fn state_keys(&self) -> &'static [&'static str] {
        &["phase", "status"]
    }
}

fn ok(body: &Value) -> Answer {
    Answer::json(200, body)
}

/// As in clouds that have CCE without its upgrade calls: the request is good, so no refusal.
fn unpublished() -> Answer {
    Answer::json(
        404,
        &json!({
            "error_msg": "The API does not exist or has not been published in the environment",
            "error_code": "APIGW.0101",
            "request_id": "5c2f9d0e6d7a4f6f9b7a54e0a1c2d3e4",
        }),
    )
}

/// The service's errors carry three styles at once.
fn failure(code: u16, error_code: &str, reason: &str, message: &str) -> Answer {
    Answer::json(
        code,
        &json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": code,
            "errorCode": error_code, "errorMessage": message,
            "error_code": "CCE_CM.0004", "error_msg": message,
            "message": message, "reason": reason,
        }),
    )
}

fn not_found(what: &str, id: &str) -> Answer {
    let message = format!("Resource not found: {what} {id}");
    failure(404, "CCE.01404001", "NotFound", &message)
}

fn clusters(world: &World) -> Value {
    let items: Vec<Value> = world
        .clusters("cce")
        .map(|cluster| View::new(world, cluster).cluster())
        .collect();
    json!({"kind": "Cluster", "apiVersion": "v3", "items": items})
}

fn nodes(view: &View<'_>, request: &Request<'_>) -> Answer {
    let bad = |what: &str| {
        failure(400, "CCE.01400001", "BadRequest", "Invalid request.").refusing(what.to_owned())
    };
    let limit = match request.param("limit").map(|limit| limit.parse::<usize>()) {
        None => PAGE,
        Some(Ok(limit)) if (1..=PAGE).contains(&limit) => limit,
        Some(_) => return bad("limit is not from 1 to 2000"),
    };
    let all = view.nodes();
    let start = match request.param("marker") {
        None => 0,
        // The marker is the uid of the last node of the page before.
        Some(marker) => match (0..all.len()).find(|n| view.node_uid(*n) == marker) {
            Some(last) => last + 1,
            None => return bad("marker is not one that a page gave"),
        },
    };
    let end = (start + limit).min(all.len());
    let page = all.get(start..end).unwrap_or_default();
    let mut info = json!({"currentCount": page.len()});
    if end < all.len() && end > 0 {
        info["nextMarker"] = json!(view.node_uid(end - 1));
    }
    ok(&json!({"kind": "List", "apiVersion": "v3", "items": page, "pageInfo": info}))
}

#[cfg(test)]
pub(super) mod tests;
