//! Merges the outputs of the root module, each as a whole.

use std::collections::{BTreeMap, HashSet};

use super::Error;
use super::conflict::Conflict;
use super::order;
use super::three::{Choice, Three};
use super::work::{self, Work};
use crate::diff;
use crate::state::document::Output;

/// Merges all outputs.
pub(super) fn merge(work: &mut Work<'_>) -> Result<(), Error> {
    let mut all: BTreeMap<&str, Three<Output<'_>>> = BTreeMap::new();
    for (side, state) in work.states.sides() {
        for output in state.outputs() {
            *all.entry(output.name()).or_default().side(side) = Some(output);
        }
    }
    let ours = work::container(work.tops.ours.as_ref(), "outputs")?;
    let theirs = work::container(work.tops.theirs.as_ref(), "outputs")?;
    let find = |name: &str| {
        let container = theirs.as_ref()?;
        Some(container.text(&container.get(|key| key == name)?.1.range))
    };
    let (mut gone, mut new) = (HashSet::new(), Vec::new());
    for (name, three) in all {
        match work.choose(three, diff::is_same_output) {
            Choice::Same | Choice::Ours => {}
            Choice::Clash => {
                let subject = format!("output.{name}");
                work.conflicts.push(Conflict::of_whole(subject, &three));
            }
            Choice::Theirs => {
                let old = ours.as_ref().and_then(|ours| ours.get(|key| key == name));
                let text = find(name).map(|text| work.lay(text, 2));
                match (old, text) {
                    (Some((_, item)), Some(text)) => work.splices.replace(item.range.clone(), text),
                    (Some((number, _)), None) => drop(gone.insert(number)),
                    (None, Some(text)) => new.push((name.to_owned(), text)),
                    (None, None) => {}
                }
            }
        }
    }
    if gone.is_empty() && new.is_empty() {
        return Ok(());
    }
    let old: Vec<String> = ours
        .iter()
        .flat_map(|ours| ours.items.iter().map(|item| item.key.clone().into_owned()))
        .collect();
    let slots = order::slots(&old, &gone, new);
    work.arrange(("outputs", "{}"), ours.as_ref(), &slots)
}
