//! Finding the format version, which decides how the rest is read.

use crate::state::scan::{Scanner, SyntaxError};

/// What the top level of a text says of its version.
pub(super) enum Found {
    /// An object, with its version where it has one.
    Object(Option<u64>),
    /// `version` is not a whole number from 0 to 2^64-1, but this JSON kind.
    Bad { offset: usize, found: &'static str },
    /// The text is a JSON value of another kind.
    NotAnObject(&'static str),
}

/// Finds the version of the document that `scanner` is at the start of.
///
/// Terraform writes `version` first; there the rest is not looked at. Elsewhere the whole text is
/// passed, and the last `version` counts.
pub(super) fn find(scanner: &mut Scanner<'_>) -> Result<Found, SyntaxError> {
    if scanner.peek() != Some(b'{') {
        let value = scanner.value()?;
        scanner.end()?;
        return Ok(Found::NotAnObject(kind(value)));
    }
    scanner.open_object()?;
    let mut found = Found::Object(None);
    let (mut first, mut leading) = (true, true);
    while let Some(key) = scanner.next_key(&mut first)? {
        let is_version = is_key(key.raw, "version");
        scanner.peek();
        let offset = scanner.pos();
        let value = scanner.value()?;
        if is_version && value != b"null" {
            found = match whole_number(value) {
                Some(version) => Found::Object(Some(version)),
                None => Found::Bad { offset, found: kind(value) },
            };
            if leading && value == b"4" {
                return Ok(found);
            }
        }
        leading = false;
    }
    scanner.end()?;
    Ok(found)
}

/// Reads a JSON number that Go would accept for an unsigned integer: digits only.
pub(super) fn whole_number(raw: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(raw).ok()?;
    if text.bytes().all(|b| b.is_ascii_digit()) { text.parse().ok() } else { None }
}

/// Returns whether `raw`, a key of the document, is the field `name` as Go matches them.
pub(super) fn is_key(raw: &[u8], name: &str) -> bool {
    raw.eq_ignore_ascii_case(name.as_bytes())
}

/// Returns the JSON kind of a raw value, with its article.
pub(super) fn kind(raw: &[u8]) -> &'static str {
    match raw.first() {
        Some(b'{') => "an object",
        Some(b'[') => "an array",
        Some(b'"') => "a string",
        Some(b't' | b'f') => "a boolean",
        Some(b'n') => "null",
        _ => "a number",
    }
}
