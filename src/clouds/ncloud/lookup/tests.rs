//! Virtual time: what is asked when, and what is served meanwhile.

use std::cell::RefCell;

use super::*;
use Effort::{Normal, Once};

const HOUR: Duration = Duration::from_secs(3600);

/// A lookup, and how each of its tries was made.
struct Asked {
    lookup: CachedLookup<u32>,
    tries: RefCell<Vec<Effort>>,
}

impl Asked {
    fn new() -> Self {
        Self {
            lookup: CachedLookup::new(HOUR),
            tries: RefCell::default(),
        }
    }

    /// Looks up, with this outcome of a try.
    async fn get(&self, outcome: Result<u32, Reason>) -> (Option<u32>, Option<Reason>) {
        let (good, failure) = self.get_as(None, outcome).await;
        (good, failure.map(|(reason, _)| reason))
    }

    /// The same for a cluster that remembers this; the failure is told with `is_not_offered`.
    async fn get_as(
        &self,
        memory: Option<&CallMemory>,
        outcome: Result<u32, Reason>,
    ) -> (Option<u32>, Option<(Reason, bool)>) {
        let outcome = outcome.map_err(|reason| ApiError::new(reason, "no"));
        let found = self.lookup.get("", memory, |effort| {
            self.tries.borrow_mut().push(effort);
            async { outcome }
        });
        let found = found.await.unwrap();
        let failure = found.failure.map(|f| (f.error.reason, f.is_not_offered));
        (found.good.map(|good| *good), failure)
    }

    fn tries(&self) -> usize {
        self.tries.borrow().len()
    }
}

async fn pass(time: Duration) {
    tokio::time::sleep(time).await;
}

#[tokio::test(start_paused = true)]
async fn a_fact_is_refreshed_when_old_and_kept_when_that_fails() {
    let asked = Asked::new();
    let down = Some(Reason::Server);
    assert_eq!(asked.get(Err(Reason::Server)).await, (None, down));
    assert_eq!(asked.get(Ok(1)).await, (None, down), "not asked again yet");
    pass(PAUSE).await;
    assert_eq!(asked.get(Ok(2)).await, (Some(2), None));
    pass(HOUR / 2).await;
    assert_eq!(asked.get(Ok(3)).await, (Some(2), None), "still fresh");
    pass(HOUR / 2).await;
    assert_eq!(asked.get(Err(Reason::Server)).await, (Some(2), down));
    pass(PAUSE / 2).await;
    assert_eq!(asked.get(Ok(4)).await, (Some(2), down));
    pass(PAUSE / 2).await;
    assert_eq!(
        asked.get(Err(Reason::NotFound)).await,
        (Some(2), Some(Reason::NotFound))
    );
    pass(PAUSE).await;
    assert_eq!(
        asked.get(Ok(5)).await,
        (Some(5), None),
        "it was answered before"
    );
    assert_eq!(*asked.tries.borrow(), [Normal, Once, Normal, Once, Once]);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_refused_twice_waits_for_a_discovery() {
    for reason in [Reason::NotFound, Reason::Refused] {
        let asked = Asked::new();
        let refusal = (None, Some((reason, true)));
        assert_eq!(asked.get_as(None, Err(reason)).await, refusal);
        assert_eq!(asked.get_as(None, Ok(1)).await, refusal);
        let told = CallMemory {
            not_offered: 1,
            ..CallMemory::default()
        };
        assert_eq!(asked.get_as(Some(&told), Err(reason)).await, refusal);
        assert_eq!(asked.tries(), 2, "the cluster's second poll asks again");
        pass(HOUR * 24).await;
        assert_eq!(asked.get_as(Some(&told), Ok(1)).await, refusal);
        asked.lookup.discovered();
        assert_eq!(asked.get_as(None, Err(reason)).await, refusal);
        assert_eq!(asked.get_as(None, Ok(1)).await, refusal);
        assert_eq!(asked.tries(), 3);
        asked.lookup.discovered();
        assert_eq!(asked.get_as(None, Ok(1)).await, (Some(1), None));
    }
}

#[tokio::test(start_paused = true)]
async fn other_failures_are_never_taken_for_a_call_that_is_not_offered() {
    let asked = Asked::new();
    for (reason, is_not_offered) in [
        (Reason::Permission, false),
        (Reason::NotFound, true),
        (Reason::Throttled, false),
        (Reason::Protocol, false),
    ] {
        let failure = asked.get_as(None, Err(reason)).await.1;
        assert_eq!(failure, Some((reason, is_not_offered)));
        pass(PAUSE).await;
    }
}

#[tokio::test(start_paused = true)]
async fn refused_credentials_fail_the_poll_and_are_not_kept() {
    let lookup = CachedLookup::<u32>::new(HOUR);
    let refused = || async { Err(ApiError::new(Reason::Auth, "no")) };
    let error = lookup.get("", None, |_| refused()).await.unwrap_err();
    assert_eq!(error.reason, Reason::Auth);
    let found = lookup.get("", None, |_| async { Ok(1) }).await.unwrap();
    assert_eq!(found.good.as_deref(), Some(&1));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_hangs_slows_one_poll_only() {
    let lookup = CachedLookup::<u32>::new(HOUR);
    let hang = || async {
        pass(Duration::from_secs(10)).await;
        Err(ApiError::new(Reason::Timeout, "no"))
    };
    let begun = Instant::now();
    let (first, second) = tokio::join!(
        lookup.get("", None, |_| hang()),
        lookup.get("", None, |_| hang())
    );
    assert_eq!(begun.elapsed().as_secs(), 10, "one try serves both");
    assert!(first.unwrap().failure.is_some() && second.unwrap().failure.is_some());
    pass(PAUSE).await;
    let again = lookup.get("", None, |_| hang());
    let other = async {
        tokio::task::yield_now().await;
        let begun = Instant::now();
        let found = lookup.get("", None, |_| hang()).await.unwrap();
        (begun.elapsed(), found.failure.is_some())
    };
    let (_, other) = tokio::join!(again, other);
    assert_eq!(other, (Duration::ZERO, true));
}

/// Fails after so many seconds.
async fn fail_after(seconds: u64, reason: Reason) -> Result<u32, ApiError> {
    pass(Duration::from_secs(seconds)).await;
    Err(ApiError::new(reason, "no"))
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_fails_keeps_no_other_from_asking() {
    for reason in [Reason::Refused, Reason::Server] {
        let lookup = CachedLookup::<u32>::new(HOUR);
        let failure = |found: Found<u32>| found.failure.map(|f| (f.error.reason, f.is_not_offered));
        let is_refusal = reason == Reason::Refused;
        for named in ["1", "2"] {
            let found = lookup.get(named, None, |_| fail_after(0, reason)).await;
            assert_eq!(
                failure(found.unwrap()),
                Some((reason, is_refusal)),
                "{named}"
            );
        }
        let again = lookup.get("1", None, |_| async { Ok(1) }).await.unwrap();
        assert_eq!(
            failure(again),
            Some((reason, is_refusal)),
            "its pause holds"
        );
        let third = lookup.get("3", None, |_| async { Ok(3) }).await.unwrap();
        assert_eq!(third.good.as_deref(), Some(&3));
        for named in ["1", "2"] {
            let found = lookup.get(named, None, |_| async { Ok(1) }).await.unwrap();
            assert_eq!(found.good.as_deref(), Some(&3), "one answer serves all");
            assert!(found.failure.is_none());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_hangs_slows_no_other() {
    let lookup = CachedLookup::<u32>::new(HOUR);
    let hang = |named| lookup.get(named, None, |_| fail_after(10, Reason::Timeout));
    let begun = Instant::now();
    let (_, _, third) = tokio::join!(hang("1"), hang("2"), async {
        let found = hang("3").await.unwrap();
        (begun.elapsed(), found.failure.map(|f| f.error.cause))
    });
    assert_eq!(third, (LONGEST_WAIT, Some(Cause::NotAsked)));
    let (_, fourth) = tokio::join!(hang("3"), async {
        tokio::task::yield_now().await;
        let begun = Instant::now();
        let busy = hang("4").await.unwrap();
        (begun.elapsed(), busy.failure.map(|f| f.error.cause))
    });
    assert_eq!(fourth, (Duration::ZERO, Some(Cause::NotAsked)));
    let found = lookup.get("4", None, |_| async { Ok(4) }).await.unwrap();
    assert_eq!(found.good.as_deref(), Some(&4));
}

#[tokio::test(start_paused = true)]
async fn discoveries_forget_clusters_that_ask_no_more() {
    let lookup = CachedLookup::<u32>::new(HOUR);
    lookup
        .get("1", None, |_| fail_after(0, Reason::Refused))
        .await
        .unwrap();
    pass(FORGOTTEN / 2).await;
    lookup
        .get("2", None, |_| fail_after(0, Reason::Refused))
        .await
        .unwrap();
    lookup.discovered();
    assert_eq!(lookup.read(|state| state.failures.len()), 2);
    pass(FORGOTTEN / 2).await;
    lookup.discovered();
    assert!(lookup.found("1").failure.is_none());
    assert!(lookup.found("2").failure.is_some());
}
