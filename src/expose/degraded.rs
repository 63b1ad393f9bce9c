//! The family that tells which secondary calls fail, computed from the snapshot.
//!
//! It has few series, one for each call of a product in an account, so it is written anew with each page.

use super::row::{Rows, Value, push_label};
use crate::model::{ClusterState, FailingCall};

const NAME: &str = "rolling_upgrade_exporter_degraded_since_timestamp_seconds";

const HELP: &str = "Since when the call, which only adds to what the progress call tells, fails for a cluster of the product in the account (the one that has failed longest); absent when fine.";

/// Returns the whole family for these clusters; an empty text when no secondary call fails.
pub(super) fn family<'a>(clusters: impl IntoIterator<Item = &'a ClusterState>) -> String {
    let calls = FailingCall::of(clusters);
    if calls.is_empty() {
        return String::new();
    }
    let mut text = format!("# HELP {NAME} {HELP}\n# TYPE {NAME} gauge\n");
    let mut moving = Vec::new();
    let mut rows = Rows::new((0, NAME), &mut text, &mut moving);
    for call in calls {
        let mut labels = String::new();
        push_label(&mut labels, "account", call.account);
        push_label(&mut labels, "product", call.product);
        push_label(&mut labels, "endpoint", call.endpoint);
        push_label(&mut labels, "reason", call.reason);
        rows.row(&[&labels], Value::At(call.since));
    }
    debug_assert!(moving.is_empty(), "times stand still");
    text
}
