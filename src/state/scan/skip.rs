//! Passing whole values without looking at what they hold: where nearly all time is spent.

use super::nesting::Nesting;
use super::{MAX_DEPTH, Problem, Scanner, SyntaxError, Text};

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;
const SPACES: u64 = ONES * b' ' as u64;

impl<'a> Scanner<'a> {
    #[inline]
    pub(super) fn skip_scalar(&mut self) -> Result<(), SyntaxError> {
        match self.bytes.get(self.pos) {
            Some(b'"') => self.string_body().map(drop),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.literal(b"true"),
            Some(b'f') => self.literal(b"false"),
            Some(b'n') => self.literal(b"null"),
            Some(_) => Err(self.expected("a value")),
            None => Err(self.fail(Problem::Truncated("a value"))),
        }
    }

    pub(super) fn skip_container(&mut self) -> Result<(), SyntaxError> {
        let mut nesting = Nesting::default();
        loop {
            // At the start of a value.
            match self.bytes.get(self.pos) {
                Some(&open @ (b'{' | b'[')) => {
                    nesting.push(open == b'{');
                    if self.depth + nesting.len > MAX_DEPTH {
                        return Err(self.fail(Problem::Depth));
                    }
                    self.pos += 1;
                    match self.peek() {
                        Some(b'}') if open == b'{' => {}
                        Some(b']') if open == b'[' => {}
                        None => return Err(self.truncated(&nesting)),
                        Some(_) => {
                            if open == b'{' {
                                self.key()?;
                            }
                            continue;
                        }
                    }
                }
                _ => self.skip_scalar()?,
            }
            // Behind a value, or before the bracket that closes an empty container.
            loop {
                let object = nesting.is_object();
                match self.peek() {
                    Some(b',') => {
                        self.pos += 1;
                        self.whitespace();
                        if object {
                            self.key()?;
                        }
                        break;
                    }
                    Some(b'}') if object => {}
                    Some(b']') if !object => {}
                    Some(_) if object => return Err(self.expected("`,` or `}`")),
                    Some(_) => return Err(self.expected("`,` or `]`")),
                    None => return Err(self.truncated(&nesting)),
                }
                self.pos += 1;
                nesting.pop();
                if nesting.len == 0 {
                    return Ok(());
                }
            }
        }
    }

    fn truncated(&self, nesting: &Nesting) -> SyntaxError {
        let what = if nesting.is_object() { "an object" } else { "an array" };
        self.fail(Problem::Truncated(what))
    }

    /// Passes a key, the colon and the whitespace before the value.
    #[inline]
    pub(super) fn key(&mut self) -> Result<Text<'a>, SyntaxError> {
        let key = match self.bytes.get(self.pos) {
            Some(b'"') => self.string_body()?,
            Some(_) => return Err(self.expected("a key in double quotes")),
            None => return Err(self.fail(Problem::Truncated("an object"))),
        };
        match self.peek() {
            Some(b':') => self.pos += 1,
            Some(_) => return Err(self.expected("`:`")),
            None => return Err(self.fail(Problem::Truncated("an object"))),
        }
        self.whitespace();
        Ok(key)
    }

    /// Returns the eight bytes at `at`, the first in the lowest place.
    #[inline]
    fn eight(&self, at: usize) -> Option<u64> {
        let bytes = self.bytes.get(at..at + 8)?;
        Some(u64::from_le_bytes(bytes.try_into().ok()?))
    }

    #[inline]
    pub(super) fn whitespace(&mut self) {
        while let Some(&byte) = self.bytes.get(self.pos) {
            match byte {
                b'\n' | b' ' => {
                    self.pos += 1;
                    // Indentation is what most whitespace in a state is.
                    while let Some(word) = self.eight(self.pos) {
                        let other = word ^ SPACES;
                        if other != 0 {
                            self.pos += other.trailing_zeros() as usize / 8;
                            break;
                        }
                        self.pos += 8;
                    }
                }
                b'\t' | b'\r' => self.pos += 1,
                _ => return,
            }
        }
    }

    #[inline]
    pub(super) fn string_body(&mut self) -> Result<Text<'a>, SyntaxError> {
        let open = self.pos;
        let mut at = open + 1;
        let mut escaped = false;
        loop {
            while let Some(word) = self.eight(at) {
                let stops = stops(word);
                if stops != 0 {
                    at += stops.trailing_zeros() as usize / 8;
                    break;
                }
                at += 8;
            }
            match self.bytes.get(at) {
                Some(b'"') => {
                    self.pos = at + 1;
                    return Ok(Text { raw: &self.bytes[open + 1..at], offset: open + 1, escaped });
                }
                Some(b'\\') => {
                    escaped = true;
                    at += self.escape_width(at)?;
                }
                Some(0..=0x1f) => return Err(Self::fail_at(at, Problem::ControlCharacter)),
                Some(_) => at += 1,
                None => return Err(Self::fail_at(at, Problem::Truncated("a string"))),
            }
        }
    }

    fn escape_width(&self, at: usize) -> Result<usize, SyntaxError> {
        match self.bytes.get(at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(2),
            Some(b'u') => {
                let digits = self.bytes.get(at + 2..at + 6).unwrap_or(&self.bytes[at + 2..]);
                match digits.iter().position(|digit| !digit.is_ascii_hexdigit()) {
                    Some(bad) => Err(Self::fail_at(at + 2 + bad, Problem::Escape)),
                    None if digits.len() < 4 => {
                        Err(Self::fail_at(self.bytes.len(), Problem::Truncated("a string")))
                    }
                    None => Ok(6),
                }
            }
            Some(_) => Err(Self::fail_at(at + 1, Problem::Escape)),
            None => Err(Self::fail_at(at + 1, Problem::Truncated("a string"))),
        }
    }

    fn number(&mut self) -> Result<(), SyntaxError> {
        if self.bytes[self.pos] == b'-' {
            self.pos += 1;
        }
        if self.bytes.get(self.pos) == Some(&b'0') {
            self.pos += 1;
        } else {
            self.digits()?;
        }
        if self.bytes.get(self.pos) == Some(&b'.') {
            self.pos += 1;
            self.digits()?;
        }
        if matches!(self.bytes.get(self.pos), Some(b'e' | b'E')) {
            self.pos += 1;
            if matches!(self.bytes.get(self.pos), Some(b'+' | b'-')) {
                self.pos += 1;
            }
            self.digits()?;
        }
        match self.bytes.get(self.pos) {
            Some(b'0'..=b'9' | b'.' | b'+' | b'-' | b'e' | b'E') => Err(self.fail(Problem::Number)),
            _ => Ok(()),
        }
    }

    fn digits(&mut self) -> Result<(), SyntaxError> {
        let start = self.pos;
        while matches!(self.bytes.get(self.pos), Some(b'0'..=b'9')) {
            self.pos += 1;
        }
        match self.bytes.get(self.pos) {
            _ if self.pos > start => Ok(()),
            Some(_) => Err(self.fail(Problem::Number)),
            None => Err(self.fail(Problem::Truncated("a number"))),
        }
    }

    fn literal(&mut self, word: &[u8]) -> Result<(), SyntaxError> {
        let rest = &self.bytes[self.pos..];
        if rest.starts_with(word) {
            self.pos += word.len();
            return Ok(());
        }
        if word.starts_with(rest) {
            return Err(Self::fail_at(self.bytes.len(), Problem::Truncated("a value")));
        }
        Err(self.expected("a value"))
    }
}

/// Marks, by the high bit of each byte, the quotes, backslashes and control characters of `word`.
///
/// The lowest mark is exact; marks above it may be false, because a borrow runs upwards.
#[inline]
fn stops(word: u64) -> u64 {
    let zero = |x: u64| x.wrapping_sub(ONES) & !x;
    let quote = zero(word ^ (ONES * u64::from(b'"')));
    let backslash = zero(word ^ (ONES * u64::from(b'\\')));
    let control = word.wrapping_sub(SPACES) & !word;
    (quote | backslash | control) & HIGHS
}
