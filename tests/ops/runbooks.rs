//! The runbooks: a section for every alert and for nothing else, with queries that can be pasted.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use rolling_upgrade_exporter::alert;
use rolling_upgrade_exporter::cloud::products;
use rolling_upgrade_exporter::clouds::CLOUDS;

use crate::links::anchor;
use crate::{read, run, takes};

const FILE: &str = "alerts/RUNBOOKS.md";
const HEADINGS: [&str; 6] = [WAITS, STEPS, "Meaning", "Impact", "Diagnosis", "Mitigation"];
const WAITS: &str = "Can it wait until the morning?";
const STEPS: &str = "First steps";
/// Alerts for which the vendor may give a reason.
const REASONED: [&str; 4] = [
    "RollingUpgradeFailed",
    "RollingUpgradePartiallyFailed",
    "RollingUpgradeNodeFailed",
    "RollingUpgradeStalled",
];

/// What stands under the headings of a level, by heading; other lines of that level are none.
fn sections<'a>(text: &'a str, level: &str) -> Vec<(&'a str, String)> {
    let mut found: Vec<(&str, String)> = Vec::new();
    for line in text.lines() {
        if let Some(heading) = line.strip_prefix(level).and_then(|l| l.strip_prefix(' ')) {
            found.push((heading, String::new()));
        } else if let Some((_, body)) = found.last_mut() {
            body.push_str(line);
            body.push('\n');
        }
    }
    found
}

/// The sections of alerts: those whose heading has the form of an alert's name.
fn alerts(text: &str) -> Vec<(&str, String)> {
    let all = sections(text, "##").into_iter();
    all.filter(|(heading, _)| heading.starts_with("RollingUpgrade"))
        .collect()
}

#[test]
fn every_alert_has_one_section_and_no_section_lacks_its_alert() {
    let text = read(FILE);
    let mut have: Vec<_> = alerts(&text).into_iter().map(|(name, _)| name).collect();
    let want: BTreeSet<_> = alert::rules().map(|rule| rule.alert).collect();
    have.sort_unstable();
    assert_eq!(have, want.into_iter().collect::<Vec<_>>());
}

#[test]
fn every_section_says_what_it_means_and_what_to_do() {
    let text = read(FILE);
    for (alert, body) in alerts(&text) {
        let parts = sections(&body, "###");
        let headings: Vec<_> = parts.iter().map(|(heading, _)| *heading).collect();
        assert_eq!(headings, HEADINGS, "{alert}");
        for (heading, part) in parts {
            assert!(
                part.split_whitespace().count() >= 5,
                "{alert}, {heading}: {part}"
            );
        }
    }
    assert!(!text.contains("TODO"));
}

/// Returns the part of an alert's section below a heading.
fn part(text: &str, alert: &str, heading: &str) -> String {
    let (_, body) = alerts(text).into_iter().find(|(a, _)| *a == alert).unwrap();
    let mut parts = sections(&body, "###").into_iter();
    parts.find(|(h, _)| *h == heading).unwrap().1
}

#[test]
fn every_section_says_first_whether_it_can_wait() {
    let text = read(FILE);
    for (alert, body) in alerts(&text) {
        let begin = format!("\n### {WAITS}\n\n**");
        assert!(body.starts_with(&begin), "{alert}");
        let answer = part(&text, alert, WAITS);
        let mut rules = alert::rules().filter(|rule| rule.alert == alert);
        let wakes = rules.any(|rule| rule.severity == alert::Severity::Critical);
        // A critical alert names the condition under which it can wait.
        let verdict = if wakes { "\n**Only if " } else { "\n**Yes" };
        assert!(answer.starts_with(verdict), "{alert}: {answer}");
        let words = answer.split_whitespace().count();
        assert!((5..=45).contains(&words), "{alert}: {words} words");
    }
}

#[test]
fn every_section_has_two_to_four_short_first_steps() {
    let text = read(FILE);
    for (alert, _) in alerts(&text) {
        let steps = part(&text, alert, STEPS);
        let lines: Vec<_> = steps.lines().filter(|line| !line.is_empty()).collect();
        assert!((2..=4).contains(&lines.len()), "{alert}: {lines:#?}");
        for (i, line) in lines.iter().enumerate() {
            assert!(line.starts_with(&format!("{}. ", i + 1)), "{alert}: {line}");
            let words = line.split_whitespace().count();
            assert!(words <= 50, "{alert}: {words} words: {line}");
        }
        let wakes = part(&text, alert, WAITS).contains("**Only if ");
        assert!(!wakes || steps.contains('`'), "{alert}: no command");
    }
}

#[test]
fn failures_and_stalls_say_where_the_vendor_s_reason_is_shown() {
    let text = read(FILE);
    for alert in REASONED {
        for heading in [STEPS, "Diagnosis"] {
            let part = part(&text, alert, heading);
            assert!(part.contains("(#the-vendors-reason)"), "{alert}, {heading}");
        }
    }
    let all = sections(&text, "##");
    let (_, reason) = all
        .iter()
        .find(|(h, _)| *h == "The vendor's reason")
        .unwrap();
    for place in [
        "card on its page",
        "`status`",
        "`reason` in `/api/v1/upgrades`",
    ] {
        assert!(reason.contains(place), "{place}");
    }
    for product in products(CLOUDS).map(|product| product.info().name) {
        assert!(reason.contains(&format!("`{product}`")), "{product}");
    }
    let documented = read("docs/api.md");
    assert!(documented.contains("| `reason` | text or null | the vendor's reason"));
}

#[test]
fn a_restart_is_told_where_it_hides_a_cdss_upgrade() {
    let text = read(FILE);
    for (alert, lost) in [
        (
            "RollingUpgradeStalled",
            "`rolling_upgrade_stalled` goes back to 0",
        ),
        ("RollingUpgradeOverdue", "begins it anew"),
        ("RollingUpgradeUnknownStatus", "stay `unknown`"),
    ] {
        let diagnosis = part(&text, alert, "Diagnosis");
        let told = |line: &&str| line.contains("`cdss`") && line.contains("restart");
        let line = diagnosis.lines().find(told);
        assert!(
            line.is_some_and(|line| line.contains(lost)),
            "{alert}: {line:?}"
        );
    }
}

#[test]
fn the_program_takes_its_commands() {
    let text = read(FILE);
    let mut commands = BTreeSet::new();
    // In a block of its own, or within a line.
    for line in text.lines() {
        let spans = line.split('`').skip(1).step_by(2);
        commands.extend(spans.chain([line]).filter_map(|span| {
            let command = span.strip_prefix(concat!(env!("CARGO_PKG_NAME"), " "))?;
            command
                .starts_with(|c: char| c.is_ascii_lowercase())
                .then_some(command)
        }));
    }
    assert!(commands.len() >= 6, "{commands:?}");
    for command in commands {
        let words: Vec<_> = command.split_whitespace().collect();
        assert!(takes(&words), "{command}");
    }
    assert!(!takes(&["status", "--clusters", "CLUSTER"]));
}

/// Whoever reads it knows the cluster's product, and looks for it.
#[test]
fn every_diagnosis_names_a_board_and_each_product() {
    let text = read(FILE);
    for (alert, body) in alerts(&text) {
        let parts = sections(&body, "###");
        let (_, diagnosis) = parts.iter().find(|(h, _)| *h == "Diagnosis").unwrap();
        assert!(diagnosis.contains("```promql\n"), "{alert}: no query");
        let mut rules = alert::rules().filter(|rule| rule.alert == alert);
        if !rules.any(|rule| rule.labels.contains(&"product")) {
            continue;
        }
        assert!(diagnosis.contains("board"), "{alert}: no board");
        for product in products(CLOUDS).map(|product| product.info().name) {
            assert!(
                diagnosis.contains(&format!("`{product}`")),
                "{alert}: {product}"
            );
        }
    }
}

#[test]
fn the_links_of_alerts_lead_to_their_sections() {
    let text = read(FILE);
    let anchors: Vec<_> = sections(&text, "##")
        .into_iter()
        .map(|(heading, _)| anchor(heading))
        .collect();
    for rule in alert::rules() {
        let url = rule.runbook_url();
        let (page, fragment) = url.split_once('#').unwrap();
        assert!(page.ends_with(FILE), "{url}");
        let hits = anchors.iter().filter(|anchor| *anchor == fragment).count();
        assert_eq!(hits, 1, "{url}");
    }
}

/// Returns the metrics in the tables of the docs.
fn metrics() -> BTreeSet<String> {
    let docs = read("docs/metrics.md");
    let rows = docs
        .lines()
        .filter_map(|line| line.strip_prefix("| `rolling_upgrade_"));
    let names = rows.map(|row| row.split('`').next().unwrap());
    names
        .map(|name| format!("rolling_upgrade_{name}"))
        .collect()
}

#[test]
fn metrics_that_are_named_exist() {
    let known = metrics();
    assert!(known.contains("rolling_upgrade_status"));
    assert!(known.contains("rolling_upgrade_exporter_clock_skew_seconds"));
    let text = read(FILE);
    let word = |c: char| !(c.is_ascii_alphanumeric() || c == '_');
    let named: BTreeSet<_> = text
        .split(word)
        .filter(|w| w.starts_with("rolling_upgrade_"))
        .collect();
    assert!(named.len() > 15, "{named:?}");
    for name in named {
        assert!(known.contains(name), "{name}");
    }
}

#[test]
fn promtool_takes_every_query() {
    let text = read(FILE) + &read("docs/metrics.md");
    let mut rules = "groups:\n  - name: runbooks\n    rules:\n".to_owned();
    let mut number = 0;
    for block in text.split("```promql\n").skip(1) {
        let (block, _) = block.split_once("```").unwrap();
        // A query a line.
        for query in block.lines().filter(|line| !line.starts_with('#')) {
            number += 1;
            let name = format!("runbook:query:{number}");
            writeln!(rules, "      - record: {name}\n        expr: |-").unwrap();
            writeln!(rules, "          {query}").unwrap();
        }
    }
    assert!(number >= 30, "{number}");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("runbooks.rules.yml");
    std::fs::write(&file, rules).unwrap();
    run("promtool", &["check", "rules", file.to_str().unwrap()]);
}
