//! A file for `promtool test rules`, and the run of it.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::time::Duration;

use rolling_upgrade_exporter::alert::{self, Labels};
use serde_json::{Value, json};

/// An alert that fires.
#[derive(Debug)]
pub(crate) struct Alert {
    pub(crate) labels: Labels,
    pub(crate) annotations: Labels,
}

/// One history: what is scraped and what is expected.
#[derive(Debug)]
pub(crate) struct Test {
    name: String,
    pace: Duration,
    wanted: BTreeSet<String>,
    scrapes: usize,
    series: BTreeMap<String, Vec<String>>,
    expected: Vec<Value>,
}

impl Test {
    pub(crate) fn new(seed: u64, pace: Duration) -> Self {
        Self {
            name: format!("history {seed} at {pace:?}"),
            pace,
            wanted: names(),
            scrapes: 0,
            series: BTreeMap::new(),
            expected: Vec::new(),
        }
    }

    /// Takes the samples that some rule reads. A series that is not there any more gets what
    /// Prometheus gives it then, a marker of staleness.
    pub(crate) fn scrape(&mut self, text: &str) {
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (series, value) = line.rsplit_once(' ').unwrap();
            let name = series.split('{').next().unwrap();
            if !self.wanted.contains(name) {
                continue;
            }
            let labels = series.strip_prefix(name).unwrap();
            let labels = labels.trim_start_matches('{').trim_end_matches('}');
            let comma = if labels.is_empty() { "" } else { "," };
            let series = format!("{name}{{{labels}{comma}job=\"exporter\",instance=\"e:10850\"}}");
            let values = self.series.entry(series).or_default();
            values.resize(self.scrapes, "_".to_owned());
            values.push(value.to_owned());
        }
        for values in self.series.values_mut() {
            if values.len() == self.scrapes {
                values.push("stale".to_owned());
            }
        }
        self.scrapes += 1;
    }

    /// Expects these alerts, and no others of these names.
    pub(crate) fn expect(&mut self, seconds: i64, alerts: BTreeMap<&'static str, Vec<Alert>>) {
        for (name, alerts) in alerts {
            let alerts: Vec<Value> = alerts
                .into_iter()
                .map(|mut alert| {
                    // Promtool adds it.
                    alert.labels.remove("alertname");
                    json!({"exp_labels": alert.labels, "exp_annotations": alert.annotations})
                })
                .collect();
            self.expected.push(json!({
                "eval_time": format!("{seconds}s"),
                "alertname": name,
                "exp_alerts": alerts,
            }));
        }
    }

    fn file(&self) -> Value {
        let series: Vec<Value> = self
            .series
            .iter()
            .map(|(series, values)| json!({"series": series, "values": values.join(" ")}))
            .collect();
        json!({
            "name": self.name,
            "interval": format!("{}s", self.pace.as_secs()),
            "input_series": series,
            "alert_rule_test": self.expected,
        })
    }
}

/// The metrics that some rule reads.
fn names() -> BTreeSet<String> {
    let expressions: Vec<String> = alert::rules().map(|rule| (rule.expr)()).collect();
    let words = expressions
        .iter()
        .flat_map(|text| text.split(|c: char| !c.is_alphanumeric() && c != '_'));
    words
        .filter(|word| word.starts_with("rolling_upgrade_"))
        .map(str::to_owned)
        .collect()
}

/// The rules without `keep_firing_for`: the exporter sees no gaps and keeps nothing.
fn rules() -> String {
    let rules = alert::rules_file();
    let kept = |line: &&str| !line.trim_start().starts_with("keep_firing_for:");
    rules.lines().filter(kept).collect::<Vec<_>>().join("\n")
}

/// Runs the tests of one pace; panics with what promtool found.
pub(crate) fn run(pace: Duration, tests: &[Test]) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("rules.yml"), rules()).unwrap();
    let tests: Vec<Value> = tests.iter().map(Test::file).collect();
    let file = json!({
        "rule_files": ["rules.yml"],
        "evaluation_interval": format!("{}s", pace.as_secs()),
        "tests": tests,
    });
    // JSON is YAML.
    std::fs::write(folder.path().join("test.yml"), file.to_string()).unwrap();
    let output = Command::new("promtool")
        .args(["test", "rules", "test.yml"])
        .current_dir(folder.path())
        .output()
        .unwrap_or_else(|e| panic!("cannot run promtool (tests/setup.sh installs it): {e}"));
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
