//! How a watch ends, by the reports of an exporter that says what a test lets it say.

use std::io::pipe;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::process::Command;

use super::status;
use crate::harness::{PROGRAM, Process, eventually, start_simulator};

/// One cluster that is polled every 10 s, so many seconds after the first report.
fn report(seconds: i64, upgrade: Option<&str>) -> Value {
    let fleet = include_str!("../../data/status/fleet.json");
    let mut report: Value = serde_json::from_str(fleet).unwrap();
    let at = |seconds| jiff::Timestamp::from_second(1_800_000_000 + seconds).unwrap();
    report["generated"] = json!(at(seconds));
    report["products"] = json!([]);
    let mut cluster = report["clusters"][0].take();
    cluster["poll_interval_seconds"] = json!(10.0);
    let mut shown = cluster["upgrades"][0].take();
    shown["nodes"] = json!([]);
    cluster["upgrades"] = match upgrade {
        Some(status) => {
            shown["status"] = json!(status);
            shown["status_since"] = json!(at(seconds));
            shown["ended"] = json!((status != "running").then(|| at(seconds)));
            json!([shown])
        }
        None => json!([]),
    };
    report["clusters"] = json!([cluster]);
    report
}

/// Starts an exporter that gives these reports one after the other, and then no answer; returns its
/// `--url`.
pub(super) async fn exporter(reports: Vec<Value>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("--url=http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut reports = reports.into_iter();
        let mut silent = Vec::new();
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                request.push(stream.read_u8().await.unwrap());
            }
            let Some(report) = reports.next() else {
                silent.push(stream);
                continue;
            };
            let body = report.to_string();
            let head = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: application/json";
            let answer = format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    url
}

const WATCH: [&str; 2] = ["--watch", "--interval=1s"];

#[tokio::test]
async fn an_upgrade_that_vanishes_did_not_end_well() {
    let url = exporter(vec![
        report(0, Some("running")),
        report(10, None),
        report(39, None),
        report(40, None),
    ])
    .await;
    let folder = tempfile::tempdir().unwrap();
    let told = status(folder.path(), &[&url, WATCH[0], WATCH[1]]).await;
    assert_eq!(told.code, Some(1), "{told:?}");
    let line = "cn-prod cce 商店-前端: upgrade is not shown any more\n";
    assert!(told.out.contains(line), "{}", told.out);
    let why =
        "is not shown any more, and nobody knows how it ended: look into the vendor's console\n";
    assert!(told.err.ends_with(why), "{}", told.err);
}

#[tokio::test]
async fn what_looks_ended_for_a_moment_goes_on() {
    let url = exporter(vec![
        report(0, Some("running")),
        report(10, Some("failed")),
        report(20, Some("running")),
        report(30, None),
        report(40, Some("running")),
        report(50, Some("succeeded")),
    ])
    .await;
    let folder = tempfile::tempdir().unwrap();
    let told = status(folder.path(), &[&url, WATCH[0], WATCH[1]]).await;
    assert_eq!(told.code, Some(0), "{told:?}");
    assert_eq!(told.err, "");
    assert!(told.out.ends_with("no upgrade runs: 1 succeeded\n"));
}

#[tokio::test]
async fn a_signal_ends_a_watch_while_the_exporter_is_silent() {
    let folder = tempfile::tempdir().unwrap();
    for (reports, signal, code) in [
        (vec![report(0, Some("running"))], "TERM", 143),
        (vec![], "INT", 130),
    ] {
        let lines = reports.len();
        let url = exporter(reports).await;
        let args = ["status", &url, WATCH[0], WATCH[1]];
        let mut watch = Process::start(folder.path(), PROGRAM, &args);
        eventually(Duration::from_secs(10), "the first line", || async {
            let out = watch.output();
            let is_there = lines == 0 || out.contains("running");
            is_there.then_some(()).ok_or(out)
        })
        .await;
        // The next read begins within a second, and would last for 30.
        tokio::time::sleep(Duration::from_secs(2)).await;
        watch.signal(signal).await;
        let ended = tokio::time::timeout(Duration::from_secs(5), watch.child.wait()).await;
        let ended = ended.expect("it ends at once").unwrap();
        assert_eq!(ended.code(), Some(code), "{}", watch.output());
    }
}

#[tokio::test]
async fn a_reader_that_is_gone_hides_no_exit_code() {
    let mut dark = report(0, None);
    dark["clusters"][0]["up"] = json!(false);
    for (reports, args, code) in [
        (vec![report(0, Some("failed"))], &[][..], 3),
        (vec![report(0, Some("failed"))], &["--output=json"], 3),
        (vec![dark], &[], 1),
        (vec![report(0, Some("succeeded"))], &[], 0),
        (vec![report(0, Some("succeeded"))], &WATCH, 0),
        (vec![report(0, Some("running"))], &WATCH, 141),
    ] {
        let url = exporter(reports).await;
        let (reader, writer) = pipe().unwrap();
        drop(reader);
        let mut command = Command::new(PROGRAM);
        command.args(["status", &url]).args(args);
        command.stdin(Stdio::null()).stdout(writer);
        let child = command.stderr(Stdio::piped()).kill_on_drop(true).spawn();
        let output = child.unwrap().wait_with_output();
        let output = tokio::time::timeout(Duration::from_secs(20), output).await;
        let output = output.expect("it ends").unwrap();
        assert_eq!(output.status.code(), Some(code), "{args:?} {output:?}");
        assert_eq!(output.stderr, b"");
    }
}

#[tokio::test]
async fn a_start_that_vanishes_did_not_end_well() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = r#"
ncloud: {config_groups: [{number: 170, version: 3.7.1}]}
clusters:
  - {product: cdss, id: "3432149", name: events, versions: [2.8.2, 3.7.1],
     nodes: [{name: b-1, role: broker}], steps: [{name: Upgrade, takes: 1h}]}
"#;
    let (mut simulator, url) = start_simulator(folder.path(), scenario).await;
    let config = format!(
        "polling: {{active_interval: 1s, timeout: 2s, rate_limit: 100}}
accounts:
  - {{name: kr, ncloud: {{access_key: SIMNCLOUDACCESSKEY00, secret_key: sim-ncloud-secret-key, cdss: {{endpoint: '{url}'}}}}}}
"
    );
    std::fs::write(folder.path().join("rolling-upgrade-exporter.yml"), config).unwrap();
    let order = "start cdss --account=kr --cluster=3432149 --to-version=3713006 --config-group=170 --yes --watch";
    let args: Vec<&str> = order.split(' ').collect();
    let mut start = Process::start(folder.path(), PROGRAM, &args);
    eventually(Duration::from_secs(20), "it runs", || async {
        let out = start.output();
        out.contains("events: running").then_some(()).ok_or(out)
    })
    .await;
    // Another one, in which nothing was started: green, on the old version.
    simulator.terminate().await;
    let address = url.strip_prefix("http://").unwrap();
    std::fs::write(folder.path().join("rest.yml"), scenario).unwrap();
    let args = [
        "simulate",
        "--scenario=rest.yml",
        "--listen-address",
        address,
    ];
    let _rest = Process::start(folder.path(), PROGRAM, &args);
    let ended = tokio::time::timeout(Duration::from_secs(90), start.child.wait()).await;
    let ended = ended.expect("it gives up").unwrap();
    let out = start.output();
    assert_eq!(ended.code(), Some(1), "{out}");
    assert!(out.contains("and nobody knows how it ended"), "{out}");
}
