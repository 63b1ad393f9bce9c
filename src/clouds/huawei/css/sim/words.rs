//! Words of the simulated service: engines, images, zones, descriptions of tasks.

use crate::sim::scenario::{Cluster, ListedAs};

/// Engines that the service has, as `datastoreType` names them.
pub(super) const ENGINES: [&str; 3] = ["elasticsearch", "logstash", "opensearch"];

/// Returns the engine of a cluster of this version: the service has `OpenSearch` from 1 to 3, and
/// Elasticsearch from 5.
pub(super) fn engine(cluster: &Cluster, version: &str) -> &'static str {
    let major = version
        .split('.')
        .next()
        .and_then(|n| n.parse::<u32>().ok());
    match (cluster.listed, major) {
        (ListedAs::NotUpgradable, _) => "logstash",
        (_, Some(0..=3)) => "opensearch",
        _ => "elasticsearch",
    }
}

/// Splits a scenario's version into the engine's version and the image's name: `7.10.2` has an image of
/// its own, and `7.10.2_24.3.0_0827` names one.
pub(super) fn image(version: &str) -> (&str, String) {
    match version.split_once('_') {
        Some((engine, _)) => (engine, version.to_owned()),
        None => (version, format!("{version}_24.3.0_0827")),
    }
}

/// Returns the zones before and after this run of a move. One move leads back from where the last one
/// led; one that failed is begun anew.
pub(super) fn zones(cluster: &Cluster, run: u32) -> (&'static str, &'static str) {
    const HOME: &str = "cn-north-4a";
    const AWAY: &str = "cn-north-4c";
    if run.is_multiple_of(2) || cluster.fails.is_some() {
        (HOME, AWAY)
    } else {
        (AWAY, HOME)
    }
}

/// Returns the vendor's description of a task; a sentence like it for one that the vendor's page does not
/// show.
pub(super) fn description(task: &str) -> String {
    let known = match task {
        "Data migration" => {
            "Data is migrated from a node to other nodes in the cluster by running the exclude command."
        }
        "Node replacement" => "The node is replaced with a new one that runs the target image.",
        "Service start" => "The search service is started on the new node.",
        "Task status update" => {
            "The cluster task status is refreshed. If there are no nodes to be replaced, the task is \
             marked as completed. Otherwise, another node starts to be replaced."
        }
        _ => return format!("The task \"{task}\" is performed on the node."),
    };
    known.to_owned()
}
