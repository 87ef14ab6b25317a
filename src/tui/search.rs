//! The filter: the line it is typed into, what is wrong with it, and what it found.

use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::base::text;
use crate::query::filter::Filter;

use super::effect::Effect;
use super::view::Matches;

/// A filter that can't be understood.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Mistake {
    /// The bytes of the filter that are wrong.
    pub(crate) at: Range<usize>,
    /// What is wrong and what might help. Escaped.
    pub(crate) message: String,
}

/// The filter as typed, and the last result that could be had.
#[derive(Clone, Debug, Default)]
pub(crate) struct Search {
    pub(crate) text: String,
    /// Where the cursor stands in the text, in bytes.
    pub(crate) cursor: usize,
    pub(crate) mistake: Option<Mistake>,
    /// The newest result of a filter that could be understood; `None` while nothing is filtered.
    pub(crate) result: Option<Arc<Matches>>,
    /// How long the newest finished query took.
    pub(crate) took: Option<Duration>,
    /// Since when a query is running.
    pub(crate) running: Option<Instant>,
    /// The number of the newest query.
    pub(crate) generation: u64,
}

impl Search {
    /// Takes over a text, and asks for its result.
    pub(crate) fn set(&mut self, text: &str, now: Instant) -> Option<Effect> {
        text.clone_into(&mut self.text);
        self.cursor = text.len();
        self.query(now)
    }

    /// Asks for the result of the text as it stands.
    pub(crate) fn query(&mut self, now: Instant) -> Option<Effect> {
        self.mistake = None;
        let filter = if self.text.trim().is_empty() {
            self.result = None;
            self.took = None;
            self.running = None;
            None
        } else {
            match self.text.parse::<Filter>() {
                Ok(filter) => Some(Box::new(filter)),
                Err(error) => {
                    self.mistake = Some(mistake(&self.text, &error));
                    return None;
                }
            }
        };
        if filter.is_some() {
            self.running = Some(now);
        }
        self.generation += 1;
        Some(Effect::Query { generation: self.generation, filter })
    }

    /// Returns whether anything narrows the list, or will once it is found.
    pub(crate) fn is_active(&self) -> bool {
        !self.text.is_empty() || self.result.is_some()
    }

    /// Puts text in at the cursor. Line breaks become spaces; other control characters go.
    pub(crate) fn insert(&mut self, text: &str) {
        for c in text.chars() {
            let c = if matches!(c, '\n' | '\r' | '\t') { ' ' } else { c };
            if !c.is_control() {
                self.text.insert(self.cursor, c);
                self.cursor += c.len_utf8();
            }
        }
    }

    pub(crate) fn left(&mut self) {
        let before = self.text[..self.cursor].chars().next_back();
        self.cursor -= before.map_or(0, char::len_utf8);
    }

    pub(crate) fn right(&mut self) {
        let after = self.text[self.cursor..].chars().next();
        self.cursor += after.map_or(0, char::len_utf8);
    }

    pub(crate) fn delete(&mut self) {
        if self.cursor < self.text.len() {
            self.text.remove(self.cursor);
        }
    }

    pub(crate) fn delete_back(&mut self) {
        let end = self.cursor;
        self.left();
        self.text.replace_range(self.cursor..end, "");
    }

    pub(crate) fn delete_word(&mut self) {
        let before = self.text[..self.cursor].trim_end();
        let start = before
            .rfind(char::is_whitespace)
            .map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8));
        self.text.replace_range(start..self.cursor, "");
        self.cursor = start;
    }
}

/// Turns an error of the filter into what the prompt shows.
fn mistake(filter: &str, error: &crate::query::filter::Error) -> Mistake {
    let mut message = error.problem.clone();
    if let Some(hint) = &error.hint {
        message.push_str("; ");
        message.push_str(hint);
    }
    let end = error.at.end.min(filter.len());
    Mistake { at: error.at.start.min(end)..end, message: text::escape(&message).into_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_edited_by_characters_and_words() {
        let mut search = Search::default();
        search.insert("type:a größe\nx\u{1b}");
        assert_eq!(search.text, "type:a größe x");
        search.delete_back();
        search.delete_word();
        assert_eq!(search.text, "type:a ");
        search.left();
        search.left();
        search.delete();
        search.insert("ß");
        search.left();
        search.right();
        search.delete_back();
        assert_eq!((search.text.as_str(), search.cursor), ("type: ", 5));
        search.delete_word();
        assert_eq!(search.text, " ");
    }

    #[test]
    fn a_mistake_keeps_the_last_result_and_asks_for_nothing() {
        let now = Instant::now();
        let mut search = Search::default();
        assert!(matches!(search.set("aws", now), Some(Effect::Query { generation: 1, .. })));
        search.result = Some(Arc::default());
        assert!(search.set("nosuchfield:x", now).is_none());
        assert!(search.mistake.is_some() && search.result.is_some());
        assert!(search.set("", now).is_some());
        assert!(search.mistake.is_none() && search.result.is_none());
    }
}
