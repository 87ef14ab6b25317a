//! Finding the format version, which decides how the rest is read.

use std::borrow::Cow;

use crate::state::scan::{Scanner, SyntaxError, Text};

/// What the top level of a text says of its version.
pub(super) enum Found {
    /// An object, with its version where it has one.
    Object(Option<u64>),
    /// `version` is not a whole number from 0 to 2^64-1, but this JSON kind.
    Bad { offset: usize, found: &'static str },
    /// The text is a JSON value of another kind.
    NotAnObject(&'static str),
}

/// How much of a document is looked at for its version.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Extent {
    /// No more than the first member, where that is version 4.
    First,
    /// All of it, because there is a second `version` somewhere.
    Whole,
}

/// Finds the version of the document that `scanner` is at the start of.
///
/// Terraform writes `version` first; there the rest is not looked at, unless `extent` says so.
/// Elsewhere the whole text is passed, and the last `version` counts.
pub(super) fn find(scanner: &mut Scanner<'_>, extent: Extent) -> Result<Found, SyntaxError> {
    if scanner.peek() != Some(b'{') {
        let value = scanner.value()?;
        scanner.end()?;
        return Ok(Found::NotAnObject(kind(value)));
    }
    scanner.open_object()?;
    let mut found = Found::Object(None);
    let (mut first, mut leading) = (true, true);
    while let Some(key) = scanner.next_key(&mut first)? {
        let is_version = is_key(&field(&key), "version");
        scanner.peek();
        let offset = scanner.pos();
        let value = scanner.value()?;
        // The first one that is no number decides; else the last one does, and `null` is none.
        if is_version && !matches!(found, Found::Bad { .. }) {
            found = match (value, whole_number(value)) {
                (b"null", _) => Found::Object(None),
                (_, None) => Found::Bad { offset, found: kind(value) },
                (_, version) => Found::Object(version),
            };
            if leading && value == b"4" && extent == Extent::First {
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

/// Returns the name of a field as [`is_key`] compares it: as it stands, unless it has escapes or
/// one of the two letters beyond ASCII that Go folds into ASCII.
pub(crate) fn field<'a>(key: &Text<'a>) -> Cow<'a, [u8]> {
    if !key.escaped && key.raw.is_ascii() {
        return Cow::Borrowed(key.raw);
    }
    Cow::Owned(folded(&key.decode_lossy()).into_bytes())
}

fn folded(name: &str) -> String {
    let fold = |c| match c {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        c => c,
    };
    name.chars().map(fold).collect()
}

/// Returns whether `key`, decoded, is the field `name` as Go matches them.
pub(crate) fn is_field(key: &str, name: &str) -> bool {
    is_key(folded(key).as_bytes(), name)
}

/// Returns whether `raw`, a [`field`] of the document, is the one called `name` as Go matches them.
pub(crate) fn is_key(raw: &[u8], name: &str) -> bool {
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
