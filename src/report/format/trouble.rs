//! What fails, what is missing, and what is not shown.

use jiff::Timestamp;

use super::{since, thousands, whose, whose_product};
use crate::report::{DegradedReport, ErrorReport, PrecheckReport, Report, Steps};

/// Writes a failed call: its reason, and what to do.
pub fn error(error: &ErrorReport) -> String {
    format!("{}: {}", error.reason.as_str(), error.message)
}

/// Writes a failing secondary call: what is missing, which permission gives it, why it fails.
pub fn degraded(call: &DegradedReport) -> String {
    let needs = match call.permission.as_str() {
        "" => String::new(),
        permission => format!(" (needs {permission})"),
    };
    let (missing, reason) = (&call.missing, call.reason.as_str());
    format!("missing: {missing}{needs}; {reason}: {}", call.message)
}

/// Writes what is wrong where no upgrade tells it: whose it is, and a sentence. With `all`, failing
/// secondary calls of clusters in an upgrade are among them.
pub fn notes(report: &Report, all: bool) -> Vec<(String, String)> {
    let mut notes = Vec::new();
    let times = report.times();
    for clock in report.skewed_clocks() {
        notes.push((clock.account.to_owned(), clock.notice()));
    }
    for product in &report.products {
        let whose = whose_product(product);
        if let Some(error) = &product.last_error {
            let text = format!("Clusters cannot be listed: {}", self::error(error));
            notes.push((whose.clone(), text));
        } else if product.inaccessible > 0 {
            let number = product.inaccessible;
            let text = format!("{number} more may not be read with this key.");
            notes.push((whose.clone(), text));
        }
        if product.left_out > 0 {
            let text = format!("{} more are not watched.", thousands(product.left_out));
            notes.push((whose, text));
        }
    }
    for cluster in &report.clusters {
        let is_idle = cluster.upgrades.is_empty();
        if let Some(error) = cluster.last_error.as_ref().filter(|_| is_idle) {
            notes.push((whose(cluster), self::error(error)));
        }
        // Of the others it stands with their upgrades.
        for call in cluster.degraded.iter().filter(|_| is_idle || all) {
            let length = since(call.since, times.of(&cluster.account));
            let text = format!("Degraded for {length}, {}", degraded(call));
            notes.push((whose(cluster), text));
        }
    }
    notes
}

/// Writes what is not listed of the nodes and tasks, a sentence for each.
pub fn nodes_left_out<'a>(steps: impl Into<Steps<'a>>) -> Vec<String> {
    let steps = steps.into();
    let rows = [
        (steps.nodes.len(), steps.all_nodes(), "nodes"),
        (steps.tasks.len(), steps.all_tasks(), "tasks"),
    ];
    let sentences = rows
        .into_iter()
        .map(|(listed, all, what)| shown(listed, all, what));
    sentences.flatten().collect()
}

/// Writes what is not listed of the items of a check; `None` when all are.
pub fn findings_left_out(check: &PrecheckReport) -> Option<String> {
    shown(
        check.findings.len(),
        check.all_findings(),
        "precheck findings",
    )
}

/// Writes that a check passed, and for how long it is good.
pub fn passed(until: Timestamp, now: Timestamp) -> String {
    format!("passed, and good for {}", since(now, until))
}

/// Writes how many further items of a check failed; `None` when none did.
pub fn more_findings(number: u64) -> Option<String> {
    (number > 0).then(|| format!("{} more items failed", thousands(number)))
}

fn shown(listed: usize, all: u64, what: &str) -> Option<String> {
    let listed = u64::try_from(listed).unwrap_or(u64::MAX);
    let sentence = || {
        format!(
            "{} of {} {what} are shown.",
            thousands(listed),
            thousands(all)
        )
    };
    (listed < all).then(sentence)
}
