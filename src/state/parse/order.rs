//! The order in which Terraform lists instances, and the check that none stands twice.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::error::Invalid;
use super::fields::Findings;
use crate::state::address::Key;
use crate::state::document::{deposed_key, instance_key, module_path};
use crate::state::index::{Flags, InstanceEntry, ResourceEntry, Resources};
use crate::state::scan::Text;

/// Returns the places of all instances in Terraform's order; nothing where that is their order.
///
/// Notes each instance that stands twice.
pub(super) fn sort(bytes: &[u8], body: &Resources, findings: &mut Findings) -> Vec<u32> {
    let ranks = ranks(body);
    let compare = |a: &u32, b: &u32| {
        let (a, b) = (&body.elements[*a as usize], &body.elements[*b as usize]);
        let rank = |r: &ResourceEntry| (ranks[r.module as usize], !r.is_data);
        rank(a)
            .cmp(&rank(b))
            .then_with(|| name(bytes, a, a.kind).cmp(&name(bytes, b, b.kind)))
            .then_with(|| name(bytes, a, a.name).cmp(&name(bytes, b, b.name)))
    };
    let count = u32::try_from(body.elements.len()).unwrap_or(u32::MAX);
    let mut resources: Vec<u32> = (0..count).collect();
    resources.sort_by(compare);
    let mut order = Vec::with_capacity(body.instances.len());
    for group in resources.chunk_by(|a, b| compare(a, b) == Ordering::Equal) {
        push_group(bytes, body, group, &mut order, findings);
    }
    let in_place = order.iter().enumerate().all(|(at, &place)| at == place as usize);
    if in_place { Vec::new() } else { order }
}

/// Ranks the modules as Terraform sorts them.
///
/// By depth and then as text is nearly always right, and costs no parsed path for each of them;
/// where a neighbour shows that it is not (`[10]` and `[2]`, `a-b` and `a`), all are parsed.
fn ranks(body: &Resources) -> Vec<u32> {
    let path = |place: usize| module_path(&body.modules[place]);
    let mut sorted: Vec<usize> = (0..body.modules.len()).collect();
    sorted.sort_by_cached_key(|&place| path(place).steps().len());
    for group in sorted.chunk_by_mut(|&a, &b| path(a).steps().len() == path(b).steps().len()) {
        group.sort_by(|&a, &b| body.modules[a].cmp(&body.modules[b]));
    }
    if !sorted.windows(2).all(|pair| path(pair[0]) < path(pair[1])) {
        sorted.sort_by_cached_key(|&place| path(place));
    }
    let mut ranks = vec![0; sorted.len()];
    for (rank, &module) in (0..).zip(&sorted) {
        ranks[module] = rank;
    }
    ranks
}

fn name<'a>(
    bytes: &'a [u8],
    entry: &ResourceEntry,
    span: crate::state::index::Span,
) -> Cow<'a, str> {
    let raw = span.of(&bytes[entry.start.get()..]).unwrap_or_default();
    Text::of(raw).decode_lossy()
}

/// Appends the instances of one resource, which may stand in several elements of `resources`.
fn push_group(
    bytes: &[u8],
    body: &Resources,
    group: &[u32],
    order: &mut Vec<u32>,
    findings: &mut Findings,
) {
    let from = order.len();
    for &resource in group {
        let entry = &body.elements[resource as usize];
        order.extend(entry.first..entry.first + entry.count);
    }
    let places = &mut order[from..];
    if places.len() < 2 {
        return;
    }
    let sort_key = |place: u32| sort_key(bytes, &body.instances[place as usize]);
    let mut keys: Vec<_> = places.iter().map(|&place| (sort_key(place), place)).collect();
    if !keys.is_sorted_by(|a, b| a.0 < b.0) {
        keys.sort_by(|a, b| a.0.cmp(&b.0));
        for pair in keys.windows(2).filter(|pair| pair[0].0 == pair[1].0) {
            let twice = &body.instances[pair[1].1 as usize];
            let at = findings.len();
            findings.push(twice.start.get(), Invalid::Duplicate);
            findings.name(at, || address(bytes, body, twice));
        }
    }
    for (place, (_, sorted)) in places.iter_mut().zip(keys) {
        *place = sorted;
    }
}

/// Returns what orders the instances of a resource: the key, then deposed objects by their own.
fn sort_key(bytes: &[u8], entry: &InstanceEntry) -> (Key, Option<String>) {
    let deposed = if entry.flags.has(Flags::DEPOSED) { deposed_key(bytes, entry) } else { None };
    (instance_key(bytes, entry), deposed)
}

fn address(bytes: &[u8], body: &Resources, entry: &InstanceEntry) -> String {
    let resource = &body.elements[entry.resource as usize];
    let mut text = crate::state::document::resource_address(bytes, body, resource);
    crate::state::address::push_key(&mut text, &instance_key(bytes, entry));
    text
}
