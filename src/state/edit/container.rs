//! An object or an array: where its items stand, and what to splice so that others stand there.

use std::borrow::Cow;
use std::ops::Range;

use super::{Layout, Splices};
use crate::state::scan::{Scanner, SyntaxError};

/// An item of a container: an element, or a member with its key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Item<'a> {
    /// The key of a member; empty for an element.
    pub key: Cow<'a, str>,
    /// Where all of it stands.
    pub range: Range<usize>,
    /// Where its value stands.
    pub value: Range<usize>,
}

/// What is to stand in a place of a container.
#[derive(Clone, Eq, PartialEq)]
pub enum Slot {
    /// The item that stands there, by its number. Items keep their order.
    Keep(usize),
    /// This text.
    New(Vec<u8>),
}

/// Shows no text: states hold secrets.
impl std::fmt::Debug for Slot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Keep(item) => write!(f, "Keep({item})"),
            Self::New(_) => f.write_str("New"),
        }
    }
}

/// Where an object or an array stands in a text, and its items.
#[derive(Clone)]
pub struct Container<'a> {
    bytes: &'a [u8],
    range: Range<usize>,
    /// The items in the order of the text.
    pub items: Vec<Item<'a>>,
}

/// Shows no text: states hold secrets.
impl std::fmt::Debug for Container<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Container({:?}, {} items)", self.range, self.items.len())
    }
}

impl<'a> Container<'a> {
    /// Reads the object or array at `start`; any other value has no items.
    pub fn read(bytes: &'a [u8], start: usize) -> Result<Self, SyntaxError> {
        let mut scanner = Scanner::at(bytes, start, 0);
        let (mut items, mut first) = (Vec::new(), true);
        let bracket = scanner.peek();
        let start = scanner.pos();
        match bracket {
            Some(b'{') => {
                scanner.open_object()?;
                while let Some(key) = scanner.next_key(&mut first)? {
                    let value = value(&mut scanner)?;
                    let range = key.offset - 1..value.end;
                    items.push(Item { key: key.decode_lossy(), range, value });
                }
            }
            Some(b'[') => {
                scanner.open_array()?;
                while scanner.next_element(&mut first)? {
                    let value = value(&mut scanner)?;
                    items.push(Item { key: Cow::Borrowed(""), range: value.clone(), value });
                }
            }
            _ => drop(scanner.value()?),
        }
        Ok(Self { bytes, range: start..scanner.pos(), items })
    }

    /// Returns the text of a range.
    pub fn text(&self, range: &Range<usize>) -> &'a [u8] {
        &self.bytes[range.clone()]
    }

    /// Returns the item of this key; the last one where it stands twice.
    pub fn get(&self, is_key: impl Fn(&str) -> bool) -> Option<(usize, &Item<'a>)> {
        self.items.iter().enumerate().rev().find(|(_, item)| is_key(&item.key))
    }

    /// Splices so that the slots stand here, each `depth` deep.
    ///
    /// Between two items that stay, nothing changes.
    pub fn arrange(&self, slots: &[Slot], (layout, depth): (&Layout, usize), out: &mut Splices) {
        let mut before = None;
        let mut new: Vec<&[u8]> = Vec::new();
        for slot in slots {
            match slot {
                Slot::New(text) => new.push(text),
                Slot::Keep(item) => {
                    self.fill((before, Some(*item)), &new, (layout, depth), out);
                    before = Some(*item);
                    new.clear();
                }
            }
        }
        self.fill((before, None), &new, (layout, depth), out);
    }

    /// Puts new items between two that stay, or the brackets, and takes out what stood there.
    fn fill(
        &self,
        (before, after): (Option<usize>, Option<usize>),
        new: &[&[u8]],
        (layout, depth): (&Layout, usize),
        out: &mut Splices,
    ) {
        let first = before.map_or(0, |item| item + 1);
        let (open, close) = (self.range.start + 1, self.range.end - 1);
        if new.is_empty() && first == after.unwrap_or(self.items.len()) {
            return;
        }
        let start = before.map_or(open, |item| self.items[item].range.end);
        let end = after.map_or(close, |item| self.items[item].range.start);
        let mut text = Vec::new();
        let is_empty = before.is_none() && after.is_none() && new.is_empty();
        if before.is_none() && !is_empty {
            match self.items.first() {
                Some(item) => text.extend_from_slice(&self.bytes[open..item.range.start]),
                None => layout.push_break(depth, &mut text),
            }
        }
        let mut between = before.is_some();
        for item in new.iter().copied().map(Some).chain(after.map(|_| None)) {
            if between {
                layout.push_comma(depth, &mut text);
            }
            text.extend_from_slice(item.unwrap_or_default());
            between = true;
        }
        if after.is_none() && !is_empty {
            match self.items.last() {
                Some(item) => text.extend_from_slice(&self.bytes[item.range.end..close]),
                None => layout.push_break(depth.saturating_sub(1), &mut text),
            }
        }
        out.replace(start..end, text);
    }
}

fn value(scanner: &mut Scanner<'_>) -> Result<Range<usize>, SyntaxError> {
    scanner.peek();
    let start = scanner.pos();
    Ok(start..start + scanner.value()?.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Arranges the text: `0` keeps the first item, `+x` puts `x` there.
    fn arranged(text: &str, slots: &str) -> String {
        let container = Container::read(text.as_bytes(), 0).unwrap();
        let slot = |word: &str| match word.strip_prefix('+') {
            Some(new) => Slot::New(new.as_bytes().to_vec()),
            None => Slot::Keep(word.parse().unwrap()),
        };
        let slots: Vec<Slot> = slots.split_whitespace().map(slot).collect();
        let mut splices = Splices::default();
        let layout = Layout::of(if text.contains('\n') { b"{\n  \"v\": 4\n}" } else { b"{}" });
        container.arrange(&slots, (&layout, 1), &mut splices);
        String::from_utf8(splices.apply(text.as_bytes()).unwrap()).unwrap()
    }

    #[test]
    fn items_come_and_go_and_others_stay_as_they_are() {
        let text = "[\n  1,\n   2 ,\n  3\n ]";
        assert_eq!(arranged(text, "0 1 2"), text);
        assert_eq!(arranged(text, "1 2"), "[\n  2 ,\n  3\n ]");
        assert_eq!(arranged(text, "0 2"), "[\n  1,\n  3\n ]");
        assert_eq!(arranged(text, "0 1"), "[\n  1,\n   2\n ]");
        assert_eq!(arranged(text, ""), "[]");
        assert_eq!(arranged(text, "+0 0 1 2 +4 +5"), "[\n  0,\n  1,\n   2 ,\n  3,\n  4,\n  5\n ]");
        assert_eq!(arranged(text, "0 +9 2"), "[\n  1,\n  9,\n  3\n ]");
        assert_eq!(arranged(text, "+9"), "[\n  9\n ]");
        assert_eq!(arranged("[\n]", "+9"), "[\n  9\n]");
    }

    #[test]
    fn one_line_stays_one_line() {
        assert_eq!(arranged("[1,2]", "0 +3 1"), "[1,3,2]");
        assert_eq!(arranged("[]", "+1 +2"), "[1,2]");
        assert_eq!(arranged("{\"a\":1}", "+\"b\":2 0"), "{\"b\":2,\"a\":1}");
        assert_eq!(arranged("[ ]", ""), "[ ]");
    }

    #[test]
    fn the_last_of_equal_keys_counts() {
        let text = b" {\"a\":1, \"\\u0061\" : 2}";
        let object = Container::read(text, 1).unwrap();
        let (number, item) = object.get(|key| key == "a").unwrap();
        assert_eq!((number, object.text(&item.value)), (1, &b"2"[..]));
        assert!(Container::read(b"null", 0).unwrap().items.is_empty());
        Container::read(b"[1", 0).unwrap_err();
    }
}
