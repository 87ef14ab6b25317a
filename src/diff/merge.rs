//! Pairs the instances of two documents by address, in one walk over both.
//!
//! Both documents list their instances in Terraform's order, so no map of addresses is needed and
//! no address is put together for what is equal.

use std::cmp::Ordering;

use crate::state::document::{Document, Instance, Resource};

/// An instance and where it stands in its document.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    pub(super) at: usize,
    pub(super) instance: Instance<'a>,
}

/// An instance that may differ.
#[derive(Clone, Copy, Debug)]
pub(super) enum Found<'a> {
    /// Only the old document has it.
    Removed(Place<'a>),
    /// Only the new document has it.
    Added(Place<'a>),
    /// Both have it, in other words.
    Both(Place<'a>, Place<'a>),
}

/// Returns all instances that may differ in Terraform's order, and how many do not.
pub(super) fn unequal<'a>(from: &'a Document, to: &'a Document) -> (Vec<Found<'a>>, usize) {
    let (mut found, mut unchanged) = (Vec::new(), 0);
    let (mut old, mut new) = (places(from).peekable(), places(to).peekable());
    let mut last = Resources::default();
    while let (Some(&a), Some(&b)) = (old.peek(), new.peek()) {
        let order = last.compare(a.instance, b.instance);
        // Equal bytes hold equal keys, which then need not be read.
        let same_bytes = order == Ordering::Equal && last.have_same_bytes(a.instance, b.instance);
        let order = if same_bytes { order } else { order.then_with(|| keys(a, b)) };
        match order {
            Ordering::Less => found.push(Found::Removed(a)),
            Ordering::Greater => found.push(Found::Added(b)),
            Ordering::Equal if same_bytes && last.same_provider => unchanged += 1,
            Ordering::Equal => found.push(Found::Both(a, b)),
        }
        if order != Ordering::Greater {
            old.next();
        }
        if order != Ordering::Less {
            new.next();
        }
    }
    found.extend(old.map(Found::Removed));
    found.extend(new.map(Found::Added));
    (found, unchanged)
}

fn places(document: &Document) -> impl Iterator<Item = Place<'_>> {
    document.instances().enumerate().map(|(at, instance)| Place { at, instance })
}

/// The resources compared last: their other instances need not have them compared again.
#[derive(Debug, Default)]
struct Resources {
    numbers: Option<(usize, usize)>,
    /// Whether the instances have from them the same provider.
    same_provider: bool,
    /// Whether one is known to be a copy of the other.
    is_copy: bool,
}

impl Resources {
    /// Compares the resources of two instances as Terraform sorts them.
    fn compare(&mut self, a: Instance<'_>, b: Instance<'_>) -> Ordering {
        let numbers = Some((a.resource_number(), b.resource_number()));
        if self.numbers == numbers {
            return Ordering::Equal;
        }
        let (a, b) = (a.resource(), b.resource());
        if b.is_copy_of(a) {
            *self = Self { numbers, same_provider: true, is_copy: true };
            return Ordering::Equal;
        }
        let order = order(a, b);
        if order == Ordering::Equal {
            let same_provider = a.provider_text() == b.provider_text();
            *self = Self { numbers, same_provider, is_copy: false };
        }
        order
    }

    /// Returns whether two instances of the resources have the same bytes.
    fn have_same_bytes(&self, a: Instance<'_>, b: Instance<'_>) -> bool {
        let is_copy = self.is_copy && a.number_in_resource() == b.number_in_resource();
        is_copy || a.raw() == b.raw()
    }
}

/// Compares two resources as Terraform sorts them.
fn order(a: Resource<'_>, b: Resource<'_>) -> Ordering {
    let modules = if a.module_text() == b.module_text() {
        Ordering::Equal
    } else {
        a.module().cmp(b.module())
    };
    modules
        .then_with(|| a.mode().cmp(&b.mode()))
        .then_with(|| a.kind().cmp(&b.kind()))
        .then_with(|| a.name().cmp(&b.name()))
}

fn keys(a: Place<'_>, b: Place<'_>) -> Ordering {
    let (a, b) = (a.instance, b.instance);
    a.key().cmp(&b.key()).then_with(|| a.deposed().cmp(&b.deposed()))
}
