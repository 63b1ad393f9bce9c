//! The rules as a file for Prometheus: `alerts/rolling-upgrade.rules.yml` is this text.

use std::fmt::Write as _;

use super::rules::{self, OUTDATED};

const HEADER: &str = "\
# Alerts for rolling-upgrade-exporter. Load this file as it is:
#
#   rule_files: [rolling-upgrade.rules.yml]
#
# It is written from src/alert/rules/, where the exporter's own alerting has the same conditions:
# change it there, then run `UPDATE=1 cargo test --test rules`. What to do about each alert stands in
# RUNBOOKS.md beside this file.
#
# The job is called `rolling-upgrade-exporter` in the README, the ServiceMonitor and compose.yaml; no
# rule depends on it. Give it `honor_labels: true` where its targets have labels that the series have,
# too. Many jobs for Kubernetes add `node`: without it NodeFailed names the exporter's machine, and
# NodeSlow never fires.
#
# Every rule ends in `by (…)`: several exporters and several Prometheis give one alert. The one
# recording rule tells which of several exporters lag behind another; what those saw last does not
# count. With one exporter it has no series.
";

/// The whole file.
pub fn rules_file() -> String {
    let mut out = format!("{HEADER}groups:\n  - name: rolling-upgrade\n    rules:\n");
    push(&mut out, 6, &format!("- record: {}", OUTDATED.record));
    push_expr(&mut out, &(OUTDATED.expr)());
    for rule in rules::all() {
        push(&mut out, 6, &format!("- alert: {}", rule.alert));
        push_expr(&mut out, &(rule.expr)());
        for (key, length) in [("for", rule.hold), ("keep_firing_for", rule.keep)] {
            if !length.is_zero() {
                let length = crate::text::exact_length(length);
                push(&mut out, 8, &format!("{key}: {length}"));
            }
        }
        push(&mut out, 8, "labels:");
        push(
            &mut out,
            10,
            &format!("severity: {}", rule.severity.as_str()),
        );
        push(&mut out, 8, "annotations:");
        for (key, text) in [
            ("summary", rule.summary),
            ("description", rule.description),
            ("runbook_url", &rule.runbook_url()),
        ] {
            push(
                &mut out,
                10,
                &format!("{key}: '{}'", text.replace('\'', "''")),
            );
        }
    }
    out
}

fn push_expr(out: &mut String, expr: &str) {
    push(out, 8, "expr: |-");
    for line in expr.lines() {
        push(out, 10, line);
    }
}

fn push(out: &mut String, indent: usize, line: &str) {
    let written = writeln!(out, "{:indent$}{line}", "");
    debug_assert!(written.is_ok(), "a String takes everything");
}
