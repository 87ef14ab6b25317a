//! Reading a filter from left to right: words, quoted text, regular expressions, operators.
//!
//! What ends a word depends on what it stands for, so there is no pass that cuts the text into
//! tokens beforehand.

use std::ops::Range;

use super::error::Error;
use super::syntax::{Kind, Literal, Op};

/// What ends a word besides a space, a bracket, a bar and a comma.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Stop {
    /// Nothing: it is a value.
    Value,
    /// An operator: it names what is tested.
    Operator,
}

/// A place in the text of a filter.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor<'t> {
    text: &'t str,
    pub(super) at: usize,
}

impl<'t> Cursor<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, at: 0 }
    }

    pub(super) fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn skip_space(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    /// Steps over `text` if it comes next.
    pub(super) fn eat(&mut self, text: &str) -> bool {
        let is_next = self.rest().starts_with(text);
        if is_next {
            self.at += text.len();
        }
        is_next
    }

    /// Returns whether a word of the grammar such as `or` comes next.
    pub(super) fn is_keyword(&self, word: &str) -> bool {
        self.rest().strip_prefix(word).is_some_and(|after| after.chars().next().is_none_or(is_end))
    }

    /// Steps over a word of the grammar if it comes next.
    pub(super) fn eat_keyword(&mut self, word: &str) -> bool {
        self.is_keyword(word) && self.eat(word)
    }

    /// Steps over an operator if one comes next.
    pub(super) fn operator(&mut self) -> Option<Op> {
        Op::ALL.iter().find(|(text, _)| self.eat(text)).map(|(_, op)| *op)
    }

    /// Steps over the name of a field if a colon or an operator follows it.
    pub(super) fn field(&mut self) -> Option<(&'t str, Range<usize>)> {
        let rest = self.rest();
        let end = rest.find(|c: char| !c.is_ascii_alphabetic() && c != '_').unwrap_or(rest.len());
        let after = &rest[end..];
        if end == 0 || !(after.starts_with(':') || Op::begins(after)) {
            return None;
        }
        let start = self.at;
        self.at += end;
        Some((&rest[..end], start..self.at))
    }

    /// Reads one or more literals with commas between them.
    ///
    /// `what` says what is missing where there is none.
    pub(super) fn literals(&mut self, stop: Stop, what: &str) -> Result<Vec<Literal>, Error> {
        let mut found = vec![self.literal(stop, what)?];
        while self.eat(",") {
            found.push(self.literal(stop, "a value after the comma")?);
        }
        Ok(found)
    }

    /// Reads a word, a quoted text or a regular expression.
    pub(super) fn literal(&mut self, stop: Stop, what: &str) -> Result<Literal, Error> {
        let start = self.at;
        let (kind, text) = match self.peek() {
            Some('"') => (Kind::Quoted, self.quoted()?),
            Some('/') => (Kind::Regex, self.regex()?),
            _ => (Kind::Word, self.word(stop)?),
        };
        if kind == Kind::Word && text.is_empty() {
            let end = start + self.peek().map_or(0, char::len_utf8);
            return Err(Error::new(start..end, format!("expected {what}")));
        }
        let goes_on = |c: char| !is_end(c) && c != ',';
        let operator = stop == Stop::Operator && Op::begins(self.rest());
        if kind != Kind::Word && !operator && self.peek().is_some_and(goes_on) {
            return Err(self.trailing(kind));
        }
        Ok(Literal { kind, text, at: start..self.at })
    }

    fn trailing(&self, kind: Kind) -> Error {
        let rest = self.rest();
        let end = rest.find(|c| is_end(c) || c == ',').unwrap_or(rest.len());
        let at = self.at..self.at + end;
        match kind {
            Kind::Regex => Error::new(at, "text right after a regular expression")
                .hint("quote text that begins with a slash: \"/…\""),
            Kind::Quoted | Kind::Word => Error::new(at, "text right after a closing quote")
                .hint("write a space between two words, or \\\" for a quote within quotes"),
        }
    }

    fn word(&mut self, stop: Stop) -> Result<String, Error> {
        let start = self.at;
        while let Some(c) = self.peek() {
            let ends = stop == Stop::Operator && Op::begins(self.rest());
            if ends || is_end(c) || c == ',' {
                break;
            }
            if c == '"' {
                // As in `net["a b"]`: the quotes are a part of the word.
                self.quoted()?;
            } else {
                self.at += c.len_utf8();
            }
        }
        Ok(self.text[start..self.at].to_owned())
    }

    fn quoted(&mut self) -> Result<String, Error> {
        let start = self.at;
        let mut out = String::new();
        let mut chars = self.text[start + 1..].char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    self.at = start + 1 + at + 1;
                    return Ok(out);
                }
                '\\' => match chars.next() {
                    Some((_, 'n')) => out.push('\n'),
                    Some((_, 't')) => out.push('\t'),
                    Some((_, escaped)) => out.push(escaped),
                    None => break,
                },
                _ => out.push(c),
            }
        }
        Err(Error::new(start..start + 1, "the quote is not closed"))
    }

    fn regex(&mut self) -> Result<String, Error> {
        let start = self.at;
        let mut escaped = false;
        for (at, c) in self.text[start + 1..].char_indices() {
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '/' => {
                    self.at = start + 1 + at + 1;
                    return Ok(self.text[start + 1..=start + at].to_owned());
                }
                _ => {}
            }
        }
        Err(Error::new(start..start + 1, "the regular expression is not closed")
            .hint("end it with a slash, or quote text that begins with one: \"/…\""))
    }
}

fn is_end(c: char) -> bool {
    c.is_whitespace() || matches!(c, '(' | ')' | '|')
}
