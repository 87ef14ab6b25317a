//! Merges the results of checks, each with all of its objects as a whole.

use std::collections::{BTreeMap, HashSet};

use super::Error;
use super::conflict::Conflict;
use super::three::{Choice, Three};
use super::work::{self, Work};
use crate::state::edit::Slot;
use crate::state::value::Value;

/// What is checked: its kind and its address. Terraform has each once; of several, each is one.
type Checked = (String, String, usize);

/// A result, with its number.
type Found<'a> = (usize, &'a [u8]);

/// Merges all results.
pub(super) fn merge(work: &mut Work<'_>) -> Result<(), Error> {
    let mut all: BTreeMap<Checked, Three<Found<'_>>> = BTreeMap::new();
    let base = work::container(work.tops.base.as_ref(), "check_results")?;
    let ours = work::container(work.tops.ours.as_ref(), "check_results")?;
    let theirs = work::container(work.tops.theirs.as_ref(), "check_results")?;
    let lists = Three { base: base.as_ref(), ours: ours.as_ref(), theirs: theirs.as_ref() };
    for (side, list) in lists.sides() {
        let mut counts: BTreeMap<(String, String), usize> = BTreeMap::new();
        for (number, item) in list.items.iter().enumerate() {
            let raw = list.text(&item.value);
            let (kind, address) = checked(raw);
            let count = counts.entry((kind.clone(), address.clone())).or_default();
            *all.entry((kind, address, *count)).or_default().side(side) = Some((number, raw));
            *count += 1;
        }
    }
    let (mut gone, mut new) = (HashSet::new(), Vec::new());
    for ((kind, address, _), three) in all {
        match work.choose(three, |a, b| same(a.1, b.1)) {
            Choice::Same | Choice::Ours => {}
            Choice::Clash => {
                let subject = format!("check of {kind} {address}");
                work.conflicts.push(Conflict::of_whole(subject, &three));
            }
            Choice::Theirs => {
                let text = three.theirs.map(|(_, raw)| work.lay(raw, 2));
                match (three.ours, text) {
                    (Some((number, _)), Some(text)) => {
                        if let Some(ours) = &ours {
                            work.splices.replace(ours.items[number].range.clone(), text);
                        }
                    }
                    (Some((number, _)), None) => drop(gone.insert(number)),
                    (None, Some(text)) => new.push(text),
                    (None, None) => {}
                }
            }
        }
    }
    if gone.is_empty() && new.is_empty() {
        return Ok(());
    }
    // Terraform writes them in no order.
    let kept = (0..ours.as_ref().map_or(0, |ours| ours.items.len())).filter(|n| !gone.contains(n));
    let slots: Vec<Slot> = kept.map(Slot::Keep).chain(new.into_iter().map(Slot::New)).collect();
    work.arrange(("check_results", "[]"), ours.as_ref(), &slots)
}

fn checked(raw: &[u8]) -> (String, String) {
    let Ok(value) = Value::parse(raw) else { return (String::new(), String::new()) };
    let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    (text("object_kind"), text("config_addr"))
}

/// Returns whether two results say the same; their objects stand in no order.
pub(super) fn same(a: &[u8], b: &[u8]) -> bool {
    let value = |raw| Value::parse(raw).map(sorted);
    a == b || matches!((value(a), value(b)), (Ok(a), Ok(b)) if a.same(&b))
}

fn sorted(mut result: Value<'_>) -> Value<'_> {
    if let Value::Object(members) = &mut result {
        for (key, value) in members {
            if let (true, Value::Array(objects)) = (key == "objects", value) {
                objects.sort_by_cached_key(|object| {
                    object.get("object_addr").and_then(Value::as_str).unwrap_or_default().to_owned()
                });
            }
        }
    }
    result
}
