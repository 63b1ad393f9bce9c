//! CDSS's answers as they come. CMAK's fields are not read: they are going away since 2026-09-17.

use serde::Deserialize;

use crate::provider::json;

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
    #[serde(alias = "hostName", deserialize_with = "json::strict_text")]
    pub(super) hostname: String,
    #[serde(deserialize_with = "json::strict_text")]
    pub(super) status: String,
}
