//! The document of a newer exporter, with words that this version does not know.

use serde_json::{Value, json};

use super::status;
use super::watch::exporter;

/// Returns the document with a new word in the place of each word of an enum.
fn document() -> Value {
    let document = include_str!("../../data/api/upgrades.json");
    let mut report: Value = serde_json::from_str(document).unwrap();
    report["products"][0]["last_error"]["reason"] = json!("quota_used");
    let cluster = &mut report["clusters"][0];
    cluster["degraded"][0]["reason"] = json!("half_open");
    let upgrade = &mut cluster["upgrades"][0];
    upgrade["kind"] = json!("disk_growth");
    upgrade["status"] = json!("rolling_back");
    upgrade["overdue"] = json!(false);
    upgrade["nodes"][0]["status"] = json!("draining");
    upgrade["tasks"][0]["status"] = json!("skipped");
    upgrade["precheck"]["findings"][0]["scope"] = json!("volume");
    report
}

#[tokio::test]
async fn words_of_a_newer_exporter_are_shown_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let url = exporter(vec![document()]).await;
    let told = status(folder.path(), &[&url]).await;
    assert_eq!(told.code, Some(1), "{told:?}");
    assert_eq!(told.err, "");
    let shown = told.out.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "Clusters cannot be listed: quota_used: ",
        " rolling back ",
        ", disk_growth state rolling back",
        "missing: states of nodes (needs cce:node:list); half_open: ",
        " draining ",
        " skipped ",
        "precheck failed: addon-limit-check (volume coredns)",
    ] {
        assert!(shown.contains(part), "{part} is not in\n{}", told.out);
    }
}

#[tokio::test]
async fn words_of_a_newer_exporter_are_kept_in_the_json() {
    let folder = tempfile::tempdir().unwrap();
    let url = exporter(vec![document()]).await;
    let told = status(folder.path(), &[&url, "--output=json"]).await;
    let got: Value = serde_json::from_str(&told.out).unwrap();
    assert_eq!(got, document());
}
