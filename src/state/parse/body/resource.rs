//! One resource: who it is, and whether Terraform would keep it.

use super::instance::SortKey;
use super::{Part, index, offset};
use crate::state::address::{Key, Mode, ModulePath};
use crate::state::index::{ResourceEntry, Resources};
use crate::state::parse::error::{Invalid, Warning};
use crate::state::parse::version::{field, is_key};
use crate::state::provider::ProviderConfig;
use crate::state::scan::{SyntaxError, Text};

/// What was read of one resource so far.
#[derive(Debug)]
pub(super) struct Seen<'a> {
    module: Text<'a>,
    /// Whether the mode is `data`; `None` where there is no usable mode.
    mode: Option<bool>,
    kind: Text<'a>,
    name: Text<'a>,
    provider: Text<'a>,
    /// How many fields say who it is or what its instances are.
    fields: u32,
    /// The names that these fields have.
    names: Names,
    pub(super) first: usize,
    /// What orders the instance that was read last.
    pub(super) last_key: Option<SortKey<'a>>,
    /// Whether an instance names its own provider.
    pub(super) on_instances: bool,
}

/// A set of fields, one bit each.
#[derive(Clone, Copy, Debug, Default)]
struct Names(u8);

/// The bit of `instances`.
const INSTANCES: u8 = 1;

/// What orders the resources of a module, as raw text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rank<'a> {
    pub(super) module: u32,
    pub(super) mode: Mode,
    pub(super) kind: Text<'a>,
    pub(super) name: Text<'a>,
}

impl Rank<'_> {
    /// Returns whether `next` is certainly sorted behind this one, which is of the same module.
    fn is_before(&self, next: &Self) -> bool {
        let key = |rank: &Self| Some((rank.mode, sortable(rank.kind)?, sortable(rank.name)?));
        matches!((key(self), key(next)), (Some(a), Some(b)) if a < b)
    }
}

/// Returns text that sorts as it would decoded.
pub(super) fn sortable(text: Text<'_>) -> Option<&[u8]> {
    (!text.escaped && std::str::from_utf8(text.raw).is_ok()).then_some(text.raw)
}

impl<'a> Part<'a> {
    pub(super) fn resource(&mut self) -> Result<(), SyntaxError> {
        let findings = self.fields.findings.len();
        self.fields.scanner.peek();
        let start = self.fields.scanner.pos();
        let none = Text { raw: b"", offset: start, escaped: false };
        let mut seen = Seen {
            module: none,
            mode: None,
            kind: none,
            name: none,
            provider: none,
            fields: 0,
            names: Names::default(),
            first: self.out.instances.len(),
            last_key: None,
            on_instances: false,
        };
        let mut ends_with_instances = false;
        if self.fields.object("resources")? {
            let mut first = true;
            while let Some(key) = self.fields.scanner.next_key(&mut first)? {
                let before = seen.names.0 & INSTANCES;
                self.resource_field(&field(&key), &mut seen)?;
                ends_with_instances = before != seen.names.0 & INSTANCES;
            }
        }
        self.out.is_plain &= ends_with_instances && seen.fields == seen.names.0.count_ones();
        let module = self.module(seen.module);
        let Some(is_data) = seen.mode else {
            self.fields.findings.push(start, Invalid::Mode);
            self.name_findings(findings, module, &seen);
            return Ok(());
        };
        let entry = ResourceEntry { start: offset(start), first: index(seen.first) };
        let mode = if is_data { Mode::Data } else { Mode::Managed };
        self.follow(Rank { module, mode, kind: seen.kind, name: seen.name });
        self.push(entry, module);
        self.check_provider(module, &seen);
        self.name_findings(findings, module, &seen);
        Ok(())
    }

    /// Notes whether the next resource stands where Terraform lists it.
    pub(super) fn follow(&mut self, next: Rank<'a>) {
        self.refresh_last();
        let Some((first, last)) = self.ends else {
            self.ends = Some((next, next));
            return;
        };
        self.ends = Some((first, next));
        self.is_sorted &= !self.is_same_module((self, &last), &next) || last.is_before(&next);
    }

    /// Returns whether the resources of `tail` go on where these end.
    pub(super) fn is_before(&mut self, tail: &Self) -> bool {
        self.refresh_last();
        let (Some((_, last)), Some((first, _))) = (&self.ends, &tail.ends) else { return true };
        !tail.is_same_module((self, last), first) || last.is_before(first)
    }

    /// Returns whether both are of one module, which may be spelt in several ways.
    fn is_same_module(&self, (part, other): (&Self, &Rank<'_>), own: &Rank<'_>) -> bool {
        let is_same = std::ptr::eq(self, part) && own.module == other.module;
        is_same || self.out.modules[own.module as usize] == part.out.modules[other.module as usize]
    }

    fn resource_field(&mut self, key: &[u8], seen: &mut Seen<'a>) -> Result<(), SyntaxError> {
        const NAMES: [&str; 6] = ["instances", "module", "mode", "type", "name", "provider"];
        let Some(known) = NAMES.iter().position(|name| is_key(key, name)) else {
            return self.fields.scanner.value().map(drop);
        };
        seen.fields += 1;
        seen.names.0 |= 1 << known;
        let fields = &mut self.fields;
        match NAMES[known] {
            "instances" => {
                self.out.instances.truncate(seen.first);
                seen.last_key = None;
                return self.instances(seen);
            }
            "module" => seen.module = fields.text("resources.module")?.unwrap_or(seen.module),
            "mode" => {
                let Some(mode) = fields.text("resources.mode")? else { return Ok(()) };
                seen.mode = match &*mode.decode_lossy() {
                    "managed" => Some(false),
                    "data" => Some(true),
                    _ => None,
                };
            }
            "type" => seen.kind = fields.text("resources.type")?.unwrap_or(seen.kind),
            "name" => seen.name = fields.text("resources.name")?.unwrap_or(seen.name),
            _ => seen.provider = fields.text("resources.provider")?.unwrap_or(seen.provider),
        }
        Ok(())
    }

    /// Returns the place of a module in the table; the root module where its text is bad.
    pub(super) fn module(&mut self, text: Text<'a>) -> u32 {
        if self.last_module.1 != u32::MAX && self.last_module.0 == text.raw {
            return self.last_module.1;
        }
        let place = self.new_module(text);
        self.last_module = (text.raw, place);
        place
    }

    fn new_module(&mut self, raw: Text<'a>) -> u32 {
        let text = raw.decode_lossy();
        let path = if text.is_empty() { Ok(ModulePath::root()) } else { ModulePath::parse(&text) };
        let path = path.unwrap_or_else(|error| {
            self.fields.findings.push(raw.offset, Invalid::Module(error));
            ModulePath::root()
        });
        self.out.modules.push(&path.to_string());
        index(self.out.modules.len() - 1)
    }

    fn check_provider(&mut self, module: u32, seen: &Seen<'a>) {
        let raw = seen.provider.raw;
        let known = *self
            .providers
            .entry(raw)
            .or_insert_with(|| is_read_by_terraform(&Text::of(raw).decode_lossy()));
        if known {
            return;
        }
        let address = resource_text(&self.out, module, seen);
        self.warnings.push(if raw.is_empty() && seen.on_instances {
            Warning::ProviderOnInstances { address }
        } else {
            Warning::ProviderUnreadable { address }
        });
    }

    fn name_findings(&mut self, from: usize, module: u32, seen: &Seen<'a>) {
        let out = &self.out;
        self.fields.findings.name(from, || resource_text(out, module, seen));
    }
}

fn resource_text(out: &Resources, module: u32, seen: &Seen<'_>) -> String {
    let module = out.modules.get(module as usize).unwrap_or_default();
    let dot = if module.is_empty() { "" } else { "." };
    let data = if seen.mode == Some(true) { "data." } else { "" };
    format!("{module}{dot}{data}{}.{}", seen.kind.decode_lossy(), seen.name.decode_lossy())
}

/// Returns whether Terraform can read a provider configuration; it drops resources of any other.
fn is_read_by_terraform(text: &str) -> bool {
    let Ok(provider) = text.parse::<ProviderConfig>() else { return false };
    let is_legacy_of_opentofu =
        provider.source.namespace == "-" && provider.source.host == "registry.opentofu.org";
    provider.key == Key::None && !is_legacy_of_opentofu
}
