//! Edits that splice bytes: what was not edited stays as it is, byte for byte.
//!
//! A [`Container`] says where the items of an object or an array stand and turns a list of what is
//! to stand there into [`Splices`]; a [`Layout`] is how the document is indented, so that what
//! comes from elsewhere looks as if it had always been there. Whoever edits parses the result
//! again: nothing here knows what a state is.

mod container;
mod layout;

use std::ops::Range;

pub use container::{Container, Item, Slot};
pub use layout::Layout;

/// Replacements of ranges of one text that do not overlap.
#[derive(Clone, Default)]
pub struct Splices(Vec<(Range<usize>, Vec<u8>)>);

impl Splices {
    /// Puts `text` in the place of a range; an empty range inserts.
    pub fn replace(&mut self, range: Range<usize>, text: Vec<u8>) {
        self.0.push((range, text));
    }

    /// Returns whether nothing is to be replaced.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the text with everything replaced; `None` where ranges overlap or are not in it.
    pub fn apply(mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        self.0.sort_by_key(|(range, _)| (range.start, range.end));
        let grown: usize = self.0.iter().map(|(_, text)| text.len()).sum();
        let mut out = Vec::with_capacity(bytes.len() + grown);
        let mut at = 0;
        for (range, text) in self.0 {
            out.extend_from_slice(bytes.get(at..range.start)?);
            out.extend_from_slice(&text);
            at = range.end;
        }
        out.extend_from_slice(bytes.get(at..)?);
        Some(out)
    }
}

/// Shows no text: states hold secrets.
impl std::fmt::Debug for Splices {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(range, _)| range)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_replaced_stays() {
        let mut splices = Splices::default();
        splices.replace(4..5, b"five".to_vec());
        splices.replace(0..0, b"<".to_vec());
        splices.replace(2..3, Vec::new());
        assert_eq!(format!("{splices:?}"), "[4..5, 0..0, 2..3]");
        assert_eq!(splices.apply(b"012345").unwrap(), b"<013five5");
    }

    #[test]
    fn what_can_not_be_replaced_is_refused() {
        for ranges in [[1..3, 2..4], [0..1, 5..9], [1..4, 1..4]] {
            let mut splices = Splices::default();
            for range in ranges {
                splices.replace(range, Vec::new());
            }
            assert_eq!(splices.apply(b"012345"), None);
        }
    }
}
