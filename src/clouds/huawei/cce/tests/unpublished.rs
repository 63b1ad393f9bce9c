//! Calls that the cloud does not publish.

use super::scripted::{Scripted, cluster, list, workflow};
use super::*;
use crate::model::Reason;

const TASKS: &str = "upgrade/tasks";

#[tokio::test]
async fn an_unpublished_secondary_call_counts_from_the_second_poll() {
    for (call, name) in [(TASKS, "ListUpgradeClusterTasks"), ("nodes", "ListNodes")] {
        let mut one = Scripted::upgrading("Running", "Running").await;
        one.unpublish(call);
        let first = one.poll().await;
        assert_eq!((first.status(), first.ask_again_soon), ("running", true));
        assert_eq!(first.degraded(), [(name, "not_found")]);
        let second = one.poll().await;
        assert_eq!((second.status(), second.ask_again_soon), ("running", false));
        assert_eq!(second.degraded(), []);
        assert!(!second.view().upgrade.is_stall_suspended);
        one.asked();
        one.poll().await;
        assert!(!one.asked().contains(&call.to_owned()), "left alone");
        one.discover().await;
        assert_eq!(
            one.poll().await.degraded(),
            [],
            "the same answer changes nothing"
        );
        assert!(one.asked().contains(&call.to_owned()), "tried again");
    }
}

#[tokio::test]
async fn unpublished_must_be_told_twice_in_a_row() {
    let mut one = Scripted::upgrading("Running", "Running").await;
    for _ in 0..2 {
        one.unpublish("nodes");
        assert_eq!(one.poll().await.degraded(), [("ListNodes", "not_found")]);
        one.fail("nodes", 500);
        assert_eq!(one.poll().await.degraded(), [("ListNodes", "server")]);
    }
}

#[tokio::test]
async fn a_call_that_answered_before_is_published() {
    let mut one = Scripted::upgrading("Running", "Running").await;
    one.poll().await;
    one.unpublish("nodes");
    one.unpublish("upgradeworkflows");
    for _ in 0..3 {
        let error = one.try_poll().await.unwrap_err();
        assert_eq!(
            (error.call, error.reason),
            ("ListUpgradeWorkFlows", Reason::NotFound)
        );
    }
    one.set("upgradeworkflows", &list(&[workflow("Running", "Running")]));
    for _ in 0..3 {
        let polled = one.poll().await;
        assert_eq!(polled.degraded(), [("ListNodes", "not_found")]);
        assert_eq!(polled.nodes().len(), 2, "kept");
    }
}

#[tokio::test]
async fn an_unpublished_primary_call_counts_from_the_second_poll() {
    for (phase, want) in [("Available", "none"), ("Upgrading", "running")] {
        let mut one = Scripted::start(phase).await;
        one.unpublish("upgradeworkflows");
        let error = one.try_poll().await.unwrap_err();
        assert_eq!(error.reason, Reason::NotFound);
        for _ in 0..3 {
            let polled = one.poll().await;
            assert_eq!((polled.status(), polled.degraded()), (want, vec![]));
        }
        one.discover().await;
        assert_eq!(one.poll().await.status(), want);
        one.set("upgradeworkflows", &list(&[workflow("Pending", "Failed")]));
        one.discover().await;
        assert_eq!(one.poll().await.status(), "failed", "published since");
    }
}

#[tokio::test]
async fn an_unpublished_primary_call_takes_back_no_known_upgrade() {
    let mut one = Scripted::upgrading("Pending", "Failed").await;
    assert_eq!(one.poll().await.status(), "failed");
    let memory = std::mem::take(&mut one.memory);
    let mut anew = Scripted::start("Available").await;
    anew.memory = memory;
    anew.unpublish("upgradeworkflows");
    for _ in 0..3 {
        let error = anew.try_poll().await.unwrap_err();
        assert_eq!(error.reason, Reason::NotFound, "known before, not told now");
    }
}

#[tokio::test]
async fn two_failures_of_one_cluster_leave_the_others_alone() {
    let mut one = Scripted::upgrading("Running", "Running").await;
    one.set(
        "clusters",
        &list(&["a", "b"].map(|id| cluster(id, "Upgrading"))),
    );
    one.unpublish("a/operation/upgradeworkflows");
    one.unpublish("a/nodes");
    one.try_poll().await.unwrap_err();
    for _ in 0..2 {
        one.poll().await;
    }
    let other = Memory::default();
    let seen = one.cce.observe("b", &other, FRESH).await.unwrap();
    let upgrade = &seen.upgrades[0];
    assert_eq!(upgrade.status, UpgradeStatus::Running);
    assert_eq!(upgrade.id.as_deref(), Some("w"), "told by its workflow");
    assert_eq!(upgrade.nodes.len(), 2);
}

#[tokio::test]
async fn an_answer_of_another_address_proves_nothing() {
    let mut before = Scripted::upgrading("Running", "Running").await;
    before.poll().await;
    let mut one = Scripted::upgrading("Running", "Running").await;
    one.follow(&before);
    one.unpublish("nodes");
    assert_eq!(one.poll().await.degraded(), [("ListNodes", "not_found")]);
    assert_eq!(one.poll().await.degraded(), []);
}
