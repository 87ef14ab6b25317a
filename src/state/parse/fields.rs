//! Reading fields with the types a state gives them, and noting what is wrong without stopping.

use std::ops::Range;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::error::{Finding, Invalid, Place};
use super::outputs::is_wrapped;
use super::version::{kind, whole_number};
use crate::state::path::{Path, Step};
use crate::state::scan::{Scanner, SyntaxError, Text};
use crate::state::value::Value;

/// What is wrong with the part that was read so far.
#[derive(Debug, Default)]
pub(super) struct Findings {
    list: Vec<(usize, Option<String>, Invalid)>,
}

impl Findings {
    pub(super) fn push(&mut self, offset: usize, problem: Invalid) {
        self.list.push((offset, None, problem));
    }

    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Says that everything from the `from`th on is about one resource.
    pub(super) fn name(&mut self, from: usize, address: impl Fn() -> String) {
        for (_, place, _) in &mut self.list[from..] {
            *place = Some(address());
        }
    }

    pub(super) fn append(&mut self, mut other: Self) {
        self.list.append(&mut other.list);
    }

    pub(super) fn finish(mut self, bytes: &[u8]) -> Vec<Finding> {
        self.list.sort_by_key(|(offset, _, _)| *offset);
        let finding = |(offset, address, problem)| Finding {
            place: Place::of(bytes, offset),
            address,
            problem,
        };
        self.list.into_iter().map(finding).collect()
    }
}

/// A scanner that reads typed fields.
///
/// `null` reads as absent everywhere, as in Terraform.
#[derive(Debug)]
pub(super) struct Fields<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) scanner: Scanner<'a>,
    pub(super) findings: Findings,
}

impl<'a> Fields<'a> {
    /// Starts at the top of a document.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, scanner: Scanner::new(bytes), findings: Findings::default() }
    }

    /// Starts at `pos`, inside the array `resources` of the top level.
    pub(super) fn in_resources(bytes: &'a [u8], pos: usize) -> Self {
        Self { bytes, scanner: Scanner::at(bytes, pos, 2), findings: Findings::default() }
    }

    /// Passes a value and returns where it stands; `None` for `null`.
    pub(super) fn raw(&mut self) -> Result<Option<Range<usize>>, SyntaxError> {
        self.scanner.peek();
        let start = self.scanner.pos();
        let value = self.scanner.value()?;
        Ok((value != b"null").then(|| start..start + value.len()))
    }

    fn wrong_type(
        &mut self,
        field: &'static str,
        expected: &'static str,
    ) -> Result<(), SyntaxError> {
        self.scanner.peek();
        let offset = self.scanner.pos();
        let value = self.scanner.value()?;
        if value != b"null" {
            self.findings.push(offset, Invalid::Type { field, expected, found: kind(value) });
        }
        Ok(())
    }

    pub(super) fn text(&mut self, field: &'static str) -> Result<Option<Text<'a>>, SyntaxError> {
        if self.scanner.peek() == Some(b'"') {
            return self.scanner.string().map(Some);
        }
        self.wrong_type(field, "a string").map(|()| None)
    }

    /// Reads a string; what can't be decoded becomes U+FFFD, as in Terraform.
    pub(super) fn string(&mut self, field: &'static str) -> Result<Option<String>, SyntaxError> {
        Ok(self.text(field)?.map(|text| text.decode_lossy().into_owned()))
    }

    pub(super) fn unsigned(&mut self, field: &'static str) -> Result<Option<u64>, SyntaxError> {
        if !matches!(self.scanner.peek(), Some(b'0'..=b'9' | b'-')) {
            return self.wrong_type(field, "a number").map(|()| None);
        }
        let offset = self.scanner.pos();
        let number = whole_number(self.scanner.value()?);
        if number.is_none() {
            self.findings.push(offset, Invalid::Unsigned(field));
        }
        Ok(number)
    }

    pub(super) fn boolean(&mut self, field: &'static str) -> Result<Option<bool>, SyntaxError> {
        if !matches!(self.scanner.peek(), Some(b't' | b'f')) {
            return self.wrong_type(field, "true or false").map(|()| None);
        }
        Ok(Some(self.scanner.value()? == b"true"))
    }

    /// Opens an object; `false` where there is none, which is noted unless it is `null`.
    pub(super) fn object(&mut self, field: &'static str) -> Result<bool, SyntaxError> {
        if self.scanner.peek() == Some(b'{') {
            return self.scanner.open_object().map(|()| true);
        }
        self.wrong_type(field, "an object").map(|()| false)
    }

    /// Opens an array; `false` where there is none, which is noted unless it is `null`.
    pub(super) fn array(&mut self, field: &'static str) -> Result<bool, SyntaxError> {
        if self.scanner.peek() == Some(b'[') {
            return self.scanner.open_array().map(|()| true);
        }
        self.wrong_type(field, "an array").map(|()| false)
    }
}

/// Decodes the paths of a raw `sensitive_attributes` array; `None` where one can't be read.
pub(crate) fn sensitive_paths(raw: &[u8]) -> Option<Vec<Path>> {
    match Value::parse_lossy(raw).ok()? {
        Value::Null => Some(Vec::new()),
        Value::Array(paths) => paths.iter().map(sensitive_path).collect(),
        _ => None,
    }
}

/// Reads one path. It ends before a step that leads to no JSON, such as the key `true`: then more
/// is secret than is named, and never less.
fn sensitive_path(path: &Value<'_>) -> Option<Path> {
    let steps = match path {
        Value::Null => return Some(Path::root()),
        Value::Array(steps) => steps.iter().map(sensitive_step).collect::<Option<Vec<_>>>()?,
        _ => return None,
    };
    let into = steps.into_iter().map_while(|step| match step {
        Stepped::Into(step) => Some(step),
        Stepped::Nowhere => None,
    });
    Some(into.collect())
}

/// Where a step that Terraform can read leads.
enum Stepped {
    Into(Step),
    /// To no JSON.
    Nowhere,
}

/// Reads one step; `None` where Terraform can't.
fn sensitive_step(step: &Value<'_>) -> Option<Stepped> {
    let Value::Object(members) = step else { return None };
    let member = |name: &str| {
        let named = members.iter().rev().find(|(key, _)| key.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value)
    };
    let value = member("value")?;
    match member("type")?.as_str()? {
        "get_attr" if *value == Value::Null => Some(Stepped::Into(Step::Key(String::new()))),
        "get_attr" => Some(Stepped::Into(Step::Key(value.as_str()?.to_owned()))),
        "index" if !is_wrapped(value) => None,
        "index" => Some(index_step(value).map_or(Stepped::Nowhere, Stepped::Into)),
        _ => None,
    }
}

/// Returns the step to a key in its wrapper, where JSON has such keys.
fn index_step(wrapper: &Value<'_>) -> Option<Step> {
    let key = wrapper.get("value").filter(|key| **key != Value::Null)?.scalar_text()?;
    match wrapper.get("type")?.as_str()? {
        "number" => key.parse().ok().map(Step::Index),
        "string" => Some(Step::Key(key.to_owned())),
        _ => None,
    }
}

/// Returns whether `raw`, a JSON string's content, is padded base64 with perhaps line breaks.
pub(super) fn is_base64(text: &Text<'_>) -> bool {
    const STRICT: GeneralPurpose = GeneralPurpose::new(
        &alphabet::STANDARD,
        GeneralPurposeConfig::new()
            .with_decode_padding_mode(DecodePaddingMode::RequireCanonical)
            .with_decode_allow_trailing_bits(true),
    );
    if text.escaped {
        let decoded = text.decode_lossy().replace(['\r', '\n'], "");
        return STRICT.decode(decoded).is_ok();
    }
    let (body, padding) = match text.raw {
        [body @ .., b'=', b'='] => (body, 2),
        [body @ .., b'='] => (body, 1),
        body => (body, 0),
    };
    let alphabet = |&b: &u8| b.is_ascii_alphanumeric() || b == b'+' || b == b'/';
    (body.len() + padding).is_multiple_of(4) && body.iter().all(alphabet)
}
