//! Evidence for what stands for what, and what follows from it.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::words::{is_environment, segments};
use super::{Roles, learn};

/// What something is, from the most telling evidence to the least.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) enum Kind {
    /// An id of something in the state, as it says of itself.
    Own,
    Account,
    Region,
    /// What looks like an id that a provider made up.
    Opaque,
    /// A word in a name, in lower case.
    Word,
}

/// Words that nobody calls an environment need so many instances to be believed.
const ENOUGH: usize = 3;

/// Votes for each kind: how often something on the one side stood where something is on the other.
#[derive(Debug, Default)]
pub(super) struct Votes {
    counts: BTreeMap<Kind, HashMap<(String, String), usize>>,
}

impl Votes {
    pub(super) fn add(&mut self, kind: Kind, before: &str, after: &str) {
        let pair = (before.to_owned(), after.to_owned());
        *self.counts.entry(kind).or_default().entry(pair).or_default() += 1;
    }

    /// Returns what follows.
    pub(super) fn roles(&self) -> Roles {
        let mut roles = Roles::default();
        // Who is in the state speaks for itself: what else was seen in its place is a difference.
        let own = self.counts.get(&Kind::Own);
        let own = || own.into_iter().flat_map(HashMap::keys);
        let old: HashSet<&str> = own().map(|(a, _)| a.as_str()).collect();
        let new: HashSet<&str> = own().map(|(_, b)| b.as_str()).collect();
        for (kind, counts) in &self.counts {
            for (before, after) in winners(*kind, counts) {
                let spoken = old.contains(before) || new.contains(after);
                if before == after || *kind == Kind::Opaque && spoken {
                    continue;
                }
                roles.enter(*kind, before, after);
            }
        }
        roles
    }
}

/// Returns the pairs of which each side stands for the other far more than for anything else.
fn winners(kind: Kind, counts: &HashMap<(String, String), usize>) -> Vec<(&str, &str)> {
    let (mut old, mut new): (HashMap<&str, usize>, HashMap<&str, usize>) = Default::default();
    for ((before, after), count) in counts {
        *old.entry(before).or_default() += count;
        *new.entry(after).or_default() += count;
    }
    let wins = |((before, after), &count): (&(String, String), &usize)| {
        let all = old[before.as_str()].max(new[after.as_str()]);
        let known = kind != Kind::Word || is_environment(before) && is_environment(after);
        if known { count * 2 > all } else { count >= ENOUGH && count == all }
    };
    let winners = counts.iter().filter(|&entry| wins(entry));
    winners.map(|((before, after), _)| (before.as_str(), after.as_str())).collect()
}

impl Roles {
    fn enter(&mut self, kind: Kind, before: &str, after: &str) {
        match kind {
            Kind::Word => {
                self.words.insert(before.to_owned(), after.to_owned());
            }
            Kind::Own | Kind::Opaque if !learn::is_distinct(before) => {
                self.as_ids.insert(before.to_owned(), after.to_owned());
            }
            Kind::Own | Kind::Account | Kind::Opaque => self.enter_anywhere(before, after),
            Kind::Region => {
                self.enter_anywhere(before, after);
                let zoned = |region: &str| region.ends_with(|c: char| c.is_ascii_digit());
                for zone in ('a'..='f').filter(|_| zoned(before) && zoned(after)) {
                    self.enter_anywhere(&format!("{before}{zone}"), &format!("{after}{zone}"));
                }
            }
        }
    }

    /// The first evidence stands: kinds come from the most telling on.
    fn enter_anywhere(&mut self, before: &str, after: &str) {
        let segments = segments(before);
        let Some(&(start, end)) = segments.first() else { return };
        let longest = self.longest.entry(before[start..end].to_owned()).or_default();
        *longest = segments.len().max(*longest);
        self.anywhere.entry(before.to_owned()).or_insert_with(|| after.to_owned());
    }
}
