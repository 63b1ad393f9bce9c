//! States of nodes by their words and times.

use super::*;

#[test]
fn running_means_untouched_or_back() {
    let cases = [
        (vec![("running", BEFORE)], vec![Waiting]),
        // The second of the request itself is not before it.
        (vec![("running", REQUESTED)], vec![Unknown]),
        (vec![("running", AFTER)], vec![Unknown]),
        (vec![("running", "")], vec![Unknown]),
        (
            vec![("RUNNING", AFTER), ("complete", AFTER)],
            vec![Succeeded, Succeeded],
        ),
        (
            vec![("running", AFTER), ("Upgrade_X", AFTER)],
            vec![Succeeded, Upgrading],
        ),
        (
            vec![("running", ""), ("complete", AFTER)],
            vec![Unknown, Succeeded],
        ),
        (
            vec![("running", AFTER), ("Upgrade_Failed", AFTER)],
            vec![Unknown, Failed],
        ),
    ];
    for (nodes, want) in cases {
        assert_eq!(states(&upgrade(&nodes)), want, "{nodes:?}");
    }
}

#[test]
fn running_after_the_request_is_done_at_the_target() {
    for version in ["290", "OpenSearch 2.9.0", "opensearch 2.9.0", "2.9.0"] {
        let observation = map_with(&[("running", AFTER), ("running", "")], version, None);
        let upgrade = &observation.upgrades[0];
        assert_eq!(states(upgrade), [Succeeded, Succeeded], "{version}");
        assert_eq!(upgrade.status, UpgradeStatus::Succeeded);
    }
    for version in ["", "270", "2.7.0", "Elasticsearch 2.9.0", "29"] {
        let observation = map_with(&[("running", AFTER)], version, None);
        assert_eq!(states(&observation.upgrades[0]), [Unknown], "{version}");
    }
}

#[test]
fn running_after_the_request_is_done_when_it_was_seen_in_work() {
    let nodes = [("running", AFTER), ("running", AFTER)];
    let same = seen(REQUESTED, UpgradeStatus::Running, &["n0"]);
    let observation = map_with(&nodes, "270", Some(&same));
    assert_eq!(states(&observation.upgrades[0]), [Succeeded, Unknown]);
    let other = seen("2023-01-01 00:00:00", UpgradeStatus::Running, &["n0"]);
    let observation = map_with(&nodes, "270", Some(&other));
    assert_eq!(
        states(&observation.upgrades[0]),
        [Unknown, Unknown],
        "what was seen of another upgrade proves nothing"
    );
}

/// A second upgrade: the nodes still show the end of the first one.
#[test]
fn what_the_last_upgrade_left_behind_is_waiting() {
    let (done, failed) = (("complete", BEFORE), ("Upgrade_Failed", BEFORE));
    let step = ("Upgrade_OpenSearch", AFTER);
    let cases = [
        (vec![done, done], vec![Waiting; 2], UpgradeStatus::Pending),
        (vec![done, failed], vec![Waiting; 2], UpgradeStatus::Pending),
        (
            vec![step, done, failed],
            vec![Upgrading, Waiting, Waiting],
            UpgradeStatus::Running,
        ),
        (
            vec![("complete", AFTER), done, ("COMPLETE", REQUESTED)],
            vec![Succeeded, Waiting, Succeeded],
            UpgradeStatus::Running,
        ),
        (
            vec![done, ("running", AFTER)],
            vec![Waiting, Unknown],
            UpgradeStatus::Unknown,
        ),
        (
            vec![("Fail", AFTER), done],
            vec![Failed, Waiting],
            UpgradeStatus::Failed,
        ),
        (
            vec![("complete", ""), ("error", "")],
            vec![Succeeded, Failed],
            UpgradeStatus::Failed,
        ),
    ];
    for (nodes, want, status) in cases {
        let upgrade = upgrade(&nodes);
        assert_eq!(states(&upgrade), want, "{nodes:?}");
        assert_eq!(upgrade.status, status, "{nodes:?}");
    }
}

#[test]
fn complete_before_the_request_is_done_at_the_target() {
    let nodes = [("complete", BEFORE), ("complete", BEFORE)];
    let done = map_with(&nodes, "290", None).upgrades.remove(0);
    assert_eq!(states(&done), [Succeeded, Succeeded]);
    assert_eq!((done.status, done.ended), (UpgradeStatus::Succeeded, None));
    let nodes = [("complete", BEFORE), ("Upgrade_OpenSearch", AFTER)];
    let busy = map_with(&nodes, "290", None).upgrades.remove(0);
    assert_eq!(states(&busy), [Waiting, Upgrading], "a node is in work");
    let nodes = [("running", BEFORE), ("Upgrade_Failed", BEFORE)];
    let others = map_with(&nodes, "290", None).upgrades.remove(0);
    assert_eq!(states(&others), [Waiting, Waiting]);
}

#[test]
fn words_are_an_open_set() {
    let observation = map_with(
        &[
            ("Upgrade_Dashboard", AFTER),
            ("Stop_Engine", AFTER),
            ("upgrade_FAILED", AFTER),
            ("Error", AFTER),
            ("", AFTER),
            ("COMPLETE", AFTER),
        ],
        "270",
        None,
    );
    assert_eq!(
        states(&observation.upgrades[0]),
        [Upgrading, Upgrading, Failed, Failed, Unknown, Succeeded]
    );
    assert_eq!(observation.unknown_words, ["Stop_Engine"]);
    assert_eq!(observation.upgrades[0].nodes[1].raw_status, "Stop_Engine");
}
