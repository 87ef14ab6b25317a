//! The instances of one resource.

use super::resource::Seen;
use super::{Part, index};
use crate::state::address::{self, ConfigAddress};
use crate::state::index::{Flags, InstanceEntry, Offset, Span};
use crate::state::parse::error::Invalid;
use crate::state::parse::fields::{is_base64, sensitive_paths};
use crate::state::parse::version::{field, is_key};
use crate::state::scan::SyntaxError;

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
        let mut entry = InstanceEntry {
            start: Offset::new(start),
            len: 0,
            attributes: Span::NONE,
            key: 0,
            resource: index(self.out.elements.len()),
            flags: Flags::default(),
        };
        if self.fields.object("resources.instances")? {
            let mut first = true;
            while let Some(key) = self.fields.scanner.next_key(&mut first)? {
                self.instance_field(&field(&key), start, &mut entry, seen)?;
            }
        }
        entry.len = self.length(start);
        self.out.instances.push(entry);
        Ok(())
    }

    fn instance_field(
        &mut self,
        key: &[u8],
        start: usize,
        entry: &mut InstanceEntry,
        seen: &mut Seen<'a>,
    ) -> Result<(), SyntaxError> {
        let fields = &mut self.fields;
        if is_key(key, "attributes") {
            if let Some(range) = fields.raw()? {
                entry.attributes = self.span(range.start, range.len(), start);
                entry.flags.clear(Flags::FLAT);
            }
        } else if is_key(key, "schema_version") {
            fields.unsigned("resources.instances.schema_version")?;
        } else if is_key(key, "sensitive_attributes") {
            if let Some(range) = fields.raw()? {
                match sensitive_paths(&fields.bytes[range.clone()]) {
                    None => fields.findings.push(range.start, Invalid::SensitivePath),
                    Some(paths) if paths.is_empty() => {}
                    Some(_) => entry.flags.set(Flags::SENSITIVE),
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
            self.key(start, entry)?;
        } else if is_key(key, "status") {
            let Some(text) = fields.text("resources.instances.status")? else { return Ok(()) };
            match &*text.decode_lossy() {
                "tainted" => entry.flags.set(Flags::TAINTED),
                "" => entry.flags.clear(Flags::TAINTED),
                _ => fields.findings.push(text.offset, Invalid::Status),
            }
        } else if is_key(key, "deposed") {
            self.deposed(entry)?;
        } else if is_key(key, "attributes_flat") {
            self.flat_attributes(start, entry)?;
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

    fn key(&mut self, start: usize, entry: &mut InstanceEntry) -> Result<(), SyntaxError> {
        let fields = &mut self.fields;
        let byte = fields.scanner.peek();
        let offset = fields.scanner.pos();
        let value = fields.scanner.value()?;
        let good = match byte {
            Some(b'"') => true,
            Some(b'n') => {
                entry.key = 0;
                return Ok(());
            }
            Some(b'-' | b'0'..=b'9') => std::str::from_utf8(value)
                .is_ok_and(|digits| digits.parse().is_ok_and(f64::is_finite)),
            _ => false,
        };
        if good {
            entry.key = self.span(offset, value.len(), start).start;
        } else {
            fields.findings.push(offset, Invalid::Key);
        }
        Ok(())
    }

    fn deposed(&mut self, entry: &mut InstanceEntry) -> Result<(), SyntaxError> {
        let Some(text) = self.fields.text("resources.instances.deposed")? else { return Ok(()) };
        // Go counts the bytes of what it decoded.
        match text.decode_lossy().len() {
            0 => entry.flags.clear(Flags::DEPOSED),
            8 => entry.flags.set(Flags::DEPOSED),
            _ => self.fields.findings.push(text.offset, Invalid::Deposed),
        }
        Ok(())
    }

    fn flat_attributes(
        &mut self,
        start: usize,
        entry: &mut InstanceEntry,
    ) -> Result<(), SyntaxError> {
        self.fields.scanner.peek();
        let offset = self.fields.scanner.pos();
        if !self.fields.object("resources.instances.attributes_flat")? {
            return Ok(());
        }
        let mut first = true;
        while self.fields.scanner.next_key(&mut first)?.is_some() {
            self.fields.text("resources.instances.attributes_flat")?;
        }
        if entry.attributes.is_none() {
            entry.attributes = self.span(offset, self.fields.scanner.pos() - offset, start);
            entry.flags.set(Flags::FLAT);
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
