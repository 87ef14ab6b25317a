//! Merges the fields of an object as wholes: those of the state, and those of a resource.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::ops::Range;

use super::Error;
use super::conflict::Conflict;
use super::three::{Choice, Side, Three};
use super::work::{Members, Work};
use crate::state::edit::Container;
use crate::state::parse::is_field;
use crate::state::value::Value;

/// The fields of a state that are merged by rules of their own.
const KNOWN: [&str; 7] =
    ["version", "terraform_version", "serial", "lineage", "outputs", "resources", "check_results"];

/// A field of an object in one of the states.
#[derive(Clone, Copy)]
pub(super) struct Field<'a> {
    /// Its number among the members.
    number: usize,
    /// Where its value starts.
    start: usize,
    /// Its value.
    pub(super) value: &'a [u8],
    /// Its key and its value.
    pub(super) text: &'a [u8],
}

impl Field<'_> {
    fn range(&self) -> Range<usize> {
        self.start..self.start + self.value.len()
    }
}

/// Returns the fields of three objects by their keys, without those that `skip` names.
pub(super) fn pairs<'a>(
    objects: &Three<Container<'a>>,
    skip: impl Fn(&str) -> bool,
) -> BTreeMap<String, Three<Field<'a>>> {
    let mut pairs: BTreeMap<String, Three<Field<'a>>> = BTreeMap::new();
    let all =
        [(Side::Base, &objects.base), (Side::Ours, &objects.ours), (Side::Theirs, &objects.theirs)];
    for (side, object) in all {
        let Some(object) = object else { continue };
        for (number, item) in object.items.iter().enumerate().filter(|(_, item)| !skip(&item.key)) {
            let (value, text) = (object.text(&item.value), object.text(&item.range));
            let field = Field { number, start: item.value.start, value, text };
            let key = if is_field(&item.key, "provider") { "provider" } else { &item.key };
            *pairs.entry(key.to_owned()).or_default().side(side) = Some(field);
        }
    }
    pairs
}

/// Returns whether two fields have the same value.
pub(super) fn same(a: Field<'_>, b: Field<'_>) -> bool {
    same_values(a.value, b.value)
}

/// Returns whether two texts are the same value; one too deep to be decoded is only like itself.
pub(super) fn same_values(a: &[u8], b: &[u8]) -> bool {
    let values = || Some((Value::parse(a).ok()?, Value::parse(b).ok()?));
    a == b || values().is_some_and(|(a, b)| a.same(&b))
}

/// Makes a field of ours, `depth` deep, what it is in theirs.
pub(super) fn take(
    work: &mut Work<'_>,
    (three, depth): (Three<Field<'_>>, usize),
    members: &mut Members,
) {
    match (three.ours, three.theirs) {
        (Some(ours), Some(theirs)) => {
            let text = work.lay(theirs.value, depth);
            work.splices.replace(ours.range(), text);
        }
        (None, Some(theirs)) => members.new.push(work.lay(theirs.text, depth)),
        (Some(ours), None) => drop(members.gone.insert(ours.number)),
        (None, None) => {}
    }
}

/// Merges the fields of the state: unknown ones as wholes, the version of the writer, the serial.
pub(super) fn merge(work: &mut Work<'_>) -> Result<(), Error> {
    let known = |key: &str| KNOWN.iter().any(|name| is_field(key, name));
    let mut members = Members::default();
    for (key, three) in pairs(&work.tops, known) {
        match work.choose(three, same) {
            Choice::Same | Choice::Ours => {}
            Choice::Theirs => take(work, (three, 1), &mut members),
            Choice::Clash => work.conflicts.push(Conflict::of_whole(key, &three)),
        }
    }
    work.members.gone.extend(members.gone);
    work.members.new.extend(members.new);
    let (ours, theirs) = (work.ours.terraform_version(), work.theirs.terraform_version());
    if compare_versions(ours, theirs) == Ordering::Less {
        let top = work.tops.theirs.as_ref();
        let item = top.and_then(|top| top.get(|key| is_field(key, "terraform_version")));
        let value = top.zip(item).map(|(top, (_, item))| top.text(&item.value).to_vec());
        if let Some(value) = value {
            work.set("terraform_version", value);
        }
    }
    let serial = serial(work)?;
    if serial != work.ours.serial() {
        work.set("serial", serial.to_string().into_bytes());
    }
    Ok(())
}

/// Returns the serial of the result: above both, unless what one side has already is the result.
fn serial(work: &Work<'_>) -> Result<u64, Error> {
    let (ours, theirs) = (work.ours.serial(), work.theirs.serial());
    let highest = ours.max(theirs);
    match (work.took_ours, work.took_theirs) {
        (false, false) => Ok(highest),
        (true, false) if ours > theirs => Ok(ours),
        (false, true) if theirs > ours => Ok(theirs),
        _ => highest.checked_add(1).ok_or(Error::Serial(highest)),
    }
}

/// Compares the versions of two writers; none is the oldest.
fn compare_versions(a: &str, b: &str) -> Ordering {
    let parts = |text: &str| {
        let text = text.trim_start_matches('v');
        let text = text.split('+').next().unwrap_or_default().to_owned();
        let (numbers, pre) = match text.split_once('-') {
            Some((numbers, pre)) => (numbers.to_owned(), Some(pre.to_owned())),
            None => (text, None),
        };
        let numbers: Vec<u64> = numbers.split('.').map(|n| n.parse().unwrap_or(0)).collect();
        (numbers, pre)
    };
    let ((numbers_a, pre_a), (numbers_b, pre_b)) = (parts(a), parts(b));
    a.is_empty().cmp(&b.is_empty()).reverse().then_with(|| numbers_a.cmp(&numbers_b)).then_with(
        || match (pre_a, pre_b) {
            (None, Some(_)) => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
            (a, b) => a.cmp(&b),
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_writers_are_ordered_by_their_numbers() {
        let sorted =
            ["", "0.12.31", "1.9.8", "1.11.0-alpha20250101", "1.11.0-beta1", "1.11.0", "v1.11.4"];
        for (at, old) in sorted.iter().enumerate() {
            assert_eq!(compare_versions(old, old), Ordering::Equal);
            for new in &sorted[at + 1..] {
                assert_eq!(compare_versions(old, new), Ordering::Less, "{old} {new}");
                assert_eq!(compare_versions(new, old), Ordering::Greater, "{old} {new}");
            }
        }
    }
}
