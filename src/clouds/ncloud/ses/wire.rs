//! SES's answers as they come. Numbers come as text in lists and as integers in node lists.

use std::fmt;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::clouds::ncloud::either;
use crate::clouds::ncloud::time::Date;
use crate::json;

/// An entry of `getClusterInfoList`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Cluster {
    #[serde(deserialize_with = "json::strict_text")]
    pub(super) service_group_instance_no: String,
    #[serde(rename = "clusterName", deserialize_with = "json::text")]
    pub(super) name: String,
    /// CDSS calls it `serverStatus`.
    #[serde(rename = "clusterStatus", deserialize_with = "json::strict_text")]
    pub(super) status: String,
    /// A name; the detail call, which is not made, has the code.
    #[serde(deserialize_with = "json::strict_text")]
    pub(super) search_engine_version: String,
}

/// `getSearchEngineVersionList` with its envelope.
#[derive(Debug, Default, Deserialize)]
pub(super) struct VersionAnswer {
    #[serde(default)]
    pub(super) result: VersionList,
}

/// Versions: an object around the list in the vendor's client, the list itself in other documents.
#[derive(Debug, Default)]
pub(super) struct VersionList(pub(super) Vec<Version>);

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct NamedVersionList {
    #[serde(deserialize_with = "json::list")]
    search_engine_version_list: Vec<Version>,
}

impl<'de> Deserialize<'de> for VersionList {
    fn deserialize<D: Deserializer<'de>>(de: D) -> Result<Self, D::Error> {
        de.deserialize_any(VersionListVisitor)
    }
}

struct VersionListVisitor;

impl<'de> Visitor<'de> for VersionListVisitor {
    type Value = VersionList;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of versions")
    }

    fn visit_unit<E>(self) -> Result<VersionList, E> {
        Ok(VersionList::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<VersionList, A::Error> {
        json::list(SeqAccessDeserializer::new(list)).map(VersionList)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<VersionList, A::Error> {
        let named = NamedVersionList::deserialize(MapAccessDeserializer::new(map))?;
        Ok(VersionList(named.search_engine_version_list))
    }
}

/// A version that the service knows. Its code is digits without dots and means nothing by itself:
/// `2140` could be 2.14.0 or 2.1.40.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Version {
    #[serde(
        rename = "searchEngineVersionCode",
        deserialize_with = "json::strict_text"
    )]
    pub(super) code: String,
    /// Such as `OpenSearch 1.3.3`.
    #[serde(
        rename = "searchEngineVersionName",
        deserialize_with = "json::strict_text"
    )]
    pub(super) name: String,
    /// `OpenSearch` or `Elasticsearch`.
    #[serde(rename = "type", deserialize_with = "json::strict_text")]
    pub(super) engine: String,
}

/// `getClusterNodeList`, of which only the region's number is of use.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct NodeList {
    #[serde(deserialize_with = "json::strict_number")]
    pub(super) region_no: Option<i64>,
}

/// `getRollingUpgradeProgress`. Its data stay long after the end; before the first upgrade any part
/// may be null.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Progress {
    #[serde(deserialize_with = "json::text")]
    pub(super) name: String,
    #[serde(deserialize_with = "json::strict_number")]
    pub(super) node_count: Option<i64>,
    #[serde(deserialize_with = "json::or_default")]
    pub(super) version_vo: VersionVo,
    #[serde(deserialize_with = "json::list")]
    pub(super) node_status_vo_list: Vec<NodeVo>,
}

/// From what to what, and when it was requested.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct VersionVo {
    #[serde(deserialize_with = "json::text")]
    pub(super) current_version_code: String,
    #[serde(deserialize_with = "json::strict_text")]
    pub(super) target_version_code: String,
    pub(super) action_date: Date,
}

/// A node.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct NodeVo {
    #[serde(deserialize_with = "json::strict_text")]
    hostname: String,
    /// Spelling of the node lists.
    #[serde(deserialize_with = "json::strict_text")]
    host_name: String,
    #[serde(deserialize_with = "json::strict_text")]
    pub(super) status: String,
    #[serde(deserialize_with = "json::text")]
    pub(super) node_role_code: String,
    pub(super) updated_date: Date,
}

impl NodeVo {
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
            let node: NodeVo = json::read(node.as_bytes()).unwrap();
            assert_eq!(node.hostname(), want);
        }
    }
}
