//! What the log says at the start, after the first round and at the end, in both of its forms.

use std::time::Duration;

use tokio::process::Command;

use crate::harness::{PROGRAM, Process, eventually, free_port, get, start_simulator};

const SCENARIO: &str = r#"
clusters:
  - product: ses
    id: "3427188"
    name: search
    versions: ["270", "290"]
    starts_after: 0s
    nodes: [{name: d-1, role: D}, {name: d-2, role: D}]
    steps: [{name: Upgrade_OpenSearch, takes: 10m}]
  - {product: ses, id: "3427189", name: hidden, versions: ["290"], listed: disallowed}
  - {product: css, id: ea244205-d641-45d9-9dcb-ab2236bcd07e, name: logs, versions: ["7.10.2"]}
  - {product: css, id: 8ebe958b-b8c6-4939-b5a7-85aee9468888, name: test-1, versions: ["7.10.2"]}
faults:
  - {path: upgrade/detail, from: 0s, answer: forbidden}
"#;

const CONFIG: &str = r#"
polling: {active_interval: 30m, idle_interval: 1h}
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
      css: {endpoint: ENDPOINT, exclude: ["test-*"]}
alerting:
  alertmanagers: [{url: "http://127.0.0.1:9"}]
"#;

/// Starts both, waits for the first round, ends the exporter; its log, line by line.
async fn life(format: &str) -> (String, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let (_simulator, sim_url) = start_simulator(folder.path(), SCENARIO).await;
    let config = CONFIG.replace("ENDPOINT", &sim_url);
    std::fs::write(folder.path().join("config.yml"), config).unwrap();
    let address = format!("127.0.0.1:{}", free_port());
    let args = [
        "--config.file=config.yml",
        "--web.listen-address",
        &address,
        "--web.external-url=https://monitoring.example.com/upgrades/",
        "--log.format",
        format,
    ];
    let mut exporter = Process::start(folder.path(), PROGRAM, &args);
    eventually(Duration::from_secs(30), "the first round", || async {
        let log = exporter.output();
        let rounds = log.lines().filter(|l| l.contains("First round")).count();
        if rounds == 2 { Ok(()) } else { Err(log) }
    })
    .await;
    let page = format!("http://{address}/upgrades/");
    get(&page).await.expect("the page is where the log says");
    let (code, _) = exporter.terminate().await;
    let log = exporter.output();
    assert_eq!(code, Some(0), "{log}");
    for secret in ["sim-ncloud-secret-key", "sim-huawei-secret-key"] {
        assert!(!log.contains(secret), "{log}");
    }
    (address, log.lines().map(str::to_owned).collect())
}

/// The first line with all of these.
fn line<'a>(log: &'a [String], parts: &[&str]) -> &'a str {
    let mut lines = log.iter();
    let found = lines.find(|line| parts.iter().all(|part| line.contains(part)));
    found.unwrap_or_else(|| panic!("no line with {parts:?}:\n{}", log.join("\n")))
}

#[tokio::test]
async fn the_log_tells_what_is_watched_where_how_often_and_what_is_wrong() {
    let (address, log) = life("text").await;
    let root = format!("http://{address}/upgrades");
    for parts in [
        &["INFO", "Starting rolling-upgrade-exporter."][..],
        &[
            "INFO",
            &format!("page at {root}/ and metrics at {root}/metrics"),
        ],
        &["INFO", "https://monitoring.example.com/upgrades/"],
        &[
            "INFO",
            "kr",
            "public/KR",
            "ses (all)",
            "active=30m",
            "idle=1h",
        ],
        &["INFO", "cn", "cn-north-4", "css (all, without test-*)"],
        &["INFO", "http://127.0.0.1:9", "Sending alerts."],
        &["WARN", "Account kr: no TLS on the way to ses"],
        &[
            "INFO",
            "kr",
            "First round: 1 cluster watched; upgrades: 1 running, 0 stalled, 0 failed.",
        ],
        &[
            "INFO",
            "cn",
            "First round: 1 cluster watched; upgrades: 0 running",
        ],
        &[
            "WARN",
            "kr",
            "may not be read: 1 cluster. It needs the policy NCP_VPC_SEARCH_ENGINE_SERVICE_VIEWER",
        ],
        &[
            "WARN",
            "cn",
            "No answer for cluster ea244205-",
            "permission, ",
            "It needs css:cluster:list",
        ],
        &["INFO", "Ending: ", "SIGTERM"],
        &["INFO", "Ended.", "took=", "uptime="],
    ] {
        line(&log, parts);
    }
    assert!(log.last().unwrap().contains("Ended."), "{log:?}");
}

#[tokio::test]
async fn the_same_as_json_is_an_object_a_line() {
    let (address, log) = life("json").await;
    let lines: Vec<serde_json::Value> = log
        .iter()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
        .collect();
    let with = |key: &str, value: &str| {
        let found = lines.iter().find(|line| line[key] == *value);
        found.unwrap_or_else(|| panic!("no {key} {value}:\n{}", log.join("\n")))
    };
    with(
        "message",
        &format!(
            "Listening: page at http://{address}/upgrades/ and metrics at http://{address}/upgrades/metrics"
        ),
    );
    let watching = with("message", "Watching.");
    assert_eq!(watching["account"], "kr");
    assert_eq!(watching["products"], "ses (all)");
    let round = with(
        "message",
        "First round: 1 cluster watched; upgrades: 1 running, 0 stalled, 0 failed.",
    );
    assert_eq!(
        (&round["account"], &round["product"]),
        (&"kr".into(), &"ses".into())
    );
    assert_eq!(with("message", "Ended.")["level"], "INFO");
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    // It takes connections and never answers: the alerts that wait for it hold the end up.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let config = CONFIG.replace("ENDPOINT", "'http://127.0.0.1:9'").replace(
        "127.0.0.1:9\"",
        &format!("{}\"", silent.local_addr().unwrap()),
    );
    std::fs::write(folder.path().join("config.yml"), config).unwrap();
    let args = [
        "--config.file=config.yml",
        "--web.listen-address=127.0.0.1:0",
    ];
    let mut exporter = Process::start(folder.path(), PROGRAM, &args);
    let (_post, _) = silent.accept().await.unwrap();
    let signal = || async {
        let pid = exporter.child.id().unwrap().to_string();
        let sent = Command::new("kill").args(["-TERM", &pid]).status().await;
        assert!(sent.unwrap().success());
    };
    signal().await;
    eventually(Duration::from_secs(10), "the first", || async {
        let log = exporter.output();
        if log.contains("Ending: ") {
            Ok(())
        } else {
            Err(log)
        }
    })
    .await;
    signal().await;
    let status = tokio::time::timeout(Duration::from_secs(20), exporter.child.wait()).await;
    assert_eq!(status.unwrap().unwrap().code(), Some(0));
    let log = exporter.output();
    assert!(log.contains("Ended at once: "), "{log}");
}
