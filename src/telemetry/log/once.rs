//! Lines that the log tells once, not at each poll.

use std::collections::BTreeSet;

use parking_lot::Mutex;

/// Log-once set: the keys of lines that were logged. Bounded, because keys come from outside; further
/// lines are not logged when it is full.
#[derive(Debug)]
pub struct LogOnce<T, const MAX: usize = 1000>(Mutex<BTreeSet<T>>);

impl<T, const MAX: usize> Default for LogOnce<T, MAX> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Ord, const MAX: usize> LogOnce<T, MAX> {
    /// Returns whether the line of this key has yet to be logged, and there is room to remember it.
    pub fn is_new(&self, key: T) -> bool {
        let mut logged = self.0.lock();
        logged.len() < MAX && logged.insert(key)
    }

    /// Forgets all keys: what they stand for is over.
    pub fn clear(&self) {
        self.0.lock().clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_is_new_once_and_their_number_is_bounded() {
        let logged = LogOnce::<_, 10>::default();
        assert!(logged.is_new(("1", 0)));
        assert!(!logged.is_new(("1", 0)));
        assert!(logged.is_new(("2", 0)));
        for i in 0..20 {
            logged.is_new(("1", i));
        }
        assert_eq!(logged.0.lock().len(), 10);
        assert!(!logged.is_new(("3", 0)));
        logged.clear();
        assert!(logged.is_new(("1", 0)));
    }
}
