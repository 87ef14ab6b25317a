//! Weaker evidence: objects that are much alike, and modules that moved as a whole.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::group::{Candidate, Group};
use crate::diff::canonical::{Likeness, strings};
use crate::state::address::Key;
use crate::state::document::Instance;
use crate::state::value::Value;

/// How alike two objects must be to be one, in thousandths of their leaves.
const ALIKE: usize = 800;

/// Shorter strings are equal by chance: a region, a size, a switch.
const DISTINCTIVE: usize = 8;

/// How much may still be spent on comparing contents.
#[derive(Debug)]
pub(super) struct Budget {
    /// Bytes of attributes to decode.
    bytes: usize,
    /// Pairs to compare.
    pairs: usize,
}

impl Default for Budget {
    /// Allows what takes some tenths of a second.
    fn default() -> Self {
        Self { bytes: 32 << 20, pairs: 100_000 }
    }
}

impl Budget {
    fn decode<'a>(&mut self, instance: Instance<'a>) -> Option<Value<'a>> {
        let size = instance.attributes_raw()?.len();
        self.bytes = self.bytes.checked_sub(size)?;
        instance.attributes().ok()
    }

    fn pair(&mut self) -> bool {
        let left = self.pairs.checked_sub(1);
        self.pairs = left.unwrap_or(0);
        left.is_some()
    }
}

/// Pairs objects that are much alike and share a string that nobody else has.
pub(super) fn pair_by_likeness(group: &mut Group<'_>, budget: &mut Budget) {
    if group.is_settled() {
        return;
    }
    let (removed, added) = (decode(&group.removed, budget), decode(&group.added, budget));
    let bystanders: Vec<_> =
        group.bystanders.iter().filter_map(|&instance| budget.decode(instance)).collect();
    let mut common = HashSet::new();
    for value in &bystanders {
        strings(value, &mut |text| _ = common.insert(text));
    }
    let (old, new) = (owners(&removed, &common), owners(&added, &common));
    let mut pairs: Vec<(usize, usize)> =
        old.iter().filter_map(|(text, &old)| Some((old?, (*new.get(text)?)?))).collect();
    pairs.sort_unstable();
    pairs.dedup();
    let mut scores = Vec::new();
    for (old, new) in pairs {
        let contradict = group.removed[old].contradicts(&group.added[new]);
        if contradict || !budget.pair() {
            continue;
        }
        let score = Likeness::of(&removed[&old], &added[&new]).per_mille();
        if score >= ALIKE {
            scores.push((score, old, new));
        }
    }
    for (old, new) in clear_winners(&scores) {
        group.join(old, new);
    }
}

/// Decodes the objects that are not joined yet, by their place in the group.
fn decode<'a>(candidates: &[Candidate<'a>], budget: &mut Budget) -> BTreeMap<usize, Value<'a>> {
    let open = candidates.iter().enumerate().filter(|(_, candidate)| candidate.partner.is_none());
    open.filter_map(|(at, candidate)| Some((at, budget.decode(candidate.instance())?))).collect()
}

/// Returns who has each distinctive string; `None` where several have it.
fn owners<'v>(
    values: &'v BTreeMap<usize, Value<'_>>,
    common: &HashSet<&str>,
) -> HashMap<&'v str, Option<usize>> {
    let mut owners: HashMap<&str, Option<usize>> = HashMap::new();
    for (&at, value) in values {
        strings(value, &mut |text| {
            if text.len() < DISTINCTIVE || common.contains(text) {
                return;
            }
            let owner = owners.entry(text).or_insert(Some(at));
            *owner = owner.filter(|&owner| owner == at);
        });
    }
    owners
}

/// Returns the pairs in which each side is the other's best, and no other comes near.
fn clear_winners(scores: &[(usize, usize, usize)]) -> Vec<(usize, usize)> {
    let wins = |&(score, old, new): &(usize, usize, usize)| {
        let rivals = scores.iter().filter(|(_, o, n)| (*o == old) != (*n == new));
        rivals.fold(true, |wins, &(rival, ..)| wins && rival < score)
    };
    scores.iter().filter(|score| wins(score)).map(|&(_, old, new)| (old, new)).collect()
}

/// Returns which module became which, by what was found to have moved without being renamed.
pub(super) fn moved_modules<'a>(groups: &[Group<'a>]) -> HashMap<&'a str, &'a str> {
    let mut votes: HashMap<&str, BTreeMap<&str, usize>> = HashMap::new();
    for (removed, added) in groups.iter().flat_map(Group::pairs) {
        let (old, new) = (removed.instance(), added.instance());
        let same_place = old.resource().name() == new.resource().name() && old.key() == new.key();
        let (from, to) = (old.resource().module_text(), new.resource().module_text());
        if same_place && from != to {
            *votes.entry(from).or_default().entry(to).or_default() += 1;
        }
    }
    let winner = |votes: BTreeMap<&'a str, usize>| {
        let most = votes.values().copied().max()?;
        let mut first = votes.into_iter().filter(|&(_, count)| count == most);
        let (module, _) = first.next()?;
        first.next().is_none().then_some(module)
    };
    votes.into_iter().filter_map(|(from, votes)| Some((from, winner(votes)?))).collect()
}

/// Pairs objects that are alike and stand at the same place of a module that moved.
pub(super) fn pair_along(
    group: &mut Group<'_>,
    modules: &HashMap<&str, &str>,
    budget: &mut Budget,
) {
    if modules.is_empty() || group.is_settled() {
        return;
    }
    let mut places: HashMap<(String, String, Key), usize> = HashMap::new();
    for (at, added) in group.added.iter().enumerate().filter(|(_, c)| c.partner.is_none()) {
        places.insert(place(added.instance(), None), at);
    }
    for old in 0..group.removed.len() {
        let removed = &group.removed[old];
        let instance = removed.instance();
        let Some(&module) = modules.get(instance.resource().module_text()) else { continue };
        if removed.partner.is_some() {
            continue;
        }
        let Some(&new) = places.get(&place(instance, Some(module))) else { continue };
        let added = &group.added[new];
        if added.partner.is_some() || removed.contradicts(added) || !budget.pair() {
            continue;
        }
        let values = (budget.decode(instance), budget.decode(added.instance()));
        let (Some(before), Some(after)) = values else { continue };
        if Likeness::of(&before, &after).per_mille() >= ALIKE {
            group.join(old, new);
        }
    }
}

/// Returns the place of an instance: its module, or another in its stead, its name and its key.
fn place(instance: Instance<'_>, module: Option<&str>) -> (String, String, Key) {
    let resource = instance.resource();
    let module = module.unwrap_or(resource.module_text());
    (module.to_owned(), resource.name().into_owned(), instance.key())
}
