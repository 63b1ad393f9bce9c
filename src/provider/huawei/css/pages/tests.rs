use super::*;

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
    fn total(&self) -> Option<usize> {
        self.0
    }
    fn items(self) -> Option<Vec<Number<HISTORY>>> {
        self.1
    }
}

type List = Collected<Number<false>>;
type History = Collected<Number<true>>;

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
    let mut list = List::default();
    assert_eq!(list.position(), None);
    assert_eq!(list.add(page(Some(12), 1..=10), 1), Ok(true));
    assert_eq!(list.position().as_deref(), Some("11"));
    assert_eq!(list.add(page(Some(12), 11..=12), 1), Ok(false));
    assert_eq!(list.complete().unwrap().len(), 12);
}

#[test]
fn entries_that_tell_nothing_count_in_totals_and_positions() {
    use crate::provider::huawei::css::wire::Details;
    let add = |list: &mut Collected<_>, page: &str| {
        list.add::<Details>(serde_json::from_str(page).unwrap(), 1)
    };
    let mut list = Collected::default();
    let page = r#"{"totalSize":4,"detailList":[{"id":"a"},null,{"id":"","status":""}]}"#;
    assert_eq!(add(&mut list, page), Ok(true));
    assert_eq!(list.position().as_deref(), Some("4"));
    let page = r#"{"totalSize":4,"detailList":{"id":"b"}}"#;
    assert_eq!(add(&mut list, page), Ok(false));
    assert_eq!(list.complete().unwrap().len(), 2);
    let mut list = Collected::default();
    assert_eq!(
        add(&mut list, r#"{"totalSize":1,"detailList":[{}]}"#),
        Ok(false)
    );
    assert_eq!(list.complete().unwrap().len(), 0);
}

#[test]
fn the_first_page_again_is_not_a_whole_list() {
    let mut list = List::default();
    assert_eq!(list.add(page(Some(12), 1..=10), 1), Ok(true));
    assert_eq!(list.add(page(Some(12), 1..=10), 1), Ok(false));
    assert_eq!(reason(list.complete()), Some(Reason::Protocol));
}

#[test]
fn without_a_total_a_full_page_may_have_a_successor() {
    let mut list = List::default();
    assert_eq!(list.add(page(None, 1..=10), 1), Ok(true));
    assert_eq!(list.add(page(None, 11..=13), 1), Ok(false));
    assert_eq!(list.complete().unwrap().len(), 13);
    let mut short = List::default();
    assert_eq!(short.add(page(None, 1..=3), 1), Ok(false));
}

#[test]
fn a_list_that_ends_early_is_an_error() {
    let mut repeats = List::default();
    assert_eq!(repeats.add(page(None, 1..=10), 1), Ok(true));
    assert_eq!(repeats.add(page(None, 1..=10), 1), Ok(false));
    assert_eq!(reason(repeats.complete()), Some(Reason::Protocol));
}

#[test]
fn a_list_beyond_the_bounds_is_an_error_even_if_one_decides() {
    let mut open = List::default();
    assert_eq!(open.add(deciding(None, 1..=10), 1), Ok(true));
    let error = open.complete().unwrap_err();
    assert!(
        error.message.contains("does not end"),
        "no more were fetched"
    );
    for (count, bytes) in [(MAX_ENTRIES + 1, 1), (10, MAX_BYTES + 1)] {
        for total in [None, Some(2 * MAX_ENTRIES)] {
            let mut large = List::default();
            assert_eq!(large.add(deciding(total, 1..=count), bytes), Ok(false));
            assert_eq!(reason(large.complete()), Some(Reason::Protocol));
        }
    }
    let mut too_many = List::default();
    let all = MAX_ENTRIES + 1;
    assert_eq!(too_many.add(page(Some(all), 1..=all), 1), Ok(false));
    assert_eq!(reason(too_many.complete()), Some(Reason::Protocol));
}

#[test]
fn no_list_is_an_empty_one_only_when_the_total_says_so() {
    let mut list = List::default();
    assert_eq!(list.add(Numbers(Some(0), None), 1), Ok(false));
    assert!(list.add(Numbers(None, None), 1).is_err());
    assert!(list.add(Numbers(Some(3), None), 1).is_err());
}

#[test]
fn entries_without_an_id_are_all_kept() {
    let mut list = List::default();
    let nameless = || Number(String::new(), false);
    let page = Numbers(Some(2), Some(vec![nameless(), nameless()]));
    assert_eq!(list.add(page, 1), Ok(false));
    assert_eq!(list.complete().unwrap().len(), 2);
}

#[test]
fn a_refused_page_ends_a_history_that_has_no_more() {
    let mut untold = History::default();
    assert_eq!(untold.add(page(None, 1..=10), 1), Ok(true));
    assert_eq!(untold.end_at(refusal()), Ok(()));
    assert_eq!(untold.complete().unwrap().len(), 10);
    let mut decided = History::default();
    assert_eq!(decided.add(deciding(Some(30), 1..=10), 1), Ok(true));
    assert_eq!(decided.end_at(refusal()), Ok(()));
    assert_eq!(decided.complete().unwrap().len(), 10);
}

#[test]
fn a_refused_page_of_a_longer_history_is_an_error() {
    let mut longer = History::default();
    assert_eq!(longer.add(page(Some(30), 1..=10), 1), Ok(true));
    let error = longer.end_at(refusal()).unwrap_err();
    assert_eq!((error.reason, error.status), (Reason::Protocol, Some(400)));
    assert!(error.message.contains("10 of 30"), "{error}");
    // Only a refusal says that the position is beyond the end.
    let mut broken = History::default();
    assert_eq!(broken.add(deciding(None, 1..=10), 1), Ok(true));
    let server = ApiError::new(Reason::Server, "broken");
    assert_eq!(broken.end_at(server.clone()), Err(server));
}

#[test]
fn a_refusal_ends_neither_a_list_of_clusters_nor_an_empty_one() {
    let mut clusters = List::default();
    assert_eq!(clusters.add(page(None, 1..=10), 1), Ok(true));
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
        assert_eq!(history.add(first(), 1), Ok(true));
        assert_eq!(history.add(first(), 1), Ok(false));
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
        history.add(Numbers(None, Some(items.into())), 1).unwrap();
        history.complete().unwrap()
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
