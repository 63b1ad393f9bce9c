//! The example for Alertmanager: it is valid, every alert goes where its severity says, and it
//! inhibits no more than what it names. That it does inhibit is shown in `tests/e2e/inhibition.rs`.

use rolling_upgrade_exporter::alert;
use rolling_upgrade_exporter::alert::Severity;

use crate::yaml::Yaml;
use crate::{read, run};

const EXAMPLE: &str = "alerts/alertmanager.example.yml";

#[test]
fn amtool_takes_the_example() {
    run("amtool", &["check-config", EXAMPLE]);
}

#[test]
fn every_alert_goes_where_its_severity_says() {
    for rule in alert::rules() {
        let receiver = match rule.severity {
            Severity::Critical => "page",
            Severity::Warning => "ticket",
            Severity::Info => "chat",
            Severity::None => "nobody",
        };
        let said = run(
            "amtool",
            &[
                "config",
                "routes",
                "test",
                &format!("--config.file={EXAMPLE}"),
                &format!("alertname={}", rule.alert),
                &format!("severity={}", rule.severity.as_str()),
            ],
        );
        assert_eq!(said.trim(), receiver, "{rule:?}");
    }
}

#[test]
fn nobody_is_told_nothing_and_the_others_are_told_something() {
    let example = Yaml::parse(&read(EXAMPLE));
    let receivers = example.list(&["receivers"]);
    assert_eq!(receivers.len(), 4);
    for receiver in receivers {
        let told = !receiver.list(&["webhook_configs"]).is_empty();
        let name = receiver.text(&["name"]);
        assert_eq!(told, name != "nobody", "{name}");
    }
}

/// Alertmanager takes two labels that are both missing for equal, so an inhibition has to name its
/// alerts, and those need every label that it compares. It compares the kind where both have one: two
/// upgrades of a cluster explain nothing of each other.
#[test]
fn inhibitions_compare_the_labels_that_their_alerts_have() {
    let example = Yaml::parse(&read(EXAMPLE));
    let inhibitions = example.list(&["inhibit_rules"]);
    assert!(!inhibitions.is_empty());
    for inhibition in inhibitions {
        let equal = inhibition.texts(&["equal"]);
        assert!(equal.starts_with(&["account", "product", "cluster_id"]));
        let has_kind = equal.contains(&"kind");
        for side in ["source_matchers", "target_matchers"] {
            let matchers = inhibition.texts(&[side]);
            let names = matchers.iter().find_map(|m| m.strip_prefix("alertname "));
            let names = alternatives(names.unwrap_or_else(|| panic!("{matchers:?}")));
            for name in names {
                let mut rules = alert::rules().filter(|r| r.alert == name).peekable();
                assert!(rules.peek().is_some(), "{name}");
                for rule in rules {
                    assert!(
                        equal.iter().all(|label| rule.labels.contains(label)),
                        "{rule:?} lacks some of {equal:?}"
                    );
                    assert_eq!(rule.labels.contains(&"kind"), has_kind, "{rule:?}");
                }
            }
        }
    }
}

/// The names in `= "A"` or `=~ "A(B|C)"`.
fn alternatives(matcher: &str) -> Vec<String> {
    let pattern = matcher
        .trim_start_matches(['=', '~', ' '])
        .trim_matches('"');
    match pattern.split_once('(') {
        None => vec![pattern.to_owned()],
        Some((head, tail)) => {
            let tails = tail.strip_suffix(')').unwrap().split('|');
            tails.map(|tail| format!("{head}{tail}")).collect()
        }
    }
}
