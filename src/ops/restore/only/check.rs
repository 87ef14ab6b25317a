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

#[cfg(test)]
mod tests {
    use super::*;

    /// A state of these resources with their ids.
    fn state(serial: u32, output: u32, ids: &[(&str, u32)]) -> Document {
        let resource = |(name, id): &(&str, u32)| {
            format!(
                r#"{{"mode":"managed","type":"x","name":"{name}","provider":"provider[\"a/a\"]","instances":[{{"attributes":{{"id":"{id}"}}}}]}}"#
            )
        };
        let resources: Vec<String> = ids.iter().map(resource).collect();
        let text = format!(
            r#"{{"version":4,"serial":{serial},"lineage":"l","outputs":{{"o":{{"value":{output},"type":"number"}}}},"resources":[{}]}}"#,
            resources.join(",")
        );
        Document::parse(text.into_bytes()).unwrap()
    }

    #[test]
    fn only_what_was_asked_for_may_be_other_than_it_is() {
        let live = state(7, 1, &[("a", 1), ("b", 1), ("new", 1)]);
        let past = state(5, 0, &[("a", 0), ("b", 0), ("old", 0)]);
        let holds = |filter: &str, after: &Document| {
            is_right((&live, &past), &filter.parse().unwrap(), after)
        };
        let (b, new) = (("b", 1), ("new", 1));
        assert!(holds("name:a", &state(7, 1, &[("a", 0), b, new])));
        assert!(holds("name:new", &state(7, 1, &[("a", 1), b])));
        assert!(holds("name:old", &state(7, 1, &[("a", 1), b, new, ("old", 0)])));
        let wrong = [
            state(7, 1, &[("a", 1), b, new]),
            state(7, 1, &[("a", 0), ("b", 0), new]),
            state(7, 1, &[b, new]),
            state(7, 1, &[("a", 0), new]),
            state(7, 1, &[("a", 0), b, new, ("old", 0)]),
            state(7, 1, &[("a", 0), b, new, ("c", 1)]),
            state(7, 0, &[("a", 0), b, new]),
            state(5, 1, &[("a", 0), b, new]),
        ];
        for after in wrong {
            assert!(!holds("name:a", &after), "{}", String::from_utf8_lossy(after.bytes()));
        }
        assert!(!holds("name:new", &state(7, 1, &[("a", 1), b, new])));
        assert!(!holds("name:old", &state(7, 1, &[("a", 1), b, new])));
    }
}
