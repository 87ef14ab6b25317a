//! Reading a document beside one that was read before: what is equal in both, byte for byte, need
//! not be read twice.
//!
//! An element of `resources` says all there is to know of it, so one with the bytes of an element
//! that was found good is good, and its instances stand in it at the same places. Only elements
//! that differ are read. After such a one the place in the other document is found again by how
//! the element begins: by everything before its first instance.

use std::collections::HashMap;

use super::resource::Rank;
use super::{Part, index, offset};
use crate::state::index::{Copies, InstanceEntry, ResourceEntry, Resources};
use crate::state::locate::Head;

/// A document that was read before and found good, without warnings.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Like<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) resources: &'a Resources,
    /// Whether the resources of each module are sorted.
    pub(crate) is_sorted: bool,
}

/// Where a reader is in the other document.
#[derive(Debug)]
pub(super) struct Twin<'a> {
    like: Like<'a>,
    /// The element that is expected next.
    at: usize,
    /// Where each element is, by how it begins; empty until it is needed.
    places: HashMap<&'a [u8], u32>,
    /// Whether the last element was a copy, so that `Part::ends` does not know it.
    is_in_copy: bool,
}

impl<'a> Twin<'a> {
    /// Starts at the element that stands near `pos`.
    pub(super) fn near(like: Like<'a>, pos: usize) -> Self {
        let at = like.resources.elements.partition_point(|entry| (entry.start as usize) < pos);
        Self { like, at, places: HashMap::new(), is_in_copy: false }
    }

    /// Moves behind the element that begins as `beginning` does, if there is one.
    fn find(&mut self, beginning: &[u8]) {
        let Like { bytes, resources, .. } = self.like;
        if self::beginning(bytes, resources, self.at) == Some(beginning) {
            self.at += 1;
            return;
        }
        if self.places.is_empty() {
            let elements = 0..resources.elements.len();
            let place = |at| Some((self::beginning(bytes, resources, at)?, index(at)));
            self.places = elements.filter_map(place).collect();
        }
        if let Some(&place) = self.places.get(beginning) {
            self.at = place as usize + 1;
        }
    }
}

/// Returns the bytes of an element before its first instance.
fn beginning<'a>(bytes: &'a [u8], resources: &Resources, at: usize) -> Option<&'a [u8]> {
    let start = resources.elements.get(at)?.start as usize;
    let instances = resources.instances_of(at);
    if instances.is_empty() {
        return resources.element_bytes(bytes, at);
    }
    bytes.get(start..resources.instances.get(instances.start)?.start())
}

impl Part<'_> {
    /// Takes over the expected element of the other document, if it stands at `pos`.
    pub(super) fn copy(&mut self, pos: usize) -> bool {
        let Some(Twin { like, at, .. }) = self.twin else { return false };
        let Some(element) = like.resources.element_bytes(like.bytes, at) else { return false };
        if !self.fields.bytes[pos..].starts_with(element) {
            return false;
        }
        self.out.is_plain &= like.resources.is_plain;
        let theirs = like.resources.elements[at];
        let module = self.module_of_copy(pos, at);
        let (here, first) = (index(self.out.elements.len()), index(self.out.instances.len()));
        self.push(ResourceEntry { start: offset(pos), first }, module);
        for place in like.resources.instances_of(at) {
            let entry = like.resources.instances[place];
            let start = pos + (entry.start() - theirs.start as usize);
            self.out.instances.push(InstanceEntry::new(offset(start), entry.marks()));
        }
        let there = index(at);
        match self.out.copies.last_mut().filter(|run| run.goes_on_at(here, there)) {
            Some(run) => run.count += 1,
            None => self.out.copies.push(Copies { here, there, count: 1 }),
        }
        self.fields.scanner.jump(pos + element.len());
        if let Some(twin) = &mut self.twin {
            (twin.at, twin.is_in_copy) = (at + 1, true);
        }
        true
    }

    /// Returns the module of a copied element, and notes whether the element stands in its order.
    ///
    /// Behind the element that it stands behind in the other document, it does if it does there.
    fn module_of_copy(&mut self, pos: usize, at: usize) -> u32 {
        let (Some(twin), resources) = (&self.twin, &self.out) else { return 0 };
        let (here, like) = (resources.elements.len(), twin.like);
        let goes_on = |run: &Copies| run.goes_on_at(index(here), index(at));
        let is_behind = twin.is_in_copy && resources.copies.last().is_some_and(goes_on);
        if is_behind
            && like.is_sorted
            && like.resources.module_of(at - 1) == like.resources.module_of(at)
        {
            return resources.runs.last().map_or(0, |run| run.module);
        }
        let head = Head::read(self.fields.bytes, pos, like.resources.is_plain);
        let module = self.module(head.module);
        self.follow(Rank { module, mode: head.mode, kind: head.kind, name: head.name });
        module
    }

    /// Finds where the other document goes on, after an element was read here.
    pub(super) fn find_twin(&mut self) {
        let Some(last) = self.out.elements.len().checked_sub(1) else { return };
        let (bytes, pos) = (self.fields.bytes, self.fields.scanner.pos());
        let Some(twin) = &mut self.twin else { return };
        twin.is_in_copy = false;
        let start = self.out.elements[last].start as usize;
        let instance = self.out.instances_of(last).next().and_then(|at| self.out.instances.get(at));
        twin.find(&bytes[start..instance.map_or(pos, |entry| entry.start())]);
    }

    /// Reads again which resource was the last, where that was a copy.
    pub(super) fn refresh_last(&mut self) {
        if !self.twin.as_ref().is_some_and(|twin| twin.is_in_copy) {
            return;
        }
        let Some(place) = self.out.elements.len().checked_sub(1) else { return };
        let start = self.out.elements[place].start as usize;
        let module = self.out.runs.last().map_or(0, |run| run.module);
        let head = Head::read(self.fields.bytes, start, self.out.is_plain);
        let last = Rank { module, mode: head.mode, kind: head.kind, name: head.name };
        if let Some(ends) = &mut self.ends {
            ends.1 = last;
        }
    }
}
