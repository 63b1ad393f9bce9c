//! Lists of clusters in pages, as both services give them, put together completely or not at all.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::model::bounds::{self, MAX_ID};
use crate::provider::error::check_id;
use crate::provider::listing::{MAX_LISTED, MAX_PAGES, endless};
use crate::provider::{ApiError, Discovered, Discovery, Reason, json};

/// Clusters on a page; the services give 10 when they are not asked for more.
pub(super) const PAGE_SIZE: u32 = 100;

/// The field that names a cluster.
const ID: &str = "serviceGroupInstanceNo";

/// The status of a cluster that was deleted and is still listed.
const DELETED: &str = "return";

/// One page as it comes; `A` is an entry of the clusters that may be read.
#[derive(Debug, Deserialize)]
#[serde(
    default,
    rename_all = "camelCase",
    bound(deserialize = "A: DeserializeOwned")
)]
pub(super) struct Page<A> {
    /// `true` or `false`; anything else says nothing.
    #[serde(deserialize_with = "json::text")]
    is_last: String,
    #[serde(rename = "totalPage", deserialize_with = "json::number")]
    pages: Option<i64>,
    #[serde(deserialize_with = "json::number")]
    total_count: Option<i64>,
    #[serde(deserialize_with = "json::list")]
    allowed_clusters: Vec<A>,
    #[serde(deserialize_with = "json::list")]
    disallowed_clusters: Vec<Disallowed>,
}

impl<A> Default for Page<A> {
    fn default() -> Self {
        Self {
            is_last: String::new(),
            pages: None,
            total_count: None,
            allowed_clusters: Vec::new(),
            disallowed_clusters: Vec::new(),
        }
    }
}

/// A cluster that the account sees and may not read.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Disallowed {
    #[serde(deserialize_with = "json::text")]
    service_group_instance_no: String,
    #[serde(deserialize_with = "json::text")]
    cluster_status: String,
}

/// A cluster that may be read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Listed {
    /// Its number, as text.
    pub(super) id: String,
    /// Its name.
    pub(super) name: String,
    /// The vendor's word for its state.
    pub(super) status: String,
    /// The version that it runs.
    pub(super) version: String,
}

impl Listed {
    /// Whether it is in this state.
    pub(super) fn is(&self, status: &str) -> bool {
        self.status.trim().eq_ignore_ascii_case(status)
    }

    /// Cuts long texts.
    fn bounded(self) -> Self {
        Self {
            id: self.id,
            name: bounds::label(&self.name),
            status: bounds::label(&self.status),
            version: bounds::label(&self.version),
        }
    }
}

/// All clusters of a service in an account.
#[derive(Debug, Default)]
pub(super) struct Clusters {
    /// Those that may be read, by number.
    listed: BTreeMap<String, Listed>,
    /// The numbers of those that may not.
    disallowed: BTreeSet<String>,
    /// Entries without a number, which nobody can ask for.
    nameless: u64,
    /// Fault of the first id that is too long to be kept.
    fault: Option<ApiError>,
}

impl Clusters {
    /// Fetches page after page, counted from 1, up to the last.
    pub(super) async fn fetch<A, F>(fetch: impl Fn(u32) -> F) -> Result<Self, ApiError>
    where
        A: Into<Listed>,
        F: Future<Output = Result<Option<Page<A>>, ApiError>>,
    {
        let mut all = Self::default();
        for number in 1..=MAX_PAGES {
            // A result of null is an empty list.
            let page = fetch(number).await?.unwrap_or_default();
            let is_last = all.take(number, page)?;
            if all.known() > MAX_LISTED {
                break;
            }
            if is_last {
                return Ok(all);
            }
        }
        Err(endless())
    }

    /// Adds a page, and tells whether it was the last.
    fn take<A: Into<Listed>>(&mut self, number: u32, page: Page<A>) -> Result<bool, ApiError> {
        let length = page.allowed_clusters.len() + page.disallowed_clusters.len();
        let before = self.known();
        for one in page.allowed_clusters {
            let one: Listed = one.into();
            if one.id.is_empty() {
                self.nameless += 1;
            } else if one.id.len() > MAX_ID {
                self.fault = self.fault.take().or_else(|| check_id(ID, &one.id).err());
            } else {
                let entry = self.listed.entry(one.id.clone());
                entry.or_insert_with(|| one.bounded());
            }
        }
        for one in page.disallowed_clusters {
            if one.cluster_status.trim().eq_ignore_ascii_case(DELETED) {
                continue;
            }
            let id = &one.service_group_instance_no;
            if id.is_empty() || id.len() > MAX_ID {
                self.nameless += 1;
            } else {
                self.disallowed.insert(one.service_group_instance_no);
            }
        }
        let is_last = match (page.is_last.parse(), page.pages) {
            (Ok(is_last), _) => is_last,
            (Err(_), Some(pages)) => i64::from(number) >= pages,
            (Err(_), None) => length < PAGE_SIZE as usize,
        };
        if is_last {
            return Ok(true);
        }
        if self.known() > before {
            return Ok(false);
        }
        // Nothing new, and yet not the last page: going on would not end.
        let known = i64::try_from(self.known()).unwrap_or(i64::MAX);
        match page.total_count {
            Some(total) if known >= total => Ok(true),
            None if length == 0 => Ok(true),
            _ => Err(ApiError::new(
                Reason::Protocol,
                format!(
                    "page {number} of the list of clusters brings nothing new and is not the last; the list is not used"
                ),
            )),
        }
    }

    fn known(&self) -> usize {
        self.listed.len() + self.disallowed.len()
    }

    /// What discovery tells: deleted clusters are left out.
    pub(super) fn discovery(&self) -> Result<Discovery, ApiError> {
        if let Some(fault) = &self.fault {
            return Err(fault.clone());
        }
        let clusters = self.listed.values().filter(|one| !one.is(DELETED));
        let clusters = clusters.map(|one| Discovered::new(&one.id, &one.name));
        let inaccessible = self.disallowed.len() as u64 + self.nameless;
        Discovery::read(ID, clusters, inaccessible)
    }

    /// The cluster of this number, or why it cannot be asked for. `place` names zone and region.
    pub(super) fn find(&self, id: &str, place: &str) -> Result<&Listed, ApiError> {
        match self.listed.get(id) {
            Some(one) if one.is(DELETED) => Err(ApiError::new(
                Reason::NotFound,
                format!("cluster {id} was deleted; take it out of the config"),
            )),
            Some(one) => Ok(one),
            None if self.disallowed.contains(id) => Err(ApiError::new(
                Reason::Permission,
                format!(
                    "the key may list cluster {id} but not read it; give its sub-account a policy to view it"
                ),
            )),
            None => Err(ApiError::new(
                Reason::NotFound,
                format!(
                    "cluster {id} is not in the account's list in {place}; check its number, the zone, the region and the key's account"
                ),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use serde_json::{Value, json};

    use super::*;

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
        for empty in [Value::Null, json!({}), json!({"isLast": false})] {
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
        let pages: Vec<Value> = (0..=MAX_PAGES).map(|n| page(n..n + 1, &more)).collect();
        let (clusters, asked) = fetch(&pages).await;
        assert_eq!(clusters.unwrap_err(), endless());
        assert_eq!(asked, MAX_PAGES);
        let most = u32::try_from(MAX_LISTED).unwrap();
        let last = json!({"isLast": true});
        let (clusters, _) = fetch(&[page(0..most, &last)]).await;
        assert_eq!(ids(&clusters.unwrap()), MAX_LISTED);
        let pages = [page(0..most, &more), page(most..most + 1, &last)];
        assert_eq!(fetch(&pages).await.0.unwrap_err(), endless());
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
}
