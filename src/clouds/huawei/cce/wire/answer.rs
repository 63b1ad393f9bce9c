//! Whole answers. One with none of the documented parts, such as an error under HTTP status 200, is an
//! error: it must not pass for an answer that tells of nothing.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

use super::{TaskStatus, Unread, lenient};
use crate::json::{Entries, fault, or_default, present_entries, strict_text, text};

/// A list of the API. `items` is one object in the documents' example of the workflows, a list in
/// newer SDKs, null or absent when there is nothing.
#[derive(Debug)]
pub(in super::super) struct List<T> {
    pub(in super::super) items: Vec<T>,
    /// Marker of the next page; empty at the end. Only the nodes have pages.
    pub(in super::super) next_marker: String,
}

#[derive(Deserialize)]
#[serde(
    default,
    rename_all = "camelCase",
    bound(deserialize = "T: DeserializeOwned")
)]
struct RawList<T> {
    #[serde(deserialize_with = "text")]
    kind: String,
    #[serde(deserialize_with = "present_entries")]
    items: Option<Entries<T>>,
    #[serde(deserialize_with = "or_default")]
    page_info: PageInfo,
}

impl<T> Default for RawList<T> {
    fn default() -> Self {
        Self {
            kind: String::new(),
            items: None,
            page_info: PageInfo::default(),
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct PageInfo {
    #[serde(deserialize_with = "strict_text")]
    next_marker: String,
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(de: D) -> Result<Self, D::Error> {
        let raw = RawList::deserialize(de)?;
        if raw.kind.is_empty() && raw.items.is_none() {
            return Err(fault("has neither `kind` nor `items`, so it is no list"));
        }
        Ok(Self {
            items: raw.items.unwrap_or_default().list,
            next_marker: raw.page_info.next_marker,
        })
    }
}

/// The answer of `upgradeinfo`.
#[derive(Debug)]
pub(in super::super) struct UpgradeInfo {
    /// The last task.
    pub(in super::super) last: TaskStatus,
    /// The current task.
    pub(in super::super) current: TaskStatus,
    /// Versions that the cloud offers.
    pub(in super::super) versions: VersionInfo,
}

/// Version of a cluster, and those that the cloud offers it. It decides nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(in super::super) struct VersionInfo {
    /// Version without its patch: `v1.19.10`.
    #[serde(deserialize_with = "text")]
    pub(in super::super) release: String,
    /// Patch that the cluster has: `r0`.
    #[serde(deserialize_with = "text")]
    pub(in super::super) patch: String,
    /// Patch of this release that the cloud suggests: `r4`; empty when there is none.
    #[serde(deserialize_with = "text")]
    pub(in super::super) suggest_patch: String,
    #[serde(deserialize_with = "lenient::texts")]
    pub(in super::super) target_versions: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawInfo {
    #[serde(deserialize_with = "text")]
    kind: String,
    #[serde(deserialize_with = "some_object")]
    metadata: Option<Unread>,
    #[serde(deserialize_with = "some_object")]
    spec: Option<InfoSpec>,
    #[serde(deserialize_with = "some_object")]
    status: Option<TaskStatus>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct InfoSpec {
    #[serde(deserialize_with = "or_default")]
    last_upgrade_info: TaskStatus,
    #[serde(deserialize_with = "lenient::object")]
    version_info: VersionInfo,
}

impl<'de> Deserialize<'de> for UpgradeInfo {
    fn deserialize<D: Deserializer<'de>>(de: D) -> Result<Self, D::Error> {
        let raw = RawInfo::deserialize(de)?;
        if raw.kind.is_empty()
            && raw.metadata.is_none()
            && raw.spec.is_none()
            && raw.status.is_none()
        {
            return Err(fault(
                "has none of `kind`, `metadata`, `spec` and `status`, so it tells nothing of upgrades",
            ));
        }
        let spec = raw.spec.unwrap_or_default();
        Ok(Self {
            last: spec.last_upgrade_info,
            current: raw.status.unwrap_or_default(),
            versions: spec.version_info,
        })
    }
}

fn some_object<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    de: D,
) -> Result<Option<T>, D::Error> {
    or_default(de).map(Some)
}

#[cfg(test)]
mod tests {
    use super::super::Workflow;
    use super::*;

    const ERROR: &str = r#"{"error_code":"CCE.0500","error_msg":"oops"}"#;

    #[test]
    fn a_list_has_a_kind_or_items() {
        let read = serde_json::from_str::<List<Workflow>>;
        for good in [
            r#"{"kind":"List"}"#,
            r#"{"items":null}"#,
            r#"{"items":{}}"#,
            r#"{"items":[]}"#,
        ] {
            assert!(read(good).unwrap().items.is_empty(), "{good}");
        }
        for bad in ["{}", ERROR, r#"{"kind":""}"#, r#"{"kind":null}"#] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn upgradeinfo_has_one_of_its_parts() {
        let read = |json: &str| serde_json::from_str::<UpgradeInfo>(json);
        for part in ["metadata", "spec", "status"] {
            for nothing in ["{}", "null"] {
                let info = read(&format!(r#"{{"{part}":{nothing}}}"#)).unwrap();
                assert_eq!((info.last.phase, info.current.phase), Default::default());
            }
        }
        assert!(read(r#"{"kind":"UpgradeInfo"}"#).is_ok());
        for bad in ["{}", ERROR, r#"{"kind":""}"#] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
