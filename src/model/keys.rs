//! Keys in their order, found without a look at what they stand for.

use std::cmp::Ordering;
use std::sync::Arc;

use super::Key;

/// Bytes of an id that are compared before the id itself.
const PREFIX: usize = size_of::<u128>();

/// A sorted list of keys that versions of one map share.
///
/// Of ten thousand clusters most stand in no cache of the processor. All that a search compares stands in
/// one piece here: the accounts and products mostly as pointers that are equal, the ids by their first bytes.
#[derive(Debug, Clone)]
pub struct Keys(Arc<[Entry]>);

#[derive(Debug)]
struct Entry {
    /// First bytes of the id, in its order.
    prefix: u128,
    key: Key,
}

impl Default for Keys {
    fn default() -> Self {
        Self::new([])
    }
}

impl Keys {
    /// Builds the list from keys in their order.
    pub fn new<'a>(keys: impl IntoIterator<Item = &'a Key>) -> Self {
        let entries = keys.into_iter().map(|key| Entry {
            prefix: prefix(&key.id),
            key: key.clone(),
        });
        Self(entries.collect())
    }

    /// Returns the place of a key, or the one at which it would stand.
    ///
    /// # Errors
    ///
    /// The key is not in the list.
    pub fn place(&self, key: &Key) -> Result<usize, usize> {
        let prefix = prefix(&key.id);
        self.0.binary_search_by(|entry| entry.cmp(key, prefix))
    }

    /// Returns the place of the last key that is not behind this one; the first place where all are.
    pub fn place_before(&self, key: &Key) -> usize {
        match self.place(key) {
            Ok(place) => place,
            Err(place) => place.saturating_sub(1),
        }
    }

    /// Returns the first key.
    pub fn first(&self) -> Option<&Key> {
        self.0.first().map(|entry| &entry.key)
    }
}

impl Entry {
    fn cmp(&self, key: &Key, prefix: u128) -> Ordering {
        let account = if Arc::ptr_eq(&self.key.account, &key.account) {
            Ordering::Equal
        } else {
            self.key.account.cmp(&key.account)
        };
        let product = || {
            if std::ptr::eq(self.key.product, key.product) {
                Ordering::Equal
            } else {
                self.key.product.cmp(key.product)
            }
        };
        account
            .then_with(product)
            .then_with(|| self.prefix.cmp(&prefix))
            .then_with(|| self.key.id.cmp(&key.id))
    }
}

/// Returns the first bytes of an id as a number that orders as they do.
fn prefix(id: &str) -> u128 {
    let mut bytes = [0; PREFIX];
    for (byte, of_id) in bytes.iter_mut().zip(id.bytes()) {
        *byte = of_id;
    }
    u128::from_be_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(account: u8, product: u8, id: &str) -> Key {
        Key {
            account: ["a", "b"][usize::from(account)].into(),
            product: ["css", "cce"][usize::from(product)],
            id: id.into(),
        }
    }

    proptest! {
        /// Ids that are equal in their first bytes, that end within them, and that hold a zero.
        #[test]
        fn finds_what_a_search_by_the_keys_finds(
            keys in prop::collection::btree_set((0u8..2, 0u8..2, "(long-common-id-){0,1}[ab\u{0}é]{0,3}"), 0..40),
            other in (0u8..2, 0u8..2, "(long-common-id-){0,1}[ab\u{0}é]{0,3}"),
        ) {
            let mut sorted: Vec<Key> = keys.iter().map(|(a, p, id)| key(*a, *p, id)).collect();
            sorted.sort();
            let list = Keys::new(&sorted);
            prop_assert_eq!(list.first(), sorted.first());
            let other = key(other.0, other.1, &other.2);
            for key in sorted.iter().chain([&other]) {
                let place = sorted.binary_search(key);
                prop_assert_eq!(list.place(key), place);
                let before = sorted.partition_point(|known| known <= key).saturating_sub(1);
                prop_assert_eq!(list.place_before(key), before);
            }
        }
    }
}
