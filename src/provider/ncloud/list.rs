//! Lists of clusters in pages, as both services give them, put together completely or not at all.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::http::{ApiError, Reason};
use crate::json;
use crate::model::bounds::{self, MAX_ID};
use crate::provider::check_id;
use crate::provider::listing::{MAX_LISTED, MAX_PAGES, endless};
use crate::provider::{Discovered, Discovery};

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

/// A cluster that the account sees and may not read.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Disallowed {
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
    /// Entries that tell nothing, which the vendor's total counts.
    left_out: usize,
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
        let length = page.allowed_clusters.sent() + page.disallowed_clusters.sent();
        let left_out = page.allowed_clusters.left_out + page.disallowed_clusters.left_out;
        self.left_out += left_out;
        let before = self.known();
        for one in page.allowed_clusters.list {
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
        for one in page.disallowed_clusters.list {
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
        let is_last = match (page.is_last, page.pages) {
            (Some(is_last), _) => is_last,
            (None, Some(pages)) => i64::from(number) >= pages,
            (None, None) => length < PAGE_SIZE as usize,
        };
        if is_last {
            return Ok(true);
        }
        if self.known() > before {
            return Ok(false);
        }
        // Nothing new, and yet not the last page: going on would not end.
        let counted = i64::try_from(self.known() + self.left_out).unwrap_or(i64::MAX);
        match page.total_count {
            Some(total) if counted >= total => Ok(true),
            None if length == left_out => Ok(true),
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
mod tests;
