//! The simulated Search Engine Service.

mod versions;

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::sim::account::SimulatedAccount;
use super::super::sim::{KST, find, list, page, refusal, route, success};
use super::super::time;
use super::SERVICE;
use crate::sim::scenario::{Cluster, ListedAs};
use crate::sim::timeline::{Moment, NodeMoment, State};
use crate::sim::{Answer, Request, Service, VersionForm, World};

/// How long before the request the nodes last changed, when the upgrade did not touch them yet.
const UNTOUCHED: Duration = Duration::from_secs(18 * 3600);

/// Later versions that are listed where versions are endless: clients ask for the list once an hour.
const AHEAD: u64 = 100;

/// The simulated service.
pub(super) struct Simulator;

impl Service for Simulator {
    fn answer(&self, world: &World, request: &Request<'_>) -> Option<Answer> {
        let path = route(world, request, SERVICE.version)?;
        match (request.method, path) {
            ("GET", "/cluster/getClusterInfoList") => Some(clusters(world, request)),
            ("GET", "/cluster/getSearchEngineVersionList") => {
                Some(success(&versions(world), world.now()))
            }
            ("GET", path) => {
                let id = path.strip_prefix("/cluster/getClusterNodeList/")?;
                Some(nodes(world, id))
            }
            ("POST", "/cluster/getRollingUpgradeProgress") => Some(progress(world, request)),
            _ => None,
        }
    }

    fn demo(&self) -> &'static str {
        include_str!("demo.yml")
    }

    fn version_forms(&self) -> &'static [VersionForm] {
        versions::FORMS
    }

    fn state_keys(&self) -> &'static [&'static str] {
        &["status"]
    }
}

fn clusters(world: &World, request: &Request<'_>) -> Answer {
    let (number, size) = (request.param("pageNo"), request.param("pageSize"));
    let Some(page) = page(number.as_deref(), size.as_deref()) else {
        return refusal(400, 400, "잘못된 요청입니다.", world.now())
            .refusing("pageNo and pageSize are whole numbers from 1");
    };
    let write = |cluster: &Cluster| {
        let moment = world.moment(cluster);
        let status = match cluster.listed {
            ListedAs::Returned => "return",
            _ if is_on(moment.as_ref()) => "changing",
            _ => "running",
        };
        if cluster.listed == ListedAs::Disallowed {
            return json!({
                "clusterName": cluster.name,
                "serviceGroupInstanceNo": cluster.id,
                "clusterStatus": status,
                "searchEngineStatus": "green",
            });
        }
        json!({
            "clusterName": cluster.name,
            "serviceGroupInstanceNo": cluster.id,
            "clusterStatus": status,
            "searchEngineStatus": "green",
            "searchEngineVersion": name(cluster, current(cluster, moment.as_ref())),
            "managerNodeCount": count(cluster, "M"),
            "dataNodeCount": count(cluster, "D"),
        })
    };
    success(&list(world, SERVICE.product, page, write), world.now())
}

fn versions(world: &World) -> Value {
    let mut known = BTreeMap::new();
    for cluster in world.clusters(SERVICE.product) {
        for code in world.versions(cluster, AHEAD) {
            let name = name(cluster, &code);
            known.insert((engine(cluster), code), name);
        }
    }
    let known: Vec<Value> = known
        .into_iter()
        .map(|((engine, code), name)| {
            json!({
                "searchEngineVersionCode": code,
                "searchEngineVersionName": name,
                "searchEngineDashboardVersionName": name.replacen(' ', " Dashboards ", 1),
                "type": engine,
            })
        })
        .collect();
    json!({"searchEngineVersionList": known})
}

fn nodes(world: &World, id: &str) -> Answer {
    let cluster = match find(world, SERVICE.product, id) {
        Ok(cluster) => cluster,
        Err(answer) => return answer,
    };
    let nodes: Vec<Value> = cluster
        .nodes
        .iter()
        .map(|node| json!({"hostName": node.name, "nodeRoleCode": node.role}))
        .collect();
    let region_no = match SimulatedAccount::of(world).region.as_str() {
        "KR" => 1,
        "SGN" => 7,
        _ => 8,
    };
    let result = json!({
        "regionNo": region_no,
        "serviceGroupInstanceNo": id.parse::<u64>().ok(),
        "serviceGroupName": cluster.name,
        "computeList": nodes,
    });
    success(&result, world.now())
}

fn progress(world: &World, request: &Request<'_>) -> Answer {
    let now = world.now();
    let bad = |why: &str| refusal(400, 400, "잘못된 요청입니다.", now).refusing(why);
    let Some(body) = request.json() else {
        return bad("the body is not JSON");
    };
    let Some(id) = body["serviceGroupInstanceNo"].as_str() else {
        return bad("serviceGroupInstanceNo is not a string");
    };
    // Older editions of the documents do not know regionNo: it may be left out.
    if !(body["regionNo"].is_null() || body["regionNo"].is_string()) {
        return bad("regionNo is not a string");
    }
    let cluster = match find(world, SERVICE.product, id) {
        Ok(cluster) => cluster,
        Err(answer) => return answer,
    };
    if cluster.listed == ListedAs::NotUpgradable {
        return refusal(200, 10201, "지원하지 않는 버전입니다.", now)
            .refusing("only OpenSearch has rolling upgrades");
    }
    let result = match world.moment(cluster) {
        None => json!({
            "name": cluster.name,
            "nodeCount": cluster.nodes.len(),
            "versionVo": null,
            "nodeStatusVoList": [],
        }),
        Some(moment) => json!({
            "name": cluster.name,
            "nodeCount": moment.nodes.len(),
            "versionVo": {
                "currentVersionCode": moment.from,
                "targetVersionCode": moment.to,
                "actionDate": time::write(moment.requested, KST),
            },
            "nodeStatusVoList": moment
                .nodes
                .iter()
                .map(|node| write_node(node, moment.requested))
                .collect::<Vec<_>>(),
        }),
    };
    success(&result, now)
}

fn write_node(node: &NodeMoment, requested: Timestamp) -> Value {
    let (status, updated) = match node.state {
        State::Waiting => ("running", None),
        State::Running => {
            let step = node.steps.iter().rfind(|step| step.begun.is_some());
            (
                step.map_or("Upgrade_OpenSearch", |step| step.name.as_str()),
                node.updated,
            )
        }
        State::Succeeded => ("complete", node.ended),
        State::Failed => ("Upgrade_Failed", node.ended),
    };
    let updated = updated.unwrap_or_else(|| {
        requested
            .checked_sub(UNTOUCHED)
            .unwrap_or(Timestamp::UNIX_EPOCH)
    });
    json!({
        "hostname": node.name,
        "status": status,
        "nodeRoleCode": node.role,
        "updatedDate": time::write(updated, KST),
    })
}

fn is_on(moment: Option<&Moment>) -> bool {
    moment.is_some_and(Moment::is_active)
}

fn current<'a>(cluster: &'a Cluster, moment: Option<&'a Moment>) -> &'a str {
    let first = || cluster.versions.first().map_or("", String::as_str);
    moment.map_or_else(first, Moment::version)
}

fn engine(cluster: &Cluster) -> &'static str {
    match cluster.listed {
        ListedAs::NotUpgradable => "Elasticsearch",
        _ => "OpenSearch",
    }
}

/// The name of a version code: `270` is `OpenSearch 2.7.0` here. What is not such a code stands as
/// it is behind the engine's name.
fn name(cluster: &Cluster, code: &str) -> String {
    let digits: Vec<char> = code.chars().filter(char::is_ascii_digit).collect();
    let number = match digits.as_slice() {
        [major, minor @ .., patch] if digits.len() == code.len() && !minor.is_empty() => {
            let minor: String = minor.iter().collect();
            format!("{major}.{minor}.{patch}")
        }
        _ => code.to_owned(),
    };
    format!("{} {number}", engine(cluster))
}

fn count(cluster: &Cluster, role: &str) -> usize {
    cluster.nodes.iter().filter(|n| n.role == role).count()
}

#[cfg(test)]
mod demo {
    use crate::sim::demo::testing::{FirstCycle, first_cycle};

    #[test]
    fn every_cluster_of_the_demo_has_its_part() {
        let want = FirstCycle {
            succeeded: ["search-logs", "search-shop"].map(str::to_owned).to_vec(),
            stalled: ["search-shop"].map(str::to_owned).to_vec(),
            never: ["search-legacy"].map(str::to_owned).to_vec(),
            ..FirstCycle::default()
        };
        assert_eq!(first_cycle("ses"), want);
    }
}
