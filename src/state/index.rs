//! The index of a document: where each resource and instance begins in its bytes.
//!
//! It holds no more than finding them takes, so that memory stays small however large a state is:
//! a resource is 8 bytes, an instance 6. Everything else is read again from the text when
//! somebody asks for it, which the marks here make cheap where a state is as Terraform writes it.

use super::parse::Warning;
use super::table::{Table, Texts};

/// One element of `resources`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct ResourceEntry {
    /// Where it begins in the document.
    pub(crate) start: u32,
    /// Place of its first instance in [`Resources::instances`]; they go up to that of the next one.
    pub(crate) first: u32,
}

/// One element of `instances`: where it begins, its marks, and how far behind its key is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct InstanceEntry {
    start: [u8; 4],
    marks: [u8; 2],
}

impl InstanceEntry {
    pub(crate) fn new(start: u32, marks: Marks) -> Self {
        Self { start: start.to_le_bytes(), marks: marks.0.to_le_bytes() }
    }

    /// Returns where it begins in the document.
    pub(crate) fn start(self) -> usize {
        u32::from_le_bytes(self.start) as usize
    }

    pub(crate) fn marks(self) -> Marks {
        Marks(u16::from_le_bytes(self.marks))
    }
}

/// What an instance is known to be without reading it again.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Marks(u16);

impl Marks {
    pub(crate) const TAINTED: Self = Self(1);
    pub(crate) const DEPOSED: Self = Self(2);
    /// The attributes are the legacy `attributes_flat`.
    pub(crate) const FLAT: Self = Self(4);
    /// `sensitive_attributes` has at least one path.
    pub(crate) const SENSITIVE: Self = Self(8);
    /// No other field of the name follows the first `attributes`.
    pub(crate) const PLAIN: Self = Self(16);
    const BITS: u32 = 5;
    /// What is behind the bits where the key is too far behind to say where.
    const FAR: u16 = u16::MAX >> Self::BITS;

    pub(crate) fn set(&mut self, mark: Self, value: bool) {
        self.0 = if value { self.0 | mark.0 } else { self.0 & !mark.0 };
    }

    pub(crate) fn has(self, mark: Self) -> bool {
        self.0 & mark.0 != 0
    }

    /// Says how far behind the start of the instance the value of `index_key` begins; 0 where there
    /// is none.
    pub(crate) fn set_key(&mut self, distance: usize) {
        let distance = u16::try_from(distance).unwrap_or(Self::FAR).min(Self::FAR);
        self.0 = self.0 & (u16::MAX >> (u16::BITS - Self::BITS)) | distance << Self::BITS;
    }

    pub(crate) fn key(self) -> KeyPlace {
        match self.0 >> Self::BITS {
            0 => KeyPlace::None,
            Self::FAR => KeyPlace::Far,
            distance => KeyPlace::At(usize::from(distance)),
        }
    }
}

/// Where the value of `index_key` begins, counted from the start of its instance.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum KeyPlace {
    /// There is no key.
    None,
    At(usize),
    /// Somewhere farther behind: it has to be looked for.
    Far,
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
    pub(crate) modules: Texts,
    /// Which elements are in which module.
    pub(crate) runs: Vec<Run>,
    pub(crate) elements: Table<ResourceEntry>,
    pub(crate) instances: Table<InstanceEntry>,
    /// Where the bracket stands that closes the array.
    pub(crate) end: usize,
    /// Whether every element has the layout that Terraform writes: `instances` last, and each field
    /// once.
    pub(crate) is_plain: bool,
    /// Which elements are, byte for byte, elements of a document that was read before.
    pub(crate) copies: Vec<Copies>,
}

impl Resources {
    /// Returns the places of the instances of an element.
    pub(crate) fn instances_of(&self, element: usize) -> std::ops::Range<usize> {
        let first = |element: usize| self.elements.get(element).map(|entry| entry.first as usize);
        let end = first(element + 1).unwrap_or(self.instances.len());
        first(element).unwrap_or(end)..end
    }

    /// Returns the place of the module that an element is in.
    pub(crate) fn module_of(&self, element: usize) -> usize {
        let next = self.runs.partition_point(|run| run.element as usize <= element);
        next.checked_sub(1).map_or(0, |run| self.runs[run].module as usize)
    }

    /// Returns the element that the instance at a place belongs to.
    pub(crate) fn element_of(&self, place: usize) -> usize {
        // Of elements that begin at one place only the last has instances.
        self.elements.partition_point(|entry| entry.first as usize <= place).saturating_sub(1)
    }
}

/// Elements of one module that stand one after the other, up to the first of the next run.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Run {
    /// Place of the first one.
    pub(crate) element: u32,
    /// Place in [`Resources::modules`].
    pub(crate) module: u32,
}

/// A run of elements that stand in the same order in another document.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Copies {
    /// Place of the first one in this document.
    pub(crate) here: u32,
    /// Its place in the other document.
    pub(crate) there: u32,
    pub(crate) count: u32,
}

impl Copies {
    /// Returns whether the elements at these places are the next ones.
    pub(crate) fn goes_on_at(&self, here: u32, there: u32) -> bool {
        (self.here + self.count, self.there + self.count) == (here, there)
    }
}

/// A run of instances that stand in the document as they are listed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Stretch {
    /// Place of the first one in [`Resources::instances`].
    pub(crate) first: u32,
    /// How many instances are listed before it.
    pub(crate) before: u32,
}

/// Everything that is known of a document after it was opened.
#[derive(Clone, Debug, Default)]
pub(crate) struct Index {
    pub(crate) header: Header,
    pub(crate) outputs: Vec<OutputEntry>,
    pub(crate) body: Resources,
    /// Whether the resources of each module stand as Terraform lists them.
    pub(crate) is_sorted: bool,
    /// Instances in Terraform's order. In a document that Terraform wrote there are at most as many
    /// stretches as modules.
    pub(crate) order: Vec<Stretch>,
    pub(crate) checks: Option<std::ops::Range<usize>>,
    pub(crate) warnings: Vec<Warning>,
}

impl Index {
    /// Returns the place in [`Resources::instances`] of the `at`th instance in Terraform's order,
    /// and how many from there on are listed one after the other.
    pub(crate) fn place(&self, at: usize) -> (usize, usize) {
        let next = self.order.partition_point(|stretch| stretch.before as usize <= at);
        let end = self.order.get(next).map_or(self.body.instances.len(), |s| s.before as usize);
        let stretch = next.checked_sub(1).map(|last| self.order[last]);
        let (first, before) = stretch.map_or((0, 0), |s| (s.first as usize, s.before as usize));
        (first + at - before, end.saturating_sub(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_as_small_as_the_claims_about_memory_need() {
        assert_eq!(size_of::<InstanceEntry>(), 6);
        assert_eq!(size_of::<ResourceEntry>(), 8);
    }

    #[test]
    fn marks_and_the_place_of_the_key_do_not_touch_each_other() {
        let mut marks = Marks::default();
        assert_eq!(marks.key(), KeyPlace::None);
        marks.set(Marks::PLAIN, true);
        marks.set(Marks::TAINTED, true);
        for (distance, place) in
            [(25, KeyPlace::At(25)), (2046, KeyPlace::At(2046)), (2047, KeyPlace::Far)]
        {
            marks.set_key(distance);
            assert_eq!(marks.key(), place);
            assert!(marks.has(Marks::PLAIN) && marks.has(Marks::TAINTED));
            assert!(!marks.has(Marks::DEPOSED));
        }
        marks.set(Marks::TAINTED, false);
        marks.set_key(usize::MAX);
        assert_eq!((marks.key(), marks.has(Marks::TAINTED)), (KeyPlace::Far, false));
        marks.set_key(0);
        assert_eq!(marks.key(), KeyPlace::None);
        let entry = InstanceEntry::new(u32::MAX, marks);
        assert_eq!((entry.start(), entry.marks()), (u32::MAX as usize, marks));
    }

    #[test]
    fn runs_tell_the_module_of_every_element() {
        let run = |element, module| Run { element, module };
        let resources =
            Resources { runs: vec![run(0, 0), run(3, 2), run(4, 1)], ..Resources::default() };
        let modules: Vec<_> = (0..6).map(|element| resources.module_of(element)).collect();
        assert_eq!(modules, [0, 0, 0, 2, 1, 1]);
    }

    #[test]
    fn stretches_lead_to_every_place_once() {
        let mut index = Index::default();
        for start in 0..7 {
            index.body.instances.push(InstanceEntry::new(start, Marks::default()));
        }
        assert_eq!(index.place(3), (3, 4));
        let stretch = |first, before| Stretch { first, before };
        index.order = vec![stretch(5, 0), stretch(0, 2), stretch(3, 5)];
        let places: Vec<_> = (0..7).map(|at| index.place(at)).collect();
        assert_eq!(places, [(5, 2), (6, 1), (0, 3), (1, 2), (2, 1), (3, 2), (4, 1)]);
    }
}
