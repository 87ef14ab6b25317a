//! A table in two pieces, as two readers filled it.
//!
//! Joining the pieces would need room for one of them twice, at the very moment when the most
//! memory is in use.

use std::fmt;
use std::ops::Index;

/// Entries numbered from 0, those of the tail behind those of the head.
#[derive(Clone)]
pub(crate) struct Table<T> {
    head: Vec<T>,
    tail: Vec<T>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { head: Vec::new(), tail: Vec::new() }
    }
}

impl<T: fmt::Debug> fmt::Debug for Table<T> {
    /// Shows one list: who read what does not matter.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<T> Table<T> {
    /// Makes an empty table with room for so many entries; room that is not used costs nothing.
    pub(crate) fn with_capacity(entries: usize) -> Self {
        Self { head: Vec::with_capacity(entries), tail: Vec::new() }
    }

    pub(crate) fn len(&self) -> usize {
        self.head.len() + self.tail.len()
    }

    /// Appends an entry, to the last piece there is.
    pub(crate) fn push(&mut self, entry: T) {
        if self.tail.is_empty() { self.head.push(entry) } else { self.tail.push(entry) }
    }

    /// Takes off everything from the `len`th entry on, of the piece that grows.
    pub(crate) fn truncate(&mut self, len: usize) {
        self.tail.truncate(len.saturating_sub(self.head.len()));
        self.head.truncate(len);
    }

    /// Puts another table behind this one, which has but one piece, and changes each entry of it.
    pub(crate) fn append(&mut self, other: Self, change: impl FnMut(&mut T)) {
        debug_assert!(self.tail.is_empty() && other.tail.is_empty(), "there are two readers");
        self.tail = other.head;
        self.tail.iter_mut().for_each(change);
    }

    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = &T> {
        (0..self.len()).map(|place| &self[place])
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.head.iter_mut().chain(&mut self.tail)
    }

    pub(crate) fn get(&self, place: usize) -> Option<&T> {
        match place.checked_sub(self.head.len()) {
            Some(place) => self.tail.get(place),
            None => self.head.get(place),
        }
    }

    /// Returns the place of the first entry that `is_before` is not true for; entries are sorted by
    /// it.
    pub(crate) fn partition_point(&self, mut is_before: impl FnMut(&T) -> bool) -> usize {
        match self.tail.first() {
            Some(first) if is_before(first) => {
                self.head.len() + self.tail.partition_point(is_before)
            }
            _ => self.head.partition_point(is_before),
        }
    }
}

impl<T> Index<usize> for Table<T> {
    type Output = T;

    fn index(&self, place: usize) -> &T {
        match place.checked_sub(self.head.len()) {
            Some(place) => &self.tail[place],
            None => &self.head[place],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_pieces_are_one_table() {
        let (mut table, mut behind) = (Table::with_capacity(4), Table::default());
        (0..3).for_each(|n| table.push(n));
        (0..2).for_each(|n| behind.push(n));
        table.append(behind, |n| *n += 3);
        assert_eq!(table.iter().copied().collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
        assert_eq!((table.len(), table[2], table[3]), (5, 2, 3));
        assert_eq!((table.get(2), table.get(4), table.get(5)), (Some(&2), Some(&4), None));
        for place in 0..=5 {
            assert_eq!(table.partition_point(|&n| n < place), place);
        }
        table.iter_mut().for_each(|n| *n *= 10);
        table.truncate(4);
        assert_eq!(table.iter().copied().collect::<Vec<_>>(), [0, 10, 20, 30]);
    }
}
