//! One resource: who it is, and whether Terraform would keep it.

use super::{Part, index};
use crate::state::address::{Key, ModulePath};
use crate::state::index::{Offset, ResourceEntry, Resources, Span};
use crate::state::parse::error::{Invalid, Warning};
use crate::state::parse::version::{field, is_key};
use crate::state::provider::ProviderConfig;
use crate::state::scan::{SyntaxError, Text};

/// What was read of one resource so far.
#[derive(Debug, Default)]
pub(super) struct Seen<'a> {
    module: Option<(&'a [u8], usize, bool)>,
    /// Whether the mode is `data`; `None` where there is no usable mode.
    mode: Option<bool>,
    kind: Span,
    name: Span,
    provider: Span,
    pub(super) first: usize,
    /// Whether an instance names its own provider.
    pub(super) on_instances: bool,
}

impl<'a> Part<'a> {
    pub(super) fn resource(&mut self) -> Result<(), SyntaxError> {
        let findings = self.fields.findings.len();
        self.fields.scanner.peek();
        let start = self.fields.scanner.pos();
        let mut seen = Seen { mode: None, first: self.out.instances.len(), ..Seen::default() };
        if self.fields.object("resources")? {
            let mut first = true;
            while let Some(key) = self.fields.scanner.next_key(&mut first)? {
                self.resource_field(&field(&key), start, &mut seen)?;
            }
        }
        let module = self.module(seen.module);
        let Some(is_data) = seen.mode else {
            self.fields.findings.push(start, Invalid::Mode);
            self.name_findings(findings, module, &seen, start);
            return Ok(());
        };
        let entry = ResourceEntry {
            start: Offset::new(start),
            len: self.length(start),
            module,
            kind: seen.kind,
            name: seen.name,
            provider: seen.provider,
            first: index(seen.first),
            count: index(self.out.instances.len() - seen.first),
            is_data,
        };
        self.out.elements.push(entry);
        self.check_provider(&entry, &seen);
        self.name_findings(findings, module, &seen, start);
        Ok(())
    }

    fn resource_field(
        &mut self,
        key: &[u8],
        start: usize,
        seen: &mut Seen<'a>,
    ) -> Result<(), SyntaxError> {
        let fields = &mut self.fields;
        if is_key(key, "instances") {
            self.out.instances.truncate(seen.first);
            self.instances(seen)
        } else if is_key(key, "module") {
            if let Some(text) = fields.text("resources.module")? {
                seen.module = Some((text.raw, text.offset, text.escaped));
            }
            Ok(())
        } else if is_key(key, "mode") {
            let Some(mode) = fields.text("resources.mode")? else { return Ok(()) };
            seen.mode = match &*mode.decode_lossy() {
                "managed" => Some(false),
                "data" => Some(true),
                _ => None,
            };
            Ok(())
        } else if is_key(key, "type") {
            seen.kind = self.known_text("resources.type", start)?.unwrap_or(seen.kind);
            Ok(())
        } else if is_key(key, "name") {
            seen.name = self.known_text("resources.name", start)?.unwrap_or(seen.name);
            Ok(())
        } else if is_key(key, "provider") {
            seen.provider = self.known_text("resources.provider", start)?.unwrap_or(seen.provider);
            Ok(())
        } else {
            fields.scanner.value().map(drop)
        }
    }

    /// Passes a string and returns where it stands; `null` says nothing.
    fn known_text(
        &mut self,
        field: &'static str,
        start: usize,
    ) -> Result<Option<Span>, SyntaxError> {
        let Some(text) = self.fields.text(field)? else { return Ok(None) };
        Ok(Some(self.span(text.offset, text.raw.len(), start)))
    }

    /// Returns the place of a module in the table; the root module where its text is bad.
    fn module(&mut self, raw: Option<(&'a [u8], usize, bool)>) -> u32 {
        let (raw, offset, escaped) = raw.unwrap_or((b"", 0, false));
        if self.last_module.1 != u32::MAX && self.last_module.0 == raw {
            return self.last_module.1;
        }
        let place = self.new_module(raw, offset, escaped);
        self.last_module = (raw, place);
        place
    }

    fn new_module(&mut self, raw: &'a [u8], offset: usize, escaped: bool) -> u32 {
        let text = Text { raw, offset, escaped };
        let text = text.decode_lossy();
        let path = if text.is_empty() { Ok(ModulePath::root()) } else { ModulePath::parse(&text) };
        let path = path.unwrap_or_else(|error| {
            self.fields.findings.push(offset, Invalid::Module(error));
            ModulePath::root()
        });
        self.out.modules.push(path.to_string().into_boxed_str());
        index(self.out.modules.len() - 1)
    }

    fn check_provider(&mut self, entry: &ResourceEntry, seen: &Seen<'a>) {
        let bytes = self.fields.bytes;
        let raw = entry.provider.of(&bytes[entry.start.get()..]).unwrap_or_default();
        let known = *self
            .providers
            .entry(raw)
            .or_insert_with(|| is_read_by_terraform(&Text::of(raw).decode_lossy()));
        if known {
            return;
        }
        let address = resource_text(bytes, &self.out, entry.module, seen, entry.start.get());
        self.warnings.push(if raw.is_empty() && seen.on_instances {
            Warning::ProviderOnInstances { address }
        } else {
            Warning::ProviderUnreadable { address }
        });
    }

    fn name_findings(&mut self, from: usize, module: u32, seen: &Seen<'a>, start: usize) {
        let (bytes, out) = (self.fields.bytes, &self.out);
        self.fields.findings.name(from, || resource_text(bytes, out, module, seen, start));
    }
}

fn resource_text(
    bytes: &[u8],
    out: &Resources,
    module: u32,
    seen: &Seen<'_>,
    start: usize,
) -> String {
    let text = |span: Span| {
        let raw = span.of(&bytes[start..]).unwrap_or_default();
        Text::of(raw).decode_lossy()
    };
    let module = out.modules.get(module as usize).map_or("", |text| text);
    let dot = if module.is_empty() { "" } else { "." };
    let data = if seen.mode == Some(true) { "data." } else { "" };
    format!("{module}{dot}{data}{}.{}", text(seen.kind), text(seen.name))
}

/// Returns whether Terraform can read a provider configuration; it drops resources of any other.
fn is_read_by_terraform(text: &str) -> bool {
    let Ok(provider) = text.parse::<ProviderConfig>() else { return false };
    let is_legacy_of_opentofu =
        provider.source.namespace == "-" && provider.source.host == "registry.opentofu.org";
    provider.key == Key::None && !is_legacy_of_opentofu
}
