//! The body of the request, with the fields in the order of the vendor's documents.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Body {
    metadata: Metadata,
    pub(super) spec: BodySpec,
}

/// Both are fixed by the documents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    api_version: &'static str,
    kind: &'static str,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BodySpec {
    pub(super) cluster_upgrade_action: Action,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Action {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) addons: Vec<Addon>,
    /// By node pool.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) node_order: BTreeMap<String, Vec<NodePriority>>,
    /// By node pool; the larger number goes first.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) node_pool_order: BTreeMap<String, u64>,
    pub(super) strategy: Strategy,
    pub(super) target_version: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) is_only_upgrade: Option<bool>,
    /// Empty text asks for the vendor's default; absent leaves it as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) agency_name: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Addon {
    #[serde(rename = "addonTemplateName")]
    pub(super) name: String,
    pub(super) operation: &'static str,
    pub(super) version: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) values: Option<Value>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NodePriority {
    pub(super) node_selector: NodeSelector,
    /// The larger number goes first.
    pub(super) priority: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct NodeSelector {
    pub(super) key: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) value: Vec<String>,
    pub(super) operator: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Strategy {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) in_place_rolling_update: RollingUpdate,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RollingUpdate {
    pub(super) user_defined_step: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) scope: Option<&'static str>,
}

impl Body {
    pub(super) fn new(cluster_upgrade_action: Action) -> Self {
        Self {
            metadata: Metadata {
                api_version: "v3",
                kind: "UpgradeTask",
            },
            spec: BodySpec {
                cluster_upgrade_action,
            },
        }
    }
}
