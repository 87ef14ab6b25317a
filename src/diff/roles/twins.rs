//! Instances of one role at two addresses: `module.staging.x.a` and `module.prod.x.a`.

use std::collections::{HashMap, HashSet};

use super::Roles;
use super::votes::{Kind, Votes};
use super::words::{is_environment, segments};
use crate::diff::merge::{Found, Place};
use crate::state::address::{Mode, push_key};

/// Returns whether this is one instance at two addresses.
pub(in crate::diff) fn are_twins(found: &Found<'_>) -> bool {
    match found {
        Found::Both(a, b) => {
            let (old, new) = (a.instance, b.instance);
            !old.resource().is_same_as(new.resource()) || old.key() != new.key()
        }
        Found::Removed(_) | Found::Added(_) => false,
    }
}

/// The words for environments in an address, in order.
type Words = Vec<String>;

/// Votes for the words that people call environments by which addresses of both sides differ.
pub(super) fn vote(found: &[Found<'_>], votes: &mut Votes) {
    let mut pairs: HashMap<Key, (Vec<Words>, Vec<Words>)> = HashMap::new();
    for found in found {
        let (place, is_old) = match found {
            Found::Removed(place) => (place, true),
            Found::Added(place) => (place, false),
            Found::Both(..) => continue,
        };
        let mut words = Words::new();
        let frame = Key::of(*place, |text| without_environments(text, &mut words));
        if !words.is_empty() {
            let (old, new) = pairs.entry(frame).or_default();
            if is_old { old.push(words) } else { new.push(words) }
        }
    }
    for (old, new) in pairs.into_values() {
        if let ([old], [new]) = (old.as_slice(), new.as_slice()) {
            old.iter().zip(new).for_each(|(old, new)| votes.add(Kind::Word, old, new));
        }
    }
}

/// Takes the words for environments out of a part of an address.
fn without_environments(part: &str, words: &mut Words) -> String {
    let mut frame = String::new();
    for (start, end) in segments(part) {
        let piece = &part[start..end];
        let word = piece.to_lowercase();
        if is_environment(&word) {
            frame.push('\0');
            words.push(word);
        } else {
            frame.push_str(piece);
        }
    }
    frame
}

/// Pairs what was removed and added where the one address stands for the other, and for no third.
pub(super) fn pair<'a>(found: Vec<Found<'a>>, roles: &Roles) -> Vec<Found<'a>> {
    let mut old: HashMap<Key, Vec<Place<'a>>> = HashMap::new();
    let mut new: HashMap<Key, usize> = HashMap::new();
    for found in &found {
        match found {
            Found::Removed(place) => {
                let key = Key::of(*place, |part| roles.text(part).into_owned());
                old.entry(key).or_default().push(*place);
            }
            Found::Added(place) => *new.entry(Key::of(*place, str::to_owned)).or_default() += 1,
            Found::Both(..) => {}
        }
    }
    let mut twins: HashMap<usize, Place<'a>> = HashMap::new();
    let mut gone = HashSet::new();
    for found in &found {
        let Found::Added(to) = found else { continue };
        let key = Key::of(*to, str::to_owned);
        if let (Some(&[from]), Some(1)) = (old.get(&key).map(Vec::as_slice), new.get(&key)) {
            twins.insert(to.at, from);
            gone.insert(from.at);
        }
    }
    let join = |found: Found<'a>| match found {
        Found::Removed(place) if gone.contains(&place.at) => None,
        Found::Added(to) => match twins.get(&to.at) {
            Some(&from) => Some(Found::Both(from, to)),
            None => Some(found),
        },
        Found::Removed(_) | Found::Both(..) => Some(found),
    };
    found.into_iter().filter_map(join).collect()
}

/// An address in its parts, and the key of a deposed object.
#[derive(Debug, Eq, Hash, PartialEq)]
struct Key {
    module: String,
    mode: Mode,
    kind: String,
    name: String,
    index: String,
    deposed: Option<String>,
}

impl Key {
    /// Reads the address of an instance; `part` has a say in what people chose of it.
    fn of(place: Place<'_>, mut part: impl FnMut(&str) -> String) -> Self {
        let (instance, resource) = (place.instance, place.instance.resource());
        let mut index = String::new();
        push_key(&mut index, &instance.key());
        Self {
            module: part(resource.module_text()),
            mode: resource.mode(),
            kind: resource.kind().into_owned(),
            name: part(&resource.name()),
            index: part(&index),
            deposed: instance.deposed(),
        }
    }
}
