//! The fields of an instance besides its attributes, read when somebody asks.

use std::borrow::Cow;

use super::parse::{field, sensitive_paths};
use super::path::Path;
use super::scan::{Scanner, SyntaxError, Text};
use super::value::Value;

/// What an instance says of itself besides its attributes.
///
/// Fields that are absent or `null` are empty, as Terraform reads them.
#[derive(Clone, Debug, Default)]
pub struct Details<'a> {
    /// Version of the provider's schema that the attributes follow.
    pub schema_version: u64,
    /// Key of a deposed object.
    pub deposed: Option<Cow<'a, str>>,
    /// Configuration addresses of everything it depends on, directly or not.
    pub dependencies: Vec<Cow<'a, str>>,
    /// The paths the state itself calls sensitive: a lower bound.
    pub sensitive: Vec<Path>,
    /// Opaque data of the provider, in base64. It may hold anything: never show it unasked.
    pub private: Option<Cow<'a, str>>,
    /// Raw JSON of the resource identity.
    pub identity: Option<&'a [u8]>,
    /// Version of the identity's schema.
    pub identity_schema_version: Option<u64>,
    /// Whether it was made to be replaced before it is destroyed.
    pub create_before_destroy: bool,
    /// OpenTofu: whether it is to be forgotten rather than destroyed.
    pub skip_destroy: bool,
    /// OpenTofu: the provider configuration of this instance alone.
    pub provider: Option<Cow<'a, str>>,
    /// Fields that Terraform does not know, with their raw JSON; it drops them when it writes.
    pub unknown: Vec<(Cow<'a, str>, &'a [u8])>,
}

impl<'a> Details<'a> {
    /// Reads the element of `instances` in `raw`.
    ///
    /// The text was checked when the document was opened. Should the file have changed beneath a
    /// map since, what can't be read is left out.
    pub(crate) fn read(raw: &'a [u8]) -> Self {
        let mut details = Self::default();
        let read = details.read_fields(raw);
        debug_assert!(read.is_ok(), "the document was checked when it was opened");
        details
    }

    fn read_fields(&mut self, raw: &'a [u8]) -> Result<(), SyntaxError> {
        let mut scanner = Scanner::new(raw);
        let mut first = true;
        if scanner.peek() != Some(b'{') {
            return Ok(());
        }
        scanner.open_object()?;
        while let Some(key) = scanner.next_key(&mut first)? {
            let value = scanner.value()?;
            self.field(&key, value);
        }
        Ok(())
    }

    fn field(&mut self, key: &Text<'a>, value: &'a [u8]) {
        let name = String::from_utf8_lossy(&field(key)).to_ascii_lowercase();
        match name.as_str() {
            _ if value == b"null" => {}
            "schema_version" => self.schema_version = number(value).unwrap_or(0),
            "deposed" => self.deposed = string(value).filter(|key| !key.is_empty()),
            "dependencies" => self.dependencies = strings(value),
            "sensitive_attributes" => self.sensitive = sensitive_paths(value).unwrap_or_default(),
            "private" => self.private = string(value).filter(|text| !text.is_empty()),
            "identity" => self.identity = Some(value),
            "identity_schema_version" => self.identity_schema_version = number(value),
            "create_before_destroy" => self.create_before_destroy = value == b"true",
            "skip_destroy" => self.skip_destroy = value == b"true",
            "provider" => self.provider = string(value),
            "index_key" | "status" | "attributes" | "attributes_flat" | "depends_on" => {}
            _ => self.unknown.push((key.decode_lossy(), value)),
        }
    }

    /// Decodes the resource identity.
    pub fn identity(&self) -> Option<Value<'a>> {
        Value::parse(self.identity?).ok()
    }
}

fn number(raw: &[u8]) -> Option<u64> {
    std::str::from_utf8(raw).ok()?.parse().ok()
}

fn string(raw: &[u8]) -> Option<Cow<'_, str>> {
    Scanner::new(raw).string().ok().map(|text| text.decode_lossy())
}

fn strings(raw: &[u8]) -> Vec<Cow<'_, str>> {
    let mut scanner = Scanner::new(raw);
    let (mut first, mut out) = (true, Vec::new());
    if scanner.open_array().is_err() {
        return out;
    }
    while let Ok(true) = scanner.next_element(&mut first) {
        let Ok(value) = scanner.value() else { break };
        out.extend(string(value));
    }
    out
}
