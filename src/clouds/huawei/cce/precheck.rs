//! Result of a precheck: the nodes that it refused, what did not pass, and until when it is good.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::wire::{CheckItem, NodeInfo, Precheck as WirePrecheck};
use super::words::is;
use crate::clouds::huawei::time::go_time;
use crate::model::bounds::{label, message};
use crate::model::{Finding, FindingScope, MAX_FINDINGS, Precheck};
use crate::text;

/// Name of the finding that holds the message of a whole precheck.
const WHOLE: &str = "PreCheck";

/// Result of a precheck, as a poll leaves it to the next one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Checked {
    /// Task id of the precheck.
    precheck: String,
    /// Nodes with an item that failed.
    pub(super) nodes: Vec<NodeInfo>,
    /// Items that failed, the most severe first; at most [`MAX_FINDINGS`].
    items: Vec<Item>,
    items_left_out: u64,
    /// State of the check is another than passed: a run under its id can still change what it tells.
    has_failed: bool,
    /// Time until which it is good; `None` when it did not pass or is not told.
    pub(super) valid_until: Option<Timestamp>,
}

/// [`Finding`] that can be written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Item {
    scope: Scope,
    target: String,
    name: String,
    message: String,
    codes: Vec<String>,
}

/// Objects of a check, in the order in which items of one level stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Scope {
    Cluster,
    Addon,
    Node,
}

impl Checked {
    /// Returns the result of the precheck with this task id, or of the last one where the id is empty.
    pub(super) fn of(prechecks: &[WirePrecheck], id: &str) -> Self {
        let mut all = prechecks.iter();
        // An id that is given and is not in the list is not another precheck's.
        let precheck = if id.is_empty() {
            all.max_by_key(|precheck| go_time(&precheck.metadata.creation_timestamp))
        } else {
            all.find(|precheck| precheck.metadata.uid == id)
        };
        Self {
            precheck: id.to_owned(),
            ..precheck.map(Self::read).unwrap_or_default()
        }
    }

    fn read(precheck: &WirePrecheck) -> Self {
        let status = &precheck.status;
        let checked = &status.node_check_status.node_stage_status;
        let is_refused = |items: &[CheckItem]| items.iter().any(has_failed);
        let refused = checked.iter().filter(|node| is_refused(&node.items_status));
        let mut found: Vec<(u8, Item)> = Vec::new();
        let mut add = |scope, target: &dyn Fn(&CheckItem) -> String, items: &[CheckItem]| {
            let failed = items.iter().filter(|item| has_failed(item));
            found.extend(
                failed.map(|item| (severity(&item.level), Item::new(scope, target(item), item))),
            );
        };
        let cluster = &status.cluster_check_status.items_status;
        add(Scope::Cluster, &|_| String::new(), cluster);
        add(
            Scope::Addon,
            &addons,
            &status.addon_check_status.items_status,
        );
        for node in checked {
            let info = &node.node_info;
            let name = if info.name.is_empty() {
                &info.uid
            } else {
                &info.name
            };
            add(Scope::Node, &|_| name.clone(), &node.items_status);
        }
        found.sort_by_key(|(severity, _)| *severity);
        let mut items: Vec<Item> = found.into_iter().map(|(_, item)| item).collect();
        if items.is_empty() {
            items.extend(Item::of_whole(&status.message));
        }
        let items_left_out = items.len().saturating_sub(MAX_FINDINGS);
        items.truncate(MAX_FINDINGS);
        let has_passed = status.phase.is_empty() || is(&status.phase, "Success");
        Self {
            precheck: String::new(),
            nodes: refused.map(|node| node.node_info.clone()).collect(),
            items,
            items_left_out: u64::try_from(items_left_out).unwrap_or(u64::MAX),
            has_failed: !has_passed,
            valid_until: go_time(&status.expires).filter(|_| has_passed),
        }
    }

    /// Reads what an earlier poll left of the precheck with this task id.
    pub(super) fn remembered(left: Option<&str>, id: &str) -> Option<Self> {
        let left: Self = serde_json::from_str(left?).ok()?;
        (left.precheck == id).then_some(left)
    }

    /// Returns whether this is the result of a precheck that did not pass.
    pub(super) fn has_failed(&self) -> bool {
        self.has_failed
    }

    /// Writes the result for the next poll.
    pub(super) fn write(&self) -> Option<Arc<str>> {
        text::json::to_string(self).ok().map(Arc::from)
    }

    /// Returns what a failed precheck tells people; `None` when it tells nothing.
    pub(super) fn failure(&self) -> Option<Precheck> {
        let findings: Vec<Finding> = self.items.iter().map(Item::finding).collect();
        (!findings.is_empty()).then_some(Precheck {
            valid_until: None,
            findings,
            findings_left_out: self.items_left_out,
        })
    }
}

impl Item {
    fn new(scope: Scope, target: String, item: &CheckItem) -> Self {
        Self {
            scope,
            target,
            name: label(&one_line(&item.name)),
            message: message(&one_line(&item.message)),
            codes: item.error_codes.iter().map(|code| one_line(code)).collect(),
        }
    }

    /// Builds the item for a message about the whole precheck.
    fn of_whole(text: &str) -> Option<Self> {
        let message = message(&one_line(text));
        (!message.is_empty()).then(|| Self {
            scope: Scope::Cluster,
            target: String::new(),
            name: WHOLE.to_owned(),
            message,
            codes: Vec::new(),
        })
    }

    fn finding(&self) -> Finding {
        Finding {
            scope: match self.scope {
                Scope::Cluster => FindingScope::Cluster,
                Scope::Addon => FindingScope::Addon,
                Scope::Node => FindingScope::Node,
            },
            target: self.target.clone(),
            item: self.name.clone(),
            message: self.message.clone(),
            codes: self.codes.clone(),
        }
    }
}

/// Returns a text of a vendor with its lines and blanks put together.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn has_failed(item: &CheckItem) -> bool {
    is(&item.phase, "Failed")
}

/// Returns the names of the add-ons that an item is about.
fn addons(item: &CheckItem) -> String {
    let risks = item.risk_source.addon_risks.iter();
    let names: Vec<String> = risks
        .map(|risk| one_line(&risk.addon_template_name))
        .filter(|name| !name.is_empty())
        .collect();
    names.join(", ")
}

/// Returns the place of a level among the others, the most severe first. A level that is not in the
/// documents stands before those that harm nothing.
fn severity(level: &str) -> u8 {
    let levels = ["Fatal", "Warning"];
    let place = levels.iter().position(|word| is(level, word));
    match place {
        Some(0) => 0,
        Some(_) => 1,
        None if is(level, "Info") => 3,
        None => 2,
    }
}

#[cfg(test)]
mod tests;
