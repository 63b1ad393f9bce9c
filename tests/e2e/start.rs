//! `start` against the simulator: what it prints, asks, sends and follows, and what it never does twice.

mod terminal;

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;

use crate::harness::{PROGRAM, Process, get, start_simulator};

const SHOP: &str = "b4b9e60f-8aa2-11ee-af09-0255ac10004f";
const BUSY: &str = "b4b9e60f-8aa2-11ee-af09-0255ac100050";
const WEAK: &str = "b4b9e60f-8aa2-11ee-af09-0255ac100051";

const SCENARIO: &str = r#"
ncloud: {config_groups: [{number: 170, version: 3.7.1}, {number: 171, version: 2.8.2}]}
clusters:
  - {product: cdss, id: "3432149", name: events, versions: [2.8.2, 3.7.1], nodes: [{name: b-1, role: broker}, {name: b-2, role: broker}], steps: [{name: Upgrade, takes: 2s}]}
  - {product: cdss, id: "3432150", name: "no", versions: [2.8.2, 3.7.1], nodes: [{name: b-1, role: broker}], steps: [{name: Upgrade, takes: 2s}]}
  - {product: cce, id: b4b9e60f-8aa2-11ee-af09-0255ac10004f, name: shop, versions: [v1.27.3-r0, v1.28.3-r0], nodes: [{name: n-1, role: node}, {name: n-2, role: node}], steps: [{name: Upgrade, takes: 2s}]}
  - {product: cce, id: b4b9e60f-8aa2-11ee-af09-0255ac100050, name: busy, versions: [v1.27.3-r0, v1.28.3-r0], starts_after: 0s, nodes: [{name: n-1, role: node}], steps: [{name: Upgrade, takes: 1h}]}
  - {product: cce, id: b4b9e60f-8aa2-11ee-af09-0255ac100051, name: weak, versions: [v1.27.3-r0, v1.28.3-r0], nodes: [{name: n-1, role: node}], steps: [{name: Upgrade, takes: 1s}], fails: {node: 1, step: 1}}
"#;

/// What no output may hold; the access keys neither, in a request that is only shown.
const SECRETS: &[&str] = &[
    "sim-ncloud-secret-key",
    "sim-huawei-secret-key",
    "sim-password",
];
const KEYS: &[&str] = &["SIMNCLOUDACCESSKEY00", "SIMHUAWEIACCESSKEY00", "ignature"];

/// To 3.7.1, with a config group of that version.
const EVENTS: &[&str] = &[
    "start",
    "cdss",
    "--account=kr",
    "--cluster=3432149",
    "--to-version=3713006",
    "--config-group=170",
];

fn cce<'a>(cluster: &'a str, to: &'a str) -> Vec<&'a str> {
    vec![
        "start",
        "cce",
        "--account=cn",
        "--cluster",
        cluster,
        "--to-version",
        to,
    ]
}

fn with<'a>(args: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [args, more].concat()
}

struct Stage {
    folder: tempfile::TempDir,
    url: String,
    simulator: Process,
}

/// What a command printed and how it ended.
#[derive(Debug)]
struct Told {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Told {
    fn says(&self, part: &str) {
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let all = words(&format!("{} {}", self.out, self.err));
        assert!(all.contains(&words(part)), "{part} is not in {self:?}");
    }
}

impl Stage {
    async fn set(faults: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let scenario = format!("{SCENARIO}{faults}");
        let (simulator, url) = start_simulator(folder.path(), &scenario).await;
        let config = format!(
            "polling: {{active_interval: 1s, idle_interval: 1s, timeout: 5s, rate_limit: 100}}
accounts:
  - {{name: kr, ncloud: {{access_key: SIMNCLOUDACCESSKEY00, secret_key: sim-ncloud-secret-key, cdss: {{endpoint: '{url}'}}}}}}
  - {{name: cn, huawei: {{region: cn-north-4, project_id: 6204a5bd270343b5885144cf9c8c158d, access_key: SIMHUAWEIACCESSKEY00, secret_key: sim-huawei-secret-key, cce: {{endpoint: '{url}', clusters: [{SHOP}]}}}}}}
  - {{name: tk, huawei: {{region: cn-north-4, project_id: 6204a5bd270343b5885144cf9c8c158d, token: {{iam_endpoint: '{url}', domain: sim-domain, user: sim-user, password: sim-password}}, cce: {{endpoint: '{url}'}}}}}}
"
        );
        std::fs::write(folder.path().join("rolling-upgrade-exporter.yml"), config).unwrap();
        Self {
            folder,
            url,
            simulator,
        }
    }

    fn folder(&self) -> &Path {
        self.folder.path()
    }

    async fn run(&self, args: &[&str]) -> Told {
        self.wait(Command::new(PROGRAM).args(args), None).await
    }

    /// Waits for its end; types the first text at once and the second after the question.
    async fn wait(&self, command: &mut Command, texts: Option<(&str, &str)>) -> Told {
        let mut child = command
            .current_dir(self.folder())
            .stdin(if texts.is_some() {
                Stdio::piped()
            } else {
                Stdio::null()
            })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut input = child.stdin.take();
        let mut asked = Vec::new();
        let output = tokio::time::timeout(Duration::from_secs(60), async {
            if let (Some(input), Some((early, answer))) = (&mut input, texts) {
                input.write_all(early.as_bytes()).await.unwrap();
                let out = child.stdout.as_mut().unwrap();
                while !asked.ends_with(b"stops here: ") {
                    asked.push(out.read_u8().await.unwrap());
                }
                input.write_all(answer.as_bytes()).await.unwrap();
            }
            child.wait_with_output().await
        });
        let output = output.await.expect("it ends").unwrap();
        drop(input);
        asked.extend(output.stdout);
        let told = Told {
            code: output.status.code(),
            out: String::from_utf8(asked).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        };
        for secret in SECRETS {
            assert!(
                !told.out.contains(secret) && !told.err.contains(secret),
                "{told:?}"
            );
        }
        told
    }

    /// How many requests came to the simulator in all, and how many that start an upgrade.
    async fn seen(&self) -> (u64, u64) {
        let seen = get(&format!("{}/-/seen", self.url)).await.unwrap();
        let seen: serde_json::Value = serde_json::from_str(&seen).unwrap();
        assert_eq!(
            seen["refused"],
            serde_json::json!([]),
            "{}",
            self.simulator.output()
        );
        let calls = seen["calls"].as_object().unwrap();
        let starts = |(call, count): (&String, &serde_json::Value)| {
            let is_start = ["/cluster/rollingUpgrade", "/operation/upgrade"]
                .iter()
                .any(|path| call.starts_with("POST ") && call.ends_with(path));
            is_start.then(|| count.as_u64().unwrap())
        };
        let started = calls.iter().filter_map(starts).sum();
        (seen["requests"].as_u64().unwrap(), started)
    }
}

#[tokio::test]
async fn a_dry_run_prints_the_request_and_sends_nothing() {
    let stage = Stage::set("").await;
    let told = stage.run(&with(EVENTS, &["--dry-run"])).await;
    let url = &stage.url;
    assert_eq!(told.code, Some(0), "{told:?}");
    assert_eq!(
        told.out,
        format!(
            "POST {url}/api/v1/cluster/rollingUpgrade\ncontent-type: application/json\n\n{{\n  \"serviceGroupInstanceNo\": 3432149,\n  \"upgradeKafkaVersionCode\": 3713006,\n  \"upgradeConfigGroupNo\": 170\n}}\n"
        )
    );
    assert_eq!(
        told.err,
        "\nThis is what would be sent. Nothing was sent.\n"
    );
    let spec = "nodePoolOrder: {DefaultPool: 3}\nstrategy: {type: inPlaceRollingUpdate, inPlaceRollingUpdate: {userDefinedStep: 9}}\n";
    std::fs::write(stage.folder().join("up.yml"), spec).unwrap();
    let more = ["--spec=up.yml", "--step=5", "--dry-run"];
    let told = stage.run(&with(&cce(SHOP, "v1.28"), &more)).await;
    assert_eq!(told.code, Some(0), "{told:?}");
    let line = format!(
        "POST {url}/api/v3/projects/6204a5bd270343b5885144cf9c8c158d/clusters/{SHOP}/operation/upgrade\n"
    );
    assert!(told.out.starts_with(&line), "{told:?}");
    let body = told.out.split_once("\n\n").unwrap().1;
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    let action = &body["spec"]["clusterUpgradeAction"];
    assert_eq!(action["nodePoolOrder"]["DefaultPool"], 3);
    assert_eq!(
        action["strategy"]["inPlaceRollingUpdate"]["userDefinedStep"],
        5
    );
    for word in KEYS {
        assert!(
            !told.out.contains(word) && !told.err.contains(word),
            "{told:?}"
        );
    }
    assert_eq!(stage.seen().await, (0, 0));
}

#[tokio::test]
async fn what_is_wrong_is_told_before_anything_is_sent() {
    let stage = Stage::set("").await;
    std::fs::write(
        stage.folder().join("bad.yml"),
        "addon: []\nnodePoolOrder: {DefaultPool: -1}\n",
    )
    .unwrap();
    let spec = with(&cce(SHOP, "v1.28"), &["--spec=bad.yml", "--yes"]);
    let version = cce(SHOP, "1.28");
    let step = with(&cce(SHOP, "v1.28"), &["--step=121", "--yes"]);
    let both = with(EVENTS, &["--dry-run", "--yes"]);
    let mut account: Vec<&str> = EVENTS.to_vec();
    account[2] = "--account=us";
    let mut product: Vec<&str> = EVENTS.to_vec();
    product[2] = "--account=cn";
    let mut words: Vec<&str> = EVENTS.to_vec();
    words[4] = "--to-version=3.7.1";
    for (args, part) in [
        (
            EVENTS,
            "there is no terminal to ask on whether to send it: look at it with --dry-run, then add --yes",
        ),
        (
            &spec,
            "bad.yml:1:1: unknown key \"addon\": did you mean addons?",
        ),
        (
            &spec,
            "bad.yml:2:30: the order of DefaultPool must be a whole number",
        ),
        (&version, "--to-version must be a version as CCE writes it"),
        (&step, "--step must be a whole number from 1 to 120"),
        (&both, "cannot be used with"),
        (
            &account,
            "the config has no account \"us\": it has kr, cn, tk",
        ),
        (
            &product,
            "account \"cn\" has no cdss: add `cdss: {}` to it, if it is an account of ncloud",
        ),
        (
            &words,
            "--to-version must be a whole number, the code that getCDSSVersionList gives",
        ),
    ] {
        let told = stage.run(args).await;
        assert_eq!(told.code, Some(2), "{told:?}");
        told.says(part);
    }
    assert_eq!(stage.seen().await, (0, 0));
}

#[tokio::test]
async fn a_refusal_is_shown_with_the_vendors_code_text_and_request() {
    let stage = Stage::set("").await;
    let mut lower: Vec<&str> = EVENTS.to_vec();
    lower[4] = "--to-version=2823006";
    lower[5] = "--config-group=171";
    let told = stage.run(&with(&lower, &["--yes", "--watch"])).await;
    assert_eq!(told.code, Some(1), "{told:?}");
    told.says("the vendor refused, and nothing was started: rollingUpgrade:");
    told.says("업데이트된 Kafka 버전은 현재 클러스터 버전보다 이후여야 합니다.");
    told.says("(HTTP 200, code 10153, request 00000000-0000-4000-8000-");
    let mut group: Vec<&str> = EVENTS.to_vec();
    group[5] = "--config-group=171";
    let told = stage.run(&with(&group, &["--yes"])).await;
    told.says("code 10152");
    let told = stage.run(&with(&cce(SHOP, "v1.31"), &["--yes"])).await;
    assert_eq!(told.code, Some(1), "{told:?}");
    told.says("target version v1.31 is not supported (HTTP 400, code CCE_CM.0004, CCE.01400001)");
    assert_eq!(stage.seen().await.1, 3, "each was sent once");
}

#[tokio::test]
async fn a_key_that_may_not_start_is_told_what_it_needs() {
    let faults = "faults:
  - {path: /cluster/rollingUpgrade$, answer: forbidden}
  - {path: /operation/upgrade$, answer: forbidden}
";
    let stage = Stage::set(faults).await;
    let told = stage.run(&with(EVENTS, &["--yes"])).await;
    assert_eq!(told.code, Some(1), "{told:?}");
    told.says("Starting needs a policy that may change clusters");
    let told = stage.run(&with(&cce(SHOP, "v1.28"), &["--yes"])).await;
    assert_eq!(told.code, Some(1), "{told:?}");
    told.says("Starting needs cce:cluster:upgrade");
    assert_eq!(stage.seen().await.1, 2);
}

#[tokio::test]
async fn what_runs_is_not_started_again() {
    let stage = Stage::set("").await;
    // The config does not watch this one: it can be started, and so it is looked at.
    let told = stage.run(&with(&cce(BUSY, "v1.28"), &["--yes"])).await;
    assert_eq!(told.code, Some(1), "{told:?}");
    told.says(&format!("nothing was sent: an upgrade of busy (cce {BUSY}) is running already, from v1.27.3-r0 to v1.28.3-r0, 0 of 1 nodes done"));
    assert_eq!(stage.seen().await.1, 0);
}

#[tokio::test]
async fn an_unknown_outcome_is_told_and_never_sent_again() {
    let faults = "faults:
  - {path: /cluster/rollingUpgrade$, answer: lost}
  - {path: /operation/upgrade$, answer: server_error}
";
    let stage = Stage::set(faults).await;
    let told = stage.run(&with(EVENTS, &["--yes", "--watch"])).await;
    assert_eq!(told.code, Some(1), "{told:?}");
    told.says("nobody knows whether the upgrade of events (cdss 3432149) was started");
    told.says("went out once");
    told.says("status --watch --config.file=rolling-upgrade-exporter.yml --account=kr --product=cdss --cluster=3432149");
    told.says("Cloud Data Streaming Service > Cluster");
    assert_eq!(stage.seen().await.1, 1, "it arrived once");
    // It had arrived.
    let told = stage.run(&with(EVENTS, &["--yes"])).await;
    told.says("nothing was sent:");
    told.says("already");
    let told = stage.run(&with(&cce(SHOP, "v1.28"), &["--yes"])).await;
    assert_eq!(told.code, Some(1), "{told:?}");
    told.says("nobody knows whether the upgrade of shop");
    assert_eq!(
        stage.seen().await.1,
        2,
        "a gateway that gave up is not asked again"
    );
}

#[tokio::test]
async fn a_start_is_followed_to_its_end() {
    let stage = Stage::set("").await;
    let told = stage.run(&with(EVENTS, &["--yes", "--watch"])).await;
    assert_eq!(told.code, Some(0), "{told:?}");
    told.says("This starts a rolling upgrade of a cdss cluster");
    told.says("Cluster events (3432149) Now version 2.8.2, running Goes to Kafka version code 3713006, config group 170");
    told.says(
        "The vendor took the request: the upgrade of events (cdss 3432149) begins. (request ",
    );
    told.says("succeeded");
    let told = stage
        .run(&with(&cce(SHOP, "v1.28"), &["--yes", "--watch"]))
        .await;
    assert_eq!(told.code, Some(0), "{told:?}");
    told.says("from v1.27.3-r0, to v1.28.3-r0, platform version cce.10)");
    told.says("begins. (task ");
    told.says("succeeded");
    // Signed by a token, and it fails.
    let mut weak = cce(WEAK, "v1.28.3-r0");
    weak[2] = "--account=tk";
    let told = stage.run(&with(&weak, &["--yes", "--watch"])).await;
    assert_eq!(told.code, Some(3), "{told:?}");
    told.says("failed");
    assert_eq!(stage.seen().await.1, 3);
}

#[tokio::test]
async fn a_signal_while_the_answer_is_awaited_leaves_word() {
    let stage = Stage::set("faults: [{path: /cluster/rollingUpgrade$, answer: hang}]\n").await;
    let child = Command::new(PROGRAM)
        .args(with(EVENTS, &["--yes"]))
        .current_dir(stage.folder())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let sent = async {
        while stage.seen().await.1 == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let limit = Duration::from_secs(30);
    tokio::time::timeout(limit, sent).await.unwrap();
    let id = child.id().unwrap().to_string();
    let killed = Command::new("/bin/sh")
        .args(["-c", "kill -INT \"$0\"", &id])
        .status();
    assert!(killed.await.unwrap().success());
    let ended = tokio::time::timeout(limit, child.wait_with_output()).await;
    let ended = ended.unwrap().unwrap();
    let told = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(130), "{told}");
    for part in ["nobody knows whether", "went out once", "status --watch"] {
        assert!(told.contains(part), "{part}: {told}");
    }
}

#[tokio::test]
async fn nothing_is_sent_when_nobody_can_read_what_will_happen() {
    let stage = Stage::set("").await;
    // Its stderr is a pipe whose reader is gone before the program starts.
    let script = format!(
        "import os, subprocess, sys\nr, w = os.pipe()\nos.close(r)\nsys.exit(subprocess.run({:?}.split(), stderr=w).returncode)",
        format!("{PROGRAM} {} --yes", EVENTS.join(" "))
    );
    let ended = Command::new("python3")
        .args(["-c", &script])
        .current_dir(stage.folder())
        .status();
    assert_eq!(ended.await.unwrap().code(), Some(1));
    assert_eq!(stage.seen().await.1, 0);
}
