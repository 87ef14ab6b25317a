//! Modules that came or went as a whole.

use std::collections::{BTreeMap, HashMap};

use super::entry::{Entry, Members, counted};
use super::fold;
use crate::base::text::escape;
use crate::diff::Action;
use crate::state::address::ModulePath;
use crate::state::document::Document;

/// A module with fewer instances is told instance by instance.
const FEWEST: usize = 2;

/// Tells a module as one if all that is in it came, or all that was in it went. Many such modules
/// of one call are told as one in turn.
pub(super) fn fold(entries: Vec<Entry>, (from, to): (&Document, &Document)) -> Vec<Entry> {
    let mut groups = Vec::new();
    for (action, here, there) in [(Action::Added, to, from), (Action::Removed, from, to)] {
        let mut calls: BTreeMap<Vec<String>, Vec<(ModulePath, Vec<usize>)>> = BTreeMap::new();
        for whole in wholes(&entries, action, (here, there)) {
            calls.entry(whole.0.without_keys()).or_default().push(whole);
        }
        for modules in calls.into_values() {
            if modules.len() >= fold::FEWEST {
                groups.push(group(&entries, modules));
            } else {
                groups.extend(modules.into_iter().map(|module| group(&entries, vec![module])));
            }
        }
    }
    fold::replace(entries, groups)
}

/// Returns the outermost modules that are whole, each with the places of its entries.
fn wholes(
    entries: &[Entry],
    action: Action,
    (here, there): (&Document, &Document),
) -> BTreeMap<ModulePath, Vec<usize>> {
    let mut inside: HashMap<ModulePath, usize> = HashMap::new();
    let members = || {
        let own = entries.iter().enumerate().filter(|(_, entry)| entry.action == action);
        own.filter_map(|(at, entry)| Some((at, entry.address.as_ref()?)))
    };
    for (_, address) in members() {
        for module in outward(&address.module) {
            *inside.entry(module).or_default() += 1;
        }
    }
    let (mine, others) = (sizes(here, &inside), sizes(there, &inside));
    let is_whole = |module: &ModulePath| {
        let count = inside.get(module).filter(|&&count| count >= FEWEST);
        count.is_some() && count == mine.get(module) && !others.contains_key(module)
    };
    let mut wholes: BTreeMap<ModulePath, Vec<usize>> = BTreeMap::new();
    for (at, address) in members() {
        if let Some(module) = outward(&address.module).find(is_whole) {
            wholes.entry(module).or_default().push(at);
        }
    }
    wholes
}

/// Returns a module and those around it, from the outside in.
fn outward(module: &ModulePath) -> impl Iterator<Item = ModulePath> {
    (1..=module.steps().len()).map(|end| module.steps()[..end].iter().cloned().collect())
}

/// Counts the instances in each of these modules and below it; leaves out those without any.
fn sizes(document: &Document, wanted: &HashMap<ModulePath, usize>) -> HashMap<ModulePath, usize> {
    let mut sizes = HashMap::new();
    if wanted.is_empty() {
        return sizes;
    }
    let mut own = vec![0; document.modules().len()];
    for resource in document.resources() {
        own[resource.module_number()] += resource.instances().len();
    }
    for ((module, _), count) in document.modules().zip(own).filter(|(_, count)| *count > 0) {
        for module in outward(module).filter(|module| wanted.contains_key(module)) {
            *sizes.entry(module).or_default() += count;
        }
    }
    sizes
}

/// Makes one entry of all that is in one module, or in several of one call.
fn group(entries: &[Entry], modules: Vec<(ModulePath, Vec<usize>)>) -> (Vec<usize>, Entry) {
    let (modules, places): (Vec<ModulePath>, Vec<Vec<usize>>) = modules.into_iter().unzip();
    let mut places = places.concat();
    places.sort_unstable();
    let members: Vec<&Entry> = places.iter().map(|&at| &entries[at]).collect();
    let action = members[0].action;
    let count = counted(members.len(), "instance");
    let (note, mut short) = if modules.len() == 1 {
        (format!("{} as a whole, {count}", action.name()), Vec::new())
    } else {
        let which = modules.iter().map(|module| escape(&module.to_string()).into_owned());
        let modules = counted(modules.len(), "module");
        (format!("{modules} {} as a whole, {count}", action.name()), vec![which.collect()])
    };
    short.push(kinds(&members));
    let name = fold::common_module(&modules.iter().collect::<Vec<_>>()).unwrap_or_default();
    let addresses = members.iter().map(|member| member.name.clone()).collect();
    let members = Some(Members { short, addresses });
    (places, Entry { note, members, ..Entry::new(action, name.clone(), name) })
}

/// Returns the types of resources with how many there are of each.
fn kinds(members: &[&Entry]) -> Vec<String> {
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for address in members.iter().filter_map(|member| member.address.as_ref()) {
        *kinds.entry(&address.kind).or_default() += 1;
    }
    kinds.into_iter().map(|(kind, count)| format!("{count} {}", escape(kind))).collect()
}
