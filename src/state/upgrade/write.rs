//! Version 4, and its serialisation as Terraform writes it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io;

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter};

use super::output::Type;
use crate::state::value::Value;

/// A state of version 4, members in the order in which they are written.
#[derive(Serialize)]
pub(super) struct Document<'v> {
    pub(super) version: u8,
    pub(super) terraform_version: &'v str,
    pub(super) serial: u64,
    pub(super) lineage: &'v str,
    pub(super) outputs: BTreeMap<&'v str, Output>,
    pub(super) resources: Vec<Resource<'v>>,
    /// Always `null`: older versions have none.
    pub(super) check_results: (),
}

/// An output of the root module.
#[derive(Debug, Serialize)]
pub(super) struct Output {
    pub(super) value: Value<'static>,
    #[serde(rename = "type")]
    pub(super) kind: Type,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) sensitive: bool,
}

/// A resource with its instances.
#[derive(Serialize)]
pub(super) struct Resource<'v> {
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(super) module: String,
    pub(super) mode: &'static str,
    #[serde(rename = "type")]
    pub(super) kind: &'v str,
    pub(super) name: &'v str,
    pub(super) provider: String,
    pub(super) instances: Vec<Instance<'v>>,
}

/// An object of an instance.
#[derive(Serialize)]
pub(super) struct Instance<'v> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) index_key: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) status: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) deposed: Option<String>,
    pub(super) schema_version: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) attributes: Option<Nothing>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) attributes_flat: BTreeMap<Cow<'v, str>, &'v str>,
    pub(super) sensitive_attributes: [(); 0],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) private: Option<String>,
}

/// An object without members.
#[derive(Debug, Serialize)]
pub(super) struct Nothing {}

/// Writes a document: indented by two spaces, with a newline at its end.
pub(super) fn document(document: &Document<'_>) -> Vec<u8> {
    let mut bytes = write(document, PrettyFormatter::new());
    bytes.push(b'\n');
    bytes
}

/// Writes a value on one line.
pub(super) fn compact(value: &Value<'_>) -> Vec<u8> {
    write(value, CompactFormatter)
}

fn write(value: &impl Serialize, layout: impl Formatter) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut bytes, Go(layout));
    value.serialize(&mut serializer).expect("keys are strings, and memory takes every byte");
    bytes
}

/// A layout of JSON with the escapes of Go, which keep `<`, `>`, `&` and two line separators out
/// of scripts.
struct Go<F>(F);

impl<F: Formatter> Formatter for Go<F> {
    fn write_string_fragment<W>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()>
    where
        W: ?Sized + io::Write,
    {
        let mut rest = fragment;
        while let Some(at) = rest.find(['<', '>', '&', '\u{2028}', '\u{2029}']) {
            let (plain, special) = rest.split_at(at);
            self.0.write_string_fragment(writer, plain)?;
            let mut chars = special.chars();
            if let Some(c) = chars.next() {
                write!(writer, "\\u{:04x}", u32::from(c))?;
            }
            rest = chars.as_str();
        }
        self.0.write_string_fragment(writer, rest)
    }

    fn begin_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_array(writer)
    }

    fn end_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array(writer)
    }

    fn begin_array_value<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.0.begin_array_value(writer, first)
    }

    fn end_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array_value(writer)
    }

    fn begin_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object(writer)
    }

    fn end_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object(writer)
    }

    fn begin_object_key<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.0.begin_object_key(writer, first)
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object_value(writer)
    }

    fn end_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object_value(writer)
    }
}
