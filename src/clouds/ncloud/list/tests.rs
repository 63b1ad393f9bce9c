//! Tests of lists in pages.

use std::cell::Cell;

use serde_json::{Value, json};

use super::*;
use crate::cloud::kit::paginate::endless;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Entry {
    no: String,
    status: String,
}

impl From<Entry> for Listed {
    fn from(entry: Entry) -> Self {
        Self {
            id: entry.no,
            status: entry.status,
            ..Self::default()
        }
    }
}

/// Fetches these pages, and tells how many were asked for.
async fn fetch(pages: &[Value]) -> (Result<Clusters, ApiError>, u32) {
    let asked = Cell::new(0);
    let clusters = Clusters::fetch(|number| {
        asked.set(asked.get() + 1);
        let page = pages[(number as usize - 1) % pages.len()].clone();
        async move { Ok(serde_json::from_value::<Option<Page<Entry>>>(page).unwrap()) }
    });
    let clusters = clusters.await;
    (clusters, asked.get())
}

fn page(numbers: std::ops::Range<u32>, more: &Value) -> Value {
    let allowed: Vec<Value> = numbers.map(|n| json!({"no": n.to_string()})).collect();
    let mut page = json!({"allowedClusters": allowed, "disallowedClusters": null});
    for (key, value) in more.as_object().unwrap() {
        page[key] = value.clone();
    }
    page
}

fn ids(clusters: &Clusters) -> usize {
    clusters.discovery().unwrap().clusters.len()
}

#[tokio::test]
async fn a_list_with_an_id_that_is_none_is_refused() {
    let list = json!({"isLast": true, "allowedClusters": [{"no": "1"}, {"no": "2\n3"}]});
    let clusters = fetch(&[list]).await.0.unwrap();
    assert!(clusters.find("1", "").is_ok(), "the good one stays");
    let error = clusters.discovery().unwrap_err();
    assert_eq!(error.reason, Reason::Protocol);
    let place = r#"serviceGroupInstanceNo "2\n3" is not an id"#;
    assert!(error.message.starts_with(place), "{error}");
}

#[tokio::test]
async fn pages_are_read_to_the_last() {
    let pages = [
        page(0..10, &json!({"isLast": false})),
        page(10..20, &json!({"isLast": false})),
        page(20..23, &json!({"isLast": true})),
    ];
    let (clusters, asked) = fetch(&pages).await;
    assert_eq!((ids(&clusters.unwrap()), asked), (23, 3));
}

#[tokio::test]
async fn the_end_is_told_in_other_ways_too() {
    let pages = [
        page(0..100, &json!({"totalPage": "2"})),
        page(100..101, &json!({"totalPage": 2})),
    ];
    let (clusters, asked) = fetch(&pages).await;
    assert_eq!((ids(&clusters.unwrap()), asked), (101, 2));
    let pages = [page(0..100, &json!({})), page(100..103, &json!({}))];
    let (clusters, asked) = fetch(&pages).await;
    assert_eq!((ids(&clusters.unwrap()), asked), (103, 2));
    let pages = [
        page(0..10, &json!({"isLast": "False"})),
        page(10..13, &json!({"isLast": " TRUE "})),
    ];
    let (clusters, asked) = fetch(&pages).await;
    assert_eq!((ids(&clusters.unwrap()), asked), (13, 2));
    let full = |numbers: std::ops::Range<u32>| {
        let mut page = page(numbers, &json!({}));
        page["disallowedClusters"] = json!([null, {"clusterStatus": ""}]);
        page
    };
    let (clusters, asked) = fetch(&[full(0..98), page(98..101, &json!({}))]).await;
    assert_eq!((ids(&clusters.unwrap()), asked), (101, 2));
    let nothing = json!([{"no": ""}]);
    for empty in [
        Value::Null,
        json!({}),
        json!({"isLast": false}),
        json!({"isLast": false, "allowedClusters": nothing}),
        json!({"isLast": false, "allowedClusters": nothing, "totalCount": 1}),
    ] {
        let (clusters, asked) = fetch(&[empty]).await;
        assert_eq!((ids(&clusters.unwrap()), asked), (0, 1));
    }
}

#[tokio::test]
async fn a_page_that_repeats_does_not_go_on_for_ever() {
    let (clusters, asked) = fetch(&[page(0..10, &json!({"isLast": false}))]).await;
    assert_eq!(clusters.unwrap_err().reason, Reason::Protocol);
    assert_eq!(asked, 2);
    let told = page(0..10, &json!({"isLast": false, "totalCount": 10}));
    let (clusters, asked) = fetch(&[told]).await;
    assert_eq!((ids(&clusters.unwrap()), asked), (10, 2));
    let short = page(0..10, &json!({"isLast": false, "totalCount": 15}));
    assert!(fetch(&[short]).await.0.is_err());
}

#[tokio::test]
async fn a_list_beyond_the_bounds_is_an_error() {
    let more = json!({"isLast": false});
    let pages: Vec<Value> = (0..=Clusters::MAX_PAGES)
        .map(|n| page(n..n + 1, &more))
        .collect();
    let (clusters, asked) = fetch(&pages).await;
    assert_eq!(clusters.unwrap_err(), endless::<Clusters>());
    assert_eq!(asked, Clusters::MAX_PAGES);
    let most = u32::try_from(Clusters::MAX_ENTRIES).unwrap();
    let last = json!({"isLast": true});
    let (clusters, _) = fetch(&[page(0..most, &last)]).await;
    assert_eq!(ids(&clusters.unwrap()), Clusters::MAX_ENTRIES);
    let pages = [page(0..most, &more), page(most..most + 1, &last)];
    assert_eq!(fetch(&pages).await.0.unwrap_err(), endless::<Clusters>());
}

#[tokio::test]
async fn more_clusters_than_are_watched_are_listed_to_the_last() {
    let pages: Vec<Value> = (0..301)
        .map(|n| page(100 * n..100 * (n + 1), &json!({"isLast": n == 300})))
        .collect();
    let (clusters, asked) = fetch(&pages).await;
    let clusters = clusters.unwrap();
    assert_eq!((ids(&clusters), asked), (30_100, 301));
    assert!(clusters.find("30099", "").is_ok());
}

#[tokio::test]
async fn disallowed_clusters_are_told_apart_on_every_page() {
    let pages: Vec<Value> = (0..21)
        .map(|n| {
            let numbers = (1000 * n..1000 * (n + 1)).map(|n| n.to_string());
            let entries = numbers.map(|n| json!({"serviceGroupInstanceNo": n}));
            json!({"isLast": n == 20, "disallowedClusters": entries.collect::<Vec<_>>()})
        })
        .collect();
    let clusters = fetch(&pages).await.0.unwrap();
    assert_eq!(clusters.discovery().unwrap().inaccessible, 21_000);
    let error = clusters.find("20999", "").unwrap_err();
    assert_eq!(error.reason, Reason::Permission);
}

#[tokio::test]
async fn long_texts_of_a_list_are_not_kept() {
    let long = "1".repeat(MAX_ID + 1);
    let list = json!({
        "isLast": true,
        "allowedClusters": [{"no": "1", "status": "x".repeat(1000)}, {"no": long}],
        "disallowedClusters": [{"serviceGroupInstanceNo": long}],
    });
    let clusters = fetch(&[list]).await.0.unwrap();
    let error = clusters.discovery().unwrap_err();
    assert!(error.message.contains("it has 257 bytes"), "{error}");
    let good = clusters.find("1", "").unwrap();
    assert_eq!(good.status.chars().count(), bounds::MAX_CHARS);
    assert!(clusters.disallowed.is_empty());
}

#[tokio::test]
async fn deleted_and_disallowed_clusters_are_not_asked_for() {
    let list = json!({
        "isLast": true,
        "allowedClusters": [{"no": "1"}, {"no": "2", "status": "return"}, {"no": "1"}, {"status": "running"}, {}],
        "disallowedClusters": [
            {"serviceGroupInstanceNo": 3},
            {"serviceGroupInstanceNo": "4", "clusterStatus": "return"},
        ],
    });
    let clusters = fetch(&[list]).await.0.unwrap();
    let discovery = clusters.discovery().unwrap();
    assert_eq!(discovery.clusters.len(), 1);
    assert_eq!(discovery.inaccessible, 2, "one disallowed, one nameless");
    let reason = |id| {
        clusters
            .find(id, "zone public, region KR")
            .map_err(|e| e.reason)
    };
    assert_eq!(reason("1").unwrap().id, "1");
    assert_eq!(reason("2"), Err(Reason::NotFound));
    assert_eq!(reason("3"), Err(Reason::Permission));
    assert_eq!(reason("9"), Err(Reason::NotFound));
    let message = clusters
        .find("9", "zone public, region KR")
        .unwrap_err()
        .message;
    assert!(message.contains("zone public, region KR"), "{message}");
}
