//! What is told once in the log, not at each poll.

use parking_lot::Mutex;
use std::collections::BTreeSet;

/// What was told already. Bounded, since it is foreign: after so many the rest is not told at all.
#[derive(Debug)]
pub struct Once<T>(Mutex<BTreeSet<T>>);

/// Things that are told at the most.
const MOST: usize = 1000;

impl<T> Default for Once<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Ord> Once<T> {
    /// Whether this is the first time, and there is room to remember it.
    pub fn is_new(&self, thing: T) -> bool {
        let mut told = self.0.lock();
        told.len() < MOST && told.insert(thing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_thing_is_new_once_and_their_number_is_bounded() {
        let told = Once::default();
        assert!(told.is_new(("1", 0)));
        assert!(!told.is_new(("1", 0)));
        assert!(told.is_new(("2", 0)));
        for i in 0..2 * MOST {
            told.is_new(("1", i));
        }
        assert_eq!(told.0.lock().len(), MOST);
        assert!(!told.is_new(("3", 0)));
    }
}
