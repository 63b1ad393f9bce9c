//! How nodes stand.

use super::length;
use crate::model::NodeStatus;
use crate::report::{NodeReport, Steps};

/// Writes the nodes that are done, of all: `3/5`; `None` when no node is known.
pub fn nodes_done<'a>(steps: impl Into<Steps<'a>>) -> Option<String> {
    let steps = steps.into();
    let (done, all) = (steps.nodes_in(NodeStatus::Succeeded), steps.all_nodes());
    (all > 0).then(|| format!("{done}/{all}"))
}

/// Writes the state that a node entered: `data node shop-d-2: failed at restart (1 of 3) (error)`.
pub fn node_change<'a>(steps: impl Into<Steps<'a>>, node: &NodeReport) -> String {
    let raw_status = match node.raw_status.as_str() {
        "" => String::new(),
        word => format!(" ({word})"),
    };
    let role = match node.role.as_str() {
        "" | "node" => String::new(),
        role => format!("{role} "),
    };
    let status = node.status.known();
    let is_at_task = matches!(status, Some(NodeStatus::Upgrading | NodeStatus::Failed));
    let task = node.task_order.filter(|_| is_at_task);
    let task = task.map_or(String::new(), |order| {
        format!(" at {}", super::task(steps, order))
    });
    let (name, status) = (&node.node, node.status.as_str());
    format!("{role}node {name}: {status}{task}{raw_status}")
}

/// Writes all that is known of a node in one line, each word once:
/// `shop-d-2: upgrading, data, restart (1 of 3), 5m`.
pub fn node_line<'a>(steps: impl Into<Steps<'a>>, node: &NodeReport) -> String {
    let facts = [
        Some(node.status.as_str().to_owned()),
        Some(node.role.clone()),
        node.task_order.map(|order| super::task(steps, order)),
        Some(node.raw_status.clone()),
        node.duration_seconds.map(length),
    ];
    let mut words: Vec<String> = Vec::new();
    for fact in facts.into_iter().flatten() {
        let is_written = words.iter().any(|word| word.eq_ignore_ascii_case(&fact));
        if !fact.is_empty() && !is_written {
            words.push(fact);
        }
    }
    format!("{}: {}", node.node, words.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::format::testing::upgrade;

    #[test]
    fn a_node_in_work_is_at_its_task() {
        let upgrade = upgrade(|upgrade| {
            for node in &mut upgrade.nodes {
                node.task_order = Some(4);
                node.raw_status = "Failed".to_owned();
            }
            upgrade.nodes[0].status = NodeStatus::Failed.into();
            upgrade.nodes[1].status = NodeStatus::Waiting.into();
        });
        let [failed, waiting] = upgrade.nodes.as_slice() else {
            panic!("{:?}", upgrade.nodes)
        };
        let change = node_change(&upgrade, failed);
        assert_eq!(change, "ess node n-1: failed at restart (1 of 1) (Failed)");
        let change = node_change(&upgrade, waiting);
        assert_eq!(change, "ess node n-2: waiting (Failed)");
        let line = node_line(&upgrade, failed);
        assert!(
            line.starts_with("n-1: failed, ess, restart (1 of 1), "),
            "{line}"
        );
        assert!(!line.contains("Failed"), "a word is written once: {line}");
    }
}
