//! Results of hashes: those that are remembered, and those that several requests wait for.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::OnceCell;

/// Results of each kind that are remembered.
pub(super) const REMEMBERED: usize = 100;

/// A keyed hash of user, hash and password: comparing it in any time tells nothing of these.
pub(super) type Mark = [u8; 32];

/// The last results. Bad ones have a place of their own: a client that guesses cannot push a good one
/// out.
#[derive(Default)]
pub(super) struct Results {
    pub(super) good: Recent,
    pub(super) bad: Recent,
}

#[derive(Default)]
pub(super) struct Recent {
    pub(super) known: HashSet<Mark>,
    pub(super) order: VecDeque<Mark>,
}

/// A result that requests wait for together: one of them computes it.
pub(super) struct Flight {
    flights: Flights,
    mark: Mark,
    pub(super) result: Arc<OnceCell<bool>>,
}

pub(super) type Flights = Arc<Mutex<HashMap<Mark, Arc<OnceCell<bool>>>>>;

impl Results {
    pub(super) fn insert(&mut self, mark: Mark, fits: bool) {
        let recent = if fits { &mut self.good } else { &mut self.bad };
        recent.insert(mark);
    }

    pub(super) fn get(&self, mark: &Mark) -> Option<bool> {
        if self.good.known.contains(mark) {
            return Some(true);
        }
        self.bad.known.contains(mark).then_some(false)
    }
}

impl Recent {
    fn insert(&mut self, mark: Mark) {
        if !self.known.insert(mark) {
            return;
        }
        self.order.push_back(mark);
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
    }
}

impl Flight {
    /// Joins the requests that wait for this result.
    pub(super) fn join(flights: &Flights, mark: Mark) -> Self {
        let result = flights.lock().entry(mark).or_default().clone();
        Self {
            flights: flights.clone(),
            mark,
            result,
        }
    }
}

impl Drop for Flight {
    /// Forgets the result with the last request that waits for it.
    fn drop(&mut self) {
        let mut flights = self.flights.lock();
        // This one's, and the map's.
        if Arc::strong_count(&self.result) <= 2 {
            flights.remove(&self.mark);
        }
    }
}
