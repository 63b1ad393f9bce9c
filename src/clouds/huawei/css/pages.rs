//! Pages of a list: positions count from 1, a page holds 10 entries unless asked otherwise, and a
//! cloud that does not know the position's name answers with the first page again.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;

use crate::cloud::kit::paginate::{self, List, Next, Place};
use crate::http::ApiError;
use crate::json::Entries;
use crate::model::Reason;

/// Entries of a page. The vendor allows 1,000, but so many clusters with 24 instances each exceed
/// the cap on an answer's body.
pub(super) const LIMIT: &str = "100";

/// The vendor's page size where it passes over the limit: a shorter page is the last one.
const DEFAULT_SIZE: usize = 10;

/// Entry of a list.
pub(super) trait Entry {
    /// Noun for several entries.
    const NOUN: &'static str;

    /// True where the entries are a cluster's history. The documents let a cloud refuse a position
    /// beyond the end of it.
    const IS_HISTORY: bool;

    /// Returns what tells the entry from the others; `None` when nothing does.
    fn id(&self) -> Option<&str>;

    /// Returns whether no entry of a further page can matter more than this one.
    fn decides(&self) -> bool {
        false
    }
}

/// One page as it comes.
pub(super) trait Page: DeserializeOwned {
    /// An entry.
    type Item: Entry;
    /// Returns the number of entries in all pages, `None` when the cloud does not tell it, and the
    /// entries, `None` when the answer has no list.
    fn parts(self) -> (Option<i64>, Option<Entries<Self::Item>>);
}

/// Entries of the pages so far.
#[derive(Debug)]
pub(super) struct Collected<T> {
    /// Each entry once.
    pub(super) items: Vec<T>,
    /// Their places by id.
    places: BTreeMap<String, usize>,
}

impl<T> Default for Collected<T> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            places: BTreeMap::new(),
        }
    }
}

impl<T: Entry> List for Collected<T> {
    type Entries = Vec<T>;
    const NOUN: &'static str = T::NOUN;
    const MAY_REFUSE_END: bool = T::IS_HISTORY;
    const MAX_PAGES: u32 = 200;
    const MAX_ENTRIES: usize = 100_000;
    const MAX_BYTES: Option<usize> = Some(160 << 20);

    /// Adds entries. Of two with the same id the one that decides stays, else the later one.
    fn add(&mut self, items: Vec<T>) {
        for item in items {
            let place = item.id().and_then(|id| self.places.get(id)).copied();
            match place.and_then(|place| self.items.get_mut(place)) {
                Some(known) if known.decides() => {}
                Some(known) => *known = item,
                None => {
                    if let Some(id) = item.id() {
                        self.places.insert(id.to_owned(), self.items.len());
                    }
                    self.items.push(item);
                }
            }
        }
    }

    fn len(&self) -> usize {
        self.items.len()
    }

    fn is_decided(&self) -> bool {
        self.items.iter().any(T::decides)
    }
}

/// Returns the position of a page; `None` for the first, which needs none.
pub(super) fn position(place: &Place) -> Option<String> {
    (place.received > 0).then(|| (place.received + 1).to_string())
}

/// Reads a page of so many bytes.
///
/// # Errors
/// Rejects an answer without a list, unless its total says that the list is empty.
pub(super) fn read<P: Page>(
    page: P,
    bytes: usize,
) -> Result<paginate::Page<Vec<P::Item>>, ApiError> {
    let (total, entries) = page.parts();
    let entries = match (entries, total) {
        (Some(entries), _) => entries,
        (None, Some(0)) => Entries::default(),
        (None, _) => {
            return Err(ApiError::new(
                Reason::Protocol,
                format!(
                    "the answer has no list of {}; check the endpoint and any proxy",
                    P::Item::NOUN
                ),
            ));
        }
    };
    Ok(paginate::Page {
        received: entries.sent(),
        left_out: entries.left_out,
        entries: entries.list,
        bytes,
        total: total.and_then(|n| usize::try_from(n).ok()),
        next: Next::Untold(DEFAULT_SIZE),
    })
}

#[cfg(test)]
mod tests;
