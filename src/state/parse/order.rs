//! The order in which Terraform lists instances, and the check that none stands twice.
//!
//! Terraform lists modules by depth and writes them by name. Inside a module it writes what it
//! lists; so for a document that it wrote, putting the modules into order is all there is to do,
//! and nothing is kept for each resource. What somebody else wrote is sorted resource by resource.

use std::borrow::Cow;

use super::body::Body;
use super::error::Invalid;
use super::fields::Findings;
use crate::state::address::{Key, Mode};
use crate::state::document::{deposed_key, instance_key, module_path, resource_address};
use crate::state::index::{Marks, Resources, Stretch};
use crate::state::locate::Head;

/// Returns the places of all instances in Terraform's order; nothing where that is their order.
///
/// Notes each instance that stands twice.
pub(super) fn sort(bytes: &[u8], body: &Body, findings: &mut Findings) -> Vec<Stretch> {
    let resources = &body.resources;
    let modules = modules(resources);
    let mut order = Order::default();
    if body.is_sorted && resources.runs.len() == resources.modules.len() {
        for module in modules {
            order.push_run(resources, module as usize);
        }
    } else {
        sort_resources(bytes, resources, &modules, (&mut order, findings));
    }
    order.finish()
}

/// A list of places that grows by runs.
#[derive(Debug, Default)]
struct Order {
    stretches: Vec<Stretch>,
    len: u32,
}

impl Order {
    fn push(&mut self, first: u32, count: u32) {
        let next = self.stretches.last().map(|last| last.first + (self.len - last.before));
        if count > 0 && next != Some(first) {
            self.stretches.push(Stretch { first, before: self.len });
        }
        self.len += count;
    }

    /// Appends the instances of a run of elements.
    fn push_run(&mut self, resources: &Resources, run: usize) {
        let first = |run: usize| {
            let element = resources.runs.get(run)?.element as usize;
            Some(resources.elements.get(element)?.first)
        };
        let end = first(run + 1).unwrap_or(index(resources.instances.len()));
        let first = first(run).unwrap_or(end);
        self.push(first, end - first);
    }

    fn finish(mut self) -> Vec<Stretch> {
        if matches!(self.stretches.as_slice(), [one] if one.first == 0) {
            self.stretches.clear();
        }
        self.stretches.shrink_to_fit();
        self.stretches
    }
}

fn index(place: usize) -> u32 {
    u32::try_from(place).expect("a document of 4 GiB has no more instances")
}

/// Returns the modules in Terraform's order.
///
/// By depth and then as text is nearly always right, and costs no parsed path for each of them;
/// where a neighbour shows that it is not (`[10]` and `[2]`, `a-b` and `a`), all are parsed.
fn modules(resources: &Resources) -> Vec<u32> {
    let text = |place: u32| &resources.modules[place as usize];
    let path = |place: u32| module_path(text(place));
    let mut sorted: Vec<u32> = (0..index(resources.modules.len())).collect();
    let depth = |place: &u32| u16::try_from(path(*place).steps().len()).unwrap_or(u16::MAX);
    let depths: Vec<u16> = sorted.iter().map(depth).collect();
    let depth = |place: u32| depths[place as usize];
    sorted.sort_unstable_by(|&a, &b| (depth(a), text(a)).cmp(&(depth(b), text(b))));
    if !sorted.windows(2).all(|pair| path(pair[0]) < path(pair[1])) {
        sorted.sort_by_cached_key(|&place| path(place));
    }
    sorted
}

/// Sorts resource by resource, module by module, so that the names of one module are kept at most.
fn sort_resources(
    bytes: &[u8],
    resources: &Resources,
    modules: &[u32],
    (order, findings): (&mut Order, &mut Findings),
) {
    let mut runs: Vec<u32> = (0..index(resources.runs.len())).collect();
    runs.sort_by_key(|&run| resources.runs[run as usize].module);
    for &module in modules {
        let of = |run: &u32| resources.runs[*run as usize].module;
        let first = runs.partition_point(|run| of(run) < module);
        let own = runs[first..].iter().take_while(|run| of(run) == module);
        let mut named: Vec<(Name<'_>, u32)> = own
            .flat_map(|&run| elements(resources, run as usize))
            .map(|at| (name(bytes, resources, at), at))
            .collect();
        named.sort();
        for group in named.chunk_by(|a, b| a.0 == b.0) {
            push_group(bytes, resources, group, (order, findings));
        }
    }
}

/// Returns the places of the elements of a run.
fn elements(resources: &Resources, run: usize) -> std::ops::Range<u32> {
    let end = resources.runs.get(run + 1).map_or(index(resources.elements.len()), |r| r.element);
    resources.runs[run].element..end
}

type Name<'a> = (Mode, Cow<'a, str>, Cow<'a, str>);

fn name<'a>(bytes: &'a [u8], resources: &Resources, at: u32) -> Name<'a> {
    let start = resources.elements[at as usize].start as usize;
    let head = Head::read(bytes, start, resources.is_plain);
    (head.mode, head.kind.decode_lossy(), head.name.decode_lossy())
}

/// Appends the instances of one resource, which may stand in several elements of `resources`.
fn push_group(
    bytes: &[u8],
    resources: &Resources,
    group: &[(Name<'_>, u32)],
    (order, findings): (&mut Order, &mut Findings),
) {
    let mut keys = Vec::new();
    for &(_, element) in group {
        let element = element as usize;
        let places = resources.instances_of(element);
        keys.extend(places.map(|at| (sort_key(bytes, resources, element, at), index(at), element)));
    }
    keys.sort_by(|a, b| a.0.cmp(&b.0));
    for pair in keys.windows(2).filter(|pair| pair[0].0 == pair[1].0) {
        let (key, place, element) = &pair[1];
        let at = findings.len();
        findings.push(resources.instances[*place as usize].start(), Invalid::Duplicate);
        findings.name(at, || address(bytes, resources, *element, &key.0));
    }
    for (_, place, _) in keys {
        order.push(place, 1);
    }
}

/// Returns what orders the instances of a resource: the key, then deposed objects by their own.
fn sort_key(
    bytes: &[u8],
    resources: &Resources,
    element: usize,
    place: usize,
) -> (Key, Option<String>) {
    let entry = resources.instances[place];
    let is_deposed = entry.marks().has(Marks::DEPOSED);
    let deposed = if is_deposed { deposed_key(bytes, resources, element, place) } else { None };
    (instance_key(bytes, entry), deposed)
}

fn address(bytes: &[u8], resources: &Resources, element: usize, key: &Key) -> String {
    let mut text = resource_address(bytes, resources, element);
    crate::state::address::push_key(&mut text, key);
    text
}
