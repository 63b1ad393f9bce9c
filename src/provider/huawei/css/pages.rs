//! Pages of a list: positions count from 1, a page holds 10 entries unless asked otherwise, and a
//! cloud that does not know the position's name answers with the first page again.

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;

use crate::provider::{ApiError, Reason};

/// The largest page.
pub(super) const LIMIT: &str = "1000";

/// Pages of one list: bounds what a broken list can cost.
pub(super) const MOST: usize = 20;

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
    total: Option<usize>,
}

impl<T> Default for Collected<T> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            seen: BTreeSet::new(),
            received: 0,
            total: None,
        }
    }
}

impl<T> Collected<T> {
    /// The position of the next page; none for the first, which needs none.
    pub(super) fn position(&self) -> Option<String> {
        (self.received > 0).then(|| (self.received + 1).to_string())
    }

    /// Takes a page in, and tells whether to ask for another: there is more, and this one brought
    /// something new.
    pub(super) fn add<P: Page<Item = T>>(&mut self, page: P) -> Result<bool, ApiError> {
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
        Ok(more && self.items.len() > before)
    }

    /// The entries, if they are all: half a list would look like clusters that are gone.
    pub(super) fn complete(self) -> Result<Vec<T>, ApiError> {
        match self.total {
            Some(total) if self.items.len() < total => Err(ApiError::new(
                Reason::Protocol,
                format!(
                    "the list tells of {total} clusters and gives {}; name the clusters in the config instead of `all`, or ask the vendor",
                    self.items.len()
                ),
            )),
            _ => Ok(self.items),
        }
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
        assert_eq!(collected.add(page(Some(12), 1..=10)), Ok(true));
        assert_eq!(collected.position().as_deref(), Some("11"));
        assert_eq!(collected.add(page(Some(12), 11..=12)), Ok(false));
        assert_eq!(collected.complete().unwrap().len(), 12);
    }

    #[test]
    fn the_first_page_again_ends_the_paging_and_is_not_a_whole_list() {
        let mut collected = Collected::default();
        assert_eq!(collected.add(page(Some(12), 1..=10)), Ok(true));
        assert_eq!(collected.add(page(Some(12), 1..=10)), Ok(false));
        assert_eq!(collected.items.len(), 10);
        let error = collected.complete().unwrap_err();
        assert_eq!(error.reason, Reason::Protocol);
    }

    #[test]
    fn without_a_total_a_full_page_may_have_a_successor() {
        let mut collected = Collected::default();
        assert_eq!(collected.add(page(None, 1..=10)), Ok(true));
        assert_eq!(collected.add(page(None, 11..=13)), Ok(false));
        assert_eq!(collected.complete().unwrap().len(), 13);
        let mut short = Collected::default();
        assert_eq!(short.add(page(None, 1..=3)), Ok(false));
    }

    #[test]
    fn no_list_is_an_empty_one_only_when_the_total_says_so() {
        let mut collected = Collected::<String>::default();
        assert_eq!(collected.add(Numbers(Some(0), None)), Ok(false));
        assert!(collected.add(Numbers(None, None)).is_err());
        assert!(collected.add(Numbers(Some(3), None)).is_err());
    }
}
