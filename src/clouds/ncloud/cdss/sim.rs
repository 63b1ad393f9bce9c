//! The simulated Cloud Data Streaming Service.

mod start;

use serde_json::{Value, json};

use super::super::sim::{find, list, page, refusal, route, success};
use super::SERVICE;
use crate::sim::scenario::{Cluster, ListedAs};
use crate::sim::timeline::State;
use crate::sim::{Answer, Request, Service, World};

/// The simulated service.
pub(super) struct Simulator;

impl Service for Simulator {
    fn answer(&self, world: &World, request: &Request<'_>) -> Option<Answer> {
        let path = route(world, request, SERVICE.version)?;
        let answer = match (request.method, path) {
            ("POST", "/cluster/getClusterInfoList") => clusters,
            ("POST", "/cluster/rollingUpgradeProgressCheck") => progress,
            ("POST", "/cluster/rollingUpgrade") => start::answer,
            _ => return None,
        };
        let Some(body) = request.json() else {
            return Some(
                refusal(500, 500, "JSON Parse error: Cannot read body", world.now())
                    .refusing("the body is not JSON"),
            );
        };
        Some(answer(world, &body))
    }

    fn demo(&self) -> &'static str {
        include_str!("demo.yml")
    }

    fn state_keys(&self) -> &'static [&'static str] {
        &["status"]
    }
}

fn clusters(world: &World, body: &Value) -> Answer {
    let given = |name: &str| match &body[name] {
        Value::Null => None,
        value => Some(value.to_string()),
    };
    // A number in quotes keeps them here, and is no number.
    let (number, size) = (given("pageNo"), given("pageSize"));
    let Some(page) = page(number.as_deref(), size.as_deref()) else {
        return refusal(400, 400, "잘못된 요청입니다.", world.now())
            .refusing("pageNo and pageSize are whole numbers from 1");
    };
    let write = |cluster: &Cluster| {
        let moment = world.moment(cluster);
        if cluster.listed == ListedAs::Disallowed {
            return json!({
                "clusterName": cluster.name,
                "serviceGroupInstanceNo": cluster.id,
            });
        }
        let status = match (cluster.listed, &moment) {
            (ListedAs::Returned, _) => "return",
            (_, Some(moment)) if moment.is_active() => "changing",
            _ => "running",
        };
        json!({
            "clusterName": cluster.name,
            "serviceGroupInstanceNo": cluster.id,
            "serverStatus": status,
            "kafkaVersion": cluster.version(moment.as_ref()),
            "brokerNodeCount": cluster.nodes.iter().filter(|n| n.role != ZOOKEEPER).count(),
        })
    };
    success(&list(world, SERVICE.product, page, write), world.now())
}

const ZOOKEEPER: &str = "zookeeper";

fn progress(world: &World, body: &Value) -> Answer {
    let Some(id) = body["serviceGroupInstanceNo"].as_u64() else {
        return refusal(400, 400, "잘못된 요청입니다.", world.now())
            .refusing("serviceGroupInstanceNo is not an integer");
    };
    let cluster = match find(world, SERVICE.product, &id.to_string()) {
        Ok(cluster) => cluster,
        Err(answer) => return answer,
    };
    let moment = world.moment(cluster);
    let (mut brokers, mut zookeepers) = (Vec::new(), Vec::new());
    for (index, node) in cluster.nodes.iter().enumerate() {
        let state = moment.as_ref().and_then(|m| m.nodes.get(index));
        let status = match state.map(|node| node.state) {
            Some(State::Running) => "orange",
            Some(State::Failed) => "red",
            _ => "green",
        };
        if node.role == ZOOKEEPER {
            zookeepers.push((node.name.as_str(), status));
        } else {
            brokers.push((node.name.as_str(), status));
        }
    }
    let mut result = json!({
        "clusterName": cluster.name,
        "brokerNodeTotalNumber": brokers.len(),
        "brokerNumber": operating(&brokers),
        "brokerStatus": overall(&brokers),
        "brokerStatusPerNode": per_node(&brokers),
    });
    // Newer Kafka runs without it.
    if !zookeepers.is_empty() {
        result["zookeeperTotalNumber"] = zookeepers.len().into();
        result["zookeeperNumber"] = operating(&zookeepers).into();
        result["zookeeperStatus"] = overall(&zookeepers).into();
        result["zookeeperStatusPerNode"] = per_node(&zookeepers).into();
    }
    success(&result, world.now())
}

fn operating(nodes: &[(&str, &str)]) -> usize {
    nodes
        .iter()
        .filter(|(_, status)| *status == "green")
        .count()
}

fn overall(nodes: &[(&str, &str)]) -> &'static str {
    let any = |colour| nodes.iter().any(|(_, status)| *status == colour);
    if any("orange") {
        "orange"
    } else if any("red") {
        "red"
    } else {
        "green"
    }
}

fn per_node(nodes: &[(&str, &str)]) -> Vec<Value> {
    nodes
        .iter()
        .map(|(name, status)| json!({"hostname": name, "status": status}))
        .collect()
}

#[cfg(test)]
mod demo {
    use crate::sim::demo::testing::{FirstCycle, first_cycle};

    #[test]
    fn every_cluster_of_the_demo_has_its_part() {
        let want = FirstCycle {
            succeeded: ["events"].map(str::to_owned).to_vec(),
            stalled: ["clicks"].map(str::to_owned).to_vec(),
            ..FirstCycle::default()
        };
        assert_eq!(first_cycle("cdss"), want);
    }
}
