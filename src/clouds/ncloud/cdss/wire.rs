//! CDSS's answers as they come. CMAK's fields are not read: they are going away since 2026-09-17.

use serde::Deserialize;

use crate::clouds::ncloud::either;
use crate::json;

/// An entry of `getClusterInfoList`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Cluster {
    #[serde(deserialize_with = "json::strict_text")]
    pub(super) service_group_instance_no: String,
    #[serde(rename = "clusterName", deserialize_with = "json::text")]
    pub(super) name: String,
    /// SES calls it `clusterStatus`.
    #[serde(deserialize_with = "json::strict_text")]
    pub(super) server_status: String,
    #[serde(deserialize_with = "json::strict_text")]
    pub(super) kafka_version: String,
}

/// `rollingUpgradeProgressCheck`: colours of processes, and nothing of version, target, time or
/// step. `ZooKeeper`'s part is absent where Kafka runs without it.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Progress {
    #[serde(deserialize_with = "json::text")]
    pub(super) cluster_name: String,
    #[serde(deserialize_with = "json::strict_text")]
    pub(super) broker_status: String,
    #[serde(deserialize_with = "json::list")]
    pub(super) broker_status_per_node: Vec<Process>,
    #[serde(deserialize_with = "json::strict_text")]
    pub(super) zookeeper_status: String,
    #[serde(deserialize_with = "json::list")]
    pub(super) zookeeper_status_per_node: Vec<Process>,
}

/// A process on a node.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Process {
    #[serde(deserialize_with = "json::strict_text")]
    hostname: String,
    #[serde(deserialize_with = "json::strict_text")]
    host_name: String,
    #[serde(deserialize_with = "json::strict_text")]
    pub(super) status: String,
}

impl Process {
    /// Returns the name of the node, which comes in two spellings, or in both.
    pub(super) fn hostname(&self) -> &str {
        either(&self.hostname, &self.host_name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_node_comes_in_either_spelling_or_in_both() {
        for (node, want) in [
            (r#"{"hostname":" a "}"#, "a"),
            (r#"{"hostName":"a"}"#, "a"),
            (r#"{"hostname":"a","hostName":"a"}"#, "a"),
            (r#"{"hostName":"a","hostname":null}"#, "a"),
            ("{}", ""),
        ] {
            let node: Process = json::read(node.as_bytes()).unwrap();
            assert_eq!(node.hostname(), want);
        }
    }
}
