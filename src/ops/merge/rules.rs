//! What can't be had together although no place was changed twice.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::conflict::{self, Clash, Conflict};
use super::three::{Side, Three};
use crate::diff::{self, Action, Noise, Options, ResourceChange};
use crate::state::address::{ConfigAddress, Mode};
use crate::state::document::{Document, Instance, Resource};

/// Adds the conflicts that only the whole shows; `merged` has ours where there are others.
pub(super) fn apply(states: Three<&Document>, merged: &Document, conflicts: &mut Vec<Conflict>) {
    moves(states, conflicts);
    if let Three { ours: Some(ours), theirs: Some(theirs), .. } = states {
        for (side, this, other) in [(Side::Ours, ours, theirs), (Side::Theirs, theirs, ours)] {
            dependencies((side, this, other), states.base, merged, conflicts);
        }
        same_objects(states, (ours, theirs), conflicts);
    }
}

/// Finds objects that both sides moved or that one moved and the other removed, and tells of
/// others where they went.
fn moves(states: Three<&Document>, conflicts: &mut Vec<Conflict>) {
    let Three { base: Some(base), ours: Some(ours), theirs: Some(theirs) } = states else { return };
    let options = Options { noise: Noise::Shown, ..Options::default() };
    let three = diff::compare_three(base, ours, theirs, &options);
    for sides in &three.resources {
        let (a, b) = (sides.a.as_ref(), sides.b.as_ref());
        for (by, change) in [(Side::Ours, a), (Side::Theirs, b)] {
            let moved = change.filter(|change| change.action == Action::Moved);
            let from = moved.and_then(|change| change.from_address.as_ref());
            let (Some(change), Some(from)) = (moved, from) else { continue };
            tell_where(conflicts, by, (from, &change.address));
        }
        let (Some(a), Some(b)) = (a, b) else { continue };
        conflicts.extend(of_moves(a, b));
    }
}

fn tell_where(conflicts: &mut [Conflict], mover: Side, (from, to): (&str, &str)) {
    for conflict in conflicts.iter_mut().filter(|conflict| conflict.subject == from) {
        if let Clash::Removed { by, moved_to, .. } = &mut conflict.clash
            && *by == mover
        {
            *moved_to = Some(to.to_owned());
        }
    }
}

fn of_moves(a: &ResourceChange, b: &ResourceChange) -> Option<Conflict> {
    let conflict = |subject: &str, clash| Some(Conflict { subject: subject.to_owned(), clash });
    match (a.action, b.action) {
        (Action::Moved, Action::Moved) if a.address != b.address => conflict(
            a.from_address.as_ref()?,
            Clash::Moved { ours: a.address.clone(), theirs: b.address.clone() },
        ),
        (Action::Moved, Action::Removed) => {
            conflict(&b.address, Clash::MovedAndRemoved { by: Side::Ours, to: a.address.clone() })
        }
        (Action::Removed, Action::Moved) => {
            conflict(&a.address, Clash::MovedAndRemoved { by: Side::Theirs, to: b.address.clone() })
        }
        _ => None,
    }
}

/// Finds what a side changed or added that depends on what the other side removed.
fn dependencies(
    (side, this, other): (Side, &Document, &Document),
    base: Option<&Document>,
    merged: &Document,
    conflicts: &mut Vec<Conflict>,
) {
    let configs =
        |state: &Document| -> HashSet<ConfigAddress> { state.resources().map(config).collect() };
    let (here, there, merged) = (configs(this), configs(other), configs(merged));
    let gone: HashSet<&ConfigAddress> =
        here.iter().filter(|config| !merged.contains(config) && !there.contains(config)).collect();
    if gone.is_empty() {
        return;
    }
    let old: HashMap<String, Instance<'_>> = base
        .iter()
        .flat_map(|base| base.instances())
        .map(|instance| (conflict::name(instance), instance))
        .collect();
    let mut known: HashMap<String, Option<String>> = HashMap::new();
    for instance in this.instances().filter(|instance| !gone.contains(&config(instance.resource())))
    {
        for dependency in instance.details().dependencies {
            let on = known.entry(dependency.into_owned()).or_insert_with_key(|text| {
                let config = text.parse::<ConfigAddress>().ok()?;
                gone.contains(&config).then(|| config.to_string())
            });
            let Some(on) = on else { continue };
            let subject = conflict::name(instance);
            let unchanged =
                old.get(&subject).is_some_and(|&old| diff::is_same_instance(old, instance));
            if !unchanged {
                let clash = Clash::Dependency { by: side, on: on.clone() };
                conflicts.push(Conflict { subject, clash });
            }
        }
    }
}

fn config(resource: Resource<'_>) -> ConfigAddress {
    ConfigAddress {
        module: resource.module().without_keys(),
        mode: resource.mode(),
        kind: resource.kind().into_owned(),
        name: resource.name().into_owned(),
    }
}

/// Finds one object of the provider that the sides added at two addresses.
fn same_objects(
    states: Three<&Document>,
    (ours, theirs): (&Document, &Document),
    conflicts: &mut Vec<Conflict>,
) {
    let base: HashSet<String> =
        states.base.iter().flat_map(|base| base.instances()).map(conflict::name).collect();
    let added = |state: &'_ Document| -> Vec<(String, usize)> {
        let names = state.instances().map(conflict::name).enumerate();
        names.filter(|(_, name)| !base.contains(name)).map(|(at, name)| (name, at)).collect()
    };
    let object = |state: &Document, at: usize| {
        let instance = state.instance(at);
        let resource = instance.resource();
        let provider = instance.details().provider.map(Cow::into_owned);
        let provider = provider.or_else(|| Some(resource.provider_text()?.into_owned()));
        let is_managed = resource.mode() == Mode::Managed && !instance.is_deposed();
        let name = diff::object_name(instance).filter(|_| is_managed)?;
        Some((resource.kind().into_owned(), provider, name))
    };
    let of_ours: HashMap<_, String> =
        added(ours).into_iter().filter_map(|(name, at)| Some((object(ours, at)?, name))).collect();
    if of_ours.is_empty() {
        return;
    }
    for (subject, at) in added(theirs) {
        let other = object(theirs, at).and_then(|object| of_ours.get(&object));
        // Where both added it there too, it is one instance, or in conflict already.
        let Some(other) = other.filter(|other| **other != subject) else { continue };
        let told = |conflict: &&Conflict| matches!(&conflict.clash, Clash::Moved { ours, theirs } if ours == other && *theirs == subject);
        if !conflicts.iter().any(|conflict| told(&conflict)) {
            let clash = Clash::SameObject { other: other.clone() };
            conflicts.push(Conflict { subject, clash });
        }
    }
}
