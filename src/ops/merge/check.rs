//! Holds the merged state against the three it was made of, by another road than it was made.

use std::collections::{BTreeMap, HashMap};

use super::Error;
use super::checks;
use super::three::{Choice, Side, Three};
use crate::diff;
use crate::state::document::{Document, Instance, Output};
use crate::state::value::Value;

/// Fails unless each instance, output and check result is there as the side has it that is right.
pub(super) fn check(states: Three<&Document>, merged: &Document) -> Result<(), Error> {
    let (Some(ours), Some(theirs)) = (states.ours, states.theirs) else {
        return Err(Error::Unsound);
    };
    let serials = merged.serial() >= ours.serial().max(theirs.serial());
    let facts = merged.lineage() == ours.lineage() && merged.version() == 4;
    let sound = serials
        && facts
        && instances(states, merged)
        && outputs(states, merged)
        && results(states, merged);
    if sound { Ok(()) } else { Err(Error::Unsound) }
}

fn instances(states: Three<&Document>, merged: &Document) -> bool {
    let mut all: HashMap<(String, Option<String>), Three<Instance<'_>>> = HashMap::new();
    let place = |instance: Instance<'_>| (instance.address_text(), instance.deposed());
    for (side, state) in states.sides() {
        for instance in state.instances() {
            *all.entry(place(instance)).or_default().side(side) = Some(instance);
        }
    }
    let merged: HashMap<_, _> = merged.instances().map(|found| (place(found), found)).collect();
    merged.keys().all(|place| all.contains_key(place))
        && all.iter().all(|(place, three)| {
            is_right(*three, merged.get(place).copied(), diff::is_same_instance)
        })
}

fn outputs(states: Three<&Document>, merged: &Document) -> bool {
    let mut all: BTreeMap<&str, Three<Output<'_>>> = BTreeMap::new();
    for (side, state) in states.sides() {
        for output in state.outputs() {
            *all.entry(output.name()).or_default().side(side) = Some(output);
        }
    }
    merged.outputs().all(|output| all.contains_key(output.name()))
        && all
            .iter()
            .all(|(name, three)| is_right(*three, merged.output(name), diff::is_same_output))
}

/// Counts the results only, besides those that must be there: which is which, they don't say.
fn results(states: Three<&Document>, merged: &Document) -> bool {
    let list = |state: &Document| -> Vec<String> {
        let raw = state.check_results().unwrap_or_default();
        match Value::parse(raw) {
            Ok(Value::Array(results)) => results.iter().map(Value::to_json).collect(),
            _ => Vec::new(),
        }
    };
    let has = |list: &[String], result: &String| {
        list.iter().any(|other| checks::same(other.as_bytes(), result.as_bytes()))
    };
    let [ours, theirs] = [states.ours, states.theirs].map(|state| state.map(list));
    let (ours, theirs) = (ours.unwrap_or_default(), theirs.unwrap_or_default());
    let merged = list(merged);
    merged.iter().all(|result| has(&ours, result) || has(&theirs, result))
        && ours.iter().filter(|result| has(&theirs, result)).all(|result| has(&merged, result))
}

/// Returns whether the merged state has what it should have.
fn is_right<T: Copy>(three: Three<T>, merged: Option<T>, same: impl Fn(T, T) -> bool) -> bool {
    let mut three = three;
    let right = match three.choose(&same) {
        Choice::Same | Choice::Ours => *three.side(Side::Ours),
        Choice::Theirs => *three.side(Side::Theirs),
        Choice::Clash => return false,
    };
    match (right, merged) {
        (None, None) => true,
        (Some(right), Some(merged)) => same(right, merged),
        (Some(_), None) | (None, Some(_)) => false,
    }
}
