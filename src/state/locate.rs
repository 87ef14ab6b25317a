//! Finds again, in the text, what the index does not keep.
//!
//! The text was checked when the document was opened. Should the file have changed beneath a map
//! since, what can't be read is left out.

use super::address::Mode;
use super::index::{KeyPlace, Marks, Resources};
use super::parse::{field, is_key};
use super::scan::{Scanner, SyntaxError, Text};

/// How many containers stand around an element of `resources`, and around one of `instances`.
const IN_RESOURCES: usize = 2;
const IN_INSTANCES: usize = 4;

/// The fields of a resource that say who it is; an absent one is empty.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head<'a> {
    pub(crate) module: Text<'a>,
    pub(crate) mode: Mode,
    pub(crate) kind: Text<'a>,
    pub(crate) name: Text<'a>,
    pub(crate) provider: Option<Text<'a>>,
}

impl<'a> Head<'a> {
    /// Reads the element of `resources` at `start`; where it `is_plain` up to its instances.
    pub(crate) fn read(bytes: &'a [u8], start: usize, is_plain: bool) -> Self {
        let none = Text::of(b"");
        let mut head =
            Self { module: none, mode: Mode::Managed, kind: none, name: none, provider: None };
        let read = head.read_fields(Scanner::at(bytes, start, IN_RESOURCES), is_plain);
        debug_assert!(read.is_ok(), "the document was checked when it was opened");
        head
    }

    fn read_fields(&mut self, mut scanner: Scanner<'a>, plain: bool) -> Result<(), SyntaxError> {
        let mut first = true;
        scanner.open_object()?;
        while let Some(key) = scanner.next_key(&mut first)? {
            let key = field(&key);
            if plain && is_key(&key, "instances") {
                return Ok(());
            }
            if scanner.peek() != Some(b'"') {
                scanner.value()?;
                continue;
            }
            let text = scanner.string()?;
            if is_key(&key, "module") {
                self.module = text;
            } else if is_key(&key, "mode") {
                self.mode = if text.decode_lossy() == "data" { Mode::Data } else { Mode::Managed };
            } else if is_key(&key, "type") {
                self.kind = text;
            } else if is_key(&key, "name") {
                self.name = text;
            } else if is_key(&key, "provider") {
                self.provider = Some(text);
            }
        }
        Ok(())
    }
}

impl Resources {
    /// Returns the bytes of an element.
    pub(crate) fn element_bytes<'a>(&self, bytes: &'a [u8], element: usize) -> Option<&'a [u8]> {
        let start = self.elements.get(element)?.start as usize;
        let end = match self.elements.get(element + 1) {
            Some(next) => before(bytes, next.start as usize, b","),
            None => before(bytes, self.end, b""),
        };
        bytes.get(start..end?)
    }

    /// Returns the bytes of the instance at a place, which is one of an element.
    pub(crate) fn instance_bytes<'a>(
        &self,
        bytes: &'a [u8],
        element: usize,
        place: usize,
    ) -> Option<&'a [u8]> {
        let start = self.instances.get(place)?.start();
        if place + 1 < self.instances_of(element).end {
            return bytes.get(start..before(bytes, self.instances.get(place + 1)?.start(), b",")?);
        }
        if !self.is_plain {
            return Scanner::at(bytes, start, IN_INSTANCES).value().ok();
        }
        let element_start = self.elements.get(element)?.start as usize;
        let element_end = element_start + self.element_bytes(bytes, element)?.len();
        bytes.get(start..before(bytes, element_end, b"}]")?)
    }
}

/// Returns where the value ends that stands before `end`, behind which only `marks` follow, the last
/// one first, and whitespace.
fn before(bytes: &[u8], end: usize, marks: &[u8]) -> Option<usize> {
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\n' | b'\t' | b'\r');
    let trimmed = |bytes: &[u8]| bytes.iter().rposition(|byte| !is_space(byte)).map(|at| at + 1);
    let mut end = trimmed(bytes.get(..end)?)?;
    for mark in marks {
        end = trimmed(bytes[..end].strip_suffix(&[*mark])?)?;
    }
    Some(end)
}

/// Returns the raw attributes of an instance, or what stands for them.
pub(crate) fn attributes(instance: &[u8], marks: Marks) -> Option<&[u8]> {
    let name = if marks.has(Marks::FLAT) { "attributes_flat" } else { "attributes" };
    let is_first = marks.has(Marks::PLAIN) || marks.has(Marks::FLAT);
    last_field(instance, name, is_first)
}

/// Returns the raw `index_key` of an instance.
pub(crate) fn key(instance: &[u8], marks: Marks) -> Option<&[u8]> {
    match marks.key() {
        KeyPlace::None => None,
        KeyPlace::At(distance) => Scanner::at(instance, distance, 1).value().ok(),
        KeyPlace::Far => last_field(instance, "index_key", false),
    }
}

/// Returns the raw value of the last field of this name, or of the first, that is not `null`.
fn last_field<'a>(object: &'a [u8], name: &str, is_first: bool) -> Option<&'a [u8]> {
    let mut scanner = Scanner::new(object);
    let (mut first, mut found) = (true, None);
    scanner.open_object().ok()?;
    while let Some(key) = scanner.next_key(&mut first).ok()? {
        let value = scanner.value().ok()?;
        if is_key(&field(&key), name) && value != b"null" {
            found = Some(value);
            if is_first {
                break;
            }
        }
    }
    found
}
