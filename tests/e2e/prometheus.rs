//! A real Prometheus scrapes the exporter, and promtool reads what it serves.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::harness::{Pair, Process, eventually, free_port, get};

const SCENARIO: &str = r#"
huawei: {security_token: sim-security-token}
clusters:
  - product: ses
    id: "3427188"
    name: 검색 "logs"
    versions: ["270", "290"]
    starts_after: 0s
    nodes: [{name: d-1, role: D}, {name: m-1, role: M}]
    steps: [{name: Upgrade_OpenSearch, takes: 4s}]
  - product: cdss
    id: "3432149"
    name: events
    versions: ["2.4.1", "2.8.2"]
    starts_after: 0s
    nodes: [{name: b-1, role: broker}, {name: b-2, role: broker}]
    steps: [{name: restart, takes: 4s}]
  - product: css
    id: ea244205-d641-45d9-9dcb-ab2236bcd07e
    name: css-test
    versions: ["7.6.2", "7.10.2"]
    starts_after: 0s
    nodes: [{name: ess-1, role: ess}, {name: ess-2, role: ess}]
    steps: [{name: Data migration, takes: 2s}, {name: Restart, takes: 2s}]
    fails: {node: 2, step: 1}
  - product: cce
    id: b4b9e60f-8aa2-11ee-af09-0255ac10004f
    name: 容器
    versions: ["v1.25.16-r0", "v1.27.16-r0"]
    starts_after: 0s
    before: [{name: PreCheck, takes: 2s}]
    nodes: [{name: n-1, role: node}]
    steps: [{name: Upgrade, takes: 4s}]
    after: [{name: PostCheck, takes: 2s}]
"#;

/// Every way in once: signed keys at both clouds, temporary keys and a token at Huawei Cloud.
const CONFIG: &str = "
polling: {active_interval: 500ms, idle_interval: 1s, discovery_interval: 5s, rate_limit: 100}
accounts:
  - name: kr
    ncloud:
      access_key: SIMNCLOUDACCESSKEY00
      secret_key: sim-ncloud-secret-key
      ses: {endpoint: ENDPOINT}
      cdss: {endpoint: ENDPOINT}
  - name: cn
    huawei:
      region: cn-north-4
      project_id: 6204a5bd270343b5885144cf9c8c158d
      access_key: SIMHUAWEIACCESSKEY00
      secret_key: sim-huawei-secret-key
      security_token: sim-security-token
      css: {endpoint: ENDPOINT}
  - name: cn-token
    huawei:
      region: cn-north-4
      project_id: 6204a5bd270343b5885144cf9c8c158d
      token: {iam_endpoint: ENDPOINT, domain: sim-domain, user: sim-user, password: sim-password}
      cce: {endpoint: ENDPOINT}
";

#[tokio::test]
async fn prometheus_reads_the_upgrades_back() {
    let pair = Pair::start(SCENARIO, CONFIG).await;
    let port = free_port();
    let folder = pair.folder.path();
    let target = pair.url.trim_start_matches("http://");
    let config = format!(
        "global: {{scrape_interval: 1s}}\nscrape_configs:\n  - job_name: rolling-upgrade-exporter\n    static_configs: [{{targets: ['{target}']}}]\n"
    );
    std::fs::write(folder.join("prometheus.yml"), config).unwrap();
    let server = Process::start(
        folder,
        "prometheus",
        &[
            "--config.file=prometheus.yml",
            "--storage.tsdb.path=data",
            &format!("--web.listen-address=127.0.0.1:{port}"),
        ],
    );
    let query = |expression: &'static str| async move {
        let url = url::Url::parse_with_params(
            &format!("http://127.0.0.1:{port}/api/v1/query"),
            [("query", expression)],
        )
        .unwrap();
        let answer: Value = serde_json::from_str(&get(url.as_str()).await?).unwrap();
        let result = answer["data"]["result"].as_array().unwrap().clone();
        Ok::<_, String>(result)
    };
    // How each upgrade ends, as Prometheus tells it.
    for (expression, want) in [
        (
            r#"rolling_upgrade_status{product="ses", cluster_name="검색 \"logs\"", status="succeeded"} == 1"#,
            "ses",
        ),
        (
            r#"rolling_upgrade_status{product="cdss", status="succeeded"} == 1"#,
            "cdss",
        ),
        (
            r#"rolling_upgrade_status{product="css", status="failed"} == 1"#,
            "css",
        ),
        (
            r#"rolling_upgrade_status{product="cce", cluster_name="容器", status="succeeded"} == 1"#,
            "cce",
        ),
    ] {
        let found = eventually(Duration::from_secs(60), expression, || async {
            let result = query(expression)
                .await
                .map_err(|e| format!("{e}\n{}", server.output()))?;
            if result.is_empty() {
                return Err(format!("no series\n{}", pair.exporter.output()));
            }
            Ok(result)
        })
        .await;
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0]["metric"]["product"], want);
        assert_eq!(found[0]["metric"]["job"], "rolling-upgrade-exporter");
    }
    // The series that only a whole run leaves behind.
    for expression in [
        "rolling_upgrade_node_status{status=\"failed\", role=\"ess\"} == 1",
        "rolling_upgrade_info{from_version=\"270\", to_version=\"290\"}",
        "max_over_time(rolling_upgrade_node_duration_seconds{product=\"cdss\"}[1m]) > 2",
        "rolling_upgrade_exporter_upgrades_ended_total{outcome=\"succeeded\"} > 0",
        "rolling_upgrade_exporter_api_requests_total{code=\"200\", product=\"cce\"} > 0",
        "histogram_quantile(0.5, rolling_upgrade_exporter_poll_duration_seconds_bucket) > 0",
        "process_resident_memory_bytes > 0",
    ] {
        let result = query(expression).await.unwrap();
        assert!(!result.is_empty(), "{expression}");
    }
    // One scrape is whole: Prometheus took every sample, and no series stands twice.
    let up = query("up == 1").await.unwrap();
    assert_eq!(up.len(), 1);
    let bad = query("scrape_samples_scraped != scrape_samples_post_metric_relabeling").await;
    assert!(bad.unwrap().is_empty());
    assert!(
        !server.output().contains("duplicate"),
        "{}",
        server.output()
    );
    assert_eq!(pair.refused().await, Vec::<String>::new());
    lint(&get(&format!("{}/metrics", pair.url)).await.unwrap());
}

/// `promtool check metrics` finds nothing to say about the text.
fn lint(text: &str) {
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool is installed (tests/setup.sh does it)");
    let mut input = promtool.stdin.take().unwrap();
    input.write_all(text.as_bytes()).unwrap();
    drop(input);
    let output = promtool.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.trim().is_empty(), "{said}");
}
