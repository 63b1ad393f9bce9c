//! A storage that fails: the exporter goes on from memory, and says so.

#![expect(clippy::float_cmp, reason = "0 and 1 are exact")]

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::harness::start_exporter_with;
use crate::harness::{Pair, Process, Sample, eventually, free_port, get, samples, select};

const CONFIG: &str = "polling: {active_interval: 1s, idle_interval: 1s, timeout: 5s, rate_limit: 100}
accounts: [{name: kr, ncloud: {access_key: SIMNCLOUDACCESSKEY00, secret_key: sim-ncloud-secret-key, cdss: {endpoint: ENDPOINT}}}]
";

const SCENARIO: &str = "clusters:\n  - {product: cdss, id: \"3432149\", name: events, versions: [2.8.2, 3.7.1], \
     starts_after: 0s, nodes: [{name: b-1, role: broker}], \
     steps: [{name: Upgrade, takes: 1h}]}\n";

const STORED: &[&str] = &["--storage.path=state"];

/// Returns whether the state is stored; `None` without a storage.
fn is_stored(samples: &[Sample]) -> Option<bool> {
    let up = select(samples, "rolling_upgrade_exporter_storage_up", &[]);
    up.first().map(|sample| sample.value == 1.0)
}

/// Returns whether the upgrade is shown, from a good poll.
fn is_shown(samples: &[Sample]) -> bool {
    let running = [("status", "running")];
    let shown = select(samples, "rolling_upgrade_status", &running);
    let up = select(samples, "rolling_upgrade_up", &[]);
    shown.iter().chain(&up).all(|sample| sample.value == 1.0) && !up.is_empty()
}

/// Starts another exporter with the config of the first, and waits until it shows the upgrade.
async fn another(pair: &Pair, flags: &[&str]) -> (Process, Vec<Sample>) {
    let port = free_port();
    let config = fs::read_to_string(&pair.config).unwrap();
    let exporter = start_exporter_with(pair.folder.path(), port, &config, flags);
    let url = format!("http://127.0.0.1:{port}/metrics");
    let shown = eventually(Duration::from_secs(30), "the upgrade", || async {
        let now = samples(&get(&url).await?);
        if is_shown(&now) {
            Ok(now)
        } else {
            Err(exporter.output())
        }
    })
    .await;
    (exporter, shown)
}

/// Counts the errors in a log.
fn errors(exporter: &Process) -> usize {
    let log = exporter.output();
    log.lines().filter(|line| line.contains("ERROR")).count()
}

#[tokio::test]
async fn a_second_exporter_on_one_storage_goes_on_from_memory() {
    let pair = Pair::start_with(SCENARIO, CONFIG, STORED).await;
    let first = pair.until("the upgrade", is_shown).await;
    assert_eq!(is_stored(&first), Some(true));
    let (second, shown) = another(&pair, STORED).await;
    assert_eq!(is_stored(&shown), Some(false));
    assert_eq!(errors(&second), 1, "{}", second.output());
    assert_eq!(is_stored(&pair.samples().await), Some(true));
    // Without a storage there is nothing to tell.
    let (third, shown) = another(&pair, &[]).await;
    assert_eq!(is_stored(&shown), None);
    assert!(third.output().contains("The state is kept in memory"));
}

/// Returns the names of the files in a folder.
fn files(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.collect()
}

#[tokio::test]
async fn a_corrupt_storage_is_set_aside_and_begins_anew() {
    let mut pair = Pair::start_with(SCENARIO, CONFIG, STORED).await;
    pair.until("the upgrade", is_shown).await;
    pair.exporter.terminate().await;
    let folder = pair.folder.path().join("state");
    let garbage = "no database ".repeat(1000);
    fs::write(folder.join("state.db"), &garbage).unwrap();
    // What stands in the log would mend it.
    drop(fs::remove_file(folder.join("state.db-wal")));
    let (exporter, shown) = another(&pair, STORED).await;
    assert_eq!(is_stored(&shown), Some(true));
    assert!(
        exporter.output().contains("set aside"),
        "{}",
        exporter.output()
    );
    let aside = files(&folder)
        .into_iter()
        .find(|f| f.starts_with("state.db.corrupt-"));
    let aside = fs::read_to_string(folder.join(aside.unwrap())).unwrap();
    assert_eq!(aside, garbage, "nothing of it is lost");
}

#[tokio::test]
async fn a_storage_that_cannot_be_opened_is_used_once_it_can() {
    let folder = "blocked";
    let pair = Pair::start(SCENARIO, CONFIG).await;
    let path = pair.folder.path().join(folder);
    fs::write(&path, "a file where the folder belongs").unwrap();
    let flag = format!("--storage.path={folder}");
    let port = free_port();
    let config = fs::read_to_string(&pair.config).unwrap();
    let exporter = start_exporter_with(pair.folder.path(), port, &config, &[&flag]);
    let url = format!("http://127.0.0.1:{port}/metrics");
    let until = async |what: &str, stored: bool| {
        eventually(Duration::from_secs(40), what, || async {
            let now = samples(&get(&url).await?);
            if is_shown(&now) && is_stored(&now) == Some(stored) {
                Ok(())
            } else {
                Err(exporter.output())
            }
        })
        .await;
    };
    until("an exporter without its storage", false).await;
    fs::remove_file(&path).unwrap();
    until("the storage", true).await;
    assert_eq!(errors(&exporter), 1, "{}", exporter.output());
    assert!(path.join("state.db").exists());
}
