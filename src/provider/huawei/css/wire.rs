//! What CSS sends: lenient in form, since its documents and its answers differ between clouds.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::pages::{Entry, Page};
use crate::provider::json::{list, number, text};

/// "Querying the Cluster List".
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ClusterList {
    /// Missing in older clouds.
    #[serde(deserialize_with = "number")]
    total_size: Option<i64>,
    #[serde(deserialize_with = "some_list")]
    clusters: Option<Vec<Cluster>>,
}

/// A cluster.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Cluster {
    #[serde(deserialize_with = "text")]
    pub(super) id: String,
    #[serde(deserialize_with = "text")]
    pub(super) name: String,
    /// `100` in progress, `200` available, `300` unavailable, `303` failed.
    #[serde(deserialize_with = "text")]
    pub(super) status: String,
    #[serde(deserialize_with = "object")]
    pub(super) datastore: Datastore,
    /// What is being done to it: an open set of words.
    #[serde(deserialize_with = "list")]
    pub(super) actions: Vec<Value>,
    #[serde(deserialize_with = "list")]
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
    #[serde(deserialize_with = "number")]
    total_size: Option<i64>,
    #[serde(deserialize_with = "some_list")]
    detail_list: Option<Vec<Detail>>,
}

/// An upgrade, or a change of the zone.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Detail {
    #[serde(deserialize_with = "text")]
    pub(super) id: String,
    #[serde(deserialize_with = "text")]
    pub(super) start_time: String,
    /// Empty while it runs.
    #[serde(deserialize_with = "text")]
    pub(super) end_time: String,
    #[serde(deserialize_with = "text")]
    pub(super) status: String,
    /// Not there for a change of the zone.
    #[serde(deserialize_with = "object")]
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
    /// Steps of one node, even when several are in work.
    #[serde(rename = "currentNodeDetail", deserialize_with = "list")]
    pub(super) steps: Vec<Step>,
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
    #[serde(deserialize_with = "text")]
    pub(super) status: String,
    #[serde(deserialize_with = "text")]
    pub(super) begin_time: String,
    #[serde(deserialize_with = "text")]
    pub(super) end_time: String,
}

impl Page for ClusterList {
    type Item = Cluster;

    fn total(&self) -> Option<usize> {
        self.total_size.and_then(|n| usize::try_from(n).ok())
    }

    fn items(self) -> Option<Vec<Cluster>> {
        self.clusters
    }
}

impl Entry for Cluster {
    const NOUN: &'static str = "clusters";
    const IS_HISTORY: bool = false;

    fn id(&self) -> Option<&str> {
        Some(&self.id)
    }
}

impl Page for Details {
    type Item = Detail;

    fn total(&self) -> Option<usize> {
        self.total_size.and_then(|n| usize::try_from(n).ok())
    }

    fn items(self) -> Option<Vec<Detail>> {
        self.detail_list
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

/// Names joined by commas, as they come: a million names of their own would take ten times the room.
#[derive(Debug, Default)]
pub(super) struct Names(String);

impl Names {
    /// Returns the names in their order; no text is no name, not one that is empty.
    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        let names = self.0.split(',').map(str::trim);
        names.filter(|name| !name.is_empty())
    }
}

/// A list of names does too.
impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(de: D) -> Result<Self, D::Error> {
        let joined = match Value::deserialize(de)? {
            Value::String(text) => text,
            Value::Array(values) => {
                let names = values.iter().filter_map(Value::as_str);
                names.collect::<Vec<_>>().join(",")
            }
            _ => String::new(),
        };
        Ok(Self(joined))
    }
}

/// A list; none where the field is missing (null is an empty list).
fn some_list<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    de: D,
) -> Result<Option<Vec<T>>, D::Error> {
    list(de).map(Some)
}

/// An object; the default for anything else.
fn object<'de, D: Deserializer<'de>, T: DeserializeOwned + Default>(de: D) -> Result<T, D::Error> {
    let value = Value::deserialize(de)?;
    if !value.is_object() {
        return Ok(T::default());
    }
    serde_json::from_value(value).map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_trimmed_and_never_empty() {
        for (json, want) in [
            (r#""""#, &[][..]),
            ("null", &[]),
            (r#"" , ,""#, &[]),
            (r#""a""#, &["a"]),
            (r#""a, b ,,c""#, &["a", "b", "c"]),
            (r#"["a","b"]"#, &["a", "b"]),
        ] {
            let json = format!(r#"{{"totalNodes":{json}}}"#);
            let detail: Detail = serde_json::from_str(&json).unwrap();
            assert!(detail.total_nodes.iter().eq(want.iter().copied()), "{json}");
        }
    }

    #[test]
    fn forms_may_differ() {
        let detail: Detail = serde_json::from_str(
            r#"{"id":7,"imageInfo":null,"executeTimes":"2","currentNodeDetail":{"order":"3","name":null},"new":[]}"#,
        )
        .unwrap();
        assert_eq!(detail.id, "7");
        assert_eq!(detail.execute_times, Some(2));
        assert_eq!(detail.steps[0].order, Some(3));
        let page: ClusterList =
            serde_json::from_str(r#"{"clusters":[{"datastore":"x","actions":null,"status":200}]}"#)
                .unwrap();
        assert_eq!(page.total(), None);
        assert_eq!(page.items().unwrap()[0].status, "200");
        let absent: ClusterList = serde_json::from_str("{}").unwrap();
        assert!(absent.items().is_none());
    }
}
