//! Alerts from the vendor's API to the webhook: the simulator, the exporter, a real Prometheus with
//! the shipped rules, real Alertmanagers.

mod full;
mod kill;
mod peers;
mod replicas;
mod restart;
mod servers;
mod story;
mod told;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::harness::{
    eventually, free_port, get, samples, select, start_exporter, start_simulator,
};
use crate::webhook::Labels;
use servers::{Alertmanager, GROUP_WAIT, Prometheus, rules, texts};
use story::{CONFIG, EXTERNAL_LABELS, FAILS_AT, SCENARIO, failure, upgrades, upgrades_and_data};
use told::{annotations, first, latency, reads_well, stories, tells};

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

/// How often the sidecars renew their alerts.
const RESEND: Duration = Duration::from_secs(2);

/// The longest that the program may take to end.
const END: Duration = Duration::from_secs(5);

/// The design's bound from the API's first failing answer to the webhook.
const LATENCY: Duration = POLL
    .saturating_add(SCRAPE)
    .saturating_add(EVALUATION)
    .saturating_add(GROUP_WAIT)
    .saturating_add(ALLOWANCE);

/// What the exporter shows of one series.
async fn value(url: &str, name: &str, labels: &[(&str, &str)]) -> f64 {
    let text = get(&format!("{url}/metrics")).await.unwrap();
    let now = samples(&text);
    let found = select(&now, name, labels);
    assert_eq!(found.len(), 1, "{name} {labels:?}: {found:?}");
    found[0].value
}

/// The alerts of `orders` that an Alertmanager's API tells once it has failed: labels, with annotations.
async fn held(alertmanager: &Alertmanager) -> BTreeMap<Labels, Labels> {
    eventually(LATENCY, "the API", || async {
        let held: BTreeMap<_, _> = alertmanager
            .alerts()
            .await
            .iter()
            .map(|alert| (texts(alert, "labels"), texts(alert, "annotations")))
            .filter(|(labels, _)| labels.get("cluster_name").is_some_and(|n| n == "orders"))
            .collect();
        if held.keys().eq(&failure()) {
            Ok(held)
        } else {
            Err(format!("{held:#?}"))
        }
    })
    .await
}

/// Both rule and sidecar renew the same alert: its source changes from one to the other and back.
async fn has_two_sources(alertmanager: &Alertmanager) {
    let sources = std::cell::RefCell::new(BTreeSet::new());
    eventually(
        RESEND * 2 + ALLOWANCE,
        "two sources of an alert",
        || async {
            for alert in alertmanager.alerts().await {
                if texts(&alert, "labels")["alertname"] == "RollingUpgradeFailed" {
                    let source = alert["generatorURL"].as_str().unwrap_or_default();
                    sources.borrow_mut().insert(source.to_owned());
                }
            }
            let sources = sources.borrow();
            if sources.len() == 2 {
                Ok(())
            } else {
                Err(format!("{sources:?}"))
            }
        },
    )
    .await;
}

/// What the exporter's own alerting is told.
fn alerting(alertmanager: &Alertmanager, explicit_resolve: bool) -> String {
    format!(
        "alerting:
  external_labels: {EXTERNAL_LABELS}
  resend_interval: {}s
  explicit_resolve: {explicit_resolve}
  alertmanagers: [{{url: '{}'}}]
",
        RESEND.as_secs(),
        alertmanager.url
    )
}

/// Three ways at once: the rules alone, a sidecar alone, and the rules with another sidecar. The
/// rules look at both exporters.
#[tokio::test]
async fn an_upgrade_pages_once_whoever_tells_it() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let by_rules = Alertmanager::start(folder).await;
    let by_sidecar = Alertmanager::start(folder).await;
    let by_both = Alertmanager::start(folder).await;
    let ports = [free_port(), free_port()];
    let urls = ports.map(|port| format!("http://127.0.0.1:{port}"));
    let _prometheus = Prometheus::start(
        folder,
        &rules(SHORTER),
        // As of a pair of Prometheis, which both drop `replica` from what they send.
        &EXTERNAL_LABELS.replace('}', ", replica: a}"),
        &[&urls[0], &urls[1]],
        &[&by_rules, &by_both],
        // As often as they are evaluated: an alert that somebody else resolves too early is back.
        &["--rules.alert.resend-delay=1s"],
    )
    .await;
    // The servers wait for the scenario, so that its times are not spent on their start.
    let (_simulator, sim_url) = start_simulator(folder, SCENARIO).await;
    let config = CONFIG.replace("ENDPOINT", &sim_url);
    let sidecars = [alerting(&by_sidecar, true), alerting(&by_both, false)];
    let exporters =
        [0, 1].map(|i| start_exporter(folder, ports[i], &format!("{config}{}", sidecars[i])));

    for alertmanager in [&by_rules, &by_sidecar, &by_both] {
        first(alertmanager, "RollingUpgradeFailed").await;
    }
    let now = held(&by_rules).await;
    assert_eq!(held(&by_sidecar).await, now);
    assert_eq!(held(&by_both).await, now);
    has_two_sources(&by_both).await;
    let requested = "rolling_upgrade_requested_timestamp_seconds";
    let origin = value(&urls[0], requested, &[("product", "cce")]).await;
    let failed = Timestamp::UNIX_EPOCH + SignedDuration::from_secs_f64(origin) + FAILS_AT;

    let ways = [
        ("the rules", &by_rules, upgrades_and_data()),
        ("the sidecar", &by_sidecar, upgrades()),
        ("both", &by_both, upgrades_and_data()),
    ];
    for (way, alertmanager, want) in &ways {
        tells(way, alertmanager, want, &exporters).await;
    }
    // Looked at again after all: nobody was told more than that.
    let all = ways.each_ref().map(|(way, alertmanager, want)| {
        let told = alertmanager.webhook.told();
        assert_eq!(&stories(&told), want, "{way}");
        told
    });
    for (told, (way, ..)) in all.iter().zip(&ways) {
        reads_well(told);
        let took = latency(told, failed);
        println!("{way}: told after {took:?}");
        assert!(took < LATENCY, "{way}: {took:?}");
    }
    let [rules, sidecar, both] = &all;
    let by_rules = annotations(rules);
    assert_eq!(annotations(both), by_rules);
    for (labels, texts) in annotations(sidecar) {
        assert_eq!(by_rules.get(labels), Some(&texts), "{labels:?}");
    }
}
