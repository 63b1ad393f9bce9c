use std::collections::VecDeque;

use parking_lot::Mutex;
use serde_json::json;

use super::*;
use crate::model::Reason;

/// Reads these pages (uids, next marker), and tells the uids and the markers that were asked for.
async fn paged(answers: &[(&[&str], &str)]) -> (Result<Vec<String>, ApiError>, Vec<String>) {
    let left = Mutex::new(answers.iter().collect::<VecDeque<_>>());
    let asked = Mutex::new(Vec::new());
    let outcome = pages(|marker| {
        asked.lock().extend(marker);
        let mut left = left.lock();
        // The last page is given for ever.
        let (uids, next) = if left.len() > 1 {
            *left.pop_front().unwrap()
        } else {
            *left[0]
        };
        let items: Vec<_> = uids
            .iter()
            .map(|uid| json!({"metadata": {"uid": uid}}))
            .collect();
        let body = json!({"items": items, "pageInfo": {"nextMarker": next}});
        async move { Ok(serde_json::from_value(body).unwrap()) }
    })
    .await;
    let uids = |nodes: Vec<Node>| nodes.into_iter().map(|n| n.metadata.uid).collect();
    (outcome.map(uids), asked.into_inner())
}

#[tokio::test]
async fn pages_are_read_to_the_end() {
    let (nodes, asked) = paged(&[(&["1", "2"], "m2"), (&["3"], "m3"), (&["4"], "")]).await;
    assert_eq!(nodes.unwrap(), ["1", "2", "3", "4"]);
    assert_eq!(asked, ["m2", "m3"]);
}

#[tokio::test]
async fn a_repeated_marker_ends_the_pages_and_nodes_count_once() {
    let (nodes, asked) = paged(&[(&["1", "2"], "m2")]).await;
    assert_eq!(nodes.unwrap(), ["1", "2"], "the marker is not known there");
    assert_eq!(asked, ["m2"]);
    let (nodes, _) = paged(&[(&["1", "2"], "m2"), (&["3"], "m2")]).await;
    assert_eq!(nodes.unwrap(), ["1", "2", "3"], "the last page is not lost");
}

#[tokio::test]
async fn pages_without_an_end_are_an_error() {
    let pages: Vec<_> = (0..2 * Nodes::MAX_PAGES).map(|n| format!("m{n}")).collect();
    let answers: Vec<(&[&str], &str)> = pages.iter().map(|m| (&["1"][..], m.as_str())).collect();
    let (nodes, asked) = paged(&answers).await;
    assert_eq!(nodes.unwrap_err().reason, Reason::Protocol);
    assert_eq!(asked.len() + 1, Nodes::MAX_PAGES as usize);
}
