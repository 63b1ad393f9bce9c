//! A disk that is full for a while, with a real Prometheus and the shipped rules. A limit of the size of files
//! stands for it, which every user can set: a write fails as on a full disk.

#![expect(clippy::float_cmp, reason = "0 and 1 are exact")]

use std::time::Duration;

use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};
use serde_json::Value;

use super::servers::{Prometheus, rules};
use crate::harness::{Pair, Process, Sample, eventually, get, samples, select};
use crate::restart::{is_node, lasting, start};

const CONFIG: &str = "polling: {active_interval: 1s, idle_interval: 1s, timeout: 5s, rate_limit: 100}
upgrades: {stalled_after: 3s}
accounts: [{name: kr, ncloud: {access_key: SIMNCLOUDACCESSKEY00, secret_key: sim-ncloud-secret-key, cdss: {endpoint: ENDPOINT}}}]
";

const FLAGS: &[&str] = &["--storage.path=state"];

/// Bytes of the largest file: more than the log of the program, less than the record of a cluster.
const SMALL: u64 = 16 << 10;

/// Writes an upgrade of 60 brokers, each in work for 3 s, of which the sixth hangs.
fn scenario() -> String {
    let brokers = (1..=60).map(|number| format!("{{name: b-{number}, role: broker}}"));
    let brokers: Vec<_> = brokers.collect();
    format!(
        "clusters:\n  - {{product: cdss, id: \"3432149\", name: events, versions: [2.8.2, 3.7.1], starts_after: 0s, \
         nodes: [{}], steps: [{{name: Upgrade, takes: 3s}}], hangs: {{node: 6, step: 1, lasts: 1h}}}}\n",
        brokers.join(", ")
    )
}

/// Limits the size of files that a process writes; `None` lifts the limit.
fn limit(process: &Process, bytes: Option<u64>) {
    let id = i32::try_from(process.child.id().unwrap()).unwrap();
    let own = getrlimit(Resource::Fsize);
    let limit = Rlimit {
        current: bytes.or(own.current),
        maximum: own.maximum,
    };
    prlimit(Pid::from_raw(id), Resource::Fsize, limit).unwrap();
}

fn is_stored(samples: &[Sample], stored: bool) -> bool {
    let up = select(samples, "rolling_upgrade_exporter_storage_up", &[]);
    up.len() == 1 && up[0].value == f64::from(u8::from(stored))
}

fn is_stalled(samples: &[Sample]) -> bool {
    let stalled = select(samples, "rolling_upgrade_stalled", &[]);
    is_node(samples, "b-5", "succeeded") && stalled.iter().all(|one| one.value == 1.0)
}

/// Waits until the alert fires in Prometheus, or does not any more.
async fn fires(prometheus: &Prometheus, fires: bool) {
    let query = "ALERTS%7Balertname=%22RollingUpgradeStorageFailing%22,alertstate=%22firing%22%7D";
    let url = format!("{}/api/v1/query?query={query}", prometheus.url);
    eventually(Duration::from_secs(30), "the alert", || async {
        let answer: Value = serde_json::from_str(&get(&url).await?).unwrap();
        let result = answer["data"]["result"].as_array().unwrap();
        if result.is_empty() == fires {
            Err(answer.to_string())
        } else {
            Ok(())
        }
    })
    .await;
}

fn errors(log: &str) -> Vec<&str> {
    log.lines().filter(|line| line.contains("ERROR")).collect()
}

#[tokio::test]
async fn a_full_disk_is_said_once_and_made_up_for_when_it_has_space() {
    let mut pair = Pair::start_with(&scenario(), CONFIG, FLAGS).await;
    let begun = |now: &[Sample]| is_node(now, "b-2", "succeeded") && is_stored(now, true);
    let before = pair.until("an upgrade that is stored", begun).await;
    limit(&pair.exporter, Some(SMALL));
    let full = pair.until("a full disk", |now| is_stored(now, false)).await;
    for samples in [&before, &full] {
        assert!(!is_node(samples, "b-5", "succeeded"), "too late");
    }

    // It goes on from memory.
    let stalled = |now: &[Sample]| is_stalled(now) && is_stored(now, false);
    pair.until("a stall", stalled).await;
    let target = pair.url.clone();
    let shorter = rules(&[("for: 5m\n", "for: 2s\n")]);
    let folder = pair.folder.path().to_owned();
    let prometheus = Prometheus::start(&folder, &shorter, "{}", &[&target], &[], &[]).await;
    fires(&prometheus, true).await;
    let page = get(&pair.url).await.unwrap();
    assert!(page.contains("events"), "{page}");
    let log = pair.exporter.output();
    let said = errors(&log);
    assert_eq!(said.len(), 1, "{log}");
    assert!(said[0].contains("The state cannot be stored"), "{log}");

    // What was missed is written.
    limit(&pair.exporter, None);
    let stored = pair.until("space", |now| is_stored(now, true)).await;
    assert!(is_stalled(&stored));
    let stored = lasting(&stored);
    fires(&prometheus, false).await;
    assert!(
        pair.exporter
            .output()
            .contains("The state is stored again.")
    );
    pair.exporter.signal("KILL").await;
    pair.exporter.child.wait().await.unwrap();
    start(&mut pair, FLAGS);
    let url = format!("{}/metrics", pair.url);
    let first = eventually(Duration::from_secs(30), "an answer", || get(&url)).await;
    assert_eq!(lasting(&samples(&first)), stored);
    let log = pair.exporter.output();
    assert!(errors(&log).is_empty(), "{log}");
    let files = folder.join("state").read_dir().unwrap();
    let mut names: Vec<_> = files.map(|file| file.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["state.db", "state.db-wal"], "nothing was set aside");
}
