//! The family that tells which secondary calls fail, from their index.
//!
//! It has few series, one for each call of a product in an account, so it is written anew with each page.

use super::row::{push_label, push_millis};
use crate::model::FailingCalls;

const NAME: &str = "rolling_upgrade_exporter_degraded_since_timestamp_seconds";

const HELP: &str = "Since when the call, which only adds to what the progress call tells, fails for a cluster of the product in the account (the one that has failed longest); absent when fine.";

/// Returns the whole family for these calls; an empty text when no secondary call fails.
pub(super) fn family(failing: &FailingCalls) -> String {
    let mut calls = failing.calls().peekable();
    if calls.peek().is_none() {
        return String::new();
    }
    let mut text = format!("# HELP {NAME} {HELP}\n# TYPE {NAME} gauge\n");
    for call in calls {
        let mut labels = String::new();
        push_label(&mut labels, "account", &call.account);
        push_label(&mut labels, "product", call.product);
        push_label(&mut labels, "endpoint", call.endpoint);
        push_label(&mut labels, "reason", call.reason.as_str());
        text.extend([NAME, "{", &labels, "} "]);
        push_millis(&mut text, call.since.as_millisecond());
        text.push('\n');
    }
    text
}
