//! What some bytes are, before they are read as a state: the things people take for one.

use super::error::{Lookalike, ParseError, Place};
use crate::state::scan::{Scanner, SyntaxError, Text};
use crate::state::value::Value;

/// Refuses what can be told from the first bytes alone.
pub(super) fn check_start(bytes: &[u8]) -> Result<(), ParseError> {
    if bytes.is_empty() {
        return Err(ParseError::Empty);
    }
    let starts: [(&[u8], Lookalike); 7] = [
        (b"\xef\xbb\xbf", Lookalike::ByteOrderMark),
        (b"\xff\xfe", Lookalike::Utf16),
        (b"\xfe\xff", Lookalike::Utf16),
        (b"{\0", Lookalike::Utf16),
        (b"\0{", Lookalike::Utf16),
        (b"PK\x03\x04", Lookalike::Zip),
        (b"tfstate", Lookalike::Binary),
    ];
    match starts.into_iter().find(|(start, _)| bytes.starts_with(start)) {
        Some((_, lookalike)) => Err(ParseError::NotAState(lookalike)),
        None => Ok(()),
    }
}

/// Tells what text that is not JSON may be, now that its first syntax error is known.
pub(super) fn explain(bytes: &[u8], error: &SyntaxError) -> ParseError {
    let lookalike = if let Some(line) = conflict(bytes) {
        Some(Lookalike::Conflict(line))
    } else if bytes.trim_ascii_start().starts_with(b"<") {
        Some(Lookalike::Markup)
    } else if is_aws_chunked(bytes) {
        Some(Lookalike::AwsChunked)
    } else {
        None
    };
    lookalike.map_or_else(|| ParseError::syntax(bytes, error), ParseError::NotAState)
}

/// Returns the line of the first conflict marker.
fn conflict(bytes: &[u8]) -> Option<usize> {
    let at = if bytes.starts_with(b"<<<<<<< ") {
        0
    } else {
        memchr::memmem::find(bytes, b"\n<<<<<<< ")? + 1
    };
    Some(Place::of(bytes, at).line)
}

/// Returns whether the first line is a chunk's length in hexadecimal and the second begins JSON.
fn is_aws_chunked(bytes: &[u8]) -> bool {
    let Some(end) = memchr::memchr(b'\n', &bytes[..bytes.len().min(80)]) else {
        return false;
    };
    let (line, rest) = (bytes[..end].trim_ascii_end(), &bytes[end + 1..]);
    let size = line.split(|&b| b == b';').next().unwrap_or_default();
    !size.is_empty() && size.iter().all(u8::is_ascii_hexdigit) && rest.starts_with(b"{")
}

/// Tells what a JSON object without a usable state in it is.
///
/// `version` is its format version where it has one.
pub(super) fn explain_object(bytes: &[u8], version: Option<u64>) -> Option<ParseError> {
    let top = TopLevel::read(bytes).ok()?;
    if top.text("encryption_version").is_some_and(|version| !version.is_empty()) {
        return Some(ParseError::Encrypted {
            serial: top.scalar("serial").unwrap_or_else(|| "unknown".into()),
            lineage: top.scalar("lineage").unwrap_or_else(|| "unknown".into()),
            keys: top.keys_of("meta").unwrap_or_else(|| "an unknown source".into()),
        });
    }
    let has = |key| top.raw(key).is_some();
    if version.is_none() && has("format_version") {
        return Some(ParseError::NotAState(Lookalike::ShowJson));
    }
    let record = top.raw("backend").or_else(|| top.raw("state_store"));
    if let (Some(3), Some(record)) = (version, record)
        && !top.has_resources()
    {
        let record = Value::parse(record).ok()?;
        let kind = record.get("type")?.as_str()?.to_owned();
        return Some(ParseError::NotAState(Lookalike::BackendRecord(kind)));
    }
    None
}

/// The members of the top-level object, undecoded.
struct TopLevel<'a>(Vec<(Text<'a>, &'a [u8])>);

impl<'a> TopLevel<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, SyntaxError> {
        let mut scanner = Scanner::new(bytes);
        let mut members = Vec::new();
        let mut first = true;
        scanner.open_object()?;
        while let Some(key) = scanner.next_key(&mut first)? {
            members.push((key, scanner.value()?));
        }
        Ok(Self(members))
    }

    fn raw(&self, key: &str) -> Option<&'a [u8]> {
        self.0.iter().rev().find(|(k, _)| k.raw == key.as_bytes()).map(|(_, raw)| *raw)
    }

    fn text(&self, key: &str) -> Option<String> {
        Value::parse(self.raw(key)?).ok()?.as_str().map(str::to_owned)
    }

    fn scalar(&self, key: &str) -> Option<String> {
        Value::parse(self.raw(key)?).ok()?.scalar_text().map(str::to_owned)
    }

    fn keys_of(&self, key: &str) -> Option<String> {
        match Value::parse(self.raw(key)?).ok()? {
            Value::Object(members) if !members.is_empty() => {
                Some(members.iter().map(|(key, _)| key.as_ref()).collect::<Vec<_>>().join(", "))
            }
            _ => None,
        }
    }

    /// Returns whether a module of a version 3 document has resources: a record of a backend that
    /// an old Terraform wrote has one module with none.
    fn has_resources(&self) -> bool {
        let modules = self.raw("modules").and_then(|raw| Value::parse(raw).ok());
        let Some(Value::Array(modules)) = modules else { return false };
        modules.iter().any(|module| {
            matches!(module.get("resources"), Some(Value::Object(members)) if !members.is_empty())
        })
    }
}
