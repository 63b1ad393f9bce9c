//! Prechecks: items of the cluster, of add-ons and of each node.

use serde::{Deserialize, Serialize};

use super::lenient;
use crate::json::{list, or_default, strict_text, text};

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(in super::super) struct PrecheckStatus {
    #[serde(deserialize_with = "text")]
    pub(in super::super) phase: String,
    /// Time until which a check that passed is good.
    #[serde(rename = "expireTimeStamp", deserialize_with = "text")]
    pub(in super::super) expires: String,
    /// Text for people, mostly of a check that could not be carried out.
    #[serde(deserialize_with = "text")]
    pub(in super::super) message: String,
    #[serde(deserialize_with = "or_default")]
    pub(in super::super) cluster_check_status: Check,
    #[serde(deserialize_with = "or_default")]
    pub(in super::super) addon_check_status: Check,
    #[serde(deserialize_with = "or_default")]
    pub(in super::super) node_check_status: NodeCheck,
}

/// Items of the cluster, or of add-ons.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(in super::super) struct Check {
    #[serde(deserialize_with = "list")]
    pub(in super::super) items_status: Vec<CheckItem>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(in super::super) struct NodeCheck {
    #[serde(deserialize_with = "list")]
    pub(in super::super) node_stage_status: Vec<CheckedNode>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(in super::super) struct CheckedNode {
    #[serde(deserialize_with = "or_default")]
    pub(in super::super) node_info: NodeInfo,
    #[serde(deserialize_with = "list")]
    pub(in super::super) items_status: Vec<CheckItem>,
}

/// Item of a check. Only its phase decides anything: which nodes failed.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(in super::super) struct CheckItem {
    #[serde(deserialize_with = "text")]
    pub(in super::super) name: String,
    /// `Info`, `Warning` or `Fatal`.
    #[serde(deserialize_with = "text")]
    pub(in super::super) level: String,
    #[serde(deserialize_with = "strict_text")]
    pub(in super::super) phase: String,
    #[serde(deserialize_with = "text")]
    pub(in super::super) message: String,
    #[serde(deserialize_with = "lenient::object")]
    pub(in super::super) risk_source: RiskSource,
    #[serde(deserialize_with = "lenient::texts")]
    pub(in super::super) error_codes: Vec<String>,
}

/// Objects that an item is about.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(in super::super) struct RiskSource {
    #[serde(deserialize_with = "lenient::objects")]
    pub(in super::super) addon_risks: Vec<AddonRisk>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(in super::super) struct AddonRisk {
    #[serde(deserialize_with = "text")]
    pub(in super::super) addon_template_name: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(in super::super) struct NodeInfo {
    #[serde(deserialize_with = "strict_text")]
    pub(in super::super) uid: String,
    #[serde(deserialize_with = "strict_text")]
    pub(in super::super) name: String,
    /// The node's phase, not the check's.
    #[serde(deserialize_with = "text")]
    pub(in super::super) status: String,
    /// `master` or `node`.
    #[serde(deserialize_with = "text")]
    pub(in super::super) node_type: String,
}
