//! The index of a document: where each resource and instance stands in its bytes.
//!
//! Entries are small and flat, so that half a million instances cost some tens of megabytes and
//! nothing is copied out of the document: an instance is 28 bytes, a resource 48.

use super::parse::Warning;
use super::table::Table;

/// A range of bytes counted from the start of the resource or the instance it belongs to.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) len: u32,
}

impl Span {
    /// Says that there is no such text; every text stands behind at least one bracket.
    pub(crate) const NONE: Self = Self { start: 0, len: 0 };

    pub(crate) fn is_none(self) -> bool {
        self.start == 0
    }

    /// Cuts the range out of `bytes`, whose first byte it counts from.
    pub(crate) fn of(self, bytes: &[u8]) -> Option<&[u8]> {
        let start = self.start as usize;
        if self.is_none() { None } else { bytes.get(start..start + self.len as usize) }
    }
}

/// An offset into a document, in five bytes: enough for a terabyte, and aligned to nothing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Offset([u8; 5]);

impl Offset {
    pub(crate) fn new(offset: usize) -> Self {
        let mut low = [0; 5];
        low.copy_from_slice(&(offset as u64).to_le_bytes()[..5]);
        Self(low)
    }

    pub(crate) fn get(self) -> usize {
        let mut bytes = [0; 8];
        bytes[..5].copy_from_slice(&self.0);
        usize::try_from(u64::from_le_bytes(bytes)).unwrap_or(usize::MAX)
    }
}

/// One element of `resources`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ResourceEntry {
    pub(crate) start: Offset,
    pub(crate) len: u32,
    /// Place in [`Resources::modules`].
    pub(crate) module: u32,
    /// The raw text of `type`, without quotes.
    pub(crate) kind: Span,
    /// The raw text of `name`, without quotes.
    pub(crate) name: Span,
    /// The raw text of `provider`, without quotes.
    pub(crate) provider: Span,
    /// Place of the first instance in [`Resources::instances`].
    pub(crate) first: u32,
    pub(crate) count: u32,
    pub(crate) is_data: bool,
}

/// What an instance is known to be without reading it again.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Flags(u8);

impl Flags {
    pub(crate) const TAINTED: Self = Self(1);
    pub(crate) const DEPOSED: Self = Self(2);
    /// `attributes` stands for the legacy `attributes_flat`.
    pub(crate) const FLAT: Self = Self(4);
    /// `sensitive_attributes` has at least one path.
    pub(crate) const SENSITIVE: Self = Self(8);

    pub(crate) fn set(&mut self, flag: Self) {
        self.0 |= flag.0;
    }

    pub(crate) fn clear(&mut self, flag: Self) {
        self.0 &= !flag.0;
    }

    pub(crate) fn has(self, flag: Self) -> bool {
        self.0 & flag.0 != 0
    }
}

/// One element of `instances`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InstanceEntry {
    pub(crate) start: Offset,
    pub(crate) len: u32,
    /// The raw value of `attributes`, or of `attributes_flat`.
    pub(crate) attributes: Span,
    /// Where the raw value of `index_key` starts; 0 where there is none.
    pub(crate) key: u32,
    /// Place in [`Resources::elements`].
    pub(crate) resource: u32,
    pub(crate) flags: Flags,
}

/// One member of `outputs`. Ranges count from the start of the document.
#[derive(Clone, Debug)]
pub(crate) struct OutputEntry {
    pub(crate) name: String,
    pub(crate) value: std::ops::Range<usize>,
    pub(crate) kind: std::ops::Range<usize>,
    pub(crate) sensitive: bool,
    pub(crate) deprecated: Option<String>,
}

/// What stands before the resources.
#[derive(Clone, Debug, Default)]
pub(crate) struct Header {
    pub(crate) terraform_version: String,
    pub(crate) serial: u64,
    pub(crate) lineage: String,
}

/// The resources of a document, or of a part of one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Resources {
    /// The module instances that have resources, as printed; empty text for the root module.
    pub(crate) modules: Vec<Box<str>>,
    pub(crate) elements: Table<ResourceEntry>,
    pub(crate) instances: Table<InstanceEntry>,
}

/// Everything that is known of a document after it was opened.
#[derive(Clone, Debug, Default)]
pub(crate) struct Index {
    pub(crate) header: Header,
    pub(crate) outputs: Vec<OutputEntry>,
    pub(crate) body: Resources,
    /// Instances in Terraform's order, as places in `body.instances`; empty where that is the
    /// order of the document.
    pub(crate) order: Vec<u32>,
    pub(crate) checks: Option<std::ops::Range<usize>>,
    pub(crate) warnings: Vec<Warning>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_as_small_as_the_claims_about_memory_need() {
        assert_eq!(size_of::<InstanceEntry>(), 28);
        assert_eq!(size_of::<ResourceEntry>(), 48);
    }

    #[test]
    fn an_offset_is_kept_up_to_a_terabyte() {
        for offset in [0, 1, 0xffff_ffff, 0x1_0000_0000, 0xff_ffff_ffff] {
            assert_eq!(Offset::new(offset).get(), offset);
        }
    }
}
