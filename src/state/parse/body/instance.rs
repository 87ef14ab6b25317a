//! The instances of one resource.

use super::resource::{Seen, sortable};
use super::{Part, offset};
use crate::state::address::{self, ConfigAddress};
use crate::state::document::is_exact;
use crate::state::index::{InstanceEntry, Marks};
use crate::state::parse::error::Invalid;
use crate::state::parse::fields::{is_base64, sensitive_paths};
use crate::state::parse::version::{field, is_key};
use crate::state::scan::{SyntaxError, Text};

/// What was read of one instance so far.
#[derive(Debug, Default)]
struct One<'a> {
    marks: Marks,
    /// How many fields hold attributes, in whatever form.
    attributes: usize,
    has_attributes: bool,
    key: RawKey<'a>,
    deposed: Option<Text<'a>>,
}

/// A key as far as it can be compared with another without decoding it.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
enum RawKey<'a> {
    #[default]
    None,
    Int(i64),
    Text(&'a [u8]),
    Other,
}

/// What orders the objects of a resource: the key, then deposed objects by their own.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct SortKey<'a> {
    key: RawKey<'a>,
    deposed: Option<&'a [u8]>,
}

impl<'a> SortKey<'a> {
    /// Returns nothing where only decoding it can tell.
    fn of(one: &One<'a>) -> Option<Self> {
        let deposed = match one.deposed {
            Some(text) => Some(sortable(text)?),
            None => None,
        };
        (one.key != RawKey::Other).then_some(Self { key: one.key, deposed })
    }
}

impl<'a> Part<'a> {
    pub(super) fn instances(&mut self, seen: &mut Seen<'a>) -> Result<(), SyntaxError> {
        if !self.fields.array("resources.instances")? {
            return Ok(());
        }
        let mut first = true;
        while self.fields.scanner.next_element(&mut first)? {
            self.instance(seen)?;
        }
        Ok(())
    }

    fn instance(&mut self, seen: &mut Seen<'a>) -> Result<(), SyntaxError> {
        self.fields.scanner.peek();
        let start = self.fields.scanner.pos();
        let mut one = One::default();
        if self.fields.object("resources.instances")? {
            let mut first = true;
            while let Some(key) = self.fields.scanner.next_key(&mut first)? {
                self.instance_field(&field(&key), start, &mut one, seen)?;
            }
        }
        let is_plain = one.attributes == 1 && one.has_attributes;
        one.marks.set(Marks::PLAIN, is_plain && !one.marks.has(Marks::FLAT));
        let key = SortKey::of(&one);
        if self.out.instances.len() > seen.first {
            self.is_sorted &= matches!((seen.last_key, key), (Some(last), Some(key)) if last < key);
        }
        seen.last_key = key;
        self.out.instances.push(InstanceEntry::new(offset(start), one.marks));
        Ok(())
    }

    fn instance_field(
        &mut self,
        key: &[u8],
        start: usize,
        one: &mut One<'a>,
        seen: &mut Seen<'a>,
    ) -> Result<(), SyntaxError> {
        let fields = &mut self.fields;
        if is_key(key, "attributes") {
            one.attributes += 1;
            if fields.raw()?.is_some() {
                one.has_attributes = true;
                one.marks.set(Marks::FLAT, false);
            }
        } else if is_key(key, "schema_version") {
            fields.unsigned("resources.instances.schema_version")?;
        } else if is_key(key, "sensitive_attributes") {
            if let Some(range) = fields.raw()? {
                match sensitive_paths(&fields.bytes[range.clone()]) {
                    None => fields.findings.push(range.start, Invalid::SensitivePath),
                    Some(paths) if paths.is_empty() => {}
                    Some(_) => one.marks.set(Marks::SENSITIVE, true),
                }
            }
        } else if is_key(key, "dependencies") {
            self.dependencies()?;
        } else if is_key(key, "private") {
            if let Some(text) = fields.text("resources.instances.private")?
                && !is_base64(&text)
            {
                fields.findings.push(text.offset, Invalid::Private);
            }
        } else if is_key(key, "index_key") {
            self.key(start, one)?;
        } else if is_key(key, "status") {
            let Some(text) = fields.text("resources.instances.status")? else { return Ok(()) };
            match &*text.decode_lossy() {
                "tainted" => one.marks.set(Marks::TAINTED, true),
                "" => one.marks.set(Marks::TAINTED, false),
                _ => fields.findings.push(text.offset, Invalid::Status),
            }
        } else if is_key(key, "deposed") {
            self.deposed(one)?;
        } else if is_key(key, "attributes_flat") {
            self.flat_attributes(one)?;
        } else if is_key(key, "identity_schema_version") {
            fields.unsigned("resources.instances.identity_schema_version")?;
        } else if is_key(key, "create_before_destroy") {
            fields.boolean("resources.instances.create_before_destroy")?;
        } else if is_key(key, "provider") {
            seen.on_instances |= fields.raw()?.is_some();
        } else {
            fields.scanner.value()?;
        }
        Ok(())
    }

    fn key(&mut self, start: usize, one: &mut One<'a>) -> Result<(), SyntaxError> {
        let fields = &mut self.fields;
        let byte = fields.scanner.peek();
        let offset = fields.scanner.pos();
        if byte == Some(b'"') {
            let text = fields.scanner.string()?;
            one.key = sortable(text).map_or(RawKey::Other, RawKey::Text);
            one.marks.set_key(offset - start);
            return Ok(());
        }
        let value = fields.scanner.value()?;
        let digits = std::str::from_utf8(value).unwrap_or_default();
        match byte {
            Some(b'n') => {
                one.key = RawKey::None;
                one.marks.set_key(0);
            }
            Some(b'-' | b'0'..=b'9') if digits.parse().is_ok_and(f64::is_finite) => {
                let exact = digits.parse().ok().filter(|&number| is_exact(number));
                one.key = exact.map_or(RawKey::Other, RawKey::Int);
                one.marks.set_key(offset - start);
            }
            _ => fields.findings.push(offset, Invalid::Key),
        }
        Ok(())
    }

    fn deposed(&mut self, one: &mut One<'a>) -> Result<(), SyntaxError> {
        let Some(text) = self.fields.text("resources.instances.deposed")? else { return Ok(()) };
        // Go counts the bytes of what it decoded.
        match text.decode_lossy().len() {
            0 => one.deposed = None,
            8 => one.deposed = Some(text),
            _ => self.fields.findings.push(text.offset, Invalid::Deposed),
        }
        one.marks.set(Marks::DEPOSED, one.deposed.is_some());
        Ok(())
    }

    fn flat_attributes(&mut self, one: &mut One<'a>) -> Result<(), SyntaxError> {
        one.attributes += 1;
        if !self.fields.object("resources.instances.attributes_flat")? {
            return Ok(());
        }
        let mut first = true;
        while self.fields.scanner.next_key(&mut first)?.is_some() {
            self.fields.text("resources.instances.attributes_flat")?;
        }
        if !one.has_attributes {
            one.has_attributes = true;
            one.marks.set(Marks::FLAT, true);
        }
        Ok(())
    }

    fn dependencies(&mut self) -> Result<(), SyntaxError> {
        if !self.fields.array("resources.instances.dependencies")? {
            return Ok(());
        }
        let mut first = true;
        while self.fields.scanner.next_element(&mut first)? {
            let Some(text) = self.fields.text("resources.instances.dependencies")? else {
                continue;
            };
            if self.dependencies.contains(text.raw) {
                continue;
            }
            match text.decode_lossy().parse::<ConfigAddress>() {
                Ok(_) => {
                    self.dependencies.insert(text.raw);
                }
                // Terraform accepts the address of an ephemeral resource here.
                Err(address::Error { problem: address::Problem::Ephemeral, .. }) => {}
                Err(error) => self.fields.findings.push(text.offset, Invalid::Dependency(error)),
            }
        }
        Ok(())
    }
}
