//! Alerts from the vendor's API to the webhook: the simulator, the exporter, a real Prometheus with
//! the shipped rules, real Alertmanagers.

mod servers;

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::harness::{
    Process, eventually, free_port, get, samples, select, start_exporter, start_simulator,
};
use crate::webhook::{Labels, Told};
use servers::{Alertmanager, GROUP_WAIT, Prometheus, rules};

/// The name of the cluster that hangs: nothing on the way may change its letters.
const HANGS: &str = r#"검색 "logs" <a&b>"#;

/// Times are those since the simulator's start.
const SCENARIO: &str = r#"
clusters:
  # Hangs from 4 s to 27 s, goes on, and has succeeded at 30 s.
  - product: ses
    id: "3427188"
    name: 검색 "logs" <a&b>
    versions: ["270", "290"]
    starts_after: 1s
    nodes: [{name: d-1, role: D}, {name: d-2, role: D}, {name: m-1, role: M}]
    steps: [{name: Upgrade_OpenSearch, takes: 3s}]
    hangs: {node: 2, step: 1, lasts: 20s}
  # Has succeeded at 9 s.
  - product: cdss
    id: "3432149"
    name: events
    versions: ["2.4.1", "2.8.2"]
    starts_after: 1s
    nodes: [{name: b-1, role: broker}, {name: b-2, role: broker}]
    steps: [{name: restart, takes: 4s}]
  # Fails at 25 s, is tried again at 37 s, and would fail again at 61 s.
  - product: css
    id: ea244205-d641-45d9-9dcb-ab2236bcd07e
    name: orders
    versions: ["7.6.2", "7.10.2"]
    starts_after: 1s
    repeats_after: 12s
    nodes: [{name: ess-1, role: ess}, {name: ess-2, role: ess}]
    steps: [{name: Data migration, takes: 12s}]
    fails: {node: 2, step: 1}
  # Runs all the time; its API is dark from 12 s to 24 s.
  - product: cce
    id: b4b9e60f-8aa2-11ee-af09-0255ac10004f
    name: shop
    versions: ["v1.25.16-r0", "v1.27.16-r0"]
    starts_after: 0s
    nodes: [{name: n-1, role: node}]
    steps: [{name: Upgrade, takes: 10m}]
faults:
  - {path: /, cluster: b4b9e60f-8aa2-11ee-af09-0255ac10004f, from: 12s, lasts: 12s, answer: hang}
"#;

/// When the scenario's upgrade of `orders` fails.
const FAILS_AT: SignedDuration = SignedDuration::from_secs(25);

/// The key of `kr-old` is refused. CCE has an account for itself, so that its silence takes no turn
/// of CSS's calls.
const CONFIG: &str = "
polling: {active_interval: 1s, idle_interval: 1s, discovery_interval: 5s, timeout: 1s, rate_limit: 100}
accounts:
  - name: kr
    ncloud:
      access_key: SIMNCLOUDACCESSKEY00
      secret_key: sim-ncloud-secret-key
      ses: {endpoint: ENDPOINT, stalled_after: 5s}
      cdss: {endpoint: ENDPOINT}
  - name: kr-old
    ncloud:
      access_key: SIMNCLOUDACCESSKEY00
      secret_key: not-the-secret-key
      ses: {endpoint: ENDPOINT}
  - name: cn
    huawei:
      region: cn-north-4
      project_id: 6204a5bd270343b5885144cf9c8c158d
      access_key: SIMHUAWEIACCESSKEY00
      secret_key: sim-huawei-secret-key
      css: {endpoint: ENDPOINT}
  - name: cn-cce
    huawei:
      region: cn-north-4
      project_id: 6204a5bd270343b5885144cf9c8c158d
      access_key: SIMHUAWEIACCESSKEY00
      secret_key: sim-huawei-secret-key
      cce: {endpoint: ENDPOINT}
";

/// The labels that every alert gets besides its own, from Prometheus and from the sidecar.
const EXTERNAL_LABELS: &str = "{site: seoul}";

/// The shipped rules keep an alert for 5 minutes when its series are gone, call data old after 15
/// minutes and a key refused after 2: too long to wait for here.
const SHORTER: &[(&str, &str)] = &[
    ("keep_firing_for: 5m\n", "keep_firing_for: 3s\n"),
    (
        "rolling_upgrade_poll_interval_seconds), 900)\n",
        "rolling_upgrade_poll_interval_seconds), 8)\n",
    ),
    (
        "{reason=~\"auth|permission\"}) > 120\n",
        "{reason=~\"auth|permission\"}) > 3\n",
    ),
];

/// An interval of a second is at most a tenth longer.
const POLL: Duration = Duration::from_millis(1100);
const SCRAPE: Duration = Duration::from_secs(1);
const EVALUATION: Duration = Duration::from_secs(1);
/// For seven processes on a machine that builds and tests other things.
const ALLOWANCE: Duration = Duration::from_secs(2);

/// The design's bound from the API's first failing answer to the webhook.
const LATENCY: Duration = POLL
    .saturating_add(SCRAPE)
    .saturating_add(EVALUATION)
    .saturating_add(GROUP_WAIT)
    .saturating_add(ALLOWANCE);

/// What the webhook is told of each alert, one state after another.
type Stories = BTreeMap<Labels, Vec<&'static str>>;

fn labels(pairs: &[(&str, &str)]) -> Labels {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

const SES: &[(&str, &str)] = &[
    ("account", "kr"),
    ("product", "ses"),
    ("cluster_id", "3427188"),
    ("cluster_name", HANGS),
];
const CDSS: &[(&str, &str)] = &[
    ("account", "kr"),
    ("product", "cdss"),
    ("cluster_id", "3432149"),
    ("cluster_name", "events"),
];
const CSS: &[(&str, &str)] = &[
    ("account", "cn"),
    ("product", "css"),
    ("cluster_id", "ea244205-d641-45d9-9dcb-ab2236bcd07e"),
    ("cluster_name", "orders"),
];
const CCE: &[(&str, &str)] = &[
    ("account", "cn-cce"),
    ("product", "cce"),
    ("cluster_id", "b4b9e60f-8aa2-11ee-af09-0255ac10004f"),
    ("cluster_name", "shop"),
];
const KIND: &[(&str, &str)] = &[("kind", "version")];
const NODE: &[(&str, &str)] = &[("kind", "version"), ("node", "ess-2"), ("role", "ess")];
const OLD_KEY: &[(&str, &str)] = &[("account", "kr-old"), ("product", "ses")];

/// All labels of an alert at this site.
fn alert(name: &str, severity: &str, own: &[&[(&str, &str)]]) -> Labels {
    let always = [
        ("alertname", name),
        ("severity", severity),
        ("site", "seoul"),
    ];
    labels(&[&always, own.concat().as_slice()].concat())
}

/// What the scenario causes, and nothing else, whoever sends it.
fn upgrades() -> Stories {
    let once = || vec!["firing"];
    let ends = || vec!["firing", "resolved"];
    Stories::from([
        (
            alert("RollingUpgradeStalled", "critical", &[SES, KIND]),
            ends(),
        ),
        (
            alert("RollingUpgradeFailed", "critical", &[CSS, KIND]),
            ends(),
        ),
        (
            alert("RollingUpgradeNodeFailed", "critical", &[CSS, NODE]),
            ends(),
        ),
        (
            alert("RollingUpgradeSucceeded", "info", &[CDSS, KIND]),
            once(),
        ),
        (
            alert("RollingUpgradeSucceeded", "info", &[SES, KIND]),
            once(),
        ),
        (
            alert("RollingUpgradeInProgress", "none", &[SES, KIND]),
            ends(),
        ),
        (
            alert("RollingUpgradeInProgress", "none", &[CDSS, KIND]),
            ends(),
        ),
        (
            alert("RollingUpgradeInProgress", "none", &[CCE, KIND]),
            once(),
        ),
        (
            // The second attempt is under way when the test ends.
            alert("RollingUpgradeInProgress", "none", &[CSS, KIND]),
            vec!["firing", "resolved", "firing"],
        ),
    ])
}

/// The same with what only the shortened rules tell so soon: that an API is dark, or refuses a key.
fn upgrades_and_data() -> Stories {
    let mut stories = upgrades();
    stories.insert(
        alert("RollingUpgradeDataStale", "critical", &[CCE]),
        vec!["firing", "resolved"],
    );
    stories.insert(
        alert("RollingUpgradeCredentialsRejected", "critical", &[OLD_KEY]),
        vec!["firing"],
    );
    stories
}

/// What was told of each alert. One fingerprint is one alert is one set of labels.
fn stories(told: &[Told]) -> BTreeMap<Labels, Vec<&str>> {
    let mut stories: BTreeMap<Labels, Vec<&str>> = BTreeMap::new();
    let mut names: BTreeMap<&str, &Labels> = BTreeMap::new();
    for one in told {
        let name = names.entry(&one.fingerprint).or_insert(&one.labels);
        assert_eq!(**name, one.labels, "a fingerprint of two alerts");
        let story = stories.entry(one.labels.clone()).or_default();
        story.push(&one.status);
    }
    stories
}

/// Waits until everything has been told; fails as soon as something else is, or something twice.
async fn tells(way: &str, alertmanager: &Alertmanager, want: &Stories, exporter: &Process) {
    eventually(Duration::from_secs(90), way, || async {
        let told = alertmanager.webhook.told();
        let seen = stories(&told);
        for (labels, story) in &seen {
            let wanted = want.get(labels).map(Vec::as_slice).unwrap_or_default();
            assert!(
                wanted.starts_with(story),
                "{way}: {labels:?} is {story:?}, not {wanted:?}\n{told:#?}\n{}",
                exporter.output()
            );
        }
        let missing: Vec<_> = want
            .iter()
            .filter(|(labels, story)| seen.get(*labels) != Some(*story))
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(format!(
            "not told: {missing:?}\n{}\n{}",
            alertmanager.process.output(),
            exporter.output()
        ))
    })
    .await;
}

/// The notification of an alert's beginning.
async fn first(alertmanager: &Alertmanager, what: &str) -> Told {
    eventually(Duration::from_secs(60), what, || async {
        let told = alertmanager.webhook.told();
        let found = told.into_iter().find(|t| t.label("alertname") == what);
        found.ok_or_else(|| format!("not told\n{}", alertmanager.process.output()))
    })
    .await
}

/// What a person reads, letter for letter.
fn reads_well(told: &[Told]) {
    let book = "https://github.com/rolling-upgrade-exporter/rolling-upgrade-exporter/blob/main/alerts/RUNBOOKS.md";
    for (alert, section, summary) in [
        (
            "RollingUpgradeStalled",
            "rollingupgradestalled",
            r#"The upgrade of ses cluster 검색 "logs" <a&b> is stalled."#,
        ),
        (
            "RollingUpgradeFailed",
            "rollingupgradefailed",
            "The upgrade of css cluster orders failed.",
        ),
        (
            "RollingUpgradeNodeFailed",
            "rollingupgradenodefailed",
            "Node ess-2 of css cluster orders failed to upgrade.",
        ),
    ] {
        let found: Vec<_> = told
            .iter()
            .filter(|t| t.label("alertname") == alert)
            .collect();
        assert_eq!(found.len(), 2, "{alert}: its begin and its end");
        for one in found {
            assert_eq!(one.annotations["summary"], summary);
            assert_eq!(one.annotations["runbook_url"], format!("{book}#{section}"));
            let description = &one.annotations["description"];
            assert!(
                description.contains(one.label("cluster_id")),
                "{description}"
            );
            assert_eq!(one.label("severity"), "critical");
        }
    }
}

/// How long after the API's first failing answer the failure was told.
fn latency(told: &[Told], failed: Timestamp) -> Duration {
    let name = "RollingUpgradeFailed";
    let one = told.iter().find(|t| t.label("alertname") == name).unwrap();
    let took = one.arrived.duration_since(failed);
    took.try_into()
        .unwrap_or_else(|_| panic!("told {took:?} before it failed"))
}

/// What the exporter shows of one series.
async fn value(url: &str, name: &str, labels: &[(&str, &str)]) -> f64 {
    let text = get(&format!("{url}/metrics")).await.unwrap();
    let now = samples(&text);
    let found = select(&now, name, labels);
    assert_eq!(found.len(), 1, "{name} {labels:?}: {found:?}");
    found[0].value
}

#[tokio::test]
async fn an_upgrade_pages_once() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let by_rules = Alertmanager::start(folder).await;
    let port = free_port();
    let url = format!("http://127.0.0.1:{port}");
    let _prometheus = Prometheus::start(
        folder,
        &rules(SHORTER),
        EXTERNAL_LABELS,
        &[&url],
        &[&by_rules],
        &["--rules.alert.resend-delay=1s"],
    )
    .await;
    // The servers wait for the scenario, so that its times are not spent on their start.
    let (_simulator, sim_url) = start_simulator(folder, SCENARIO).await;
    let exporter = start_exporter(folder, port, &CONFIG.replace("ENDPOINT", &sim_url));
    first(&by_rules, "RollingUpgradeFailed").await;
    let requested = "rolling_upgrade_requested_timestamp_seconds";
    let origin = value(&url, requested, &[("product", "cce")]).await;
    let origin = Timestamp::UNIX_EPOCH + SignedDuration::from_secs_f64(origin);
    tells("the rules", &by_rules, &upgrades_and_data(), &exporter).await;
    let told = by_rules.webhook.told();
    reads_well(&told);
    let took = latency(&told, origin + FAILS_AT);
    println!("rules: told after {took:?}");
    assert!(took < LATENCY, "{took:?}");
}
