//! Nodes that are kept while their call fails.

use super::scripted::{Polled, Scripted, list, nodes, workflow};
use crate::model::NodeStatus;

/// Numbers of nodes that wait, are in work, and are done.
fn counts(polled: &Polled) -> [u64; 3] {
    let counts = polled.view().upgrade.node_counts();
    let states = [
        NodeStatus::Waiting,
        NodeStatus::Upgrading,
        NodeStatus::Succeeded,
    ];
    states.map(|status| counts.of(status))
}

#[tokio::test]
async fn nodes_beyond_the_bound_count_while_their_call_fails() {
    let mut one = Scripted::upgrading("Running", "Running").await;
    let mut phases = vec!["Active"; 20_007];
    phases[0] = "Upgrading";
    one.set("nodes", &nodes(&phases));
    assert_eq!(counts(&one.poll().await), [20_006, 1, 0]);
    one.fail("nodes", 500);
    for minutes in [1, 2] {
        assert_eq!(counts(&one.poll_after(minutes).await), [20_006, 1, 0]);
    }
    one.phase("Available");
    one.set("upgradeworkflows", &list(&[workflow("Success", "Success")]));
    assert_eq!(counts(&one.poll_after(1).await), [0, 0, 20_007]);
}
