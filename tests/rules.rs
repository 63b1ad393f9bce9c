//! The alert rules that are shipped: the file is what the program says, promtool takes it, and its
//! tests of `alerts/tests/` pass, cover every rule and agree with the sidecar's texts.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use rolling_upgrade_exporter::alert::{self, Labels, Rule};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Runs a tool in the repository, and gives what it said when it was not content.
fn run(program: &str, args: &[&str]) {
    let output = Command::new(program)
        .args(args)
        .current_dir(root())
        .output()
        .unwrap_or_else(|e| panic!("cannot run {program} (tests/setup.sh installs it): {e}"));
    assert!(
        output.status.success(),
        "{program} {args:?}\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn the_file_is_what_the_program_says() {
    let path = root().join("alerts/rolling-upgrade.rules.yml");
    let want = alert::rules_file();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &want).unwrap();
    }
    let have = std::fs::read_to_string(&path).unwrap();
    assert_eq!(have, want, "run: UPDATE=1 cargo test --test rules");
}

#[test]
fn promtool_takes_the_rules() {
    run(
        "promtool",
        &["check", "rules", "alerts/rolling-upgrade.rules.yml"],
    );
}

#[test]
fn promtool_passes_the_tests_of_the_rules() {
    let files = test_files();
    let mut args = vec!["test", "rules"];
    args.extend(files.iter().map(|(name, _)| name.as_str()));
    run("promtool", &args);
}

#[test]
fn every_rule_has_its_texts_and_a_severity() {
    let text = std::fs::read_to_string(root().join("alerts/rolling-upgrade.rules.yml")).unwrap();
    let rules: Vec<&str> = text.split("- alert: ").skip(1).collect();
    assert_eq!(rules.len(), alert::rules().count());
    for rule in rules {
        let (name, _) = rule.split_once('\n').unwrap();
        for key in ["severity", "summary", "description", "runbook_url"] {
            let value = rule.lines().find_map(|line| field(line, key));
            assert!(value.is_some_and(|v| !v.is_empty()), "{name} lacks {key}");
        }
        let section = format!("RUNBOOKS.md#{}'", name.to_lowercase());
        assert!(rule.contains(&section), "{name}: {section}");
    }
}

#[test]
fn every_rule_has_a_test_in_which_it_fires_and_one_in_which_it_is_silent() {
    let cases = cases();
    let known: Vec<&str> = alert::rules().map(|rule| rule.alert).collect();
    for case in &cases {
        // promtool takes a name that no rule has, and is content when nothing is expected.
        assert!(known.contains(&case.alert.as_str()), "{case:?}");
    }
    for rule in alert::rules() {
        let severity = rule.severity.as_str();
        let fires = |case: &&Case| case.expected.iter().any(|e| e.severity() == Some(severity));
        let of_it = || cases.iter().filter(|case| case.alert == rule.alert);
        let firing = of_it().filter(fires).count();
        assert!(firing > 0, "{rule:?} fires in no test");
        assert!(firing < of_it().count(), "{rule:?} is silent in no test");
    }
}

#[test]
fn the_sidecar_gives_what_promtool_expects_of_prometheus() {
    for case in cases() {
        for expected in &case.expected {
            let rule = alert::rules()
                .find(|r| r.alert == case.alert && expected.severity() == Some(r.severity.as_str()))
                .unwrap_or_else(|| panic!("no such rule: {case:?}"));
            let condition = expected.condition();
            assert_eq!(
                names(&condition),
                expected_names(rule, &condition),
                "the labels of {case:?}"
            );
            assert_eq!(
                rule.annotations(&condition),
                expected.annotations,
                "the annotations of {case:?}"
            );
        }
    }
}

/// The names of labels, in their order.
fn names(labels: &Labels) -> Vec<&str> {
    labels.keys().map(String::as_str).collect()
}

/// The names of a rule's labels; only a role may be one that nobody tells.
fn expected_names(rule: &Rule, condition: &Labels) -> Vec<&'static str> {
    let told = |name: &&&str| **name != "role" || condition.contains_key("role");
    let mut names: Vec<_> = rule.labels.iter().filter(told).copied().collect();
    names.sort_unstable();
    names
}

/// One entry of `alert_rule_test`.
#[derive(Debug)]
struct Case {
    alert: String,
    expected: Vec<Expected>,
}

/// One entry of `exp_alerts`.
#[derive(Debug, Clone, Default)]
struct Expected {
    labels: Labels,
    annotations: Labels,
}

impl Expected {
    fn severity(&self) -> Option<&str> {
        self.labels.get("severity").map(String::as_str)
    }

    /// The labels that the condition gives.
    fn condition(&self) -> Labels {
        let mut labels = self.labels.clone();
        labels.remove("severity");
        labels
    }
}

/// The files of tests, by their path in the repository.
fn test_files() -> Vec<(String, String)> {
    let mut files: Vec<_> = std::fs::read_dir(root().join("alerts/tests"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().ends_with(".test.yml"))
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy();
            let text = std::fs::read_to_string(&path).unwrap();
            (format!("alerts/tests/{name}"), text)
        })
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no tests of the rules");
    files
}

/// The cases of all files.
fn cases() -> Vec<Case> {
    let files = test_files();
    files
        .iter()
        .flat_map(|(name, text)| read_cases(name, text))
        .collect()
}

/// Reads the cases of one file, line by line: as much of YAML as the files use.
///
/// An expected alert stands where it is first expected, with an anchor (`- &name`), and later as
/// `*name`; its labels are on one line in braces.
fn read_cases(file: &str, text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    let mut anchors: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    let mut lists = 0;
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        let place = || format!("{file}:{}: {line}", number + 1);
        if let Some(alert) = field(line, "alertname") {
            cases.push(Case {
                alert,
                expected: Vec::new(),
            });
            continue;
        }
        let at = cases.len().wrapping_sub(1);
        if line.starts_with("exp_alerts:") {
            lists += 1;
            // One list a case: without any, promtool expects nothing.
            assert_eq!(lists, cases.len(), "{}", place());
        }
        if let Some(anchor) = line.strip_prefix("- &") {
            anchors.insert(anchor, (at, cases[at].expected.len()));
            cases[at].expected.push(Expected::default());
        } else if line.starts_with("exp_alerts: [") || line.starts_with("- *") {
            let list = line
                .trim_start_matches("exp_alerts: [")
                .trim_start_matches("- ");
            let list = list.trim_end_matches(']').split(", ");
            for name in list.filter(|name| !name.is_empty()) {
                let name = name
                    .strip_prefix('*')
                    .unwrap_or_else(|| panic!("{}", place()));
                let (case, alert) = anchors[name];
                let expected = cases[case].expected[alert].clone();
                cases[at].expected.push(expected);
            }
        } else if let Some(labels) = line.strip_prefix("exp_labels: {") {
            let expected = cases[at].expected.last_mut().unwrap();
            for pair in labels.trim_end_matches('}').split(", ") {
                let (name, value) = pair
                    .split_once(": ")
                    .unwrap_or_else(|| panic!("{}", place()));
                let value = value.trim_matches('"').to_owned();
                expected.labels.insert(name.to_owned(), value);
            }
        } else {
            for key in ["summary", "description", "runbook_url"] {
                if let Some(value) = field(line, key) {
                    let expected = cases[at].expected.last_mut().unwrap();
                    expected.annotations.insert(key.to_owned(), value);
                }
            }
        }
    }
    assert_eq!(lists, cases.len(), "{file}");
    assert!(!cases.is_empty(), "{file} expects nothing");
    cases
}

/// The value of `key: value`, without its quotes.
fn field(line: &str, key: &str) -> Option<String> {
    let value = line.trim().strip_prefix(key)?.strip_prefix(": ")?;
    let plain = || value.strip_prefix('\'')?.strip_suffix('\'');
    Some(plain().map_or_else(|| value.to_owned(), |text| text.replace("''", "'")))
}
