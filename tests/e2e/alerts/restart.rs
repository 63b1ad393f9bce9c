//! The sidecar, an Alertmanager that wants TLS and a password, and a restart in the middle.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reqwest::StatusCode;
use rolling_upgrade_exporter::clock::Clock;
use serde_json::Value;

use super::servers::{Alertmanager, START, texts};
use super::story::FAILURE;
use super::told::{first, stories};
use super::{ALLOWANCE, END};
use crate::harness::{eventually, free_port, start_exporter, start_simulator};

/// A second Alertmanager, DEAD, is down for good: no end may wait for it.
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
alerting:
  resend_interval: 3s
  alertmanagers:
    - url: ALIVE
      basic_auth: {username: exporter, password_file: password}
      ca_file: CA
    - url: DEAD
";

/// Four times the resend interval.
const LAPSE: SignedDuration = SignedDuration::from_secs(12);

const PASSWORD: &str = "e2e-password";

/// The password's bcrypt hash, of the lowest cost.
const HASH: &str = "$2y$04$EndToEndTestSaltOfRuxesCmd6CIzp1F4PDbrr93YCLDPugRN7Ma";

fn tls(name: &str) -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    tests.join("data/tls").join(name)
}

/// A client that trusts the test's CA and nothing else.
fn client() -> reqwest::Client {
    let ca = std::fs::read(tls("ca.pem")).unwrap();
    reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only([reqwest::Certificate::from_pem(&ca).unwrap()])
        .timeout(Duration::from_secs(10))
        .build()
        .unwrap()
}

/// What the API answers to the one who knows the password, or to everybody else.
async fn ask(alertmanager: &Alertmanager, password: &str) -> Result<(StatusCode, String), String> {
    let url = format!("{}/api/v2/alerts", alertmanager.url);
    let request = client().get(url).basic_auth("exporter", Some(password));
    let response = request.send().await.map_err(|e| e.to_string())?;
    let status = response.status();
    Ok((status, response.text().await.map_err(|e| e.to_string())?))
}

/// When the alert of the failed upgrade would lapse, and when it was last posted.
async fn renewal(alertmanager: &Alertmanager) -> (Timestamp, Timestamp) {
    let (status, answer) = ask(alertmanager, PASSWORD).await.unwrap();
    assert_eq!(status, StatusCode::OK);
    let alerts: Vec<Value> = serde_json::from_str(&answer).unwrap();
    let failed = alerts
        .iter()
        .find(|a| texts(a, "labels")["alertname"] == "RollingUpgradeFailed");
    let failed = failed.unwrap_or_else(|| panic!("it is not there: {answer}"));
    let time = |key: &str| failed[key].as_str().unwrap().parse().unwrap();
    (time("endsAt"), time("updatedAt"))
}

/// The alerts of the failure are told once, and are not over.
fn told_once(alertmanager: &Alertmanager) {
    let told = alertmanager.webhook.told();
    let seen = stories(&told);
    let failed = seen
        .iter()
        .filter(|(labels, _)| labels["alertname"].ends_with("Failed"));
    let failed: Vec<_> = failed.map(|(_, story)| story.as_slice()).collect();
    assert_eq!(failed, [["firing"], ["firing"]], "{told:#?}");
}

#[tokio::test]
async fn a_restart_ends_no_alert() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let web = format!(
        "tls_server_config: {{cert_file: '{}', key_file: '{}'}}\nbasic_auth_users: {{exporter: '{HASH}'}}\n",
        tls("server.pem").display(),
        tls("server.key").display()
    );
    std::fs::write(folder.join("web.yml"), web).unwrap();
    let more = ["--web.config.file=web.yml"];
    let alertmanager = Alertmanager::launch(folder, free_port(), "https", &more).await;
    let (status, _) = eventually(START, "an Alertmanager with TLS", || async {
        let answer = ask(&alertmanager, "not-the-password").await;
        answer.map_err(|e| format!("{e}\n{}", alertmanager.process.output()))
    })
    .await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    let (_simulator, sim_url) = start_simulator(folder, FAILURE).await;
    std::fs::write(folder.join("password"), format!("{PASSWORD}\n")).unwrap();
    let config = CONFIG
        .replace("ENDPOINT", &sim_url)
        .replace("ALIVE", &alertmanager.url)
        .replace("DEAD", &format!("http://127.0.0.1:{}", free_port()))
        .replace("CA", &tls("ca.pem").to_string_lossy());
    let port = free_port();
    let mut exporter = start_exporter(folder, port, &config);
    first(&alertmanager, "RollingUpgradeFailed").await;
    first(&alertmanager, "RollingUpgradeNodeFailed").await;

    // It is to be renewed for four resend intervals ahead.
    let (ends, posted) = renewal(&alertmanager).await;
    let ahead = ends.duration_since(posted);
    let late = SignedDuration::try_from(ALLOWANCE).unwrap();
    assert!(LAPSE - late < ahead && ahead <= LAPSE, "{ahead}");

    // The next process renews what the last one posted, before it lapses.
    let ended = Clock::system().now();
    let (code, took) = exporter.terminate().await;
    assert_eq!(code, Some(0), "{}", exporter.output());
    assert!(took < END, "{took:?}");
    assert!(!exporter.output().contains(PASSWORD));
    let mut exporter = start_exporter(folder, port, &config);
    eventually(
        Duration::from_secs(30),
        "renewals by the next process",
        || async {
            told_once(&alertmanager);
            let (ends, _) = renewal(&alertmanager).await;
            // By now everything that the last process posted would have lapsed.
            if ends > ended + LAPSE + LAPSE {
                Ok(())
            } else {
                Err(format!("{ends}\n{}", exporter.output()))
            }
        },
    )
    .await;
    told_once(&alertmanager);

    // Nobody resolves it when there is no next process: it lapses.
    let ended = Clock::system().now();
    let (code, took) = exporter.terminate().await;
    assert_eq!(code, Some(0), "{}", exporter.output());
    assert!(took < END, "{took:?}");
    let resolved = eventually(
        LAPSE.unsigned_abs() + END + ALLOWANCE,
        "a lapse",
        || async {
            let mut told = alertmanager.webhook.told().into_iter();
            let over = told
                .find(|t| t.status == "resolved" && t.label("alertname") == "RollingUpgradeFailed");
            over.ok_or_else(|| "still firing".to_owned())
        },
    )
    .await;
    let after = resolved.ends_at.duration_since(ended);
    assert!(
        after > LAPSE / 2 && after <= LAPSE + SignedDuration::from_secs(5),
        "{after}"
    );
}
