//! The sidecar and two Alertmanagers, of which one is down now and then.

use std::path::Path;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rolling_upgrade_exporter::clock::Clock;

use super::servers::{Alertmanager, GROUP_WAIT, texts};
use super::story::FAILURE;
use super::told::{first, stories};
use super::{ALLOWANCE, END, LATENCY, value};
use crate::harness::{
    Process, Sample, eventually, free_port, get, samples, select, start_exporter, start_simulator,
};

/// The key of `kr` is refused from the beginning. DEAD is the first of the Alertmanagers, so that
/// one that waits for it would be seen.
const CONFIG: &str = "
polling: {active_interval: 1s, idle_interval: 1s, discovery_interval: 5s, timeout: 1s, rate_limit: 100}
accounts:
  - name: cn
    huawei:
      region: cn-north-4
      project_id: 6204a5bd270343b5885144cf9c8c158d
      access_key: SIMHUAWEIACCESSKEY00
      secret_key: sim-huawei-secret-key
      css: {endpoint: ENDPOINT}
  - name: kr
    ncloud:
      access_key: SIMNCLOUDACCESSKEY00
      secret_key: not-the-secret-key
      ses: {endpoint: ENDPOINT}
alerting:
  external_labels: {site: seoul}
  resend_interval: 15s
  alertmanagers:
    - url: DEAD
    - url: ALIVE
";

const RESEND: Duration = Duration::from_secs(15);

/// A vendor's refusal is told after this long.
const REJECTED: Duration = Duration::from_secs(120);

async fn shown(url: &str) -> Vec<Sample> {
    samples(&get(&format!("{url}/metrics")).await.unwrap())
}

/// A counter of the sidecar's for one Alertmanager.
fn count(samples: &[Sample], what: &str, alertmanager: &str) -> f64 {
    let name = format!("rolling_upgrade_exporter_alerts_{what}_total");
    let found = select(samples, &name, &[("alertmanager", alertmanager)]);
    assert_eq!(found.len(), 1, "{name} of {alertmanager}");
    found[0].value
}

fn fails(samples: &[Sample], alertmanager: &str) -> bool {
    let name = "rolling_upgrade_exporter_notifications_failing_since_timestamp_seconds";
    !select(samples, name, &[("alertmanager", alertmanager)]).is_empty()
}

#[tokio::test]
async fn a_dead_alertmanager_delays_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let alive = Alertmanager::start(folder).await;
    let late_port = free_port();
    let late_url = format!("http://127.0.0.1:{late_port}");
    let (_simulator, sim_url) = start_simulator(folder, FAILURE).await;
    let port = free_port();
    let url = format!("http://127.0.0.1:{port}");
    let config = CONFIG
        .replace("ENDPOINT", &sim_url)
        .replace("DEAD", &late_url)
        .replace("ALIVE", &alive.url);
    let mut exporter = start_exporter(folder, port, &config);

    // The one that is up is told in time.
    let failed = first(&alive, "RollingUpgradeFailed").await;
    let now = shown(&url).await;
    let ended = "rolling_upgrade_ended_timestamp_seconds";
    let ended = select(&now, ended, &[("product", "css")])[0].value;
    // CSS tells whole seconds: this is up to one earlier than the failure.
    let ended = Timestamp::UNIX_EPOCH + SignedDuration::from_secs_f64(ended);
    let took: Duration = failed.arrived.duration_since(ended).try_into().unwrap();
    println!("one of two: told after {took:?}");
    assert!(took < LATENCY + Duration::from_secs(1), "{took:?}");
    assert!(count(&now, "sent", &alive.url) > 0.5);
    assert!(count(&now, "errors", &alive.url) < 0.5);
    assert!(!fails(&now, &alive.url));
    eventually(RESEND, "the counters of the dead one", || async {
        let now = shown(&url).await;
        if count(&now, "errors", &late_url) > 0.5 && fails(&now, &late_url) {
            Ok(())
        } else {
            Err(exporter.output())
        }
    })
    .await;

    // The other comes up later, and is told what is still true.
    let late = Alertmanager::launch(folder, late_port, "http", &[]).await;
    late.ready().await;
    let up = Clock::system().now();
    let told = first(&late, "RollingUpgradeFailed").await;
    let took: Duration = told
        .arrived
        .duration_since(up)
        .try_into()
        .unwrap_or_default();
    println!("the late one: told after {took:?}");
    assert!(took < RESEND + GROUP_WAIT + ALLOWANCE, "{took:?}");
    assert_eq!(told.labels, failed.labels);
    assert_eq!(told.annotations, failed.annotations);
    let now = shown(&url).await;
    assert!(!fails(&now, &late_url));
    let (sent, errors) = (
        count(&now, "sent", &late_url),
        count(&now, "errors", &late_url),
    );
    assert!(sent > errors, "{sent} sent, {errors} of them not taken");

    a_refused_key(&alive, &late, &url, &exporter).await;
    a_drained_end(late, folder, late_port, &url, &mut exporter).await;
}

/// After the two minutes that the rule waits both are told that the key is refused; nothing of the
/// rest was told twice meanwhile, though it was posted again and again.
async fn a_refused_key(alive: &Alertmanager, late: &Alertmanager, url: &str, exporter: &Process) {
    let since = "rolling_upgrade_exporter_failing_since_timestamp_seconds";
    let since = value(url, since, &[("account", "kr"), ("reason", "auth")]).await;
    let since = Timestamp::UNIX_EPOCH + SignedDuration::from_secs_f64(since);
    let patience = REJECTED + LATENCY;
    for alertmanager in [alive, late] {
        let told = eventually(patience, "the refused key", || async {
            let told = alertmanager.webhook.told();
            let name = "RollingUpgradeCredentialsRejected";
            let found = told.into_iter().find(|t| t.label("alertname") == name);
            found.ok_or_else(|| exporter.output())
        })
        .await;
        assert_eq!(told.label("severity"), "critical");
        assert_eq!(
            (told.label("account"), told.label("product")),
            ("kr", "ses")
        );
        assert_eq!(told.label("site"), "seoul");
        assert_eq!(
            told.annotations["summary"],
            "The credentials of account kr are rejected for ses."
        );
        let book = "/alerts/RUNBOOKS.md#rollingupgradecredentialsrejected";
        assert!(told.annotations["runbook_url"].ends_with(book));
        let after: Duration = told.arrived.duration_since(since).try_into().unwrap();
        assert!(after > REJECTED && after < patience, "{after:?}");
        let told = alertmanager.webhook.told();
        let seen = stories(&told);
        let story = |name: &str| {
            let of = seen
                .iter()
                .filter(|(labels, _)| labels["alertname"] == name);
            of.map(|(_, story)| story.as_slice()).collect::<Vec<_>>()
        };
        for name in ["CredentialsRejected", "Failed", "NodeFailed"] {
            let name = format!("RollingUpgrade{name}");
            assert_eq!(story(&name), [["firing"]], "{name}");
        }
        // It ended when the upgrade failed: nobody renewed it, and nobody had to resolve it.
        let ended: &[&[&str]] = if std::ptr::eq(alertmanager, alive) {
            &[&["firing", "resolved"]]
        } else {
            // It was over when that one came up.
            &[]
        };
        assert_eq!(story("RollingUpgradeInProgress"), ended);
    }
}

/// An Alertmanager that lost everything is back just before the exporter ends: what waits for it is
/// posted first, and the end is not delayed.
async fn a_drained_end(
    mut late: Alertmanager,
    folder: &Path,
    port: u16,
    url: &str,
    exporter: &mut Process,
) {
    let address = late.url.clone();
    late.process.terminate().await;
    std::fs::remove_dir_all(folder.join(format!("alertmanager-{port}"))).unwrap();
    let before = count(&shown(url).await, "errors", &address);
    eventually(RESEND + ALLOWANCE, "a post that fails", || async {
        let errors = count(&shown(url).await, "errors", &address);
        if errors > before {
            Ok(())
        } else {
            Err(format!("{before} and {errors}"))
        }
    })
    .await;
    let back = Alertmanager::launch(folder, port, "http", &[]).await;
    back.ready().await;
    let (code, took) = exporter.terminate().await;
    assert_eq!(code, Some(0), "{}", exporter.output());
    assert!(took < END, "{took:?}");
    let held = back.alerts().await;
    let names: Vec<_> = held.iter().map(|a| texts(a, "labels")).collect();
    assert!(
        names
            .iter()
            .any(|labels| labels["alertname"] == "RollingUpgradeFailed"),
        "{names:?}\n{}",
        exporter.output()
    );
}
