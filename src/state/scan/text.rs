//! The strings of a document, decoded when somebody asks.

use std::borrow::Cow;

use super::{Problem, SyntaxError};

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
