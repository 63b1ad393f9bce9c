//! CSS's answers: lenient in form, since its documents and its answers differ between clouds; strict
//! where a field decides, since an upgrade must not vanish behind a field that cannot be read.

mod forms;
#[cfg(test)]
mod tests;

use serde::Deserialize;
use serde_json::Value;

pub(super) use self::forms::Names;
use self::forms::{Zones, lenient_names, nested, record, records};
use super::pages::{Entry, Page};
use crate::json::{Entries, list, number, present_entries, strict_number, strict_text, text};

/// "Querying the Cluster List".
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ClusterList {
    /// Missing in older clouds.
    #[serde(deserialize_with = "strict_number")]
    total_size: Option<i64>,
    #[serde(deserialize_with = "present_entries")]
    clusters: Option<Entries<Cluster>>,
}

/// A cluster.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Cluster {
    #[serde(deserialize_with = "strict_text")]
    pub(super) id: String,
    #[serde(deserialize_with = "text")]
    pub(super) name: String,
    /// `100` in progress, `200` available, `300` unavailable, `303` failed.
    #[serde(deserialize_with = "strict_text")]
    pub(super) status: String,
    #[serde(deserialize_with = "record")]
    pub(super) datastore: Datastore,
    /// What is being done to it: an open set of words.
    #[serde(deserialize_with = "list")]
    pub(super) actions: Vec<Value>,
    #[serde(deserialize_with = "records")]
    pub(super) instances: Vec<Instance>,
}

/// Its engine.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Datastore {
    #[serde(deserialize_with = "text")]
    pub(super) version: String,
}

/// One of its nodes.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Instance {
    #[serde(deserialize_with = "text")]
    pub(super) name: String,
    /// `ess`, `ess-master`, `ess-client`, `ess-cold`, …
    #[serde(rename = "type", deserialize_with = "text")]
    pub(super) role: String,
}

/// "Obtaining Upgrade Details".
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Details {
    #[serde(deserialize_with = "strict_number")]
    total_size: Option<i64>,
    #[serde(deserialize_with = "present_entries")]
    detail_list: Option<Entries<Detail>>,
}

/// An upgrade, or a change of the zone.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Detail {
    #[serde(deserialize_with = "strict_text")]
    pub(super) id: String,
    #[serde(deserialize_with = "strict_text")]
    pub(super) start_time: String,
    /// Empty while it runs.
    #[serde(deserialize_with = "text")]
    pub(super) end_time: String,
    #[serde(deserialize_with = "strict_text")]
    pub(super) status: String,
    /// Agency in whose name the service calls other services.
    #[serde(deserialize_with = "text")]
    pub(super) agency_name: String,
    /// Not there for a change of the zone.
    #[serde(deserialize_with = "record")]
    pub(super) image_info: Image,
    /// Names joined by commas, as are the three that follow.
    pub(super) total_nodes: Names,
    pub(super) completed_nodes: Names,
    pub(super) current_node_name: Names,
    /// Since September 2025.
    pub(super) current_batch_nodes: Names,
    /// A number as text. The documents call it the number of retries, but it is 1 in a first run.
    #[serde(deserialize_with = "number")]
    pub(super) execute_times: Option<i64>,
    /// JSON in a text; only of a change of the zone, as is the one that follows.
    #[serde(deserialize_with = "nested")]
    pub(super) migrate_param: MigrateParam,
    /// Zones after the change, with the names of their nodes.
    pub(super) final_az_info_map: Zones,
    /// Steps of one node, even when several are in work.
    #[serde(rename = "currentNodeDetail", deserialize_with = "list")]
    pub(super) steps: Vec<Step>,
}

/// A change of the zone as it was requested.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct MigrateParam {
    /// `ess`, `ess-master`, `all`, …
    #[serde(deserialize_with = "lenient_names")]
    pub(super) inst_type: Names,
    #[serde(deserialize_with = "lenient_names")]
    pub(super) source_az: Names,
    #[serde(deserialize_with = "lenient_names")]
    pub(super) target_az: Names,
}

/// The image that the nodes get.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Image {
    #[serde(deserialize_with = "text")]
    pub(super) display_name: String,
    #[serde(deserialize_with = "text")]
    pub(super) datastore_version: String,
}

/// A step of the node in work.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Step {
    #[serde(deserialize_with = "number")]
    pub(super) order: Option<i64>,
    #[serde(deserialize_with = "text")]
    pub(super) name: String,
    #[serde(deserialize_with = "strict_text")]
    pub(super) status: String,
    #[serde(rename = "desc", deserialize_with = "text")]
    pub(super) description: String,
    #[serde(deserialize_with = "text")]
    pub(super) begin_time: String,
    #[serde(deserialize_with = "text")]
    pub(super) end_time: String,
}

impl Page for ClusterList {
    type Item = Cluster;

    fn parts(self) -> (Option<i64>, Option<Entries<Cluster>>) {
        (self.total_size, self.clusters)
    }
}

impl Entry for Cluster {
    const NOUN: &'static str = "clusters";
    const IS_HISTORY: bool = false;

    fn id(&self) -> Option<&str> {
        Some(&*self.id).filter(|id| !id.is_empty())
    }
}

impl Page for Details {
    type Item = Detail;

    fn parts(self) -> (Option<i64>, Option<Entries<Detail>>) {
        (self.total_size, self.detail_list)
    }
}

impl Entry for Detail {
    const NOUN: &'static str = "upgrades";
    const IS_HISTORY: bool = true;

    fn id(&self) -> Option<&str> {
        let ids = [&self.id, &self.start_time];
        ids.into_iter().map(|id| &**id).find(|id| !id.is_empty())
    }

    fn decides(&self) -> bool {
        self.is_running()
    }
}

impl Detail {
    /// Returns whether the vendor's word says that it is in work.
    pub(super) fn is_running(&self) -> bool {
        self.status.trim().eq_ignore_ascii_case("RUNNING")
    }
}
