//! Start of an upgrade.

use super::*;
use crate::model::progress;

/// Time since which an upgrade by this workflow has been under way.
fn started(phase: &str, workflow: Workflow) -> Option<Timestamp> {
    progress::started(&upgrade(phase, &[workflow], &[]), now())
}

#[test]
fn a_cluster_at_work_has_started_before_a_point_begins() {
    let requested = Some(at("2025-05-07T00:00:00Z"));
    for points in [&[][..], &[("PreCheck", "Init"), ("Cluster", "Queuing")]] {
        for (phase, want) in [
            ("Upgrading", requested),
            ("RollingBack", requested),
            ("Available", None),
        ] {
            let found = started(phase, workflow("w", 7, "Running", points));
            assert_eq!(found, want, "{phase} {points:?}");
        }
    }
}

#[test]
fn a_point_with_a_start_tells_when_a_cluster_at_work_started() {
    let mut workflow = workflow("w", 7, "Running", RUNNING);
    workflow.status.point_statuses[0].start = "2025-05-07 02:00:00 +0000 UTC".to_owned();
    let want = Some(at("2025-05-07T02:00:00Z"));
    for phase in ["Upgrading", "Available"] {
        assert_eq!(started(phase, workflow.clone()), want, "{phase}");
    }
}
