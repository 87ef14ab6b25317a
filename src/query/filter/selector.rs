//! Paths into attributes, with wildcards: `ingress[*].from_port`, `tags.*`.

use memchr::memmem::{self, Finder};

use super::error::Error;
use super::syntax::Literal;
use crate::state::path::{self, Path, Step};
use crate::state::value::Value;

/// A path that may lead to several values.
#[derive(Clone, Debug)]
pub(super) struct Selector(Vec<Part>);

#[derive(Clone, Debug)]
enum Part {
    Step(Step),
    /// Every element or member.
    Any,
}

impl Selector {
    pub(super) fn of(literal: &Literal) -> Result<Self, Error> {
        let text = literal.text.as_str();
        parse(text).map(Self).map_err(|error| {
            // Within quotes the offsets of text and filter differ.
            let start = literal.at.start + error.at;
            let is_inside = start < literal.at.end && literal.at.len() == text.len();
            let at = if is_inside { start..literal.at.end } else { literal.at.clone() };
            Error::new(at, format!("bad path of an attribute: {}", error.problem))
        })
    }

    /// Calls `visit` with every value that the path leads to.
    pub(super) fn visit(&self, value: &Value<'_>, visit: &mut dyn FnMut(&Value<'_>)) {
        walk(&self.0, value, visit);
    }

    /// Returns a search for the key that has to stand in the attributes for the path to lead
    /// anywhere.
    pub(super) fn first_key(&self) -> Option<KeySearch> {
        match self.0.first()? {
            Part::Step(Step::Key(key)) => KeySearch::of(key),
            Part::Step(Step::Index(_)) | Part::Any => None,
        }
    }
}

fn parse(text: &str) -> Result<Vec<Part>, path::Error> {
    let mut parts = Vec::new();
    let mut start = 0;
    while let Some((from, to)) = wildcard(text, start) {
        steps(text, start, from, &mut parts)?;
        parts.push(Part::Any);
        start = to;
    }
    steps(text, start, text.len(), &mut parts)?;
    if parts.is_empty() {
        return Err(path::Error { at: 0, problem: "no name in it" });
    }
    Ok(parts)
}

/// Finds the next `[*]`, `.*` or leading `*` that stands for a whole step.
fn wildcard(text: &str, start: usize) -> Option<(usize, usize)> {
    let (mut quoted, mut escaped) = (false, false);
    for (at, byte) in text.bytes().enumerate().skip(start) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'*' if !quoted => {
                let (before, after) = (&text[..at], &text[at + 1..]);
                if before.ends_with('[') && after.starts_with(']') {
                    return Some((at - 1, at + 2));
                }
                let is_step = after.is_empty() || after.starts_with(['.', '[']);
                if is_step && (before.is_empty() || before.ends_with('.')) {
                    return Some((at.saturating_sub(1), at + 1));
                }
            }
            _ => {}
        }
    }
    None
}

/// Reads the steps between two wildcards.
fn steps(text: &str, from: usize, to: usize, parts: &mut Vec<Part>) -> Result<(), path::Error> {
    let piece = &text[from..to.max(from)];
    // Behind a wildcard the dot belongs to the path; a path of its own does not begin with one.
    if from > 0 && !piece.is_empty() && !piece.starts_with(['.', '[']) {
        return Err(path::Error { at: from, problem: "text where `.` or `[` was expected" });
    }
    let own = if from > 0 { piece.strip_prefix('.').unwrap_or(piece) } else { piece };
    let skipped = piece.len() - own.len();
    let path =
        Path::parse(own).map_err(|error| path::Error { at: error.at + from + skipped, ..error })?;
    parts.extend(path.steps().iter().cloned().map(Part::Step));
    Ok(())
}

fn walk(parts: &[Part], value: &Value<'_>, visit: &mut dyn FnMut(&Value<'_>)) {
    let Some((part, rest)) = parts.split_first() else { return visit(value) };
    match (part, value) {
        (Part::Any, Value::Array(items)) => items.iter().for_each(|item| walk(rest, item, visit)),
        (Part::Any, Value::Object(members)) => {
            for (_, member) in members {
                walk(rest, member, visit);
            }
        }
        (Part::Step(Step::Index(index)), Value::Array(items)) => {
            if let Some(item) = items.get(*index) {
                walk(rest, item, visit);
            }
        }
        // A map may have numbers for keys.
        (Part::Step(Step::Index(index)), Value::Object(_)) => {
            if let Some(member) = value.get(&index.to_string()) {
                walk(rest, member, visit);
            }
        }
        (Part::Step(Step::Key(key)), Value::Object(_)) => {
            if let Some(member) = value.get(key) {
                walk(rest, member, visit);
            }
        }
        _ => {}
    }
}

/// A search for a key in raw JSON, to save decoding what can't have it.
#[derive(Clone, Debug)]
pub(super) struct KeySearch {
    key: String,
    quoted: Finder<'static>,
}

impl KeySearch {
    /// `None` for keys that JSON may write in several ways.
    pub(super) fn of(key: &str) -> Option<Self> {
        let is_plain = |b: u8| b.is_ascii_graphic() && !matches!(b, b'"' | b'\\' | b'/');
        let quoted = Finder::new(format!("\"{key}\"").as_bytes()).into_owned();
        key.bytes().all(is_plain).then(|| Self { key: key.to_owned(), quoted })
    }

    /// Returns whether the key may be in there; a `no` is certain.
    pub(super) fn may_be_in(&self, raw: &[u8]) -> bool {
        self.quoted.find(raw).is_some()
            || memmem::find_iter(raw, b"\\u00").any(|at| self.may_be_escaped(raw, at))
    }

    /// Returns whether the escape at a place stands for a character of the key.
    fn may_be_escaped(&self, raw: &[u8], at: usize) -> bool {
        let digits = raw.get(at + 4..at + 6).and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        byte.is_some_and(|byte| self.key.as_bytes().contains(&byte))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::filter::syntax::Kind;

    fn selected(path: &str, json: &str) -> Result<Vec<String>, Error> {
        let at = 0..path.len();
        let selector = Selector::of(&Literal { kind: Kind::Word, text: path.to_owned(), at })?;
        let mut found = Vec::new();
        selector.visit(&Value::parse(json.as_bytes()).unwrap(), &mut |v| found.push(v.to_json()));
        Ok(found)
    }

    #[test]
    fn wildcards_lead_to_every_value() {
        let json = r#"{"a":[{"b":1},{"b":2}],"m":{"x":3,"80":4},"*":5}"#;
        let cases: [(&str, &[&str]); 9] = [
            ("a[*].b", &["1", "2"]),
            ("a[1].b", &["2"]),
            ("a.*.b", &["1", "2"]),
            ("m.*", &["3", "4"]),
            ("m.80", &["4"]),
            (r#"["*"]"#, &["5"]),
            ("*.x", &["3"]),
            ("a[*][*]", &["1", "2"]),
            ("nowhere[*]", &[]),
        ];
        for (path, found) in cases {
            assert_eq!(selected(path, json).unwrap(), found, "{path}");
        }
    }

    #[test]
    fn a_bad_path_says_where() {
        for (path, at) in [("a..b", 1..4), ("a[*]x[", 4..6), ("a[", 1..2)] {
            assert_eq!(selected(path, "{}").unwrap_err().at, at, "{path}");
        }
    }

    #[test]
    fn a_key_written_with_escapes_is_not_missed() {
        let search = KeySearch::of("tags").unwrap();
        assert!(search.may_be_in(br#"{"tags":1}"#));
        assert!(search.may_be_in(br#"{"\u0074ags":1}"#));
        assert!(!search.may_be_in(br#"{"tag":"s \u003c t"}"#));
    }
}
