//! The structural scanner: walks JSON text once, checks its whole grammar, and hands out
//! byte ranges instead of values.
//!
//! It is the floor everything in [`state`](crate::state) stands on. What it promises:
//!
//! - every byte it passes is grammar-checked as RFC 8259 has it, with the limit of Go's
//!   `encoding/json` on nesting ([`MAX_DEPTH`]), so that a document accepted here is one that
//!   Terraform's reader accepts, and the other way round;
//! - no recursion, whatever the input nests;
//! - strings are not decoded and numbers are not converted: the caller gets the raw bytes;
//! - text need not be UTF-8. Terraform keeps such bytes in attributes; [`Text::decode`] is where
//!   they are refused.
//!
//! The two loops that see most bytes, whitespace and strings, look at eight bytes at a time in
//! plain integer arithmetic, which needs no `unsafe` and no instruction set of its own.

use std::borrow::Cow;

/// How many containers may be open at once: the limit of Go's `encoding/json`.
pub const MAX_DEPTH: usize = 10_000;

/// A violation of the JSON grammar, at a byte offset of the scanned text.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{problem}")]
pub struct SyntaxError {
    /// Offset of the offending byte; the length of the text where it ended too early.
    pub offset: usize,
    /// What is wrong there.
    pub problem: Problem,
}

/// What is wrong with the JSON text at one place.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The text ends inside a value.
    #[error("the text ends in the middle of {0}")]
    Truncated(&'static str),
    /// Another token was needed.
    #[error("expected {0}")]
    Expected(&'static str),
    /// A control character stands unescaped in a string.
    #[error("a control character in a string must be escaped")]
    ControlCharacter,
    /// A backslash is followed by something that is no escape.
    #[error("this is not an escape sequence")]
    Escape,
    /// A number that JSON does not allow, such as `01` or `1.`.
    #[error("this is not a JSON number")]
    Number,
    /// More than [`MAX_DEPTH`] containers are open.
    #[error("values are nested more than {MAX_DEPTH} deep")]
    Depth,
    /// A value nests too deep to be decoded, though it is well-formed.
    #[error("this value is nested too deep to be shown")]
    DecodeDepth,
    /// Something follows the document.
    #[error("there is more text after the end of the document")]
    Trailing,
    /// A string that has to be understood is not UTF-8.
    #[error("this string is not valid UTF-8")]
    Utf8,
    /// A string that has to be understood holds half of a surrogate pair.
    #[error("this string holds a \\u escape that is half of a surrogate pair")]
    Surrogate,
}

/// The raw text of a JSON string, without its quotes.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct Text<'a> {
    /// The bytes between the quotes, escapes untouched.
    pub raw: &'a [u8],
    /// Offset of `raw` in the scanned text.
    pub offset: usize,
    /// Whether `raw` holds a backslash.
    pub escaped: bool,
}

impl std::fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Text({} bytes at {})", self.raw.len(), self.offset)
    }
}

impl<'a> Text<'a> {
    /// Takes `raw`, the content of a string that was scanned before.
    pub fn of(raw: &'a [u8]) -> Self {
        Self { raw, offset: 0, escaped: memchr::memchr(b'\\', raw).is_some() }
    }

    /// Returns the decoded string, borrowed where nothing was escaped.
    pub fn decode(&self) -> Result<Cow<'a, str>, SyntaxError> {
        if self.escaped {
            return self.unescape().map(Cow::Owned);
        }
        match std::str::from_utf8(self.raw) {
            Ok(text) => Ok(Cow::Borrowed(text)),
            Err(error) => Err(self.problem(error.valid_up_to(), Problem::Utf8)),
        }
    }

    /// Returns the decoded string as Go reads it: with U+FFFD in place of each byte, and of each
    /// half of a surrogate pair, that cannot be decoded.
    pub fn decode_lossy(&self) -> Cow<'a, str> {
        if !self.escaped {
            return match std::str::from_utf8(self.raw) {
                Ok(text) => Cow::Borrowed(text),
                Err(_) => Cow::Owned(replaced(self.raw)),
            };
        }
        let mut out = Vec::with_capacity(self.raw.len());
        let mut at = 0;
        while let Some(&byte) = self.raw.get(at) {
            if byte == b'\\' {
                let (c, width) = escape_at(self.raw, at).unwrap_or((None, 2));
                let c = c.unwrap_or(char::REPLACEMENT_CHARACTER);
                out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                at += width;
            } else {
                out.push(byte);
                at += 1;
            }
        }
        Cow::Owned(String::from_utf8(out).unwrap_or_else(|bad| replaced(bad.as_bytes())))
    }

    fn unescape(&self) -> Result<String, SyntaxError> {
        let mut out = String::with_capacity(self.raw.len());
        let mut at = 0;
        while at < self.raw.len() {
            let rest = &self.raw[at..];
            let run = memchr::memchr(b'\\', rest).unwrap_or(rest.len());
            match std::str::from_utf8(&rest[..run]) {
                Ok(text) => out.push_str(text),
                Err(error) => return Err(self.problem(at + error.valid_up_to(), Problem::Utf8)),
            }
            at += run;
            if at == self.raw.len() {
                break;
            }
            match escape_at(self.raw, at) {
                Some((Some(c), width)) => {
                    out.push(c);
                    at += width;
                }
                Some((None, _)) => return Err(self.problem(at, Problem::Surrogate)),
                None => return Err(self.problem(at, Problem::Escape)),
            }
        }
        Ok(out)
    }

    fn problem(&self, at: usize, problem: Problem) -> SyntaxError {
        SyntaxError { offset: self.offset + at, problem }
    }
}

/// Returns text with U+FFFD in place of each byte that is not UTF-8.
///
/// The standard library would put one in place of several bytes that begin a character.
fn replaced(raw: &[u8]) -> String {
    let mut out = String::with_capacity(raw.len() + 8);
    for chunk in raw.utf8_chunks() {
        out.push_str(chunk.valid());
        out.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    out
}

/// Decodes the escape at `raw[at]`: the character (`None` for a lone surrogate) and its width.
fn escape_at(raw: &[u8], at: usize) -> Option<(Option<char>, usize)> {
    let simple = match raw.get(at + 1)? {
        b'"' => '"',
        b'\\' => '\\',
        b'/' => '/',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return unicode_escape_at(raw, at),
        _ => return None,
    };
    Some((Some(simple), 2))
}

fn unicode_escape_at(raw: &[u8], at: usize) -> Option<(Option<char>, usize)> {
    let high = hex4(raw, at + 2)?;
    if !(0xd800..0xdc00).contains(&high) {
        return Some((char::from_u32(high), 6));
    }
    let low = match raw.get(at + 6..at + 8) {
        Some(b"\\u") => hex4(raw, at + 8).filter(|low| (0xdc00..0xe000).contains(low)),
        _ => None,
    };
    Some(match low {
        Some(low) => (char::from_u32(0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00)), 12),
        None => (None, 6),
    })
}

fn hex4(raw: &[u8], at: usize) -> Option<u32> {
    let mut value = 0;
    for &digit in raw.get(at..at + 4)? {
        value = value << 4 | char::from(digit).to_digit(16)?;
    }
    Some(value)
}

/// The open containers, one bit each: set for an object, clear for an array.
#[derive(Debug, Default)]
struct Nesting {
    words: Vec<u64>,
    top: u64,
    len: usize,
}

impl Nesting {
    fn push(&mut self, object: bool) {
        if self.len > 0 && self.len.is_multiple_of(64) {
            self.words.push(self.top);
            self.top = 0;
        }
        self.top = self.top << 1 | u64::from(object);
        self.len += 1;
    }

    fn pop(&mut self) {
        self.top >>= 1;
        self.len -= 1;
        if self.len > 0 && self.len.is_multiple_of(64) {
            self.top = self.words.pop().unwrap_or(0);
        }
    }

    fn is_object(&self) -> bool {
        self.top & 1 == 1
    }
}

/// A cursor over JSON text that only moves forward.
///
/// Offsets in what it returns count from the start of the text it was made with.
#[derive(Clone, Debug)]
pub struct Scanner<'a> {
    bytes: &'a [u8],
    pos: usize,
    depth: usize,
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;
const SPACES: u64 = ONES * b' ' as u64;

impl<'a> Scanner<'a> {
    /// Starts at the first byte of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self::at(bytes, 0, 0)
    }

    /// Starts at `pos`, where `depth` containers are open.
    pub fn at(bytes: &'a [u8], pos: usize, depth: usize) -> Self {
        Self { bytes, pos, depth }
    }

    /// Returns the offset of the next byte.
    pub fn pos(&self) -> usize {
        self.pos
    }

    /// Moves to `pos`, which the caller knows to be the end of a value in the open container.
    pub fn jump(&mut self, pos: usize) {
        self.pos = pos;
    }

    /// Moves to `pos`, which the caller knows to be behind the end of the open container.
    pub fn leave(&mut self, pos: usize) {
        self.pos = pos;
        self.depth = self.depth.saturating_sub(1);
    }

    /// Returns the next byte that is not whitespace, without passing it.
    #[inline]
    pub fn peek(&mut self) -> Option<u8> {
        self.whitespace();
        self.bytes.get(self.pos).copied()
    }

    /// Opens an object; [`next_key`](Self::next_key) walks it.
    pub fn open_object(&mut self) -> Result<(), SyntaxError> {
        self.open(b'{', "an object")
    }

    /// Opens an array; [`next_element`](Self::next_element) walks it.
    pub fn open_array(&mut self) -> Result<(), SyntaxError> {
        self.open(b'[', "an array")
    }

    fn open(&mut self, bracket: u8, what: &'static str) -> Result<(), SyntaxError> {
        match self.peek() {
            Some(byte) if byte == bracket => {
                if self.depth == MAX_DEPTH {
                    return Err(self.fail(Problem::Depth));
                }
                self.pos += 1;
                self.depth += 1;
                Ok(())
            }
            Some(_) => Err(self.expected(what)),
            None => Err(self.fail(Problem::Truncated(what))),
        }
    }

    /// Passes the comma, the key and the colon before the next member of the open object.
    ///
    /// `first` says that no member was read yet. Returns `None` once the object is closed.
    pub fn next_key(&mut self, first: &mut bool) -> Result<Option<Text<'a>>, SyntaxError> {
        match self.peek() {
            Some(b'}') => {
                self.close();
                return Ok(None);
            }
            Some(b',') if !*first => {
                self.pos += 1;
                self.whitespace();
            }
            Some(_) if *first => {}
            Some(_) => return Err(self.expected("`,` or `}`")),
            None => return Err(self.fail(Problem::Truncated("an object"))),
        }
        *first = false;
        self.key().map(Some)
    }

    /// Passes the comma before the next element of the open array.
    ///
    /// `first` says that no element was read yet. Returns `false` once the array is closed.
    pub fn next_element(&mut self, first: &mut bool) -> Result<bool, SyntaxError> {
        match self.peek() {
            Some(b']') if *first => {
                self.close();
                Ok(false)
            }
            Some(_) if *first => {
                *first = false;
                Ok(true)
            }
            Some(b']') => {
                self.close();
                Ok(false)
            }
            Some(b',') => {
                self.pos += 1;
                self.whitespace();
                Ok(true)
            }
            Some(_) => Err(self.expected("`,` or `]`")),
            None => Err(self.fail(Problem::Truncated("an array"))),
        }
    }

    fn close(&mut self) {
        self.leave(self.pos + 1);
    }

    /// Passes a string.
    pub fn string(&mut self) -> Result<Text<'a>, SyntaxError> {
        match self.peek() {
            Some(b'"') => self.string_body(),
            Some(_) => Err(self.expected("a string")),
            None => Err(self.fail(Problem::Truncated("a value"))),
        }
    }

    /// Passes any value and returns its raw text.
    pub fn value(&mut self) -> Result<&'a [u8], SyntaxError> {
        self.whitespace();
        let start = self.pos;
        match self.bytes.get(start) {
            Some(b'{' | b'[') => self.skip_container()?,
            _ => self.skip_scalar()?,
        }
        Ok(&self.bytes[start..self.pos])
    }

    /// Checks that only whitespace is left.
    pub fn end(&mut self) -> Result<(), SyntaxError> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.fail(Problem::Trailing)),
        }
    }

    #[inline]
    fn skip_scalar(&mut self) -> Result<(), SyntaxError> {
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

    fn skip_container(&mut self) -> Result<(), SyntaxError> {
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

    /// Passes a key, the colon and the whitespace before the value.
    #[inline]
    fn key(&mut self) -> Result<Text<'a>, SyntaxError> {
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
    fn whitespace(&mut self) {
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
    fn string_body(&mut self) -> Result<Text<'a>, SyntaxError> {
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

    fn truncated(&self, nesting: &Nesting) -> SyntaxError {
        let what = if nesting.is_object() { "an object" } else { "an array" };
        self.fail(Problem::Truncated(what))
    }

    /// Returns the error that `what` was needed at the next byte.
    pub fn expected(&self, what: &'static str) -> SyntaxError {
        self.fail(Problem::Expected(what))
    }

    fn fail(&self, problem: Problem) -> SyntaxError {
        Self::fail_at(self.pos, problem)
    }

    #[cold]
    fn fail_at(offset: usize, problem: Problem) -> SyntaxError {
        SyntaxError { offset, problem }
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &[u8]) -> Result<(), SyntaxError> {
        let mut scanner = Scanner::new(text);
        scanner.value()?;
        scanner.end()
    }

    fn problem(text: &str) -> (usize, Problem) {
        let error = check(text.as_bytes()).unwrap_err();
        (error.offset, error.problem)
    }

    #[test]
    fn a_value_is_returned_with_its_exact_bytes() {
        let mut scanner = Scanner::new(b"  {\"a\": [1.50, -0, 1E5, \"\\u00e9\"]}  ");
        assert_eq!(scanner.value().unwrap(), b"{\"a\": [1.50, -0, 1E5, \"\\u00e9\"]}");
        assert!(scanner.end().is_ok());
    }

    #[test]
    fn grammar_violations_are_named_at_their_byte() {
        assert_eq!(problem("[1,]"), (3, Problem::Expected("a value")));
        assert_eq!(problem("{\"a\" 1}"), (5, Problem::Expected("`:`")));
        assert_eq!(problem("{\"a\":1,}"), (7, Problem::Expected("a key in double quotes")));
        assert_eq!(problem("[1}"), (2, Problem::Expected("`,` or `]`")));
        assert_eq!(problem("01"), (1, Problem::Number));
        assert_eq!(problem("1."), (2, Problem::Truncated("a number")));
        assert_eq!(problem("\"a\nb\""), (2, Problem::ControlCharacter));
        assert_eq!(problem("\"\\x\""), (2, Problem::Escape));
        assert_eq!(problem("{} {}"), (3, Problem::Trailing));
        assert_eq!(problem("{\"key\": \"val"), (12, Problem::Truncated("a string")));
        assert_eq!(problem("tru"), (3, Problem::Truncated("a value")));
        assert_eq!(problem("\u{feff}{}"), (0, Problem::Expected("a value")));
    }

    #[test]
    fn nesting_stops_at_the_limit_without_recursion() {
        let deep = "[".repeat(MAX_DEPTH) + &"]".repeat(MAX_DEPTH);
        assert!(check(deep.as_bytes()).is_ok());
        let mut deeper = b"[".repeat(1_000_000);
        assert_eq!(check(&deeper).unwrap_err().problem, Problem::Depth);
        deeper.extend(b"]".repeat(1_000_000));
        assert_eq!(check(&deeper).unwrap_err().offset, MAX_DEPTH);
    }

    #[test]
    fn mixed_nesting_remembers_every_level() {
        let open: String = (0..300).map(|i| if i % 3 == 0 { "{\"k\":" } else { "[" }).collect();
        let close: String = (0..300).rev().map(|i| if i % 3 == 0 { "}" } else { "]" }).collect();
        assert!(check(format!("{open}1{close}").as_bytes()).is_ok());
        let wrong = format!("{open}1{}", close.replacen(']', "}", 1));
        assert!(check(wrong.as_bytes()).is_err());
    }

    #[test]
    fn strings_decode_as_json_has_them() {
        let text = |raw: &'static str| Scanner::new(raw.as_bytes()).string().unwrap();
        assert_eq!(text(r#""plain""#).decode().unwrap(), "plain");
        assert_eq!(text(r#""\u003ca\u0026\ud83d\ude00\n\/""#).decode().unwrap(), "<a&😀\n/");
        assert_eq!(text(r#""a\ud800b""#).decode().unwrap_err().problem, Problem::Surrogate);
        assert_eq!(text(r#""a\ud800b""#).decode_lossy(), "a\u{fffd}b");
        let bad = Scanner::new(b"\"a\xffb\"").string().unwrap();
        assert_eq!(bad.decode().unwrap_err(), SyntaxError { offset: 2, problem: Problem::Utf8 });
        assert_eq!(bad.decode_lossy(), "a\u{fffd}b");
    }

    proptest! {
        #[test]
        fn it_accepts_what_serde_json_accepts(text in r#"[\[\]{},:"\\0-9a-e.+\- \n tru]{0,24}"#) {
            let theirs = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
            prop_assert_eq!(check(text.as_bytes()).is_ok(), theirs, "{}", text);
        }

        #[test]
        fn every_byte_of_a_string_is_seen(prefix in "[ -~]{0,20}", byte in 0u8..=255) {
            let mut text = vec![b'"'];
            text.extend(prefix.bytes().filter(|b| !b"\"\\".contains(b)));
            let at = text.len();
            text.push(byte);
            text.extend_from_slice(b"tail of it\"");
            let expected = match byte {
                b'"' => Some((at + 1, Problem::Trailing)),
                0..=0x1f => Some((at, Problem::ControlCharacter)),
                _ => None,
            };
            let found = check(&text).err().map(|e| (e.offset, e.problem));
            prop_assert_eq!(found, expected);
        }
    }
}
