//! Holds the edited state against the two it was made of, by another road than it was made.

use std::collections::HashMap;

use crate::diff;
use crate::query::filter::Filter;
use crate::state::document::{Document, Instance};

/// An instance in both states.
#[derive(Clone, Copy, Default)]
struct Object<'a> {
    live: Option<Instance<'a>>,
    past: Option<Instance<'a>>,
    is_selected: bool,
}

/// Returns whether the edited state is what it should be, found by another road than it was made.
pub(super) fn is_right(
    (live, past): (&Document, &Document),
    filter: &Filter,
    after: &Document,
) -> bool {
    let mut all: HashMap<(String, Option<String>), Object<'_>> = HashMap::new();
    let at = |instance: Instance<'_>| (instance.address_text(), instance.deposed());
    for instance in live.instances() {
        let object = all.entry(at(instance)).or_default();
        object.live = Some(instance);
        object.is_selected |= filter.matches(instance);
    }
    for instance in past.instances() {
        let object = all.entry(at(instance)).or_default();
        object.past = Some(instance);
        object.is_selected |= filter.matches(instance);
    }
    let after_all: HashMap<_, _> = after.instances().map(|found| (at(found), found)).collect();
    let is_right = |place: &(String, Option<String>), object: &Object<'_>| {
        let found = after_all.get(place).copied();
        match (object.is_selected, object.live, object.past, found) {
            (true, _, Some(past), Some(found)) => diff::is_same_instance(past, found),
            (false, Some(live), _, Some(found)) => live.raw() == found.raw(),
            (true, _, None, None) | (false, None, _, None) => true,
            _ => false,
        }
    };
    let outputs = |state: &Document| -> Vec<(String, Vec<u8>)> {
        state.outputs().map(|o| (o.name().to_owned(), o.value_raw().to_vec())).collect()
    };
    after_all.len() == after.len()
        && after_all.keys().all(|place| all.contains_key(place))
        && all.iter().all(|(place, object)| is_right(place, object))
        && outputs(live) == outputs(after)
        && (live.lineage(), live.serial()) == (after.lineage(), after.serial())
}
