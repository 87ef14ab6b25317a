//! Moves that belong together: a module that was renamed as a whole, and a resource whose instances
//! got keys of another kind.
//!
//! Each instance is still told on its own; what is here says that one edit of the configuration
//! explains all of them.

use std::collections::{BTreeMap, HashMap};

use super::{Action, ResourceChange};
use crate::state::address::{Address, Key, ModulePath};
use crate::state::document::{Document, Instance};

/// A module all of whose instances moved to another, with the same names and keys inside it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ModuleMove {
    /// The old address of the module, of which nothing is left.
    pub from: String,
    /// The new address of the module, of which there was nothing before.
    pub to: String,
    /// How many of the instances that are told belong to it.
    pub instances: usize,
}

/// A resource all of whose instances moved to keys of another kind, as from `count` to `for_each`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KeyConversion {
    /// The address of the resource.
    pub resource: String,
    /// How its instances were told apart.
    pub from: Keys,
    /// How they are told apart now.
    pub to: Keys,
    /// How many of the instances that are told belong to it.
    pub instances: usize,
}

/// How the instances of a resource are told apart.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Keys {
    /// There is but one.
    Single,
    /// By numbers, as `count` does.
    Count,
    /// By names, as `for_each` does.
    ForEach,
}

impl Keys {
    /// Returns its name in JSON: `single`, `count`, `for_each`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Single => "single",
            Self::Count => "count",
            Self::ForEach => "for_each",
        }
    }

    fn of(key: &Key) -> Self {
        match key {
            Key::None => Self::Single,
            Key::Int(_) => Self::Count,
            Key::String(_) => Self::ForEach,
        }
    }
}

/// What the move of an instance is part of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fold {
    /// The move of a whole module, by its place in
    /// [`Comparison::module_moves`](super::Comparison::module_moves).
    Module(usize),
    /// A conversion of keys, by its place in
    /// [`Comparison::key_conversions`](super::Comparison::key_conversions).
    Keys(usize),
}

/// What belongs together.
#[derive(Debug, Default)]
pub(super) struct Folds {
    pub(super) modules: Vec<ModuleMove>,
    pub(super) keys: Vec<KeyConversion>,
}

/// Finds what belongs together, and marks each instance with what it is part of.
pub(super) fn find((from, to): (&Document, &Document), all: &mut [ResourceChange]) -> Folds {
    let moved: Vec<Moved<'_>> = all
        .iter()
        .enumerate()
        .filter_map(|(at, change)| Moved::of(at, change, (from, to)))
        .collect();
    if moved.is_empty() {
        return Folds::default();
    }
    let modules = modules(&moved, (from, to), all);
    Folds { modules, keys: keys(&moved, from, all) }
}

/// Counts again after some of the instances were taken out, and drops what has none left.
pub(super) fn recount(mut folds: Folds, all: &mut [ResourceChange]) -> Folds {
    let (mut modules, mut keys) = (vec![0; folds.modules.len()], vec![0; folds.keys.len()]);
    for change in &*all {
        match change.fold {
            Some(Fold::Module(at)) => modules[at] += 1,
            Some(Fold::Keys(at)) => keys[at] += 1,
            None => {}
        }
    }
    let (module_places, key_places) = (places(&modules), places(&keys));
    for change in all {
        change.fold = change.fold.map(|fold| match fold {
            Fold::Module(at) => Fold::Module(module_places[at]),
            Fold::Keys(at) => Fold::Keys(key_places[at]),
        });
    }
    folds.modules.iter_mut().zip(modules).for_each(|(module, count)| module.instances = count);
    folds.keys.iter_mut().zip(keys).for_each(|(keys, count)| keys.instances = count);
    folds.modules.retain(|module| module.instances > 0);
    folds.keys.retain(|keys| keys.instances > 0);
    folds
}

/// Returns the place of each count once those that are 0 are gone.
fn places(counts: &[usize]) -> Vec<usize> {
    let mut next = 0;
    let place = |&count: &usize| {
        let place = next;
        next += usize::from(count > 0);
        place
    };
    counts.iter().map(place).collect()
}

/// An instance that moved.
#[derive(Clone, Copy, Debug)]
struct Moved<'a> {
    /// Its place among the changes.
    at: usize,
    /// Its place in the old document.
    place: usize,
    old: Instance<'a>,
    new: Instance<'a>,
}

impl<'a> Moved<'a> {
    fn of(
        at: usize,
        change: &ResourceChange,
        (from, to): (&'a Document, &'a Document),
    ) -> Option<Self> {
        let place = change.from.filter(|_| change.action == Action::Moved)?;
        Some(Self { at, place, old: from.instance(place), new: to.instance(change.to?) })
    }

    fn kept_its_name(&self) -> bool {
        self.old.resource().name() == self.new.resource().name() && self.old.key() == self.new.key()
    }

    /// Returns the pairs of modules of which one may have become the other, the outermost first.
    fn modules(&self) -> Vec<(ModulePath, ModulePath)> {
        let (old, new) = (self.old.resource().module(), self.new.resource().module());
        let (old, new) = (old.steps(), new.steps());
        let inside = |len: usize| len.saturating_sub(1);
        let same = old.iter().rev().zip(new.iter().rev()).take_while(|(a, b)| a == b).count();
        if old == new || old.is_empty() || new.is_empty() || !self.kept_its_name() {
            return Vec::new();
        }
        let most = same.min(inside(old.len())).min(inside(new.len()));
        let outer = |steps: &[_], cut| steps[..steps.len() - cut].iter().cloned().collect();
        (0..=most).rev().map(|cut| (outer(old, cut), outer(new, cut))).collect()
    }
}

/// Counts the instances in each module and all below it.
fn sizes(document: &Document) -> HashMap<ModulePath, usize> {
    let mut own: HashMap<&str, (&ModulePath, usize)> = HashMap::new();
    for resource in document.resources() {
        let module = own.entry(resource.module_text()).or_insert((resource.module(), 0));
        module.1 += resource.instances().len();
    }
    let mut sizes = HashMap::new();
    for (module, count) in own.into_values() {
        for end in 1..=module.steps().len() {
            let outer: ModulePath = module.steps()[..end].iter().cloned().collect();
            *sizes.entry(outer).or_default() += count;
        }
    }
    sizes
}

fn modules(
    moved: &[Moved<'_>],
    (from, to): (&Document, &Document),
    all: &mut [ResourceChange],
) -> Vec<ModuleMove> {
    let mut members: BTreeMap<(ModulePath, ModulePath), Vec<usize>> = BTreeMap::new();
    for moved in moved {
        for pair in moved.modules() {
            members.entry(pair).or_default().push(moved.at);
        }
    }
    if members.is_empty() {
        return Vec::new();
    }
    let (old, new, mut found) = (sizes(from), sizes(to), Vec::new());
    // In the order of paths, shorter ones come first, and with them the outer modules.
    for ((from, to), members) in members {
        let whole = old.get(&from) == Some(&members.len());
        let is_part = members.iter().any(|&at| all[at].fold.is_some());
        if !whole || is_part || new.contains_key(&from) || old.contains_key(&to) {
            continue;
        }
        for &at in &members {
            all[at].fold = Some(Fold::Module(found.len()));
        }
        let (from, to) = (from.to_string(), to.to_string());
        found.push(ModuleMove { from, to, instances: members.len() });
    }
    found
}

fn keys(moved: &[Moved<'_>], from: &Document, all: &mut [ResourceChange]) -> Vec<KeyConversion> {
    let mut resources: BTreeMap<Address, Vec<&Moved<'_>>> = BTreeMap::new();
    for moved in moved.iter().filter(|moved| moved.old.resource().is_same_as(moved.new.resource()))
    {
        let resource = Address { key: Key::None, ..moved.old.address() };
        resources.entry(resource).or_default().push(moved);
    }
    let mut found = Vec::new();
    for (resource, members) in resources {
        let kinds =
            |side: fn(&Moved<'_>) -> Key| common(members.iter().map(|m| Keys::of(&side(m))));
        let (Some(old), Some(new)) = (kinds(|m| m.old.key()), kinds(|m| m.new.key())) else {
            continue;
        };
        if old == new || current(from, members[0].place) != members.len() {
            continue;
        }
        for member in &members {
            all[member.at].fold = Some(Fold::Keys(found.len()));
        }
        let (resource, instances) = (resource.to_string(), members.len());
        found.push(KeyConversion { resource, from: old, to: new, instances });
    }
    found
}

/// Returns what all are, if they are all the same.
fn common<T: PartialEq>(mut items: impl Iterator<Item = T>) -> Option<T> {
    let first = items.next()?;
    items.all(|item| item == first).then_some(first)
}

/// Counts the objects of the resource at a place that are not deposed; they stand side by side.
fn current(document: &Document, place: usize) -> usize {
    let resource = document.instance(place).resource();
    let is_of_it = |at: &usize| document.instance(*at).resource().is_same_as(resource);
    let before = (0..place).rev().take_while(is_of_it);
    let after = (place..document.len()).take_while(is_of_it);
    before.chain(after).filter(|&at| !document.instance(at).is_deposed()).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diff::properties::{compared, state};

    /// Shows what belongs together as `from -> to: instances`.
    fn shown(before: &[&str], after: &[&str]) -> Vec<String> {
        let comparison = compared(&state(before), &state(after));
        let modules = comparison.module_moves.iter();
        let modules = modules.map(|m| format!("{} -> {}: {}", m.from, m.to, m.instances));
        let keys = comparison.key_conversions.iter();
        let keys =
            keys.map(|k| format!("{} {:?} -> {:?}: {}", k.resource, k.from, k.to, k.instances));
        let shown: Vec<String> = modules.chain(keys).collect();
        let marked = comparison.resources.iter().filter(|change| change.fold.is_some()).count();
        let modules = comparison.module_moves.iter().map(|module| module.instances);
        let keys = comparison.key_conversions.iter().map(|keys| keys.instances);
        assert_eq!(marked, modules.chain(keys).sum::<usize>());
        shown
    }

    #[test]
    fn a_module_that_was_renamed_is_one_finding() {
        let before = [r#"m.p/x.a {"id":"h-1"}"#, r#"m.p/x.b[0] {"id":"h-2","n":1}"#, "x.c {}"];
        let after = [r#"m.q/x.a {"id":"h-1"}"#, r#"m.q/x.b[0] {"id":"h-2","n":2}"#, "x.c {}"];
        assert_eq!(shown(&before, &after), ["module.p -> module.q: 2"]);
    }

    #[test]
    fn modules_inside_a_renamed_one_belong_to_it() {
        let before = [r#"m.p/x.a {"id":"h-1"}"#, r#"m.p.module.in/x.a {"id":"h-2"}"#];
        let after = [r#"m.q/x.a {"id":"h-1"}"#, r#"m.q.module.in/x.a {"id":"h-2"}"#];
        assert_eq!(shown(&before, &after), ["module.p -> module.q: 2"]);
        // Where only the inner module moved out, it alone is renamed.
        let (stays, goes) = (r#"m.p/x.a {"id":"h-1"}"#, r#"m.q.module.in/x.a {"id":"h-2"}"#);
        assert_eq!(shown(&before, &[stays, goes]), ["module.p.module.in -> module.q.module.in: 1"]);
    }

    #[test]
    fn a_module_is_not_renamed_where_something_stayed_went_or_was_there() {
        let before = [r#"m.p/x.a {"id":"h-1"}"#, r#"m.p/x.b {"id":"h-2"}"#];
        let moved = [r#"m.q/x.a {"id":"h-1"}"#, r#"m.q/x.b {"id":"h-2"}"#];
        assert!(shown(&before, &[moved[0], before[1]]).is_empty());
        assert!(shown(&before, &moved[..1]).is_empty());
        let there = r#"m.q/x.c {"id":"h-3"}"#;
        assert!(shown(&[before[0], before[1], there], &[moved[0], moved[1], there]).is_empty());
        assert!(shown(&before, &[moved[0], r#"m.q/x.renamed {"id":"h-2"}"#]).is_empty());
    }

    #[test]
    fn keys_of_another_kind_are_one_finding() {
        let counted = [r#"x.a[0] {"id":"h-1"}"#, r#"x.a[1] {"id":"h-2"}"#];
        let named = [r#"x.a["p"] {"id":"h-1"}"#, r#"x.a["q"] {"id":"h-2"}"#];
        assert_eq!(shown(&counted, &named), ["x.a Count -> ForEach: 2"]);
        assert_eq!(shown(&named, &counted), ["x.a ForEach -> Count: 2"]);
        assert_eq!(shown(&[r#"x.a {"id":"h-1"}"#], &counted[..1]), ["x.a Single -> Count: 1"]);
        assert!(shown(&counted, &named[..1]).is_empty());
        let renumbered = ([r#"x.a[0] {"id":"h-1"}"#], [r#"x.a[1] {"id":"h-1"}"#]);
        assert!(shown(&renumbered.0, &renumbered.1).is_empty());
    }

    #[test]
    fn what_is_not_kept_is_not_counted() {
        let before = [r#"m.p/x.a {"id":"h-1"}"#, r#"y.a[0] {"id":"h-2"}"#];
        let after = [r#"m.q/x.a {"id":"h-1"}"#, r#"y.a["k"] {"id":"h-2"}"#];
        let mut comparison = compared(&state(&before), &state(&after));
        assert_eq!((comparison.module_moves.len(), comparison.key_conversions.len()), (1, 1));
        comparison.retain(|change| change.kind == "y");
        assert!(comparison.module_moves.is_empty());
        assert_eq!(comparison.resources[0].fold, Some(Fold::Keys(0)));
        assert_eq!(comparison.key_conversions[0].instances, 1);
    }
}
