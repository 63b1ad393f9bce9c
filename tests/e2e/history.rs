//! `history`: upgrades that ended, from the running exporter and then from its storage.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::harness::{Pair, eventually, get};
use crate::status::run;

const CONFIG: &str = "polling: {active_interval: 200ms, idle_interval: 1s, timeout: 5s, rate_limit: 100}
accounts:
  - {name: kr, ncloud: {access_key: SIMNCLOUDACCESSKEY00, secret_key: sim-ncloud-secret-key, cdss: {endpoint: ENDPOINT}}}
  - name: cn
    huawei: {region: cn-north-4, project_id: 6204a5bd270343b5885144cf9c8c158d, access_key: SIMHUAWEIACCESSKEY00,
      secret_key: sim-huawei-secret-key, css: {endpoint: ENDPOINT}}
";

/// An upgrade that succeeds, and one that fails.
const SCENARIO: &str = r#"
clusters:
  - {product: cdss, id: "3432149", name: events, versions: [2.8.2, 3.7.1], starts_after: 0s,
     nodes: [{name: b-1, role: broker}, {name: b-2, role: broker}], steps: [{name: Upgrade, takes: 2s}]}
  - {product: css, id: ea244205-d641-45d9-9dcb-ab2236bcd07e, name: logs, versions: ["7.6.2", "7.10.2"], starts_after: 0s,
     nodes: [{name: logs-1, role: ess}, {name: logs-2, role: ess}],
     steps: [{name: Data migration, takes: 1s}, {name: Service start, takes: 1s}], fails: {node: 2, step: 1}}
"#;

const STORAGE: &str = "--storage.path=state";

/// Returns the document without the time at which it was made.
fn document(text: &str) -> Value {
    let mut document: Value = serde_json::from_str(text).unwrap();
    let made = document.as_object_mut().unwrap().remove("generated");
    assert!(made.is_some(), "{text}");
    document
}

/// Returns the files of a folder with their content.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    let file = |entry: fs::DirEntry| {
        let name = entry.file_name().into_string().unwrap();
        (name, fs::read(entry.path()).unwrap())
    };
    entries.map(file).collect()
}

#[tokio::test]
async fn the_history_outlives_the_exporter() {
    let mut pair = Pair::start_with(SCENARIO, CONFIG, &[STORAGE]).await;
    let folder = pair.folder.path().to_owned();
    eventually(Duration::from_secs(60), "both ends", || {
        let url = format!("{}/api/v1/history", pair.url);
        async move {
            let text = get(&url).await?;
            let ended = document(&text)["upgrades"].as_array().map_or(0, Vec::len);
            if ended == 2 { Ok(()) } else { Err(text) }
        }
    })
    .await;
    let url = format!("--url={}", pair.url);
    let history = async |source: &str, args: &[&str]| {
        let history = run(&folder, &[&["history", source], args].concat()).await;
        assert_eq!(
            (history.code, history.err.as_str()),
            (Some(0), ""),
            "{history:?}"
        );
        history.out
    };
    let table = history(&url, &["--nodes"]).await;
    let rows: Vec<&str> = table.lines().take(3).collect();
    assert!(rows[0].starts_with("OUTCOME "), "{table}");
    let row = |outcome: &str| *rows.iter().find(|row| row.starts_with(outcome)).unwrap();
    assert!(row("succeeded ").contains(" events "), "{table}");
    assert!(row("succeeded ").contains(" 2/2 "), "{table}");
    assert!(row("failed ").contains(" 7.6.2 -> 7.10.2 "), "{table}");
    assert!(table.contains("failed     logs-2  ess"), "{table}");
    let json = history(&url, &["--output=json"]).await;

    let locked = run(&folder, &["history", STORAGE]).await;
    assert_eq!((locked.code, locked.out.as_str()), (Some(1), ""));
    assert!(
        locked.err.contains("read its history with --url"),
        "{locked:?}"
    );

    pair.exporter.terminate().await;
    let before = files(&folder.join("state"));
    assert_eq!(history(STORAGE, &["--nodes"]).await, table);
    let stored = history(STORAGE, &["--output=json"]).await;
    assert_eq!(document(&stored), document(&json));
    let failed = history(STORAGE, &["--outcome=failed", "--output=json"]).await;
    let failed = document(&failed);
    assert_eq!(failed["upgrades"][0]["cluster_name"], "logs");
    assert_eq!(failed["upgrades"].as_array().unwrap().len(), 1);
    let newest = history(STORAGE, &["--limit=1"]).await;
    assert!(newest.contains("\n\nAnd 1 older upgrade: "), "{newest}");
    let none = history(STORAGE, &["--account=kr", "--cluster=log*"]).await;
    assert_eq!(none, "No past upgrade matches.\n");
    assert_eq!(files(&folder.join("state")), before, "nothing is written");
}
