//! Tables of the index that take no more room than what is in them.
//!
//! A [`Table`] is in two pieces, as two readers filled it: joining the pieces would need room for one of them twice, at the very moment when the most
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

/// Texts numbered from 0, in one piece: a text costs four bytes beyond its own.
#[derive(Clone, Default)]
pub(crate) struct Texts {
    all: String,
    ends: Vec<u32>,
}

impl fmt::Debug for Texts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl Texts {
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn push(&mut self, text: &str) {
        self.all.push_str(text);
        let end = u32::try_from(self.all.len());
        self.ends.push(end.expect("the texts of a document of 4 GiB are smaller than it"));
    }

    pub(crate) fn get(&self, place: usize) -> Option<&str> {
        let end = *self.ends.get(place)? as usize;
        let start = place.checked_sub(1).map_or(0, |last| self.ends[last] as usize);
        self.all.get(start..end)
    }

    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        (0..self.len()).map(|place| &self[place])
    }
}

impl Index<usize> for Texts {
    type Output = str;

    fn index(&self, place: usize) -> &str {
        self.get(place).expect("the place is one of a text")
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
        table.truncate(4);
        assert_eq!(table.iter().copied().collect::<Vec<_>>(), [0, 1, 2, 3]);
    }

    #[test]
    fn texts_come_back_as_they_were_put_in() {
        let mut texts = Texts::default();
        for text in ["", "a", "", "bc"] {
            texts.push(text);
        }
        assert_eq!(texts.iter().collect::<Vec<_>>(), ["", "a", "", "bc"]);
        assert_eq!((texts.len(), &texts[3], texts.get(4)), (4, "bc", None));
    }
}
