//! Pages of a list: positions count from 1, a page holds 10 entries unless asked otherwise, and a
//! cloud that does not know the position's name answers with the first page again.

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;

use crate::provider::listing::{MAX_LISTED, endless};
use crate::provider::{ApiError, Reason};

/// The largest page.
pub(super) const LIMIT: &str = "1000";

/// Pages of an upgrade's details: bounds what a broken answer can cost.
pub(super) const MAX_DETAIL_PAGES: u32 = 20;

/// Bytes of all pages.
const MAX_BYTES: usize = 160 << 20;

/// The page's size where the limit is not known: a shorter page is the last one.
const DEFAULT_SIZE: usize = 10;

/// One page as it comes.
pub(super) trait Page: DeserializeOwned {
    /// An entry.
    type Item;
    /// The number of entries in all pages, where it is told.
    fn total(&self) -> Option<usize>;
    /// The entries; none when the answer has no list.
    fn items(self) -> Option<Vec<Self::Item>>;
    /// What tells an entry from the others.
    fn id(item: &Self::Item) -> &str;
}

/// What the pages brought so far.
#[derive(Debug)]
pub(super) struct Collected<T> {
    /// Each entry once.
    pub(super) items: Vec<T>,
    seen: BTreeSet<String>,
    received: usize,
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
            seen: BTreeSet::new(),
            received: 0,
            bytes: 0,
            total: None,
            end: End::Open,
        }
    }
}

impl<T> Collected<T> {
    /// The position of the next page; none for the first, which needs none.
    pub(super) fn position(&self) -> Option<String> {
        (self.received > 0).then(|| (self.received + 1).to_string())
    }

    /// Takes a page of so many bytes in, and tells whether to ask for another: there is more, this
    /// one brought something new, and the bounds leave room.
    pub(super) fn add<P: Page<Item = T>>(
        &mut self,
        page: P,
        bytes: usize,
    ) -> Result<bool, ApiError> {
        let total = page.total();
        let items = match (page.items(), total) {
            (Some(items), _) => items,
            (None, Some(0)) => Vec::new(),
            (None, _) => {
                return Err(ApiError::new(
                    Reason::Protocol,
                    "the answer has no list; check the endpoint and any proxy",
                ));
            }
        };
        self.total = total.or(self.total);
        let size = items.len();
        let before = self.items.len();
        for item in items {
            if self.seen.insert(P::id(&item).to_owned()) {
                self.items.push(item);
            }
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
        let has_room = self.items.len() <= MAX_LISTED && self.bytes <= MAX_BYTES;
        Ok(self.end == End::Open && has_room)
    }

    /// The entries, if they are all: half a list would look like clusters that are gone.
    pub(super) fn complete(self) -> Result<Vec<T>, ApiError> {
        let given = self.items.len();
        let message = match (self.total, self.end) {
            (_, End::Open) => return Err(endless()),
            (Some(total), _) if given < total => format!(
                "the list tells of {total} clusters and gives {given}; name the clusters in the config instead of `all`, or ask the vendor"
            ),
            (None, End::Repeated) => format!(
                "the list gives {given} clusters again instead of the next ones, and does not tell how many there are; ask the vendor"
            ),
            _ if given > MAX_LISTED => return Err(endless()),
            _ => return Ok(self.items),
        };
        Err(ApiError::new(Reason::Protocol, message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize)]
    struct Numbers(Option<usize>, Option<Vec<String>>);

    impl Page for Numbers {
        type Item = String;
        fn total(&self) -> Option<usize> {
            self.0
        }
        fn items(self) -> Option<Vec<String>> {
            self.1
        }
        fn id(item: &String) -> &str {
            item
        }
    }

    fn page(total: Option<usize>, ids: std::ops::RangeInclusive<usize>) -> Numbers {
        Numbers(total, Some(ids.map(|n| n.to_string()).collect()))
    }

    #[test]
    fn positions_count_from_one() {
        let mut collected = Collected::default();
        assert_eq!(collected.position(), None);
        assert_eq!(collected.add(page(Some(12), 1..=10), 1), Ok(true));
        assert_eq!(collected.position().as_deref(), Some("11"));
        assert_eq!(collected.add(page(Some(12), 11..=12), 1), Ok(false));
        assert_eq!(collected.complete().unwrap().len(), 12);
    }

    #[test]
    fn the_first_page_again_ends_the_paging_and_is_not_a_whole_list() {
        let mut collected = Collected::default();
        assert_eq!(collected.add(page(Some(12), 1..=10), 1), Ok(true));
        assert_eq!(collected.add(page(Some(12), 1..=10), 1), Ok(false));
        assert_eq!(collected.items.len(), 10);
        let error = collected.complete().unwrap_err();
        assert_eq!(error.reason, Reason::Protocol);
    }

    #[test]
    fn without_a_total_a_full_page_may_have_a_successor() {
        let mut collected = Collected::default();
        assert_eq!(collected.add(page(None, 1..=10), 1), Ok(true));
        assert_eq!(collected.add(page(None, 11..=13), 1), Ok(false));
        assert_eq!(collected.complete().unwrap().len(), 13);
        let mut short = Collected::default();
        assert_eq!(short.add(page(None, 1..=3), 1), Ok(false));
    }

    #[test]
    fn a_list_that_ends_early_is_an_error() {
        let mut repeats = Collected::default();
        assert_eq!(repeats.add(page(None, 1..=10), 1), Ok(true));
        assert_eq!(repeats.add(page(None, 1..=10), 1), Ok(false));
        assert_eq!(repeats.complete().unwrap_err().reason, Reason::Protocol);
        let mut endless_pages = Collected::default();
        assert_eq!(endless_pages.add(page(None, 1..=10), 1), Ok(true));
        assert_eq!(
            endless_pages.complete(),
            Err(endless()),
            "no more were fetched"
        );
        for (count, bytes) in [(MAX_LISTED + 1, 1), (10, MAX_BYTES + 1)] {
            for total in [None, Some(2 * MAX_LISTED)] {
                let mut large = Collected::default();
                assert_eq!(large.add(page(total, 1..=count), bytes), Ok(false));
                assert_eq!(large.complete(), Err(endless()));
            }
        }
        let mut too_many = Collected::default();
        let all = MAX_LISTED + 1;
        assert_eq!(too_many.add(page(Some(all), 1..=all), 1), Ok(false));
        assert_eq!(too_many.complete(), Err(endless()));
    }

    #[test]
    fn no_list_is_an_empty_one_only_when_the_total_says_so() {
        let mut collected = Collected::<String>::default();
        assert_eq!(collected.add(Numbers(Some(0), None), 1), Ok(false));
        assert!(collected.add(Numbers(None, None), 1).is_err());
        assert!(collected.add(Numbers(Some(3), None), 1).is_err());
    }
}
