//! Foreign text in every output: each text and number that a vendor's answers hold, and each of their
//! refusals, once with characters that forge lines, fields and directions of reading.

mod forms;
mod proxy;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rolling_upgrade_exporter::text::is_unprintable;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::harness::{PROGRAM, eventually, free_port, get, start_exporter_with, start_simulator};
use proxy::Change;

const SCENARIO: &str = r#"
clusters:
  - {product: ses, id: "3427188", name: search, versions: ["270", "290"], starts_after: 0s,
     nodes: [{name: d-1, role: D}, {name: m-1, role: M}], steps: [{name: Upgrade_OpenSearch, takes: 1h}]}
  - {product: cdss, id: "3432149", name: events, versions: [2.8.2, 3.7.1], starts_after: 0s,
     nodes: [{name: b-1, role: broker}, {name: z-1, role: zookeeper}], steps: [{name: Upgrade, takes: 1h}]}
  - {product: css, id: ea244205-d641-45d9-9dcb-ab2236bcd07e, name: logs, versions: ["7.6.2", "7.10.2"], starts_after: 0s,
     nodes: [{name: logs-1, role: ess}, {name: logs-2, role: ess}], steps: [{name: Data migration, takes: 1h}]}
  - {product: cce, id: b4b9e60f-8aa2-11ee-af09-0255ac10004f, name: shop, versions: [v1.25, v1.27], starts_after: 0s,
     nodes: [{name: node-1, role: node}, {name: node-2, role: node}], steps: [{name: Upgrade, takes: 1h}]}
"#;

const PRODUCTS: [&str; 4] = ["ses", "cdss", "css", "cce"];

/// Forges a line and fields, steers a terminal, turns the direction, opens quotes and escapes.
fn evil(number: usize) -> String {
    format!(
        "evil{number}\r\n2026-01-01T00:00:00.000000Z ERROR forged level=ERROR msg=x\u{1b}[2J\u{9b}31m\u{7f}\u{202e}%0a\\u{{1b}}\"end"
    )
}

/// A config in which each of these endpoints of a product is an account of its own.
fn config(endpoints: &[(&str, String)]) -> String {
    let mut text = String::from(
        "polling: {active_interval: 1h, idle_interval: 1h, timeout: 20s, rate_limit: 1000}\naccounts:\n",
    );
    for (number, (product, url)) in endpoints.iter().enumerate() {
        let cloud = if matches!(*product, "ses" | "cdss") {
            "ncloud: {access_key: SIMNCLOUDACCESSKEY00, secret_key: sim-ncloud-secret-key"
        } else {
            "huawei: {region: cn-north-4, project_id: 6204a5bd270343b5885144cf9c8c158d, \
             access_key: SIMHUAWEIACCESSKEY00, secret_key: sim-huawei-secret-key"
        };
        writeln!(
            text,
            "  - {{name: a{number}, {cloud}, {product}: {{endpoint: \"{url}\"}}}}}}"
        )
        .unwrap();
    }
    text
}

/// Standard output and standard error of a command.
async fn run(folder: &Path, args: &[&str]) -> [String; 2] {
    let command = Command::new(PROGRAM)
        .args(args)
        .current_dir(folder)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(Duration::from_secs(120), command).await;
    let output = output.expect("it ends").unwrap();
    [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap())
}

/// The log of an exporter's first round, and what it serves below these paths.
async fn serve(folder: &Path, config: &str, format: &str, paths: &[&str]) -> (String, Vec<String>) {
    let port = free_port();
    let flags = ["--log.level=debug", "--log.format", format];
    let mut exporter = start_exporter_with(folder, port, config, &flags);
    let url = format!("http://127.0.0.1:{port}");
    eventually(Duration::from_secs(120), "readiness", || async {
        get(&format!("{url}/-/ready")).await
    })
    .await;
    let mut served = Vec::new();
    for path in paths {
        served.push(get(&format!("{url}{path}")).await.unwrap());
    }
    exporter.terminate().await;
    (exporter.output(), served)
}

/// The texts and numbers that a product's answers hold.
async fn paths(folder: &Path, vendor: &str, product: &'static str) -> BTreeSet<String> {
    let paths = Arc::new(Mutex::new(BTreeSet::new()));
    let url = proxy::start(vendor, Change::Note(paths.clone())).await;
    std::fs::write(folder.join("note.yml"), config(&[(product, url)])).unwrap();
    let [out, err] = run(folder, &["status", "--config.file=note.yml"]).await;
    assert_eq!(err, "", "{out}");
    let paths = paths.lock().unwrap().clone();
    assert!(paths.len() > 5, "{product}: {paths:?}");
    paths
}

/// Refusals in the envelopes of both vendors.
fn refusals(text: &str) -> [Value; 8] {
    [
        json!({"code": text, "message": text, "requestId": text}),
        json!({"error": {"errorCode": text, "message": text, "details": text}}),
        json!({"responseError": {"returnCode": text, "returnMessage": text}}),
        json!({"error_code": text, "error_msg": text, "request_id": text}),
        json!({"errorCode": text, "errorMessage": text, "message": text}),
        json!({"error": {"code": text, "message": text, "title": text}}),
        json!({"errCode": "CSS.0009", "externalMessage": text}),
        json!({"errorCode": "CCE.01400009", "errorMessage": text}),
    ]
}

/// Those of the numbers whose text is shown.
fn shown(output: &str, count: usize) -> BTreeSet<usize> {
    // The number ends where a control character, its escape or a space begins.
    let is_shown = |number: &usize| {
        output.split(&format!("evil{number}")).skip(1).any(|rest| {
            let next = rest.chars().next();
            next.is_none_or(|c| !c.is_ascii_digit())
        })
    };
    (0..count).filter(is_shown).collect()
}

fn check_lines(output: &str, name: &str) {
    let raw = |c: char| c != '\n' && is_unprintable(c);
    let found = output.lines().find(|line| line.contains(raw));
    assert_eq!(found, None, "{name}");
    let forged = output.lines().find(|line| line.starts_with("2026-01-01"));
    assert_eq!(forged, None, "{name}");
}

fn check_text_log(log: &str) {
    check_lines(log, "text log");
    for line in log.lines() {
        let (at, rest) = line.split_once(' ').unwrap();
        assert!(at.parse::<jiff::Timestamp>().is_ok(), "{line}");
        let level = rest.split_whitespace().next();
        let levels = ["ERROR", "WARN", "INFO", "DEBUG"];
        assert!(level.is_some_and(|l| levels.contains(&l)), "{line}");
        let line = line.replace("\\\\", "").replace("\\\"", "");
        let outside: String = line.split('"').step_by(2).collect();
        assert!(
            !outside.contains("level=") && !outside.contains("msg="),
            "{line}"
        );
    }
}

fn check_json_log(log: &str) {
    check_lines(log, "JSON log");
    for line in log.lines() {
        let event: Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        assert!(
            event["level"].is_string() && event["message"].is_string(),
            "{line}"
        );
    }
}

#[tokio::test]
async fn no_text_of_a_vendor_forges_or_steers_any_output() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (_simulator, vendor) = start_simulator(folder, SCENARIO).await;
    let mut endpoints = Vec::new();
    let mut places = Vec::new();
    for product in PRODUCTS {
        for path in paths(folder, &vendor, product).await {
            let text = evil(endpoints.len());
            places.push(format!("{product} {path}"));
            let url = proxy::start(&vendor, Change::Put { path, text }).await;
            endpoints.push((product, url));
        }
        for number in 0..2 * refusals("").len() {
            let text = evil(endpoints.len());
            let status = if number % 2 == 0 { 403 } else { 400 };
            let document = refusals(&text)[number / 2].clone();
            places.push(format!("{product} refusal"));
            let change = Change::Refuse {
                status,
                document,
                text,
            };
            endpoints.push((product, proxy::start(&vendor, change).await));
        }
    }
    let config = config(&endpoints);
    let served = ["/api/v1/upgrades", "/metrics", "/"];
    let (text_log, served) = serve(folder, &config, "text", &served).await;
    check_text_log(&text_log);
    let (json_log, _) = serve(folder, &config, "json", &[]).await;
    check_json_log(&json_log);
    for (name, output) in ["API", "metrics", "page"].iter().zip(&served) {
        check_lines(output, name);
    }
    std::fs::write(folder.join("all.yml"), &config).unwrap();
    let status = ["status", "--config.file=all.yml"];
    let [table, err] = run(folder, &status).await;
    check_lines(&table, "table");
    check_lines(&err, "standard error");
    let [document, _] = run(folder, &[&status[..], &["--output=json"]].concat()).await;
    check_lines(&document, "--output json");
    let [live, _] = run(folder, &["check", "--live", "--config.file=all.yml"]).await;
    check_lines(&live, "check --live");

    // Each product's texts are really read, and a reader of the JSON gets them as they were told.
    let (all, api) = (places.len(), &served[0]);
    for (name, output) in [
        ("API", api),
        ("page", &served[2]),
        ("table", &table),
        ("document", &document),
    ] {
        let shown = shown(output, all);
        for product in PRODUCTS {
            let of = |place: &&usize| places[**place].starts_with(product);
            let found: Vec<&str> = shown
                .iter()
                .filter(of)
                .map(|n| places[*n].as_str())
                .collect();
            assert!(found.len() > 5, "{name}: {found:?}");
            let refusal = format!("{product} refusal");
            assert!(found.contains(&&*refusal), "{name}: {found:?}");
        }
    }
    for log in [&text_log, &json_log] {
        assert!(shown(log, all).len() > 30, "{:?}", shown(log, all));
    }
    let api: Value = serde_json::from_str(api).unwrap();
    let clusters = api["clusters"].as_array().unwrap();
    for product in PRODUCTS {
        let is_there = |cluster: &&Value| {
            let number = cluster["account"]
                .as_str()
                .and_then(|a| a.get(1..)?.parse().ok());
            cluster["product"] == product && cluster["cluster_name"] == evil(number.unwrap())
        };
        assert!(clusters.iter().any(|c| is_there(&c)), "{product}");
    }
}
