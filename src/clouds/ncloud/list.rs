//! Lists of clusters in pages, as both services give them, put together completely or not at all.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::cloud::kit::paginate::{self, List, Next, paginate};
use crate::cloud::{Discovered, Discovery, check_id};
use crate::http::ApiError;
use crate::json;
use crate::model::Reason;
use crate::model::bounds::{self, MAX_ID};

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
    #[serde(deserialize_with = "is_last")]
    is_last: Option<bool>,
    #[serde(rename = "totalPage", deserialize_with = "json::strict_number")]
    pages: Option<i64>,
    #[serde(deserialize_with = "json::strict_number")]
    total_count: Option<i64>,
    #[serde(deserialize_with = "json::entries")]
    allowed_clusters: json::Entries<A>,
    #[serde(deserialize_with = "json::entries")]
    disallowed_clusters: json::Entries<Disallowed>,
}

/// Reads the mark of the last page, without which clusters on further pages would be missed.
fn is_last<'de, D: Deserializer<'de>>(de: D) -> Result<Option<bool>, D::Error> {
    let value = Value::deserialize(de)?;
    let word = match &value {
        Value::Bool(is_last) => return Ok(Some(*is_last)),
        Value::String(word) => word.trim().to_ascii_lowercase(),
        Value::Number(number) => number.to_string(),
        nothing if json::is_nothing(nothing) => String::new(),
        _ => "?".to_owned(),
    };
    match word.as_str() {
        "" => Ok(None),
        "true" | "y" | "yes" | "1" => Ok(Some(true)),
        "false" | "n" | "no" | "0" => Ok(Some(false)),
        _ => Err(json::fault("is not true or false")),
    }
}

impl<A> Default for Page<A> {
    fn default() -> Self {
        Self {
            is_last: None,
            pages: None,
            total_count: None,
            allowed_clusters: json::Entries::default(),
            disallowed_clusters: json::Entries::default(),
        }
    }
}

impl<A: Into<Listed>> Page<A> {
    /// Reads the page of this number. Without a word on its end, a short page is the last one.
    fn read(self, number: u32) -> paginate::Page<<Clusters as List>::Entries> {
        let (allowed, disallowed) = (self.allowed_clusters, self.disallowed_clusters);
        let received = allowed.sent() + disallowed.sent();
        let has_more = match (self.is_last, self.pages) {
            (Some(is_last), _) => !is_last,
            (None, Some(pages)) => i64::from(number) < pages,
            (None, None) => received >= PAGE_SIZE as usize,
        };
        paginate::Page {
            received,
            left_out: allowed.left_out + disallowed.left_out,
            bytes: 0,
            total: self.total_count.and_then(|n| usize::try_from(n).ok()),
            next: Next::Told(has_more),
            entries: (
                allowed.list.into_iter().map(Into::into).collect(),
                disallowed.list,
            ),
        }
    }
}

/// A cluster that the account sees and may not read.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Disallowed {
    #[serde(deserialize_with = "json::strict_text")]
    service_group_instance_no: String,
    #[serde(deserialize_with = "json::strict_text")]
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

impl List for Clusters {
    type Entries = (Vec<Listed>, Vec<Disallowed>);
    const NOUN: &'static str = "clusters";
    const MAX_PAGES: u32 = 1_000;
    /// Several times as many clusters as are watched: `include` and `exclude` choose among all of them.
    const MAX_ENTRIES: usize = 100_000;

    fn add(&mut self, (allowed, disallowed): Self::Entries) {
        for one in allowed {
            if one.id.is_empty() {
                self.nameless += 1;
            } else if one.id.len() > MAX_ID {
                self.fault = self.fault.take().or_else(|| check_id(ID, &one.id).err());
            } else {
                let entry = self.listed.entry(one.id.clone());
                entry.or_insert_with(|| one.bounded());
            }
        }
        for one in disallowed {
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
    }

    fn len(&self) -> usize {
        self.listed.len() + self.disallowed.len()
    }
}

impl Clusters {
    /// Fetches page after page, counted from 1, up to the last.
    pub(super) async fn fetch<A, F>(fetch: impl Fn(u32) -> F) -> Result<Self, ApiError>
    where
        A: Into<Listed>,
        F: Future<Output = Result<Option<Page<A>>, ApiError>>,
    {
        paginate(|place| {
            let number = place.pages + 1;
            let page = fetch(number);
            // A result of null is an empty list.
            async move { Ok(page.await?.unwrap_or_default().read(number)) }
        })
        .await
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
mod tests;
