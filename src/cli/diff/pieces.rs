//! Text in pieces, of which some are what differs from the other side.
//!
//! Everything in a piece is safe to show. Secrets never get here: what is compared is what is
//! shown, so nothing can be marked that is not there to be read.

use similar::{Algorithm, DiffOp};
use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory as _};
use unicode_width::UnicodeWidthStr as _;

use crate::base::text::escape;

/// In text of more words than this, no single words are marked.
const MOST_WORDS: usize = 2000;

/// A piece of text, and whether it is what differs in it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Piece {
    pub(super) text: String,
    pub(super) differs: bool,
}

/// Text on one line.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Text(pub(super) Vec<Piece>);

impl Text {
    /// Makes text in which nothing is marked.
    pub(super) fn plain(text: &str) -> Self {
        Self(vec![Piece { text: escape(text).into_owned(), differs: false }])
    }

    /// Makes the two sides of a change, with the words marked that are not the same.
    ///
    /// Where no word stayed the same nothing is marked: marking all of it would say nothing.
    pub(super) fn sides(before: &str, after: &str) -> (Self, Self) {
        let (old, new) = (words(before), words(after));
        if old.len().max(new.len()) > MOST_WORDS {
            return (Self::plain(before), Self::plain(after));
        }
        let ops = similar::capture_diff_slices(Algorithm::Myers, &old, &new);
        let stayed = |op: &DiffOp| {
            let is_word = |word: &&str| word.contains(char::is_alphanumeric);
            matches!(op, DiffOp::Equal { .. }) && old[op.old_range()].iter().any(is_word)
        };
        if !ops.iter().any(stayed) {
            return (Self::plain(before), Self::plain(after));
        }
        let side = |words: &[&str], range: fn(&DiffOp) -> std::ops::Range<usize>| {
            let pieces = ops.iter().filter(|op| !range(op).is_empty()).map(|op| Piece {
                text: escape(&words[range(op)].concat()).into_owned(),
                differs: !matches!(op, DiffOp::Equal { .. }),
            });
            Self(pieces.collect())
        };
        (side(&old, DiffOp::old_range), side(&new, DiffOp::new_range))
    }

    /// Returns the text without its marks.
    pub(super) fn text(&self) -> String {
        self.0.iter().map(|piece| piece.text.as_str()).collect()
    }

    /// Returns how many columns it takes.
    pub(super) fn width(&self) -> usize {
        self.0.iter().map(|piece| piece.text.width()).sum()
    }
}

/// Cuts a line into words, and everything else into characters with what combines with them.
fn words(line: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let (mut start, mut in_word) = (0, false);
    for (at, c) in line.char_indices() {
        let combines = c.general_category_group() == GeneralCategoryGroup::Mark;
        let word = c.is_alphanumeric();
        if at > start && !combines && !(word && in_word) {
            words.push(&line[start..at]);
            start = at;
        }
        in_word = word || (in_word && combines);
    }
    words.extend(Some(&line[start..]).filter(|rest| !rest.is_empty()));
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(before: &str, after: &str) -> [String; 2] {
        let mark = |p: &Piece| if p.differs { format!("[{}]", p.text) } else { p.text.clone() };
        let show = |text: Text| text.0.iter().map(mark).collect();
        let (before, after) = Text::sides(before, after);
        [show(before), show(after)]
    }

    #[test]
    fn the_words_that_differ_are_marked() {
        assert_eq!(shown("\"t3.small\"", "\"t3.large\""), ["\"t3.[small]\"", "\"t3.[large]\""]);
        assert_eq!(shown("a, b", "a, b, c"), ["a, b", "a, b[, c]"]);
    }

    #[test]
    fn where_no_word_stayed_nothing_is_marked() {
        assert_eq!(shown("\"dev\"", "\"prod\""), ["\"dev\"", "\"prod\""]);
        assert_eq!(shown("60", "120"), ["60", "120"]);
    }

    #[test]
    fn a_mark_does_not_come_between_a_letter_and_its_accent() {
        assert_eq!(shown("x e\u{301}", "x o\u{301}"), ["x [e\u{301}]", "x [o\u{301}]"]);
    }

    #[test]
    fn pieces_are_safe_to_show() {
        let [before, after] = shown("x \u{1b}[2J", "x \u{202e}");
        assert_eq!((before.as_str(), after.as_str()), (r"x [\u{1b}[2J]", r"x [\u{202e}]"));
    }
}
