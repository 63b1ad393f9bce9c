//! Lists in pages, put together completely or not at all: half a list of clusters looks like clusters
//! that are gone, and half a history may lack the upgrade that runs.

use std::collections::BTreeSet;
use std::future::Future;

use crate::http::ApiError;
use crate::model::Reason;

/// Entries of the pages so far, each once.
pub(crate) trait List: Default {
    /// Entries of a page.
    type Entries;

    /// Noun for several entries.
    const NOUN: &'static str;

    /// Most pages. A list beyond a bound is an error.
    const MAX_PAGES: u32;

    /// Most entries of all pages: a cloud may give more than it is asked for.
    const MAX_ENTRIES: usize;

    /// Most bytes of all pages; `None` where pages and entries bound them.
    const MAX_BYTES: Option<usize> = None;

    /// Remedy for a list beyond the bounds.
    const ADVICE: &'static str = "it is not used, ask the vendor";

    /// True where the vendor may refuse a position beyond the end of the list.
    const MAY_REFUSE_END: bool = false;

    /// Adds the entries of a page.
    fn add(&mut self, entries: Self::Entries);

    /// Returns the number of entries. A page that does not raise it brings nothing new.
    fn len(&self) -> usize;

    /// Returns whether no entry of a further page can matter more than one of these.
    fn is_decided(&self) -> bool {
        false
    }
}

/// Page of a list.
pub(crate) struct Page<E> {
    pub(crate) entries: E,
    /// Number of entries that came.
    pub(crate) received: usize,
    /// Number of those that tell nothing, which totals and positions count.
    pub(crate) left_out: usize,
    /// Length of the answer.
    pub(crate) bytes: usize,
    /// Number of entries in all pages; `None` when the vendor does not tell it.
    pub(crate) total: Option<usize>,
    /// Vendor's word on further pages.
    pub(crate) next: Next,
}

/// Vendor's word on further pages.
pub(crate) enum Next {
    /// Flag: true where there are more.
    Told(bool),
    /// Marker of the next page; empty on the last one. A vendor that does not know markers gives the
    /// first page again.
    Marker(String),
    /// None. There are more until the total is reached; without a total, a page with fewer entries
    /// than this is the last one.
    Untold(usize),
}

/// Place of the next page, in the ways in which vendors count.
#[derive(Debug, Clone, Default)]
pub(crate) struct Place {
    /// Number of pages before it.
    pub(crate) pages: u32,
    /// Number of entries before it, also those that came twice or tell nothing.
    pub(crate) received: usize,
    /// Marker that came with the page before.
    pub(crate) marker: Option<String>,
}

/// List under way.
#[derive(Debug, Default)]
pub(crate) struct Paging<L> {
    list: L,
    pub(crate) place: Place,
    markers: BTreeSet<String>,
    left_out: usize,
    bytes: usize,
    /// Total that the entries have to reach.
    total: Option<usize>,
    end: End,
}

/// State of the paging.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum End {
    /// There are more pages.
    #[default]
    Open,
    /// The last page brought nothing new, and yet there should be more.
    Repeated,
    /// The last page was the end of the list.
    Reached,
}

/// Fetches page after page up to the last.
///
/// # Errors
/// Fails when a page does, or when the list is beyond its bounds or gives less than it tells.
pub(crate) async fn paginate<L: List, F>(fetch: impl Fn(Place) -> F) -> Result<L, ApiError>
where
    F: Future<Output = Result<Page<L::Entries>, ApiError>>,
{
    let mut paging = Paging::<L>::default();
    while paging.place.pages < L::MAX_PAGES {
        let has_more = match fetch(paging.place.clone()).await {
            Ok(page) => paging.add(page)?,
            Err(refusal) => paging.end_at(refusal).map(|()| false)?,
        };
        if !has_more {
            break;
        }
    }
    paging.complete()
}

impl<L: List> Paging<L> {
    /// Takes a page in, and returns whether to ask for another: there is more, this one brought
    /// something new, and the bounds leave room.
    ///
    /// # Errors
    /// Fails when a vendor that tells of more pages gives nothing new.
    pub(crate) fn add(&mut self, page: Page<L::Entries>) -> Result<bool, ApiError> {
        let before = self.list.len();
        self.list.add(page.entries);
        let is_new = self.list.len() > before;
        self.place.pages += 1;
        self.place.received += page.received;
        self.left_out += page.left_out;
        self.bytes += page.bytes;
        self.total = page.total.or(self.total);
        self.end = match page.next {
            Next::Told(true) if is_new => End::Open,
            Next::Told(has_more) => {
                let is_empty = page.received == page.left_out;
                let is_whole = self.total.map_or(is_empty, |total| self.counted() >= total);
                if has_more && !is_whole {
                    return Err(unusable(format!(
                        "page {} of the list of {} brings nothing new and is not the last; the list is not used",
                        self.place.pages,
                        L::NOUN
                    )));
                }
                self.total = None;
                End::Reached
            }
            Next::Marker(marker) if marker.is_empty() || !self.markers.insert(marker.clone()) => {
                End::Reached
            }
            Next::Marker(marker) => {
                self.place.marker = Some(marker);
                End::Open
            }
            Next::Untold(full) => {
                let received = self.place.received;
                let has_more = self
                    .total
                    .map_or(page.received >= full, |total| received < total);
                match has_more {
                    false => End::Reached,
                    true if is_new => End::Open,
                    true => End::Repeated,
                }
            }
        };
        let has_room =
            self.list.len() <= L::MAX_ENTRIES && L::MAX_BYTES.is_none_or(|most| self.bytes <= most);
        Ok(self.end == End::Open && has_room)
    }

    /// Ends the list at the page that the vendor refused with `refusal`.
    ///
    /// # Errors
    /// Fails with the refusal when it is not one of a position beyond the end: there are more
    /// entries, and none of those received decides.
    pub(crate) fn end_at(&mut self, refusal: ApiError) -> Result<(), ApiError> {
        let received = self.place.received;
        let is_refused = refusal.reason == Reason::Refused && refusal.status == Some(400);
        if received == 0 || !L::MAY_REFUSE_END || !is_refused {
            return Err(refusal);
        }
        match self.total {
            Some(total) if total > received && !self.list.is_decided() => {
                let message = format!(
                    "the cloud refuses the page after {received} of {total} {}; ask the vendor: {}",
                    L::NOUN,
                    refusal.message
                );
                Err(ApiError {
                    status: refusal.status,
                    code: refusal.code,
                    request_id: refusal.request_id,
                    ..unusable(message)
                })
            }
            _ => {
                self.end = End::Reached;
                // Entries beyond are out of reach, and do not matter.
                self.total = None;
                Ok(())
            }
        }
    }

    /// Returns the list.
    ///
    /// # Errors
    /// Fails when there are more entries than were received and none of these decides, or more than
    /// the bounds allow.
    pub(crate) fn complete(self) -> Result<L, ApiError> {
        let (noun, given) = (L::NOUN, self.list.len());
        if self.end == End::Open || given > L::MAX_ENTRIES {
            return Err(endless::<L>());
        }
        let message = match (self.total, self.end) {
            _ if self.list.is_decided() => return Ok(self.list),
            (Some(total), _) if self.counted() < total => {
                format!("the list tells of {total} {noun} and gives {given}; ask the vendor")
            }
            (None, End::Repeated) => format!(
                "the list gives {given} {noun} again instead of the next ones, and does not tell how many there are; ask the vendor"
            ),
            _ => return Ok(self.list),
        };
        Err(unusable(message))
    }

    fn counted(&self) -> usize {
        self.list.len() + self.left_out
    }
}

/// Builds the failure of a list beyond its bounds.
pub(crate) fn endless<L: List>() -> ApiError {
    let (noun, advice) = (L::NOUN, L::ADVICE);
    let (pages, entries) = (L::MAX_PAGES, L::MAX_ENTRIES);
    let rest = match L::MAX_BYTES {
        Some(bytes) => format!(", {entries} {noun} or {} MiB", bytes >> 20),
        None => format!(" or {entries} {noun}"),
    };
    unusable(format!(
        "the list of {noun} does not end after {pages} pages{rest}; {advice}"
    ))
}

fn unusable(message: String) -> ApiError {
    ApiError::new(Reason::Protocol, message)
}
