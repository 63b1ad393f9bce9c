//! CCE's answers as they come: object or list, null or absent, numbers as text.
//!
//! Only what the mapping reads is here. Details for people decide nothing, and a form of them that does
//! not fit is no error ([`lenient`]). Tasks and refused nodes can be written, too: that is how a poll
//! leaves them to the next one.

mod answer;
mod lenient;
mod precheck;

use jiff::tz::Offset;
use serde::{Deserialize, Deserializer, Serialize};

pub(super) use self::answer::{List, UpgradeInfo, VersionInfo};
pub(super) use self::precheck::{CheckItem, NodeInfo, PrecheckStatus};
use crate::clouds::huawei::time::{go_time, strict_naive};
use crate::json::{fault, list, or_default, strict_text, text};

/// A resource in the style of Kubernetes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    default,
    bound(
        deserialize = "Meta: Deserialize<'de> + Default, Spec: Deserialize<'de> + Default, Status: Deserialize<'de> + Default"
    )
)]
pub(super) struct Resource<Meta, Spec, Status> {
    #[serde(deserialize_with = "or_default")]
    pub(super) metadata: Meta,
    #[serde(deserialize_with = "or_default")]
    pub(super) spec: Spec,
    #[serde(deserialize_with = "or_default")]
    pub(super) status: Status,
}

/// A cluster of the list.
pub(super) type Cluster = Resource<Metadata, Versions, Phase>;
/// A workflow of `operation/upgradeworkflows`.
pub(super) type Workflow = Resource<EntryMetadata, Versions, WorkflowStatus>;
/// An upgrade task of `operation/upgrade/tasks`.
pub(super) type Task = Resource<EntryMetadata, Versions, TaskStatus>;
/// A node of the list.
pub(super) type Node = Resource<Metadata, Unread, Phase>;
/// A task of `operation/precheck/tasks`.
pub(super) type Precheck = Resource<Metadata, Unread, PrecheckStatus>;

/// Names of a resource.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Metadata {
    #[serde(deserialize_with = "strict_text")]
    pub(super) uid: String,
    #[serde(deserialize_with = "text")]
    pub(super) name: String,
    #[serde(deserialize_with = "text")]
    pub(super) creation_timestamp: String,
}

/// Names of an entry of the history. Its creation decides which entry is current.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct EntryMetadata {
    #[serde(deserialize_with = "strict_text")]
    pub(super) uid: String,
    #[serde(deserialize_with = "strict_time")]
    pub(super) creation_timestamp: String,
    #[serde(deserialize_with = "text")]
    pub(super) update_timestamp: String,
}

/// A part that nothing is read from.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Unread {}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Phase {
    #[serde(deserialize_with = "strict_text")]
    pub(super) phase: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Versions {
    /// Of a cluster: what it runs. Of a task: what it goes from.
    #[serde(deserialize_with = "text")]
    pub(super) version: String,
    /// Of a workflow: what it goes from.
    #[serde(deserialize_with = "text")]
    pub(super) cluster_version: String,
    #[serde(deserialize_with = "text")]
    pub(super) target_version: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct WorkflowStatus {
    #[serde(deserialize_with = "strict_text")]
    pub(super) phase: String,
    #[serde(deserialize_with = "list")]
    pub(super) point_statuses: Vec<Point>,
    #[serde(deserialize_with = "lenient::objects")]
    pub(super) line_statuses: Vec<Line>,
}

/// A point of a workflow; in the documents' example it has a `taskType` and nothing else.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Point {
    #[serde(deserialize_with = "strict_text")]
    pub(super) task_type: String,
    #[serde(rename = "taskID", deserialize_with = "strict_text")]
    pub(super) task_id: String,
    #[serde(deserialize_with = "strict_text")]
    pub(super) status: String,
    #[serde(rename = "startTimeStamp", deserialize_with = "text")]
    pub(super) start: String,
    #[serde(rename = "endTimeStamp", deserialize_with = "text")]
    pub(super) end: String,
    /// Time until which a precheck is good.
    #[serde(rename = "expireTimeStamp", deserialize_with = "text")]
    pub(super) expires: String,
}

/// A way from one point of a workflow to the next.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Line {
    #[serde(deserialize_with = "lenient::object")]
    pub(super) end_point: LineEnd,
    /// `true` or `false`: text in some versions of the API, a boolean in others.
    #[serde(deserialize_with = "text")]
    pub(super) critical: String,
}

/// Point at which a line ends.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct LineEnd {
    #[serde(deserialize_with = "text")]
    pub(super) task_type: String,
}

/// Status of a task, and of both halves of `upgradeinfo`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct TaskStatus {
    #[serde(deserialize_with = "strict_text")]
    pub(super) phase: String,
    /// A number as text; whether a percentage or a fraction is not documented.
    #[serde(deserialize_with = "text")]
    pub(super) progress: String,
    /// Filled on unfinished tasks too.
    #[serde(deserialize_with = "text")]
    pub(super) completion_time: String,
}

/// Reads a time that decides; empty and any time before the year 2000 mean "not yet".
fn strict_time<'de, D: Deserializer<'de>>(de: D) -> Result<String, D::Error> {
    let text = strict_text(de)?;
    // Without a zone it could be hours off.
    match strict_naive(&text, Offset::UTC) {
        Ok(at) if at == go_time(&text) => Ok(text),
        _ => Err(fault("is not a time that can be read")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workflows(json: &str) -> List<Workflow> {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn items_may_be_an_object_a_list_null_or_empty() {
        let one = r#"{"metadata":{"uid":"a"},"status":{"phase":"Init"}}"#;
        assert_eq!(workflows(&format!(r#"{{"items":{one}}}"#)).items.len(), 1);
        let two = workflows(&format!(r#"{{"items":[{one},{one}]}}"#));
        assert_eq!(two.items.len(), 2);
        assert_eq!(two.items[0].metadata.uid, "a");
        for empty in [r#"{"items":null}"#, r#"{"items":{}}"#, r#"{"kind":"List"}"#] {
            assert!(workflows(empty).items.is_empty(), "{empty}");
        }
    }

    #[test]
    fn critical_may_be_text_or_a_boolean() {
        for (critical, want) in [("true", "true"), (r#""true""#, "true"), ("null", "")] {
            let json = format!(
                r#"{{"items":[{{"status":{{"phase":"Init","lineStatuses":[{{"critical":{critical}}}]}}}}]}}"#
            );
            let list = workflows(&json);
            assert_eq!(list.items[0].status.line_statuses[0].critical, want);
        }
    }

    #[test]
    fn null_stands_for_absent_everywhere() {
        let list = workflows(
            r#"{"pageInfo":null,"items":[{"metadata":{"uid":"a"},"spec":null,"status":null},
                {"metadata":{"uid":"b"},"status":{"phase":null,"pointStatuses":null}},
                {"status":{"pointStatuses":[null,{"taskType":"Cluster","taskID":null,"status":null}]}},
                {"metadata":null,"spec":null,"status":{"pointStatuses":[null,{}]}}]}"#,
        );
        assert_eq!(list.items.len(), 3, "an entry of nulls tells nothing");
        assert_eq!(list.items[2].status.point_statuses.len(), 1);
        assert_eq!(list.items[2].status.point_statuses[0].status, "");
    }

    #[test]
    fn progress_may_be_a_number() {
        let status: TaskStatus = serde_json::from_str(r#"{"progress":0.4}"#).unwrap();
        assert_eq!(status.progress, "0.4");
    }
}
