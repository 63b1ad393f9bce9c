//! A list of which two versions share all but a few items.

use std::sync::Arc;

/// Items of a row. Rows are touched more often than items, and are nearer: short ones are fastest.
const ROW: usize = 3;

/// Items in rows. To replace one copies its row and the list of rows: a list of pointers to all items would
/// count a further holder at each of them, and most stand in no cache of the processor.
#[derive(Debug)]
pub(crate) struct SharedList<T> {
    /// Each holds [`ROW`] items, but for the last.
    rows: Vec<Arc<[Arc<T>]>>,
    len: usize,
}

impl<T> Clone for SharedList<T> {
    fn clone(&self) -> Self {
        Self {
            rows: self.rows.clone(),
            len: self.len,
        }
    }
}

impl<T> From<Vec<Arc<T>>> for SharedList<T> {
    fn from(items: Vec<Arc<T>>) -> Self {
        Self {
            rows: items.chunks(ROW).map(Arc::from).collect(),
            len: items.len(),
        }
    }
}

impl<T> SharedList<T> {
    /// Returns the number of items.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Returns the items in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<T>> {
        self.rows.iter().flat_map(|row| row.iter())
    }

    /// Returns the item at a place.
    ///
    /// # Panics
    /// Panics where there is none.
    pub(crate) fn get(&self, place: usize) -> &Arc<T> {
        &self.rows[place / ROW][place % ROW]
    }

    /// Puts another item at a place.
    ///
    /// # Panics
    /// Panics where there is none.
    pub(crate) fn replace(&mut self, place: usize, item: Arc<T>) {
        Arc::make_mut(&mut self.rows[place / ROW])[place % ROW] = item;
    }

    /// Returns the places of the items that are not those of another list of this length.
    pub(crate) fn differences(&self, other: &Self) -> impl Iterator<Item = usize> {
        let rows = self.rows.iter().zip(&other.rows).enumerate();
        let rows = rows.filter(|(_, (row, others))| !Arc::ptr_eq(row, others));
        rows.flat_map(|(at, (row, others))| {
            let items = row.iter().zip(others.iter()).enumerate();
            let items = items.filter(|(_, (item, other))| !Arc::ptr_eq(item, other));
            items.map(move |(place, _)| at * ROW + place)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_shares_all_rows_but_those_of_its_own_items() {
        let old = SharedList::from((0..20).map(Arc::new).collect::<Vec<_>>());
        let mut new = old.clone();
        for place in [7, 8, 19] {
            new.replace(place, Arc::new(100 + place));
        }
        let items: Vec<usize> = new.iter().map(|item| **item).collect();
        let told: Vec<_> = (0..20)
            .map(|n| if [7, 8, 19].contains(&n) { 100 + n } else { n })
            .collect();
        assert_eq!((items, new.len()), (told, 20));
        assert_eq!((**old.get(7), **new.get(7)), (7, 107));
        let differences: Vec<_> = new.differences(&old).collect();
        assert_eq!(differences, [7, 8, 19]);
        let shared = old
            .rows
            .iter()
            .zip(&new.rows)
            .filter(|(a, b)| Arc::ptr_eq(a, b));
        assert_eq!(shared.count(), 5);
    }
}
