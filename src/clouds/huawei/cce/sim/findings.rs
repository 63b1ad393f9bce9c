//! Items of a precheck that do not pass.

use spanned_yaml::{Field, Section};

use crate::model::FindingScope;
use crate::sim::scenario::SimNode;
use crate::sim::scenario::read::{list, set, text};
use crate::text::quote;

/// Item of a precheck that does not pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SimFinding {
    /// Object that is checked.
    pub(super) scope: FindingScope,
    /// Name of the node or add-on; empty for the cluster.
    pub(super) target: String,
    /// Vendor's name of the item.
    pub(super) item: String,
    /// `Info`, `Warning` or `Fatal`.
    pub(super) level: &'static str,
    /// Vendor's message; empty for none.
    pub(super) message: String,
    /// Vendor's error codes.
    pub(super) codes: Vec<String>,
}

const SCOPES: &[(&str, FindingScope)] = &[
    (FindingScope::Cluster.as_str(), FindingScope::Cluster),
    (FindingScope::Addon.as_str(), FindingScope::Addon),
    (FindingScope::Node.as_str(), FindingScope::Node),
];

const LEVELS: &[(&str, &str)] = &[("Fatal", "Fatal"), ("Warning", "Warning"), ("Info", "Info")];

/// Reads an item that does not pass; one of a node names one of `nodes`.
pub(super) fn finding(entry: &Field<'_>, nodes: &[SimNode]) -> Option<SimFinding> {
    let mut section = Section::new(entry.node, "a finding", entry.at, entry.problems);
    let scope = section.need("scope").and_then(|field| field.one_of(SCOPES));
    let target = match scope {
        Some(FindingScope::Cluster) => Some(String::new()),
        _ => section.need("target").and_then(|field| {
            let name = text(&field)?;
            let is_node = nodes.iter().any(|node| node.name == name);
            if scope == Some(FindingScope::Node) && !is_node {
                field.wrong(format!("this cluster has no node {}", quote(&name)));
            }
            Some(name)
        }),
    };
    let item = section.need("item").and_then(|field| text(&field));
    let mut level = "Fatal";
    set(&mut section, "level", &mut level, |f| f.one_of(LEVELS));
    let mut message = String::new();
    set(&mut section, "message", &mut message, text);
    let codes = list(&mut section, "codes", text);
    section.finish();
    Some(SimFinding {
        scope: scope?,
        target: target?,
        item: item?,
        level,
        message,
        codes: codes?,
    })
}
