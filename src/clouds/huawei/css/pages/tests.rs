use super::*;
use crate::cloud::kit::paginate::Paging;

/// Numbered entry; `true` decides.
#[derive(Debug, PartialEq, Eq)]
struct Number<const HISTORY: bool>(String, bool);

impl<const HISTORY: bool> Entry for Number<HISTORY> {
    const NOUN: &'static str = "numbers";
    const IS_HISTORY: bool = HISTORY;

    fn id(&self) -> Option<&str> {
        Some(&*self.0).filter(|id| !id.is_empty())
    }

    fn decides(&self) -> bool {
        self.1
    }
}

struct Numbers<const HISTORY: bool>(Option<usize>, Option<Vec<Number<HISTORY>>>);

impl<'de, const HISTORY: bool> serde::Deserialize<'de> for Numbers<HISTORY> {
    fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(serde::de::Error::custom("it is only built here"))
    }
}

impl<const HISTORY: bool> Page for Numbers<HISTORY> {
    type Item = Number<HISTORY>;

    fn parts(self) -> (Option<i64>, Option<Entries<Self::Item>>) {
        let entries = self.1.map(|list| Entries { list, left_out: 0 });
        (self.0.map(|total| i64::try_from(total).unwrap()), entries)
    }
}

type Clusters = Paging<Collected<Number<false>>>;
type History = Paging<Collected<Number<true>>>;

const ENTRIES: usize = Collected::<Number<false>>::MAX_ENTRIES;
const BYTES: usize = 160 << 20;

/// Takes a page of so many bytes in.
fn add<P: Page>(
    list: &mut Paging<Collected<P::Item>>,
    page: P,
    bytes: usize,
) -> Result<bool, ApiError> {
    list.add(read(page, bytes)?)
}

fn page<const H: bool>(total: Option<usize>, ids: std::ops::RangeInclusive<usize>) -> Numbers<H> {
    Numbers(
        total,
        Some(ids.map(|n| Number(n.to_string(), false)).collect()),
    )
}

/// A page whose last number decides.
fn deciding<const H: bool>(
    total: Option<usize>,
    ids: std::ops::RangeInclusive<usize>,
) -> Numbers<H> {
    let mut page = page(total, ids);
    let last = page.1.as_mut().and_then(|items| items.last_mut());
    last.unwrap().1 = true;
    page
}

fn refusal() -> ApiError {
    let mut error = ApiError::new(Reason::Refused, "no such offset");
    error.status = Some(400);
    error
}

fn reason<T>(outcome: Result<T, ApiError>) -> Option<Reason> {
    outcome.err().map(|error| error.reason)
}

#[test]
fn positions_count_from_one() {
    let mut list = Clusters::default();
    assert_eq!(position(&list.place), None);
    assert_eq!(add(&mut list, page(Some(12), 1..=10), 1), Ok(true));
    assert_eq!(position(&list.place).as_deref(), Some("11"));
    assert_eq!(add(&mut list, page(Some(12), 11..=12), 1), Ok(false));
    assert_eq!(list.complete().unwrap().len(), 12);
}

#[test]
fn entries_that_tell_nothing_count_in_totals_and_positions() {
    use crate::clouds::huawei::css::wire::Details;
    let add = |list: &mut Paging<_>, page: &str| {
        add::<Details>(list, serde_json::from_str(page).unwrap(), 1)
    };
    let mut list = Paging::default();
    let page = r#"{"totalSize":4,"detailList":[{"id":"a"},null,{"id":"","status":""}]}"#;
    assert_eq!(add(&mut list, page), Ok(true));
    assert_eq!(position(&list.place).as_deref(), Some("4"));
    let page = r#"{"totalSize":4,"detailList":{"id":"b"}}"#;
    assert_eq!(add(&mut list, page), Ok(false));
    assert_eq!(list.complete().unwrap().len(), 2);
    let mut list = Paging::default();
    assert_eq!(
        add(&mut list, r#"{"totalSize":1,"detailList":[{}]}"#),
        Ok(false)
    );
    assert_eq!(list.complete().unwrap().len(), 0);
}

#[test]
fn the_first_page_again_is_not_a_whole_list() {
    let mut list = Clusters::default();
    assert_eq!(add(&mut list, page(Some(12), 1..=10), 1), Ok(true));
    assert_eq!(add(&mut list, page(Some(12), 1..=10), 1), Ok(false));
    assert_eq!(reason(list.complete()), Some(Reason::Protocol));
}

#[test]
fn without_a_total_a_full_page_may_have_a_successor() {
    let mut list = Clusters::default();
    assert_eq!(add(&mut list, page(None, 1..=10), 1), Ok(true));
    assert_eq!(add(&mut list, page(None, 11..=13), 1), Ok(false));
    assert_eq!(list.complete().unwrap().len(), 13);
    let mut short = Clusters::default();
    assert_eq!(add(&mut short, page(None, 1..=3), 1), Ok(false));
}

#[test]
fn a_list_that_ends_early_is_an_error() {
    let mut repeats = Clusters::default();
    assert_eq!(add(&mut repeats, page(None, 1..=10), 1), Ok(true));
    assert_eq!(add(&mut repeats, page(None, 1..=10), 1), Ok(false));
    assert_eq!(reason(repeats.complete()), Some(Reason::Protocol));
}

#[test]
fn a_list_beyond_the_bounds_is_an_error_even_if_one_decides() {
    let mut open = Clusters::default();
    assert_eq!(add(&mut open, deciding(None, 1..=10), 1), Ok(true));
    let error = open.complete().unwrap_err();
    assert!(
        error.message.contains("does not end"),
        "no more were fetched"
    );
    for (count, bytes) in [(ENTRIES + 1, 1), (10, BYTES + 1)] {
        for total in [None, Some(2 * ENTRIES)] {
            let mut large = Clusters::default();
            assert_eq!(
                add(&mut large, deciding(total, 1..=count), bytes),
                Ok(false)
            );
            assert_eq!(reason(large.complete()), Some(Reason::Protocol));
        }
    }
    let mut too_many = Clusters::default();
    let all = ENTRIES + 1;
    assert_eq!(add(&mut too_many, page(Some(all), 1..=all), 1), Ok(false));
    assert_eq!(reason(too_many.complete()), Some(Reason::Protocol));
}

#[test]
fn no_list_is_an_empty_one_only_when_the_total_says_so() {
    let mut list = Clusters::default();
    assert_eq!(add(&mut list, Numbers(Some(0), None), 1), Ok(false));
    assert!(add(&mut list, Numbers(None, None), 1).is_err());
    assert!(add(&mut list, Numbers(Some(3), None), 1).is_err());
}

#[test]
fn entries_without_an_id_are_all_kept() {
    let mut list = Clusters::default();
    let nameless = || Number(String::new(), false);
    let page = Numbers(Some(2), Some(vec![nameless(), nameless()]));
    assert_eq!(add(&mut list, page, 1), Ok(false));
    assert_eq!(list.complete().unwrap().len(), 2);
}

#[test]
fn a_refused_page_ends_a_history_that_has_no_more() {
    let mut untold = History::default();
    assert_eq!(add(&mut untold, page(None, 1..=10), 1), Ok(true));
    assert_eq!(untold.end_at(refusal()), Ok(()));
    assert_eq!(untold.complete().unwrap().len(), 10);
    let mut decided = History::default();
    assert_eq!(add(&mut decided, deciding(Some(30), 1..=10), 1), Ok(true));
    assert_eq!(decided.end_at(refusal()), Ok(()));
    assert_eq!(decided.complete().unwrap().len(), 10);
}

#[test]
fn a_refused_page_of_a_longer_history_is_an_error() {
    let mut longer = History::default();
    assert_eq!(add(&mut longer, page(Some(30), 1..=10), 1), Ok(true));
    let error = longer.end_at(refusal()).unwrap_err();
    assert_eq!((error.reason, error.status), (Reason::Protocol, Some(400)));
    assert!(error.message.contains("10 of 30"), "{error}");
    // Only a refusal says that the position is beyond the end.
    let mut broken = History::default();
    assert_eq!(add(&mut broken, deciding(None, 1..=10), 1), Ok(true));
    let server = ApiError::new(Reason::Server, "broken");
    assert_eq!(broken.end_at(server.clone()), Err(server));
}

#[test]
fn a_refusal_ends_neither_a_list_of_clusters_nor_an_empty_one() {
    let mut clusters = Clusters::default();
    assert_eq!(add(&mut clusters, page(None, 1..=10), 1), Ok(true));
    assert_eq!(clusters.end_at(refusal()), Err(refusal()));
    assert_eq!(History::default().end_at(refusal()), Err(refusal()));
}

#[test]
fn a_page_that_repeats_ends_a_history_that_is_decided() {
    for (decides, want) in [(true, Ok(10)), (false, Err(Reason::Protocol))] {
        let mut history = History::default();
        let first = || {
            if decides {
                deciding(Some(12), 1..=10)
            } else {
                page(Some(12), 1..=10)
            }
        };
        assert_eq!(add(&mut history, first(), 1), Ok(true));
        assert_eq!(add(&mut history, first(), 1), Ok(false));
        let outcome = history.complete();
        let outcome = outcome.map(|items| items.len()).map_err(|e| e.reason);
        assert_eq!(outcome, want);
    }
}

#[test]
fn of_entries_with_the_same_id_one_that_decides_stays() {
    let kept = |decide: [bool; 3]| {
        let mut history = History::default();
        let items = decide.map(|decides| Number("1".to_owned(), decides));
        add(&mut history, Numbers(None, Some(items.into())), 1).unwrap();
        history.complete().unwrap().items
    };
    for decide in [
        [false, true, false],
        [true, false, false],
        [false, false, true],
    ] {
        assert_eq!(kept(decide), [Number("1".to_owned(), true)], "{decide:?}");
    }
    assert_eq!(kept([false; 3]).len(), 1);
}
