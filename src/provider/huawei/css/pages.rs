//! Pages of a list: positions count from 1, a page holds 10 entries unless asked otherwise, and a
//! cloud that does not know the position's name answers with the first page again.
//!
//! Part of a list is never taken for the whole: half a list of clusters looks like clusters that are
//! gone, and half a history may lack the upgrade that runs.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;

use crate::http::{ApiError, Reason};

/// Entries of a page. The vendor allows 1,000, but so many clusters with 24 instances each exceed
/// the cap on an answer's body.
pub(super) const LIMIT: &str = "100";

/// Pages of a list.
pub(super) const MAX_PAGES: u32 = 200;

/// Bytes of all pages.
const MAX_BYTES: usize = 160 << 20;

/// Entries of all pages: a cloud may give more than it is asked for.
const MAX_ENTRIES: usize = 100_000;

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
    /// The number of entries in all pages; `None` when the cloud does not tell it.
    fn total(&self) -> Option<usize>;
    /// The entries; `None` when the answer has no list.
    fn items(self) -> Option<Vec<Self::Item>>;
    /// The number of entries that tell nothing, which the total and positions count.
    fn left_out(&self) -> usize {
        0
    }
}

/// Entries of the pages so far.
#[derive(Debug)]
pub(super) struct Collected<T> {
    /// Each entry once.
    items: Vec<T>,
    /// Their places by id.
    places: BTreeMap<String, usize>,
    /// Entries that came, also those that came before or tell nothing.
    received: usize,
    left_out: usize,
    bytes: usize,
    total: Option<usize>,
    end: End,
}

/// State of the paging.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// There are more pages.
    Open,
    /// The last page brought nothing new, and yet there should be more.
    Repeated,
    /// The last page was the end of the list.
    Reached,
}

impl<T> Default for Collected<T> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            places: BTreeMap::new(),
            received: 0,
            left_out: 0,
            bytes: 0,
            total: None,
            end: End::Open,
        }
    }
}

impl<T: Entry> Collected<T> {
    /// Returns the position of the next page; `None` for the first, which needs none.
    pub(super) fn position(&self) -> Option<String> {
        (self.received > 0).then(|| (self.received + 1).to_string())
    }

    /// Takes a page of so many bytes in, and returns whether to ask for another: there is more, this
    /// one brought something new, and the bounds leave room.
    pub(super) fn add<P: Page<Item = T>>(
        &mut self,
        page: P,
        bytes: usize,
    ) -> Result<bool, ApiError> {
        let total = page.total();
        let left_out = page.left_out();
        let items = match (page.items(), total) {
            (Some(items), _) => items,
            (None, Some(0)) => Vec::new(),
            (None, _) => {
                return Err(ApiError::new(
                    Reason::Protocol,
                    format!(
                        "the answer has no list of {}; check the endpoint and any proxy",
                        T::NOUN
                    ),
                ));
            }
        };
        self.total = total.or(self.total);
        let size = items.len() + left_out;
        self.left_out += left_out;
        let before = self.items.len();
        for item in items {
            self.push(item);
        }
        self.received += size;
        let more = match self.total {
            Some(total) => self.received < total,
            None => size >= DEFAULT_SIZE,
        };
        self.bytes += bytes;
        self.end = match more {
            false => End::Reached,
            true if self.items.len() > before => End::Open,
            true => End::Repeated,
        };
        Ok(self.end == End::Open && self.has_room())
    }

    /// Adds an entry. Of two with the same id the one that decides stays, else the later one.
    fn push(&mut self, item: T) {
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

    /// Ends the list at the page that the cloud refused with `refusal`.
    ///
    /// # Errors
    /// Fails with the refusal when it is not one of a position beyond the end: there are more
    /// entries, and none of those received decides.
    pub(super) fn end_at(&mut self, refusal: ApiError) -> Result<(), ApiError> {
        let is_refused = refusal.reason == Reason::Refused && refusal.status == Some(400);
        if self.received == 0 || !T::IS_HISTORY || !is_refused {
            return Err(refusal);
        }
        let is_whole = self.total.is_none_or(|total| total <= self.received);
        if is_whole || self.is_decided() {
            self.end = End::Reached;
            // What it tells beyond is out of reach, and does not matter.
            self.total = None;
            return Ok(());
        }
        let message = format!(
            "the cloud refuses the page after {} of {} {}; ask the vendor: {}",
            self.received,
            self.total.unwrap_or_default(),
            T::NOUN,
            refusal.message
        );
        let mut error = ApiError::new(Reason::Protocol, message);
        error.status = refusal.status;
        error.code = refusal.code;
        error.request_id = refusal.request_id;
        Err(error)
    }

    /// Returns the entries.
    ///
    /// # Errors
    /// Fails when there are more entries than were received and none of these decides, or more than
    /// the bounds allow.
    pub(super) fn complete(self) -> Result<Vec<T>, ApiError> {
        let given = self.items.len();
        let noun = T::NOUN;
        if self.end == End::Open || given > MAX_ENTRIES {
            return Err(ApiError::new(
                Reason::Protocol,
                format!(
                    "the list of {noun} does not end after {MAX_PAGES} pages, {MAX_ENTRIES} {noun} or {} MiB; it is not used, ask the vendor",
                    MAX_BYTES >> 20
                ),
            ));
        }
        let message = match (self.total, self.end) {
            _ if self.is_decided() => return Ok(self.items),
            (Some(total), _) if given + self.left_out < total => {
                format!("the list tells of {total} {noun} and gives {given}; ask the vendor")
            }
            (None, End::Repeated) => format!(
                "the list gives {given} {noun} again instead of the next ones, and does not tell how many there are; ask the vendor"
            ),
            _ => return Ok(self.items),
        };
        Err(ApiError::new(Reason::Protocol, message))
    }

    fn is_decided(&self) -> bool {
        self.items.iter().any(T::decides)
    }

    fn has_room(&self) -> bool {
        self.items.len() <= MAX_ENTRIES && self.bytes <= MAX_BYTES
    }
}

#[cfg(test)]
mod tests;
