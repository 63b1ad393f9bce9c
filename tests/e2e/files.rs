//! Files that stop being files while the exporter runs.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tokio::time::Instant;

use crate::harness::{Pair, eventually, free_port, get, select};

/// One upgrade, which fails at once: there is something to post.
const SCENARIO: &str = "
clusters:
  - product: css
    id: ea244205-d641-45d9-9dcb-ab2236bcd07e
    name: orders
    versions: [7.6.2, 7.10.2]
    starts_after: 1s
    nodes: [{name: ess-1, role: ess}]
    steps: [{name: Data migration, takes: 1s}]
    fails: {node: 1, step: 1}
";

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
  resend_interval: 1s
  alertmanagers:
    - {url: 'https://127.0.0.1:DEAD', ca_file: CA}
";

/// Time to end that docs/configuration.md promises.
const END: Duration = Duration::from_secs(5);

#[tokio::test]
async fn a_ca_file_that_becomes_a_pipe_blocks_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/tls");
    std::fs::copy(data.join("ca.pem"), &ca).unwrap();
    let config = CONFIG
        .replace("DEAD", &free_port().to_string())
        .replace("CA", ca.to_str().unwrap());
    let mut pair = Pair::start(SCENARIO, &config).await;
    let errors = |now: &[crate::harness::Sample]| {
        let name = "rolling_upgrade_exporter_alerts_errors_total";
        select(now, name, &[])
            .iter()
            .map(|sample| sample.value)
            .sum::<f64>()
    };
    let now = pair
        .until("a post that fails", |now| errors(now) > 0.5)
        .await;
    let before = errors(&now);

    let pipe = folder.path().join("pipe");
    let made = Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    std::fs::rename(pipe, &ca).unwrap();
    let healthy = format!("{}/-/healthy", pair.url);
    // Each post reads the file again, since the one before it failed.
    eventually(Duration::from_secs(60), "posts without a CA", || async {
        let begun = Instant::now();
        let health = get(&healthy).await;
        assert!(health.is_ok(), "{health:?}\n{}", pair.exporter.output());
        assert!(begun.elapsed() < Duration::from_secs(2));
        let now = errors(&pair.samples().await);
        if now > before + 2.5 {
            Ok(())
        } else {
            Err(format!("{now}\n{}", pair.exporter.output()))
        }
    })
    .await;

    let (code, took) = pair.exporter.terminate().await;
    assert_eq!(code, Some(0), "{}", pair.exporter.output());
    assert!(took < END, "{took:?}");
}
