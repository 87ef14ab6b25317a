//! What is the same is told once: instances that changed in the same way, and modules that came or
//! went with all that is in them.
//!
//! Two changes are the same if they look the same. A secret looks like every other, so instances
//! whose secrets changed are told together, and nothing is said about the secrets.

use std::collections::HashMap;

use super::entry::{self, Entry, Members, counted};
use super::whole;
use crate::base::text::escape;
use crate::diff::Action;
use crate::state::address::{Address, Key, ModulePath};
use crate::state::document::Document;

/// Fewer than this many entries are told one by one.
pub(super) const FEWEST: usize = 3;

/// Tells together what is the same. An entry stands where the first of its members stood.
pub(super) fn fold(entries: Vec<Entry>, states: (&Document, &Document)) -> Vec<Entry> {
    let entries = whole::fold(entries, states);
    let mut groups: HashMap<String, Vec<usize>> = HashMap::new();
    for (at, entry) in entries.iter().enumerate() {
        if let Some(likeness) = likeness(entry) {
            groups.entry(likeness).or_default().push(at);
        }
    }
    let groups = groups.into_values().filter(|places| places.len() >= FEWEST);
    let groups = groups.map(|places| group(&entries, places)).collect();
    replace(entries, groups)
}

/// Puts the entry of each group in the place of its first member, and takes out the others.
pub(super) fn replace(entries: Vec<Entry>, groups: Vec<(Vec<usize>, Entry)>) -> Vec<Entry> {
    let mut entries: Vec<Option<Entry>> = entries.into_iter().map(Some).collect();
    for (places, folded) in groups {
        for &at in &places {
            entries[at] = None;
        }
        if let Some(&first) = places.first() {
            entries[first] = Some(folded);
        }
    }
    entries.into_iter().flatten().collect()
}

/// Returns what entries that are told together have in common; none for what is told alone.
///
/// What came or went has nothing to compare, so that only instances of one resource are alike.
fn likeness(entry: &Entry) -> Option<String> {
    let told_alone = entry.replaced || entry.deposed || entry.members.is_some();
    let address = entry.address.as_ref().filter(|_| !told_alone)?;
    let config = address.config();
    let place = match entry.action {
        Action::Added | Action::Removed => config.to_string(),
        Action::Changed => config.module.join("."),
        Action::Moved => return None,
    };
    // Names can't hold a line feed: they were parsed. Neither can rows: they are escaped.
    let mut likeness = format!("{}\n{place}", entry.action.name());
    for row in &entry.rows {
        likeness.push('\n');
        likeness.push_str(&row.key());
    }
    Some(likeness)
}

/// Makes one entry of those at these places, which are alike.
fn group(entries: &[Entry], places: Vec<usize>) -> (Vec<usize>, Entry) {
    let members: Vec<&Entry> = places.iter().map(|&at| &entries[at]).collect();
    let addresses: Vec<&Address> = members.iter().filter_map(|m| m.address.as_ref()).collect();
    let (action, rows) = (members[0].action, members[0].rows.clone());
    let count = counted(members.len(), "instance");
    let changes = counted(rows.len(), "change");
    let module = common_module(&addresses.iter().map(|a| &a.module).collect::<Vec<_>>());
    let module_name = module.clone().unwrap_or_else(|| entry::module(None));
    let (name, note) = if !are_one_resource(&addresses) {
        let same = if rows.len() == 1 { "the same change" } else { &format!("the same {changes}") };
        (module_name.clone(), format!("{count}, {same} in each"))
    } else if rows.is_empty() {
        (common_address(&addresses, module), format!("{count} {}", action.name()))
    } else {
        (common_address(&addresses, module), format!("{count}, {changes} each"))
    };
    let members = Members {
        short: vec![short(&addresses)],
        addresses: members.iter().map(|member| member.name.clone()).collect(),
    };
    let entry = Entry::new(action, module_name, name);
    (places, Entry { note, rows, members: Some(members), ..entry })
}

fn are_one_resource(addresses: &[&Address]) -> bool {
    addresses.windows(2).all(|pair| pair[0].config() == pair[1].config())
}

/// Returns the path that modules of one call have, with `[*]` for keys that differ; none for the
/// root module.
pub(super) fn common_module(modules: &[&ModulePath]) -> Option<String> {
    let first = modules.first().filter(|first| !first.is_root())?;
    let steps = first.steps().iter().enumerate().map(|(at, step)| {
        let same = modules.iter().all(|module| module.steps().get(at) == Some(step));
        if same { step.to_string() } else { format!("module.{}[*]", step.name) }
    });
    Some(escape(&steps.collect::<Vec<_>>().join(".")).into_owned())
}

fn common_address(addresses: &[&Address], module: Option<String>) -> String {
    let first = addresses[0];
    let bare = Address { module: ModulePath::root(), ..first.clone() };
    let same = addresses.iter().all(|address| address.key == first.key);
    let own =
        if same { bare.to_string() } else { format!("{}[*]", Address { key: Key::None, ..bare }) };
    let own = escape(&own).into_owned();
    module.map_or_else(|| own.clone(), |module| format!("{module}.{own}"))
}

/// Returns what tells the instances apart: the keys that differ, or their addresses without the
/// module that all are in.
fn short(addresses: &[&Address]) -> Vec<String> {
    let first = addresses[0];
    let in_one_module = addresses.iter().all(|address| address.module == first.module);
    let is_one = are_one_resource(addresses);
    let differs: Vec<bool> = (0..keys(first).count())
        .map(|at| !addresses.iter().all(|address| keys(address).nth(at) == keys(first).nth(at)))
        .collect();
    let text = |address: &&Address| match (is_one, in_one_module) {
        (true, _) => {
            let keys = keys(address).zip(&differs).filter(|(_, differs)| **differs);
            keys.map(|(key, _)| key.to_string()).collect()
        }
        (false, true) => Address { module: ModulePath::root(), ..(*address).clone() }.to_string(),
        (false, false) => address.to_string(),
    };
    addresses.iter().map(|address| escape(&text(address)).into_owned()).collect()
}

/// Returns the keys in an address, from the outermost module to the resource.
fn keys(address: &Address) -> impl Iterator<Item = &Key> {
    address.module.steps().iter().map(|step| &step.key).chain([&address.key])
}
