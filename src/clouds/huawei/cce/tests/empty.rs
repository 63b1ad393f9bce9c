//! Answers under HTTP status 200 with none of the documented parts.

use super::scripted::{Scripted, list, task};
use crate::model::Reason;

const BODIES: [&str; 2] = ["{}", r#"{"error_code":"CCE.0500","error_msg":"oops"}"#];
const WORKFLOWS: &str = "upgradeworkflows";
const TASKS: &str = "upgrade/tasks";

#[tokio::test]
async fn workflows_without_a_list_fail_the_poll() {
    for body in BODIES {
        let mut one = Scripted::upgrading("Running", "Running").await;
        assert_eq!(one.poll().await.status(), "running");
        one.answer(WORKFLOWS, 200, body);
        for _ in 0..3 {
            let error = one.try_poll().await.unwrap_err();
            assert_eq!(
                (error.call, error.reason),
                ("ListUpgradeWorkFlows", Reason::Protocol),
                "{body}"
            );
            assert!(error.message.contains("neither `kind` nor `items`"));
        }
    }
}

#[tokio::test]
async fn an_answer_without_a_list_does_not_prove_a_call_published() {
    for body in BODIES {
        let mut one = Scripted::start("Available").await;
        one.answer(WORKFLOWS, 200, body);
        one.try_poll().await.unwrap_err();
        one.unpublish(WORKFLOWS);
        one.try_poll().await.unwrap_err();
        assert_eq!(one.poll().await.status(), "none", "{body}");
    }
}

#[tokio::test]
async fn secondary_calls_without_a_document_stay_degraded() {
    for (call, name) in [
        (TASKS, "ListUpgradeClusterTasks"),
        ("nodes", "ListNodes"),
        ("upgradeinfo", "ShowClusterUpgradeInfo"),
    ] {
        for body in BODIES {
            let mut one = Scripted::upgrading("Running", "Running").await;
            let first = one.poll().await;
            if call == "upgradeinfo" {
                one.set(TASKS, &list(&[task("Success", "1")]));
                one.poll().await;
                one.phase("Available");
            }
            one.fail(call, 500);
            let failed = one.poll_after(1).await;
            assert_eq!(failed.degraded(), [(name, "server")]);
            one.answer(call, 200, body);
            let still = one.poll_after(1).await;
            assert_eq!(still.degraded(), [(name, "protocol")], "{body}");
            assert_eq!(
                still.advanced.degraded[0].since,
                failed.advanced.degraded[0].since
            );
            assert_eq!(still.status(), "running");
            assert_eq!(still.nodes().len(), first.nodes().len(), "kept");
        }
    }
}
