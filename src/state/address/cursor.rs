//! The tokens of an address: names, dots, keys, and the blanks and comments HCL allows between.

use super::word::identifier_length;
use super::{Error, Key, Problem, literal};

/// A place in the text of an address; blanks before it are always passed already.
#[derive(Debug)]
pub(crate) struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    /// Starts at the first token; a byte order mark is passed over, as HCL does.
    pub(crate) fn new(text: &'a str) -> Self {
        let at = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        let mut cursor = Self { text, at };
        cursor.skip_blanks();
        cursor
    }

    /// Returns the offset of the next token.
    pub(crate) fn offset(&self) -> usize {
        self.at
    }

    /// Returns an error about the next token.
    pub(crate) fn fail<T>(&self, problem: Problem) -> Result<T, Error> {
        Err(Error { at: self.at, problem })
    }

    /// Returns whether the next token starts with this byte.
    pub(crate) fn sees(&self, byte: u8) -> bool {
        self.text.as_bytes().get(self.at) == Some(&byte)
    }

    /// Passes a token of one byte, if it is the next.
    pub(crate) fn eat(&mut self, byte: u8) -> bool {
        let seen = self.sees(byte);
        if seen {
            self.advance(1);
        }
        seen
    }

    /// Passes the dot before `what`.
    pub(crate) fn dot_before(&mut self, what: &'static str) -> Result<(), Error> {
        if self.eat(b'.') { Ok(()) } else { self.fail(Problem::Expected(what)) }
    }

    /// Reads an identifier.
    pub(crate) fn name(&mut self, what: &'static str) -> Result<&'a str, Error> {
        let rest = self.rest();
        let length = identifier_length(rest);
        if length == 0 {
            return self.fail(Problem::Expected(what));
        }
        self.advance(length);
        Ok(&rest[..length])
    }

    /// Reads a key in brackets, if one is next.
    pub(crate) fn key(&mut self) -> Result<Key, Error> {
        if let [b'.', b'0'..=b'9', ..] = self.rest().as_bytes() {
            return self.fail(Problem::DottedIndex);
        }
        if !self.eat(b'[') {
            return Ok(Key::None);
        }
        let at = self.at;
        let (key, length) = match self.rest().bytes().next() {
            Some(b'"') => {
                let (string, length) = literal::string(&self.rest()[1..])
                    .map_err(|(inside, problem)| Error { at: at + 1 + inside, problem })?;
                (Key::String(string), length + 1)
            }
            Some(b'0'..=b'9') => match literal::number(self.rest()) {
                (Some(number), length) => (Key::Int(number), length),
                (None, _) => return self.fail(Problem::Number),
            },
            _ => return self.fail(Problem::Expected("a number or a string in double quotes")),
        };
        self.advance(length);
        if self.eat(b']') { Ok(key) } else { self.fail(Problem::Expected("`]`")) }
    }

    /// Makes sure that nothing is left.
    pub(crate) fn end(&self) -> Result<(), Error> {
        if self.rest().is_empty() { Ok(()) } else { self.fail(Problem::Trailing) }
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn advance(&mut self, length: usize) {
        self.at += length;
        self.skip_blanks();
    }

    fn skip_blanks(&mut self) {
        loop {
            let rest = self.rest();
            self.at += match rest.as_bytes() {
                [b' ' | b'\t' | b'\n', ..] => 1,
                [b'\r', b'\n', ..] => 2,
                [b'#', ..] | [b'/', b'/', ..] => rest.find('\n').unwrap_or(rest.len()),
                [b'/', b'*', inside @ ..] => match memchr::memmem::find(inside, b"*/") {
                    Some(end) => end + 4,
                    None => return,
                },
                _ => return,
            };
        }
    }
}
