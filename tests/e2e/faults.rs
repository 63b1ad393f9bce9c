//! What the exporter shows when the vendor's side misbehaves, and that it recovers.

use crate::harness::{Pair, Sample, get, select};

const SCENARIO: &str = r#"
clusters:
  - product: ses
    id: "3427188"
    name: search
    versions: ["270", "290"]
    starts_after: 0s
    nodes: [{name: d-1, role: D}, {name: d-2, role: D}]
    steps: [{name: Upgrade_OpenSearch, takes: 60s}]
  - product: css
    id: ea244205-d641-45d9-9dcb-ab2236bcd07e
    name: css-test
    versions: ["7.6.2", "7.10.2"]
    starts_after: 0s
    nodes: [{name: ess-1, role: ess}]
    steps: [{name: Data migration, takes: 60s}]
"#;

const CONFIG: &str = "
polling: {active_interval: 500ms, idle_interval: 1s, discovery_interval: 5s, timeout: 1s, rate_limit: 100}
accounts:
  - name: kr
    ncloud:
      access_key: SIMNCLOUDACCESSKEY00
      secret_key: sim-ncloud-secret-key
      ses: {endpoint: ENDPOINT}
  - name: cn
    huawei:
      region: cn-north-4
      project_id: 6204a5bd270343b5885144cf9c8c158d
      access_key: SIMHUAWEIACCESSKEY00
      secret_key: sim-huawei-secret-key
      css: {endpoint: ENDPOINT}
";

fn up(samples: &[Sample], product: &str) -> Option<f64> {
    let found = select(samples, "rolling_upgrade_up", &[("product", product)]);
    found.first().map(|s| s.value)
}

fn counted(samples: &[Sample], product: &str, reason: &str) -> f64 {
    let labels = [("product", product), ("reason", reason)];
    let name = "rolling_upgrade_exporter_poll_failures_total";
    select(samples, name, &labels).iter().map(|s| s.value).sum()
}

/// One product's progress call misbehaves for a while; the other product never notices.
async fn meets(answer: &str, reason: &str) {
    let fault = format!(
        "faults:\n  - {{path: getRollingUpgradeProgress, from: 3s, lasts: 8s, answer: {answer}}}\n"
    );
    let pair = Pair::start(&format!("{SCENARIO}{fault}"), CONFIG).await;
    let what = format!("{answer} is counted as {reason}");
    let dark = pair
        .until(&what, |now| {
            counted(now, "ses", reason) > 0.0 && up(now, "ses") == Some(0.0)
        })
        .await;
    assert_eq!(up(&dark, "css"), Some(1.0));
    let since = "rolling_upgrade_exporter_failing_since_timestamp_seconds";
    assert_eq!(select(&dark, since, &[("reason", reason)]).len(), 1);
    let running = [("product", "ses"), ("status", "running")];
    let kept = select(&dark, "rolling_upgrade_status", &running);
    assert_eq!(kept.len(), 1, "the last good series stay");
    assert!((kept[0].value - 1.0).abs() < 1e-9);
    let light = pair
        .until("recovery", |now| up(now, "ses") == Some(1.0))
        .await;
    assert!(select(&light, since, &[("reason", reason)]).is_empty());
    assert!(counted(&light, "css", reason) < 0.5);
    assert_eq!(pair.refused().await, Vec::<String>::new());
}

macro_rules! faults {
    ($($name:ident: $answer:literal is $reason:literal,)+) => {
        $(#[tokio::test]
        async fn $name() {
            meets($answer, $reason).await;
        })+
    };
}

faults! {
    throttling: "throttled" is "throttled",
    a_broken_backend: "server_error" is "server",
    an_html_page: "html" is "server",
    half_an_answer: "garbage" is "protocol",
    an_empty_answer: "empty" is "protocol",
    silence: "hang" is "timeout",
    a_closed_connection: "close" is "network",
    a_redirect: "redirect" is "protocol",
    a_forbidden_call: "forbidden" is "permission",
}

#[tokio::test]
async fn wrong_keys_are_told_once_and_never_lock_the_account() {
    // Listed, so that both the discovery and the cluster's worker want to call.
    let listed = "css: {endpoint: ENDPOINT, clusters: [ea244205-d641-45d9-9dcb-ab2236bcd07e]}";
    let config = CONFIG
        .replace("sim-huawei-secret-key", "not-the-secret-key")
        .replace("css: {endpoint: ENDPOINT}", listed);
    let pair = Pair::start(SCENARIO, &config).await;
    let now = pair
        .until("two refusals", |now| counted(now, "css", "auth") > 1.5)
        .await;
    assert_eq!(up(&now, "ses"), Some(1.0), "the other account goes on");
    assert_eq!(up(&now, "css"), Some(0.0));
    let refused = pair.refused().await;
    assert_eq!(
        refused.len(),
        1,
        "only one of the two went out: {refused:?}"
    );
    let log = pair.exporter.output();
    assert!(
        log.contains("auth") && !log.contains("not-the-secret-key"),
        "{log}"
    );
    // The cluster's next poll is not let through, and tells the vendor's answer all the same.
    pair.until("a third refusal", |now| counted(now, "css", "auth") > 2.5)
        .await;
    for path in ["/api/v1/upgrades", "/"] {
        let shown = get(&format!("{}{path}", pair.url)).await.unwrap();
        let begin = "the vendor refused these credentials: ";
        let place = shown.find(begin).unwrap_or_else(|| panic!("{shown}"));
        let told: String = shown.split_at(place).1.chars().take(400).collect();
        assert!(told.contains("APIGW.0301"), "{told}");
        let left = "no call is made with them for another 4m";
        assert!(told.contains(left), "{told}");
    }
}

#[tokio::test]
async fn a_skewed_clock_shows() {
    let fault = "faults:\n  - {path: /, from: 0s, answer: old_date}\n";
    let pair = Pair::start(&format!("{SCENARIO}{fault}"), CONFIG).await;
    let name = "rolling_upgrade_exporter_clock_skew_seconds";
    let now = pair
        .until("the skew", |now| {
            select(now, name, &[("account", "kr")]).len() == 1
        })
        .await;
    let skew = select(&now, name, &[("account", "kr")])[0].value;
    assert!((590.0..610.0).contains(&skew), "{skew}");
}
