//! What happens in the tests, and what must be told of it.

use std::collections::BTreeMap;

use jiff::SignedDuration;

use crate::webhook::Labels;

/// The name of the cluster that hangs: nothing on the way may change its letters.
const HANGS: &str = r#"검색 "logs" <a&b>"#;

/// Times are those since the simulator's start.
pub(super) const SCENARIO: &str = r#"
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

/// Another story: one upgrade, which fails for good at 3 s.
pub(super) const FAILURE: &str = "
clusters:
  - product: css
    id: ea244205-d641-45d9-9dcb-ab2236bcd07e
    name: orders
    versions: [7.6.2, 7.10.2]
    starts_after: 1s
    nodes: [{name: ess-1, role: ess}]
    steps: [{name: Data migration, takes: 2s}]
    fails: {node: 1, step: 1}
";

/// When the scenario's upgrade of `orders` fails.
pub(super) const FAILS_AT: SignedDuration = SignedDuration::from_secs(25);

/// The key of `kr-old` is refused. CCE has an account for itself, so that its silence takes no turn
/// of CSS's calls.
pub(super) const CONFIG: &str = "
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
pub(super) const EXTERNAL_LABELS: &str = "{site: seoul}";

/// What the webhook is told of each alert, one state after another.
pub(super) type Stories = BTreeMap<Labels, Vec<&'static str>>;

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
pub(super) fn upgrades() -> Stories {
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
pub(super) fn upgrades_and_data() -> Stories {
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

/// The alerts of the failed upgrade, once it has failed.
pub(super) fn failure() -> [Labels; 2] {
    [
        alert("RollingUpgradeFailed", "critical", &[CSS, KIND]),
        alert("RollingUpgradeNodeFailed", "critical", &[CSS, NODE]),
    ]
}
