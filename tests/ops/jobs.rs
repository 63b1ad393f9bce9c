//! The scrape job has one name wherever it is configured or asked for, keeps the exporter's labels, and
//! the alert that the docs advise for it fires.

use std::fmt::Write as _;

use crate::yaml::Yaml;
use crate::{read, run};

const JOB: &str = env!("CARGO_PKG_NAME");

/// A scrape job as a file configures it.
#[derive(Debug)]
struct Job {
    /// The file.
    place: &'static str,
    name: String,
    /// The target's labels beside `job`.
    labels: Vec<(&'static str, String)>,
    honors_labels: bool,
}

/// Returns the scrape configs of the docs, each with its file.
fn documented() -> Vec<(&'static str, Yaml)> {
    let mut found = Vec::new();
    for place in ["README.md", "docs/web-config.md"] {
        let text = read(place);
        let blocks = text.split("\n```yaml\n").skip(1);
        let blocks = blocks.map(|rest| Yaml::parse(rest.split_once("\n```").unwrap().0));
        let jobs = blocks.filter(|block| block.get(&["scrape_configs"]).is_some());
        found.extend(jobs.map(|block| (place, block)));
    }
    found
}

/// Returns the jobs of a Prometheus config.
fn scrape_configs(place: &'static str, config: &Yaml) -> Vec<Job> {
    let jobs = config.list(&["scrape_configs"]).iter();
    jobs.map(|job| {
        let target = job.list(&["static_configs"])[0].texts(&["targets"])[0];
        Job {
            place,
            name: job.text(&["job_name"]).to_owned(),
            labels: vec![("instance", target.to_owned())],
            honors_labels: job.get(&["honor_labels"]).is_some()
                && job.text(&["honor_labels"]) == "true",
        }
    })
    .collect()
}

/// Returns the job that the Prometheus operator makes of the `ServiceMonitor`: named after the Service's
/// label `jobLabel`, else after the Service.
fn of_service_monitor() -> Job {
    let place = "deploy/kubernetes/servicemonitor.yaml";
    let monitor = Yaml::parse(&read(place));
    let service = Yaml::parse(&read("deploy/kubernetes/service.yaml"));
    let own = service.text(&["metadata", "name"]);
    let by_label = monitor.get(&["spec", "jobLabel"]).map(|l| l.text(&[]));
    let name = by_label.map_or(own, |label| service.text(&["metadata", "labels", label]));
    let endpoint = &monitor.list(&["spec", "endpoints"])[0];
    let labels = vec![
        ("instance", "10.0.0.7:10850".to_owned()),
        ("namespace", "monitoring".to_owned()),
        ("service", own.to_owned()),
        ("pod", format!("{own}-7d9c")),
        ("container", "exporter".to_owned()),
        ("endpoint", endpoint.text(&["port"]).to_owned()),
    ];
    Job {
        place,
        name: name.to_owned(),
        labels,
        honors_labels: endpoint.text(&["honorLabels"]) == "true",
    }
}

/// Returns every scrape job that is shipped or shown.
fn jobs() -> Vec<Job> {
    let compose = "compose/prometheus.yml";
    let mut all = scrape_configs(compose, &Yaml::parse(&read(compose)));
    for (place, block) in documented() {
        all.extend(scrape_configs(place, &block));
    }
    all.push(of_service_monitor());
    assert_eq!(all.len(), 4, "{all:?}");
    all
}

#[test]
fn every_scrape_config_names_the_job_after_the_program() {
    for job in jobs() {
        assert_eq!(job.name, JOB, "{job:?}");
    }
}

#[test]
fn every_scrape_config_keeps_the_exporter_s_labels() {
    for job in jobs() {
        assert!(job.honors_labels, "{job:?}");
    }
}

#[test]
fn every_query_by_job_asks_for_that_name() {
    let mut number = 0;
    for place in [
        "README.md",
        "docs/alerts.md",
        "docs/api.md",
        "docs/metrics.md",
        "docs/troubleshooting.md",
        "alerts/RUNBOOKS.md",
        "alerts/rolling-upgrade.rules.yml",
        "deploy/kubernetes/prometheusrule.yaml",
        "deploy/systemd/rolling-upgrade-exporter.service",
    ] {
        let text = read(place);
        for (at, _) in text.match_indices("job=") {
            let value = text.split_at(at).1.trim_start_matches("job=");
            let value = value.strip_prefix('"').and_then(|v| v.split_once('"'));
            assert_eq!(value.map(|(name, _)| name), Some(JOB), "{place} at {at}");
            number += 1;
        }
    }
    assert!(number >= 5, "{number}");
    assert!(read("docs/systemd.md").contains(&format!("(../README.md#run-it), `{JOB}`")));
}

/// Returns the series `up` of a job's target.
fn up(job: &Job) -> String {
    let mut out = format!("up{{job=\"{}\"", job.name);
    for (name, value) in &job.labels {
        write!(out, ",{name}=\"{value}\"").unwrap();
    }
    out + "}"
}

/// Returns the rules that the docs advise beside the shipped ones.
fn advised() -> String {
    let docs = read("docs/alerts.md");
    let mut blocks = docs.split("\n```yaml\n").skip(1);
    let is_it = |rest: &&str| rest.starts_with("groups:");
    let found = blocks.find(is_it).expect("advised rules in the docs");
    found.split_once("\n```").unwrap().0.to_owned()
}

#[test]
fn the_advised_alert_fires_for_each_configured_job() {
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("advised.rules.yml");
    std::fs::write(&rules, advised() + "\n").unwrap();
    run("promtool", &["check", "rules", rules.to_str().unwrap()]);
    let parsed = Yaml::parse(&advised());
    let rule = &parsed.list(&["groups"])[0].list(&["rules"])[0];
    let alert = rule.text(&["alert"]);
    let severity = rule.text(&["labels", "severity"]);
    let link = rule.text(&["annotations", "runbook_url"]);
    let mut tests = String::from("rule_files: [advised.rules.yml]\ntests:\n");
    for job in jobs() {
        let instance = &job.labels[0].1;
        let labels: Vec<_> = job
            .labels
            .iter()
            .map(|(n, v)| format!("{n}: '{v}'"))
            .collect();
        // Away for 3 minutes, and later for good.
        write!(
            tests,
            "  - name: {place}
    interval: 1m
    input_series:
      - {{series: '{series}', values: '1x4 0x2 1x2 0x20'}}
    alert_rule_test:
      - {{eval_time: 7m, alertname: {alert}, exp_alerts: []}}
      - {{eval_time: 14m, alertname: {alert}, exp_alerts: []}}
      - eval_time: 16m
        alertname: {alert}
        exp_alerts:
          - exp_labels: {{severity: {severity}, job: {name}, {labels}}}
            exp_annotations:
              summary: 'The exporter {instance} cannot be scraped.'
              runbook_url: '{link}'
",
            place = job.place,
            series = up(&job),
            name = job.name,
            labels = labels.join(", "),
        )
        .unwrap();
    }
    let file = folder.path().join("advised.test.yml");
    std::fs::write(&file, tests).unwrap();
    run("promtool", &["test", "rules", file.to_str().unwrap()]);
    let section = link.split_once('#').unwrap().1;
    assert_eq!(section, "rollingupgradeexporterdown");
}
