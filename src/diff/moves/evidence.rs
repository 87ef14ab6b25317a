//! Sure evidence: names that the provider gave, and attributes equal to the byte.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use super::group::{Candidate, Group, NAMES, names};
use crate::diff::canonical;
use crate::state::address::push_key;
use crate::state::document::Instance;
use crate::state::value::Value;

/// Pairs the objects that carry the same name.
pub(super) fn pair_by_name(group: &mut Group<'_>) {
    let others: Vec<_> = group.bystanders.iter().map(|&instance| names(instance)).collect();
    for kind in 0..NAMES {
        let taken: HashSet<&str> =
            others.iter().filter_map(|names| names[kind].as_deref()).collect();
        drop_shared(&mut group.removed, kind, &taken);
        drop_shared(&mut group.added, kind, &taken);
    }
    for kind in 0..NAMES {
        for (removed, added) in unique_pairs(group, |candidate| candidate.names[kind].clone()) {
            if !group.removed[removed].contradicts(&group.added[added]) {
                group.join(removed, added);
            }
        }
    }
}

/// Takes away the names that more than one object has.
fn drop_shared(candidates: &mut [Candidate<'_>], kind: usize, taken: &HashSet<&str>) {
    let mut counts: HashMap<String, usize> = HashMap::new();
    for name in candidates.iter().filter_map(|candidate| candidate.names[kind].as_ref()) {
        *counts.entry(name.clone()).or_default() += 1;
    }
    for candidate in candidates {
        let name = &mut candidate.names[kind];
        if name.as_ref().is_some_and(|name| taken.contains(name.as_str()) || counts[name] > 1) {
            *name = None;
        }
    }
}

/// A part of an address that can stay as it was.
#[derive(Clone, Copy, Debug)]
enum Part {
    Module,
    Name,
    Key,
}

/// What tells equal objects apart, tried in this order: nothing first.
const PLACES: [&[Part]; 5] = [
    &[],
    &[Part::Module, Part::Name],
    &[Part::Module, Part::Key],
    &[Part::Name, Part::Key],
    &[Part::Module],
];

/// Pairs the objects whose attributes are equal to the byte.
///
/// Where objects that stayed have them too, as all data sources of one region do, only what kept
/// its module is the same.
pub(super) fn pair_by_bytes<'a>(group: &mut Group<'a>) {
    if group.is_settled() {
        return;
    }
    let common: HashSet<&[u8]> =
        group.bystanders.iter().filter_map(|instance| instance.attributes_raw()).collect();
    note_contents(group);
    for place in PLACES {
        let key = |candidate: &Candidate<'a>| {
            let instance = candidate.instance();
            let (content, bytes) = (candidate.content?, instance.attributes_raw()?);
            let in_module = place.first().is_some_and(|part| matches!(part, Part::Module));
            let parts: Vec<String> = place.iter().map(|&part| part_text(instance, part)).collect();
            (in_module || !common.contains(bytes)).then_some((content, parts))
        };
        for (removed, added) in unique_pairs(group, key) {
            let (old, new) = (&group.removed[removed], &group.added[added]);
            if !old.contradicts(new) && says_something(old.instance()) {
                group.join(removed, added);
            }
        }
    }
}

/// Notes the digest of the attributes of each object, where one of the other side could be equal.
///
/// The bytes are read once, and in states that have little in common most are not read at all: an
/// object whose length the other side does not have needs no digest.
fn note_contents(group: &mut Group<'_>) {
    let lengths = |side: &[Candidate<'_>]| -> HashSet<usize> {
        let open = side.iter().filter(|candidate| candidate.partner.is_none());
        open.filter_map(|candidate| Some(candidate.instance().attributes_raw()?.len())).collect()
    };
    let (old, new) = (lengths(&group.removed), lengths(&group.added));
    for (side, other) in [(&mut group.removed, &new), (&mut group.added, &old)] {
        for candidate in side.iter_mut().filter(|candidate| candidate.partner.is_none()) {
            let bytes = candidate.instance().attributes_raw();
            let bytes = bytes.filter(|bytes| other.contains(&bytes.len()));
            candidate.content = bytes.map(|bytes| *blake3::hash(bytes).as_bytes());
        }
    }
    let contents = |side: &[Candidate<'_>]| -> HashSet<[u8; 32]> {
        side.iter().filter_map(|candidate| candidate.content).collect()
    };
    let (old, new) = (contents(&group.removed), contents(&group.added));
    for candidate in group.removed.iter_mut().chain(&mut group.added) {
        candidate.content =
            candidate.content.filter(|content| old.contains(content) && new.contains(content));
    }
}

fn part_text(instance: Instance<'_>, part: Part) -> String {
    let mut text = String::new();
    match part {
        Part::Module => text.push_str(instance.resource().module_text()),
        Part::Name => text.push_str(&instance.resource().name()),
        Part::Key => push_key(&mut text, &instance.key()),
    }
    text
}

/// Returns whether the attributes hold anything by which an object could be known.
fn says_something(instance: Instance<'_>) -> bool {
    let mut said = false;
    if let Ok(attributes) = instance.attributes() {
        canonical::leaves(&attributes, &mut |leaf| said |= !is_nothing(leaf));
    }
    said
}

fn is_nothing(leaf: &Value<'_>) -> bool {
    matches!(leaf, Value::Null | Value::Bool(_)) || leaf.as_str() == Some("")
}

/// Returns the pairs not joined yet of which each side alone has the key.
fn unique_pairs<'a, K: Eq + Hash>(
    group: &Group<'a>,
    key: impl Fn(&Candidate<'a>) -> Option<K>,
) -> Vec<(usize, usize)> {
    let mut sides: HashMap<K, (Vec<usize>, Vec<usize>)> = HashMap::new();
    for (at, candidate) in group.removed.iter().enumerate().filter(|(_, c)| c.partner.is_none()) {
        if let Some(key) = key(candidate) {
            sides.entry(key).or_default().0.push(at);
        }
    }
    for (at, candidate) in group.added.iter().enumerate().filter(|(_, c)| c.partner.is_none()) {
        // A key that nothing removed has need not be kept.
        if let Some((_, added)) = key(candidate).and_then(|key| sides.get_mut(&key)) {
            added.push(at);
        }
    }
    let pair = |(removed, added): (Vec<usize>, Vec<usize>)| match (&*removed, &*added) {
        (&[removed], &[added]) => Some((removed, added)),
        _ => None,
    };
    sides.into_values().filter_map(pair).collect()
}
