//! The objects among which moves are looked for: all of one mode and type.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::diff::merge::{Found, Place};
use crate::state::address::Mode;
use crate::state::details::Details;
use crate::state::document::{Document, Instance};
use crate::state::provider::{ProviderConfig, Source};
use crate::state::scan::{Scanner, SyntaxError};

/// How many objects that stayed are asked whether they share a name.
const MAX_BYSTANDERS: usize = 8;

/// How many resources are looked at for them, spread over the document.
const MAX_RESOURCES: usize = 4096;

/// How many of them may be of one resource.
const MAX_OF_ONE_RESOURCE: usize = 2;

/// Kinds of names in the provider's world, from the one that is valid furthest.
pub(in crate::diff) const NAMES: usize = 4;

const IDENTITY: usize = 2;

/// The names of an object, by kind.
pub(in crate::diff) type Names = [Option<String>; NAMES];

/// A removed or an added object.
#[derive(Debug)]
pub(super) struct Candidate<'a> {
    /// Its place in the list of what was found.
    pub(super) found: usize,
    pub(super) place: Place<'a>,
    pub(super) names: Names,
    provider: Option<Source>,
    /// The digest of its attributes, where the other side has something of the same.
    pub(super) content: Option<[u8; 32]>,
    /// The other side of its move, as a place in the group.
    pub(super) partner: Option<usize>,
}

impl<'a> Candidate<'a> {
    pub(super) fn instance(&self) -> Instance<'a> {
        self.place.instance
    }

    /// Returns whether the names or the providers say that these are two objects.
    pub(super) fn contradicts(&self, other: &Self) -> bool {
        let mut providers = self.provider.iter().zip(&other.provider);
        if providers.any(|(a, b)| !is_same_provider(a, b)) {
            return true;
        }
        let mut both =
            self.names.iter().zip(&other.names).filter_map(|(a, b)| a.as_ref().zip(b.as_ref()));
        both.next().is_some_and(|(a, b)| a != b)
    }
}

/// The removed and the added objects of one mode and type.
#[derive(Debug, Default)]
pub(super) struct Group<'a> {
    pub(super) removed: Vec<Candidate<'a>>,
    pub(super) added: Vec<Candidate<'a>>,
    /// Some of the objects that are neither.
    pub(super) bystanders: Vec<Instance<'a>>,
}

impl<'a> Group<'a> {
    /// Returns the moves found so far.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (&Candidate<'a>, &Candidate<'a>)> {
        let partner = |added: &Candidate<'a>| Some(&self.removed[added.partner?]);
        self.added.iter().filter_map(move |added| Some((partner(added)?, added)))
    }

    /// Returns whether one side has nothing left to be paired.
    pub(super) fn is_settled(&self) -> bool {
        let settled = |side: &[Candidate<'_>]| side.iter().all(|c| c.partner.is_some());
        settled(&self.removed) || settled(&self.added)
    }

    /// Says that these are the two sides of a move.
    pub(super) fn join(&mut self, removed: usize, added: usize) {
        self.removed[removed].partner = Some(added);
        self.added[added].partner = Some(removed);
    }
}

/// Collects what was removed and added, of those types that have both.
pub(super) fn collect<'a>(
    from: &'a Document,
    to: &'a Document,
    found: &[Found<'a>],
) -> Vec<Group<'a>> {
    let mut groups: BTreeMap<(Mode, String), Group<'a>> = BTreeMap::new();
    for (at, &found) in found.iter().enumerate() {
        let (Found::Removed(place) | Found::Added(place)) = found else { continue };
        if place.instance.is_deposed() {
            continue;
        }
        let resource = place.instance.resource();
        let group = groups.entry((resource.mode(), resource.kind().into_owned())).or_default();
        let names = Names::default();
        let (provider, content, partner) = (None, None, None);
        let candidate = Candidate { found: at, place, names, provider, content, partner };
        let side =
            if matches!(found, Found::Added(_)) { &mut group.added } else { &mut group.removed };
        side.push(candidate);
    }
    groups.retain(|_, group| !group.removed.is_empty() && !group.added.is_empty());
    let (kinds, mut groups): (Vec<_>, Vec<_>) = groups.into_iter().unzip();
    if !groups.is_empty() {
        let places = |found: &Found<'_>| match found {
            Found::Removed(place) => (Some(place.instance.offset()), None),
            Found::Added(place) => (None, Some(place.instance.offset())),
            Found::Both(..) => (None, None),
        };
        let (gone, come): (Vec<_>, Vec<_>) = found.iter().map(places).unzip();
        add_bystanders(&kinds, &mut groups, (from, &gone.into_iter().flatten().collect()));
        add_bystanders(&kinds, &mut groups, (to, &come.into_iter().flatten().collect()));
    }
    for group in &mut groups {
        for candidate in group.removed.iter_mut().chain(&mut group.added) {
            let details = candidate.instance().details();
            candidate.names = names_of(candidate.instance(), &details);
            candidate.provider = provider(candidate.instance(), &details);
        }
    }
    groups
}

/// Adds some objects of each type that are still where they were.
fn add_bystanders<'a>(
    kinds: &[(Mode, String)],
    groups: &mut [Group<'a>],
    (document, candidates): (&'a Document, &HashSet<usize>),
) {
    let mut places: HashMap<&str, [Option<usize>; 2]> = HashMap::new();
    for (at, (mode, kind)) in kinds.iter().enumerate() {
        places.entry(kind).or_default()[usize::from(*mode == Mode::Data)] = Some(at);
    }
    let mut rooms = vec![MAX_BYSTANDERS; groups.len()];
    let resources = document.resources();
    let stride = resources.len().div_ceil(MAX_RESOURCES).max(1);
    for resource in resources.step_by(stride) {
        let place = places.get(&*resource.kind());
        let at = place.and_then(|place| place[usize::from(resource.mode() == Mode::Data)]);
        let Some((group, room)) = at.map(|at| (&mut groups[at], &mut rooms[at])) else { continue };
        if *room == 0 {
            continue;
        }
        let others =
            resource.instances().filter(|instance| !candidates.contains(&instance.offset()));
        let others: Vec<_> = others.take(MAX_OF_ONE_RESOURCE).collect();
        *room = room.saturating_sub(others.len());
        group.bystanders.extend(others);
    }
}

fn provider(instance: Instance<'_>, details: &Details<'_>) -> Option<Source> {
    let text = details.provider.clone().or_else(|| instance.resource().provider_text())?;
    ProviderConfig::parse(&text).ok().map(|config| config.source)
}

/// Compares providers without the host of their registry, which OpenTofu replaces by its own, and
/// without the namespace where a state from before Terraform 0.13 has none.
fn is_same_provider(a: &Source, b: &Source) -> bool {
    let unknown = a.namespace == "-" || b.namespace == "-";
    a.kind == b.kind && (unknown || a.namespace == b.namespace)
}

/// Reads the names of an object in one pass over its attributes, decoding nothing else.
pub(in crate::diff) fn names(instance: Instance<'_>) -> Names {
    names_of(instance, &instance.details())
}

fn names_of(instance: Instance<'_>, details: &Details<'_>) -> Names {
    let mut names = Names::default();
    if let Some(raw) = instance.attributes_raw() {
        // Text that can't be read on has no more names.
        read_names(raw, &mut names).unwrap_or_default();
    }
    let identity = details.identity();
    names[IDENTITY] = identity.as_ref().map(crate::diff::canonical::text);
    names
}

fn read_names(raw: &[u8], names: &mut Names) -> Result<(), SyntaxError> {
    let mut scanner = Scanner::new(raw);
    let mut first = true;
    if scanner.peek() != Some(b'{') {
        return Ok(());
    }
    scanner.open_object()?;
    while let Some(key) = scanner.next_key(&mut first)? {
        let kind = match key.raw {
            b"arn" => 0,
            b"self_link" => 1,
            b"id" => 3,
            _ => {
                scanner.value()?;
                continue;
            }
        };
        let value = scanner.value()?;
        let text = Scanner::new(value).string().ok().map(|text| text.decode_lossy().into_owned());
        names[kind] = text.filter(|text| !is_placeholder(text));
    }
    Ok(())
}

/// Returns whether providers write this where an object has no name.
fn is_placeholder(text: &str) -> bool {
    matches!(text, "" | "-" | "none" | "None" | "null" | "static" | "terraform" | "true" | "id")
}
