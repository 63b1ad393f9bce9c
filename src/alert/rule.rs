//! What an alert is: its rule for Prometheus and its condition for the sidecar, side by side, so
//! that the two cannot drift apart.

use std::collections::BTreeMap;
use std::time::Duration;

use super::input::AlertInput;

/// Labels by name. A label without a value is no label, as in Prometheus.
pub type Labels = BTreeMap<String, String>;

/// Where the runbooks are to be read.
const RUNBOOKS: &str = concat!(
    env!("CARGO_PKG_REPOSITORY"),
    "/blob/main/alerts/RUNBOOKS.md"
);

/// The label `severity`; the worst is the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Wakes a person.
    Critical,
    /// To be looked at within the day.
    Warning,
    /// To be known.
    Info,
    /// To be seen by nobody: a source for inhibition and annotations.
    None,
}

impl Severity {
    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Warning => "warning",
            Self::Info => "info",
            Self::None => "none",
        }
    }
}

/// One alert. Two rules may share a name when their severities differ and their conditions exclude
/// each other.
pub struct Rule {
    /// The label `alertname`.
    pub alert: &'static str,
    /// The label `severity`.
    pub severity: Severity,
    /// The names of the labels that its condition gives, in the order of the series.
    pub labels: &'static [&'static str],
    /// The condition for Prometheus, in several lines.
    pub expr: fn() -> String,
    /// For how long the condition must hold (`for`): only where no timestamp tells it.
    pub hold: Duration,
    /// For how long Prometheus keeps it firing when the series are gone (`keep_firing_for`), so that
    /// a scrape that failed or an exporter that restarts does not end it. The sidecar sees no gaps.
    pub keep: Duration,
    /// One line: what is wrong, and where.
    pub summary: &'static str,
    /// What it means, and what to look at first.
    pub description: &'static str,
    /// The condition for the sidecar: the labels of each that holds. None: a rule only.
    pub holds: Option<fn(&AlertInput<'_>) -> Vec<Labels>>,
}

impl Rule {
    /// Returns whether its condition is about one cluster alone.
    pub(super) fn is_of_cluster(&self) -> bool {
        self.labels.contains(&"cluster_id")
    }

    /// The section of the runbooks.
    pub fn runbook_url(&self) -> String {
        format!("{RUNBOOKS}#{}", self.alert.to_lowercase())
    }

    /// The labels of an alert: those of its condition, its name and its severity.
    pub fn alert_labels(&self, condition: &Labels) -> Labels {
        let own = [
            ("alertname", self.alert),
            ("severity", self.severity.as_str()),
        ];
        own.into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .chain(condition.clone())
            .filter(|(_, value)| !value.is_empty())
            .collect()
    }

    /// The annotations of an alert with these labels, byte for byte as Prometheus makes them.
    pub fn annotations(&self, labels: &Labels) -> Labels {
        [
            ("summary", expand(self.summary, labels)),
            ("description", expand(self.description, labels)),
            ("runbook_url", self.runbook_url()),
        ]
        .into_iter()
        .map(|(name, text)| (name.to_owned(), text))
        .collect()
    }
}

impl std::fmt::Debug for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", self.alert, self.severity.as_str())
    }
}

const OPEN: &str = "{{ $labels.";
const CLOSE: &str = " }}";

/// The only form of template that the texts use: `{{ $labels.x }}`. A label that is not there is
/// empty.
fn expand(text: &str, labels: &Labels) -> String {
    let mut parts = text.split(OPEN);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once(CLOSE).unwrap_or((part, ""));
        out.push_str(labels.get(name).map_or("", String::as_str));
        out.push_str(rest);
    }
    out
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::alert::rules;

    #[test]
    fn texts_take_labels_and_nothing_else() {
        let labels = Labels::from([("node".to_owned(), "{{ $labels.x }} d-1".to_owned())]);
        let text = "Node {{ $labels.node }} ({{ $labels.role }}) of it";
        assert_eq!(expand(text, &labels), "Node {{ $labels.x }} d-1 () of it");
    }

    #[test]
    fn every_text_is_a_sentence_with_labels_that_the_alert_has() {
        for rule in rules::all() {
            for text in [rule.summary, rule.description] {
                assert!(text.ends_with('.'), "{rule:?}: {text}");
                assert_eq!(
                    text.matches("{{").count(),
                    text.matches(OPEN).count(),
                    "{rule:?}"
                );
                assert_eq!(
                    text.matches("}}").count(),
                    text.matches(OPEN).count(),
                    "{rule:?}"
                );
                for used in text.split(OPEN).skip(1) {
                    let (name, _) = used.split_once(CLOSE).unwrap();
                    assert!(rule.labels.contains(&name), "{rule:?}: {name}");
                }
            }
        }
    }

    #[test]
    fn a_name_and_a_severity_are_one_rule() {
        let mut seen = BTreeSet::new();
        for rule in rules::all() {
            assert!(
                seen.insert((rule.alert, rule.severity.as_str())),
                "{rule:?}"
            );
        }
    }

    #[test]
    fn rules_name_no_product() {
        for rule in rules::all() {
            let expr = (rule.expr)();
            for matcher in ["product=", "product!", "product~"] {
                assert!(!expr.contains(matcher), "{rule:?}: {expr}");
            }
        }
    }

    #[test]
    fn a_label_without_a_value_is_no_label() {
        let rule = rules::all().next().unwrap();
        let condition = Labels::from([
            ("account".to_owned(), "a".to_owned()),
            ("role".to_owned(), String::new()),
        ]);
        let names: Vec<_> = rule.alert_labels(&condition).into_keys().collect();
        assert_eq!(names, ["account", "alertname", "severity"]);
    }
}
