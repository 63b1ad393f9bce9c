//! What `status` draws on a terminal of a size, by the reports of an exporter that says what a test lets
//! it say.

use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;
use unicode_width::UnicodeWidthStr;

use super::watch::exporter;
use crate::harness::PROGRAM;

const SIZES: [(u16, u16); 2] = [(80, 24), (160, 50)];

const REASON: &str = "Node replacement: No address is left in subnet 子网-a\u{1b}]0;x\u{7}: free some, and upgrade \
                      again. Data of the node are complete on the others, so that nothing is lost.";

/// Builds the API's document with every detail, and with an upgrade that failed an hour before, one that is
/// stalled, and one that runs and has status `other`.
fn report(other: &str) -> Value {
    let document = include_str!("../../data/api/upgrades.json");
    let mut report: Value = serde_json::from_str(document).unwrap();
    report["products"] = json!([]);
    let cluster = report["clusters"][0].take();
    let named = |name: &str, change: &dyn Fn(&mut Value)| {
        let mut cluster = cluster.clone();
        (cluster["cluster_name"], cluster["cluster_id"]) = (json!(name), json!(name));
        let upgrade = &mut cluster["upgrades"][0];
        upgrade["overdue"] = json!(false);
        upgrade["tasks"] = json!([
            {"order": 0, "task": "Data migration", "status": "succeeded", "description": "Data leave the node."},
            {"order": 4, "task": "Node replacement", "status": "running"},
        ]);
        change(upgrade);
        cluster
    };
    let runs = named("a-runs", &|upgrade| {
        upgrade["status"] = json!(other);
        if other == "succeeded" {
            upgrade["ended"] = json!("2027-01-15T08:01:40Z");
        }
    });
    let stalled = named("b-stalled", &|upgrade| {
        upgrade["stalled"] = json!(true);
        upgrade["reason"] = json!("Node replacement: It waits for a quota.");
    });
    let failed = named("c-failed", &|upgrade| {
        upgrade["status"] = json!("failed");
        upgrade["status_since"] = json!("2027-01-15T07:01:40Z");
        upgrade["ended"] = json!("2027-01-15T07:01:40Z");
        upgrade["reason"] = json!(REASON);
        upgrade["nodes"][1]["status"] = json!("failed");
        upgrade["nodes"][1]["task_order"] = json!(4);
    });
    let mut idle = named("d-idle", &|_| {});
    idle["upgrades"] = json!([]);
    report["clusters"] = json!([runs, stalled, failed, idle]);
    report
}

/// Returns the exit code, and what `status` writes to a terminal of this size.
async fn drawn((width, height): (u16, u16), args: &[&str]) -> (Option<i32>, String) {
    let folder = TempDir::new().unwrap();
    let line = format!(
        "stty cols {width} rows {height}; exec {PROGRAM} status {}",
        args.join(" ")
    );
    let output = Command::new("script")
        .args(["-qec", &line, "/dev/null"])
        .env("SHELL", "/bin/sh")
        .env("TERM", "xterm")
        .env_remove("NO_COLOR")
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(Duration::from_secs(60), output).await;
    let output = output.expect("it ends").unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    (output.status.code(), text)
}

/// Returns the rows that a text takes on a terminal of this width, without escape sequences.
fn rows(text: &str, width: u16) -> Vec<String> {
    let mut rows = vec![String::new()];
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let row = rows.last_mut().unwrap();
        match c {
            '\u{1b}' => drop(chars.by_ref().find(char::is_ascii_alphabetic)),
            '\n' | '\r' => rows.push(String::new()),
            // A row that is full goes on in the next one, as bars do.
            c if row.width() + c.to_string().width() > usize::from(width) => {
                rows.push(c.to_string());
            }
            c => row.push(c),
        }
    }
    let rows = rows.iter().map(|row| row.trim_end());
    rows.filter(|row| !row.is_empty())
        .map(str::to_owned)
        .collect()
}

fn place(lines: &[String], part: &str) -> usize {
    let place = lines.iter().position(|line| line.contains(part));
    place.unwrap_or_else(|| panic!("{part} is not in\n{}", lines.join("\n")))
}

/// Asserts that no text of the vendor steers the terminal.
fn is_tame(text: &str) {
    assert!(
        !text.contains("\u{1b}]") && !text.contains('\u{7}'),
        "{text:?}"
    );
}

#[tokio::test]
async fn the_table_tells_the_vendors_reason_and_details() {
    for size in SIZES {
        let url = exporter(vec![report("running")]).await;
        let (code, text) = drawn(size, &[&url]).await;
        assert_eq!(code, Some(3), "{text}");
        is_tame(&text);
        let lines = rows(&text, u16::MAX);
        for line in &lines {
            assert!(line.width() <= usize::from(size.0), "{size:?}: {line}");
        }
        let failed = place(&lines, "c-failed");
        assert!(lines[failed].starts_with("failed "), "{lines:#?}");
        let reason = &lines[failed + 1];
        assert!(
            reason.starts_with("  Node replacement: No address is left"),
            "{reason}"
        );
        assert!(reason.ends_with('…'), "{reason}");
        let stalled = place(&lines, "b-stalled");
        assert!(lines[stalled].starts_with("stalled "), "{lines:#?}");
        assert_eq!(
            lines[stalled + 1],
            "  Node replacement: It waits for a quota."
        );
        assert!([failed, stalled, place(&lines, "a-runs")].is_sorted());
        // The block of the failed one comes first, and tells all.
        let block = lines.iter().position(|line| line == "c-failed").unwrap();
        assert!(lines[block + 1].starts_with("  state       failed: Node replacement: "));
        let words = lines[block..].join(" ");
        let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
        for part in [
            "so that nothing is lost. cluster css of cn-prod",
            "cluster is 200 available, in the vendor's words",
            "zones cn-north-4a -> cn-north-4c (ess)",
            "agency css_agency",
            "task Node replacement (2 of 2)",
            "precheck failed: addon-limit-check (addon coredns): the add-on is too old [CCE.01400001]",
            if size.0 > 100 {
                "failed n-2 ess 40s Node replacement (2 of 2)"
            } else {
                "failed n-2 ess 40s 2 of 2"
            },
            "succeeded 1 Data migration - Data leave the node.",
            "precheck passed, and good for 58m20s, until 2027-01-15 09:00 UTC",
            "cancelling is not possible now",
            "IDLE CLUSTER ACCOUNT AT VENDOR VERSION CAN BE UPGRADED TO d-idle cn-prod 200 available",
        ] {
            assert!(words.contains(part), "{part} is not in\n{words}");
        }
    }
}

#[tokio::test]
async fn a_watch_draws_what_failed_before_it_first() {
    for size in SIZES {
        let first = report("running");
        let last = report("succeeded");
        let url = exporter(vec![first, last]).await;
        // The stalled one would go on for ever.
        let (code, text) = drawn(
            size,
            &[
                "--watch",
                "--interval=1s",
                "--cluster=a-runs",
                "--cluster=c-failed",
                &url,
            ],
        )
        .await;
        assert_eq!(code, Some(3), "{text}");
        is_tame(&text);
        let lines = rows(&text, size.0);
        assert!(lines[0].starts_with("failed     c-failed"), "{lines:#?}");
        // It is drawn row by row: the frame in which the running one is, too.
        let runs = place(&lines, "running    a-runs");
        let is_first = |line: &String| line.starts_with("failed     c-failed");
        let first = lines[..runs].iter().rposition(is_first).unwrap();
        let frame = &lines[first..runs];
        assert!(frame.len() < usize::from(size.1) - 2, "{frame:#?}");
        // The reason is too long for the row of the upgrade, which names the task.
        assert!(
            frame[0].contains("1h ago  Node replacement (2"),
            "{frame:#?}"
        );
        let node = place(frame, "  n-2: failed, ess, Node replacement (2 of 2), 40s");
        let told: Vec<&str> = frame[1..node].iter().map(|row| row.trim()).collect();
        let whole = REASON
            .replace('\u{1b}', "\\u{1b}")
            .replace('\u{7}', "\\u{7}");
        assert_eq!(told.join(" "), whole, "{frame:#?}");
    }
}
