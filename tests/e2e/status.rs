//! `status` against the simulator: what it prints, and how it ends.

mod degraded;
mod newer;
mod terminal;
mod watch;

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use rolling_upgrade_exporter::cloud::products;
use rolling_upgrade_exporter::clouds::CLOUDS;
use tokio::process::Command;

use crate::harness::{PROGRAM, Pair, Process, eventually, free_port, get, start_simulator};

/// One of each product; all have moved within a few seconds.
const SCENARIO: &str = r#"
clusters:
  - {product: ses, id: "3427188", name: search, versions: ["270", "290"], starts_after: 0s,
     nodes: [{name: d-1, role: D}, {name: m-1, role: M}], steps: [{name: Upgrade_OpenSearch, takes: 3s}]}
  - {product: ses, id: "3427189", name: quiet, versions: ["290"], nodes: [{name: q-1, role: D}]}
  - {product: css, id: ea244205-d641-45d9-9dcb-ab2236bcd07e, name: logs, versions: ["7.6.2", "7.10.2"], starts_after: 0s,
     nodes: [{name: logs-1, role: ess}, {name: logs-2, role: ess}],
     steps: [{name: Data migration, takes: 1s}, {name: Service start, takes: 1s}], fails: {node: 2, step: 1}}
  - {product: cce, id: b4b9e60f-8aa2-11ee-af09-0255ac10004f, name: 商店, versions: [v1.25, v1.27], starts_after: 0s,
     nodes: [{name: node-1, role: node}], steps: [{name: Upgrade, takes: 1h}], hangs: {node: 1, step: 1, lasts: 2h}}
"#;

/// A cluster more, whose vendor tells when its node last moved.
const STUCK: &str = r#"
  - {product: ses, id: "3427190", name: 검색, versions: ["270", "290"], starts_after: 0s,
     nodes: [{name: s-1, role: D}], steps: [{name: Upgrade_OpenSearch, takes: 1h}], hangs: {node: 1, step: 1, lasts: 2h}}
"#;

fn config(url: &str) -> String {
    format!(
        r#"
polling: {{active_interval: 200ms, idle_interval: 1s, timeout: 2s, rate_limit: 100}}
upgrades: {{stalled_after: 2s}}
accounts:
  - name: kr
    ncloud: {{access_key: SIMNCLOUDACCESSKEY00, secret_key: sim-ncloud-secret-key, ses: {{endpoint: "{url}"}}}}
  - name: cn
    huawei: {{region: cn-north-4, project_id: 6204a5bd270343b5885144cf9c8c158d, access_key: SIMHUAWEIACCESSKEY00,
      secret_key: sim-huawei-secret-key, css: {{endpoint: "{url}"}}, cce: {{endpoint: "{url}"}}}}
"#
    )
}

/// What it printed and how it ended.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Told {
    /// The table's row of this cluster, with single spaces.
    fn row(&self, cluster: &str) -> String {
        let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut rows = self.out.lines().map(words);
        let has = |row: &String| row.split(' ').nth(1) == Some(cluster);
        rows.find(has)
            .unwrap_or_else(|| panic!("no row of {cluster}: {self:?}"))
    }
}

async fn status(folder: &Path, args: &[&str]) -> Told {
    run(folder, &[&["status"], args].concat()).await
}

/// Runs the program in a folder until it ends.
pub(crate) async fn run(folder: &Path, args: &[&str]) -> Told {
    let output = Command::new(PROGRAM)
        .args(args)
        .current_dir(folder)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(Duration::from_secs(60), output).await;
    let output = output.expect("it ends").unwrap();
    Told {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A simulator, and a config for it in `c.yml`.
async fn start(folder: &Path, scenario: &str) -> (Process, String) {
    let (simulator, url) = start_simulator(folder, scenario).await;
    std::fs::write(folder.join("c.yml"), config(&url)).unwrap();
    (simulator, url)
}

const CONFIG: &str = "--config.file=c.yml";

#[tokio::test]
async fn the_table_shows_what_the_clouds_do_and_the_exit_code_says_it() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = format!("{}{STUCK}", SCENARIO.trim_end());
    let (_simulator, _) = start(folder.path(), &scenario).await;
    let told = eventually(Duration::from_secs(30), "the failure", || async {
        let told = status(folder.path(), &[CONFIG]).await;
        let is_there = told.out.starts_with("STATE ") && told.out.contains("failed  ");
        let is_done = told.out.contains("succeeded  search ");
        if is_there && is_done {
            Ok(told)
        } else {
            Err(format!("{told:?}"))
        }
    })
    .await;
    assert_eq!(
        (told.code, told.err.as_str()),
        (Some(3), ""),
        "{}",
        told.out
    );
    let failed = told.row("logs");
    assert!(failed.starts_with("failed logs css cn 50% 1/2"), "{failed}");
    assert_eq!(told.row("quiet").split(' ').next(), Some("none"));
    assert!(told.row("검색").starts_with("stalled 검색 ses kr"));
    // Of CCE's nodes no times are told, so that a single poll sees no silence.
    assert!(told.row("商店").starts_with("running 商店 cce cn"));
    let order = ["failed ", "stalled ", "succeeded ", "none "];
    let places = order.map(|word| told.out.find(&format!("\n{word}")));
    assert!(places.is_sorted(), "{places:?} {}", told.out);
    assert!(told.out.contains("failed     logs-2  ess"), "{}", told.out);
    assert!(!told.out.contains('\u{1b}'), "no colours in a pipe");

    let told = status(folder.path(), &[CONFIG, "--cluster", "quiet"]).await;
    assert_eq!(told.code, Some(0), "{told:?}");
    let told = status(folder.path(), &[CONFIG, "--cluster", "검*", "--summary"]).await;
    assert_eq!(told.code, Some(3), "stalled: {told:?}");
    assert!(!told.out.contains("NODE "), "{}", told.out);
}

#[tokio::test]
async fn only_what_is_wanted_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let (_simulator, url) = start(folder.path(), SCENARIO).await;
    let requests = || async {
        let seen = get(&format!("{url}/-/seen")).await.unwrap();
        let seen: serde_json::Value = serde_json::from_str(&seen).unwrap();
        seen["requests"].as_u64().unwrap()
    };
    let before = requests().await;
    let told = status(folder.path(), &[CONFIG, "--account=kr", "--cluster=quiet"]).await;
    assert_eq!(told.code, Some(0), "{told:?}");
    let narrow = requests().await - before;
    // The lists, of which there are two, and the progress of one cluster.
    assert!(narrow <= 3, "{narrow} requests");
}

#[tokio::test]
async fn what_cannot_be_asked_is_an_error_that_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let faults =
        "faults: [{path: getRollingUpgradeProgress, from: 0s, lasts: 1h, answer: forbidden}]";
    let (_simulator, url) = start(folder.path(), &format!("{SCENARIO}{faults}")).await;
    let told = status(folder.path(), &[CONFIG, "--product=ses"]).await;
    assert_eq!(told.code, Some(1), "{told:?}");
    assert!(told.out.contains("no answer  search"), "{}", told.out);
    assert!(told.out.contains("permission: "), "{}", told.out);

    let wrong = config(&url).replace("sim-huawei-secret-key", "wrong-secret");
    std::fs::write(folder.path().join("c.yml"), wrong).unwrap();
    let told = status(folder.path(), &[CONFIG, "--product=css"]).await;
    assert_eq!(told.code, Some(1), "{told:?}");
    assert!(
        told.out.contains("cannot be listed: auth: "),
        "{}",
        told.out
    );
    assert!(!told.out.contains("wrong-secret"), "{}", told.out);
}

#[tokio::test]
async fn wrong_usage_is_told_as_such() {
    let folder = tempfile::tempdir().unwrap();
    let (_simulator, _) = start(folder.path(), SCENARIO).await;
    let names: Vec<&str> = products(CLOUDS)
        .map(|product| product.info().name)
        .collect();
    let possible = format!("possible values: {}", names.join(", "));
    for (args, part) in [
        (&[CONFIG, "--account=nope"][..], "no account"),
        (&[CONFIG, "--product=nope"], &*possible),
        (&[CONFIG, "--product=cdss"], "watches cdss"),
        (&["--config.file=none.yml"], "none.yml"),
        (&[CONFIG, "--interval=5s"], "--watch"),
        (&[CONFIG, "--watch", "--interval=5M"], "from 1s to 1d"),
    ] {
        let told = status(folder.path(), args).await;
        assert_eq!(told.code, Some(2), "{args:?} {told:?}");
        assert!(told.err.contains(part), "{args:?} {}", told.err);
    }
    let told = status(folder.path(), &[CONFIG, "--cluster=nope"]).await;
    assert_eq!((told.code, told.out.as_str()), (Some(1), ""));
    assert!(
        told.err.contains("no cluster is called nope"),
        "{}",
        told.err
    );
}

#[tokio::test]
async fn json_is_the_document_of_the_api() {
    let folder = tempfile::tempdir().unwrap();
    let (_simulator, _) = start(folder.path(), SCENARIO).await;
    let told = status(folder.path(), &[CONFIG, "--output=json", "--product=ses"]).await;
    let report: serde_json::Value = serde_json::from_str(&told.out).unwrap();
    assert_eq!(report["api_version"], "v1");
    assert_eq!(report["ready"], true);
    let names = report["clusters"].as_array().unwrap();
    let names: Vec<_> = names.iter().map(|c| c["cluster_name"].as_str()).collect();
    assert_eq!(names, [Some("search"), Some("quiet")]);
}

#[tokio::test]
async fn a_watch_in_a_pipe_tells_each_change_until_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let faults =
        "faults: [{path: getRollingUpgradeProgress, from: 3s, lasts: 1s, answer: server_error}]";
    let (_simulator, _) = start(folder.path(), &format!("{SCENARIO}{faults}")).await;
    let told = status(folder.path(), &[CONFIG, "--watch", "--account=kr"]).await;
    assert_eq!(
        (told.code, told.err.as_str()),
        (Some(0), ""),
        "{}",
        told.out
    );
    let order = [
        "kr ses search: running, 0%, OpenSearch 2.7.0 -> 2.9.0 (270 -> 290)",
        "kr ses search: data node d-1: succeeded (complete)",
        "kr ses search: manager node m-1: upgrading (Upgrade_OpenSearch)",
        "kr ses search: succeeded, 100%, OpenSearch 2.7.0 -> 2.9.0 (270 -> 290), after ",
        "no upgrade runs: 1 succeeded",
    ];
    let places = order.map(|part| told.out.find(part));
    assert!(
        places.iter().all(Option::is_some),
        "{places:?} {}",
        told.out
    );
    assert!(places.is_sorted(), "{places:?} {}", told.out);
    assert!(
        told.out.lines().all(|line| line.starts_with("20")),
        "{}",
        told.out
    );

    let told = status(
        folder.path(),
        &[CONFIG, "--watch", "--product=css", "--output=json"],
    )
    .await;
    assert_eq!(told.code, Some(3), "{told:?}");
    let mut documents = told.out.lines().map(|line| {
        let document: serde_json::Value = serde_json::from_str(line).unwrap();
        document["clusters"][0]["upgrades"][0]["status"].clone()
    });
    assert_eq!(documents.next_back().unwrap(), "failed");
}

#[tokio::test]
async fn ctrl_c_ends_a_watch() {
    let folder = tempfile::tempdir().unwrap();
    let (_simulator, _) = start(folder.path(), SCENARIO).await;
    let args = ["status", CONFIG, "--watch", "--product=cce"];
    let mut watch = Process::start(folder.path(), PROGRAM, &args);
    eventually(Duration::from_secs(30), "the first line", || async {
        let out = watch.output();
        if out.contains("running") {
            Ok(())
        } else {
            Err(out)
        }
    })
    .await;
    let pid = watch.child.id().unwrap().to_string();
    let sent = Command::new("kill").args(["-INT", &pid]).status().await;
    assert!(sent.unwrap().success());
    let ended = tokio::time::timeout(Duration::from_secs(5), watch.child.wait()).await;
    assert_eq!(
        ended.expect("it ends").unwrap().code(),
        Some(130),
        "{}",
        watch.output()
    );
}

#[tokio::test]
async fn a_running_exporter_is_read_without_a_config() {
    let pair = Pair::start(SCENARIO, &config("ENDPOINT")).await;
    let folder = tempfile::tempdir().unwrap();
    let url = format!("--url={}/", pair.url);
    let args = [&url, "--watch", "--interval=1s", "--account=kr"];
    let told = status(folder.path(), &args).await;
    assert_eq!(
        (told.code, told.err.as_str()),
        (Some(0), ""),
        "{}",
        told.out
    );
    let end = "no upgrade runs: 1 succeeded\n";
    assert!(told.out.ends_with(end), "{}", told.out);

    let told = status(folder.path(), &[&url, "--summary"]).await;
    assert_eq!(told.code, Some(3), "{told:?}");
    assert!(told.row("logs").starts_with("failed logs css cn 50% 1/2"));
    assert!(told.row("商店").starts_with("stalled 商店 cce cn"));

    let told = status(folder.path(), &[&url, "--output=json"]).await;
    let own: serde_json::Value = serde_json::from_str(&told.out).unwrap();
    let api = get(&format!("{}/api/v1/upgrades", pair.url)).await.unwrap();
    let api: serde_json::Value = serde_json::from_str(&api).unwrap();
    assert_eq!(own["clusters"].as_array().unwrap().len(), 4);
    assert_eq!(own["products"][0]["account"], api["products"][0]["account"]);

    let told = status(folder.path(), &[&url, "--cluster=nope"]).await;
    assert_eq!(told.code, Some(1), "{told:?}");
    let told = status(folder.path(), &[&format!("{url}no/such/prefix")]).await;
    assert_eq!(told.code, Some(1), "{told:?}");
    assert!(told.err.contains("has no /api/v1/upgrades"), "{}", told.err);
}

#[tokio::test]
async fn an_exporter_that_cannot_be_read_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let gone = format!("--url=http://127.0.0.1:{}", free_port());
    let told = status(folder.path(), &[&gone, "--watch"]).await;
    assert_eq!(told.code, Some(1), "{told:?}");
    assert!(told.err.contains("cannot be reached"), "{}", told.err);
    for (args, part) in [
        (
            &["--url=http://admin:hunter2@127.0.0.1:1"][..],
            "--password-file",
        ),
        (
            &[gone.as_str(), "--config.file=c.yml"],
            "cannot be used with",
        ),
        (&[&gone, "--username=x"], "--password-file"),
        (
            &[&gone, "--username=x", "--password-file=none"],
            "cannot use the file of --password-file: No such file",
        ),
        (&[&gone, "--ca-file=none.pem"], "none.pem"),
        (&["--ca-file=none.pem"], "--url"),
    ] {
        let told = status(folder.path(), args).await;
        assert_eq!(told.code, Some(2), "{args:?} {told:?}");
        assert!(told.err.contains(part), "{args:?} {}", told.err);
        assert!(!told.err.contains("hunter2"), "{}", told.err);
    }
}
