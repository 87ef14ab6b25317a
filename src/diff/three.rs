//! Three states in, who did what out: what two sides made of the state that both come from.
//!
//! Each side is compared with the base; what both touched is held against the other side. In a
//! list an index says little once elements come and go, so a list counts as one: two sides that
//! change it in different ways are in conflict. Where it is doubtful, it is a conflict.

use std::collections::{BTreeMap, HashMap};

use super::{Action, Change, Facts, Field, Options, OutputChange, ResourceChange, compare};
use crate::state::address::Address;
use crate::state::document::Document;
use crate::state::path::{Path, Step};

/// Who changed something.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Verdict {
    /// Only the first side.
    OnlyA,
    /// Only the second side.
    OnlyB,
    /// Both, in the same way.
    Same,
    /// Both, but different parts of it.
    Apart,
    /// Both, in ways that can't both be had.
    Conflict,
}

impl Verdict {
    /// Returns its name in JSON: `a`, `b`, `same`, `apart`, `conflict`.
    pub fn name(self) -> &'static str {
        match self {
            Self::OnlyA => "a",
            Self::OnlyB => "b",
            Self::Same => "same",
            Self::Apart => "apart",
            Self::Conflict => "conflict",
        }
    }
}

/// What two sides made of an instance or of an output.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Sides<T> {
    /// Who changed it.
    pub verdict: Verdict,
    /// What the first side did.
    pub a: Option<T>,
    /// What the second side did.
    pub b: Option<T>,
    /// Where both are in conflict, as printed; empty where it is about the whole.
    pub conflicts: Vec<String>,
}

impl<T> Sides<T> {
    /// Returns what was done, by the first side if both did something.
    pub fn first(&self) -> Option<&T> {
        self.a.as_ref().or(self.b.as_ref())
    }

    fn of(a: Option<T>, b: Option<T>, judge: impl FnOnce(&T, &T) -> Judgement) -> Self {
        let (verdict, conflicts) = match (&a, &b) {
            (Some(a), Some(b)) => judge(a, b),
            (Some(_), None) => (Verdict::OnlyA, Vec::new()),
            (None, _) => (Verdict::OnlyB, Vec::new()),
        };
        Self { verdict, a, b, conflicts }
    }
}

type Judgement = (Verdict, Vec<String>);

/// What two sides made of a state.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ThreeWay {
    /// The state that both come from.
    pub base: Facts,
    /// The first side.
    pub a: Facts,
    /// The second side.
    pub b: Facts,
    /// The instances that a side changed, in Terraform's order of their addresses.
    pub resources: Vec<Sides<ResourceChange>>,
    /// The outputs that a side changed, by name.
    pub outputs: Vec<Sides<OutputChange>>,
}

impl ThreeWay {
    /// Returns whether neither side changed anything.
    pub fn is_empty(&self) -> bool {
        self.resources.is_empty() && self.outputs.is_empty()
    }

    /// Returns how many instances and outputs have this verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        let resources = self.resources.iter().map(|sides| sides.verdict);
        let outputs = self.outputs.iter().map(|sides| sides.verdict);
        resources.chain(outputs).filter(|&other| other == verdict).count()
    }

    /// Returns whether not all three belong to one history.
    pub fn lineage_differs(&self) -> bool {
        self.a.lineage != self.base.lineage || self.b.lineage != self.base.lineage
    }
}

/// Compares two states with the one that both come from.
pub fn compare_three(base: &Document, a: &Document, b: &Document, options: &Options) -> ThreeWay {
    let (left, right) = (compare(base, a, options), compare(base, b, options));
    // Masked values don't say whether both sides did the same; the two documents do.
    let between = compare(a, b, options);
    ThreeWay {
        base: left.from,
        a: left.to,
        b: right.to,
        resources: resources((left.resources, right.resources), &between.resources),
        outputs: outputs((left.outputs, right.outputs), &between.outputs),
    }
}

/// An instance as all three know it: by its place in the base, or where it came to be.
#[derive(Clone, Eq, Hash, PartialEq)]
enum Subject {
    Base(usize),
    New(Place),
}

/// An address and the key of a deposed object.
type Place = (String, Option<String>);

fn place(change: &ResourceChange) -> Place {
    (change.address.clone(), change.deposed.clone())
}

fn resources(
    (left, right): (Vec<ResourceChange>, Vec<ResourceChange>),
    between: &[ResourceChange],
) -> Vec<Sides<ResourceChange>> {
    let between: HashMap<Place, &ResourceChange> =
        between.iter().map(|change| (place(change), change)).collect();
    let mut pairs: HashMap<Subject, (Option<ResourceChange>, Option<ResourceChange>)> =
        HashMap::new();
    let subject = |change: &ResourceChange| {
        change.from.map_or_else(|| Subject::New(place(change)), Subject::Base)
    };
    for change in left {
        let sides = pairs.entry(subject(&change)).or_default();
        sides.0 = Some(change);
    }
    for change in right {
        let sides = pairs.entry(subject(&change)).or_default();
        sides.1 = Some(change);
    }
    let judged =
        |a: &ResourceChange, b: &ResourceChange| judge(a, b, between.get(&place(a)).copied());
    let mut sides: Vec<_> = pairs.into_values().map(|(a, b)| Sides::of(a, b, judged)).collect();
    sides.sort_by_cached_key(|sides| {
        let place = sides.first().map(place);
        let address = place.as_ref().and_then(|(address, _)| address.parse::<Address>().ok());
        (address, place)
    });
    mark_collisions(&mut sides);
    sides
}

/// Two instances can't both come to be in one place.
fn mark_collisions(sides: &mut [Sides<ResourceChange>]) {
    let mut taken: HashMap<Place, usize> = HashMap::new();
    let mut colliding = Vec::new();
    for (at, sides) in sides.iter().enumerate() {
        let came = [&sides.a, &sides.b].into_iter().flatten();
        for change in came.filter(|c| matches!(c.action, Action::Added | Action::Moved)) {
            let first = *taken.entry(place(change)).or_insert(at);
            if first != at {
                colliding.extend([first, at]);
            }
        }
    }
    for at in colliding {
        sides[at].verdict = Verdict::Conflict;
    }
}

/// Judges an instance that both sides changed; `between` is how the two sides differ in it.
fn judge(a: &ResourceChange, b: &ResourceChange, between: Option<&ResourceChange>) -> Judgement {
    let whole = (Verdict::Conflict, Vec::new());
    match (a.action, b.action) {
        (Action::Removed, Action::Removed) => (Verdict::Same, Vec::new()),
        (Action::Added, Action::Added)
        | (Action::Changed, Action::Changed)
        | (Action::Moved, Action::Moved) => match between {
            _ if place(a) != place(b) => whole,
            None => (Verdict::Same, Vec::new()),
            Some(between) if a.action == Action::Changed => judge_parts(a, b, between),
            Some(_) => whole,
        },
        (Action::Added | Action::Removed | Action::Changed | Action::Moved, _) => whole,
    }
}

fn judge_parts(a: &ResourceChange, b: &ResourceChange, between: &ResourceChange) -> Judgement {
    let units = |change: &ResourceChange| -> Vec<(Field, Path)> {
        change.changes.iter().map(unit).collect()
    };
    let (of_a, of_b, differing) = (units(a), units(b), units(between));
    let is_met = |unit: &(Field, Path), others: &[(Field, Path)]| {
        others.iter().any(|other| overlap(unit, other))
    };
    let conflicts: Vec<String> = a
        .changes
        .iter()
        .zip(&of_a)
        .filter(|(_, unit)| is_met(unit, &of_b) && is_met(unit, &differing))
        .map(|(change, _)| change.path_text())
        .collect();
    let verdict = if conflicts.is_empty() { Verdict::Apart } else { Verdict::Conflict };
    (verdict, conflicts)
}

/// Returns what a change is counted as: its path up to the first list on the way.
fn unit(change: &Change) -> (Field, Path) {
    let keys = change.path.steps().iter().take_while(|step| matches!(step, Step::Key(_)));
    (change.field, keys.cloned().collect())
}

fn overlap(one: &(Field, Path), other: &(Field, Path)) -> bool {
    one.0 == other.0 && (one.1.starts_with(&other.1) || other.1.starts_with(&one.1))
}

fn outputs(
    (left, right): (Vec<OutputChange>, Vec<OutputChange>),
    between: &[OutputChange],
) -> Vec<Sides<OutputChange>> {
    let mut pairs: BTreeMap<String, (Option<OutputChange>, Option<OutputChange>)> = BTreeMap::new();
    for change in left {
        let sides = pairs.entry(change.name.clone()).or_default();
        sides.0 = Some(change);
    }
    for change in right {
        let sides = pairs.entry(change.name.clone()).or_default();
        sides.1 = Some(change);
    }
    let judged = |a: &OutputChange, _: &OutputChange| {
        let differ = between.iter().any(|change| change.name == a.name);
        (if differ { Verdict::Conflict } else { Verdict::Same }, Vec::new())
    };
    pairs.into_values().map(|(a, b)| Sides::of(a, b, judged)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::properties::state;
    use super::*;

    /// Compares and shows each instance as `address verdict conflicts`.
    fn shown(base: &str, a: &str, b: &str) -> Vec<String> {
        let three = three(base, a, b);
        assert!(!format!("{three:?}").contains("S3CR3T"));
        let show = |sides: &Sides<ResourceChange>| {
            let address = &sides.first().unwrap().address;
            format!("{address} {} {}", sides.verdict.name(), sides.conflicts.join(","))
                .trim_end()
                .to_owned()
        };
        three.resources.iter().map(show).collect()
    }

    fn three(base: &str, a: &str, b: &str) -> ThreeWay {
        let document = |text: &str| Document::parse(text.as_bytes().to_vec()).unwrap();
        compare_three(&document(base), &document(a), &document(b), &Options::default())
    }

    fn one(base: &str, a: &str, b: &str) -> String {
        let state = |attributes: &str| state(&[&format!("x.a {attributes}")]);
        shown(&state(base), &state(a), &state(b)).join(";")
    }

    #[test]
    fn each_side_is_told_for_what_it_alone_did() {
        let base = state(&["x.a {}", "x.b {}", "x.c {}"]);
        let a = state(&[r#"x.a {"n":1}"#, "x.b {}", "x.c {}", "x.d {}"]);
        let b = state(&["x.a {}", "x.c {}"]);
        assert_eq!(shown(&base, &a, &b), ["x.a a", "x.b b", "x.d a"]);
        assert_eq!(shown(&base, &b, &a), ["x.a b", "x.b a", "x.d b"]);
        assert!(three(&base, &base, &base).is_empty());
    }

    #[test]
    fn attributes_decide_whether_two_changes_of_an_instance_go_together() {
        let base = r#"{"n":1,"m":1,"t":{"a":1,"b":1},"l":[1,2]}"#;
        let with = |old: &str, new: &str| base.replacen(old, new, 1);
        let n = with(r#""n":1"#, r#""n":2"#);
        assert_eq!(one(base, &n, &n), "x.a same");
        assert_eq!(one(base, &n, &with(r#""m":1"#, r#""m":2"#)), "x.a apart");
        assert_eq!(one(base, &n, &with(r#""n":1"#, r#""n":3"#)), "x.a conflict n");
        let (ta, tb) = (with(r#""a":1"#, r#""a":2"#), with(r#""b":1"#, r#""b":2"#));
        assert_eq!(one(base, &ta, &tb), "x.a apart");
        let gone = with(r#""t":{"a":1,"b":1}"#, r#""t":null"#);
        assert_eq!(one(base, &ta, &gone), "x.a conflict t.a");
        let (longer, other) = (with("[1,2]", "[1,2,3]"), with("[1,2]", "[0,2]"));
        assert_eq!(one(base, &longer, &other), "x.a conflict l[2]");
        assert_eq!(one(base, &longer, &longer), "x.a same");
    }

    #[test]
    fn secrets_are_the_same_or_in_conflict_without_being_seen() {
        let secret = |text: &str| format!(r#"{{"password":"S3CR3T-{text}"}}"#);
        assert_eq!(one(&secret("old"), &secret("new"), &secret("new")), "x.a same");
        assert_eq!(one(&secret("old"), &secret("one"), &secret("two")), "x.a conflict password");
    }

    #[test]
    fn what_one_side_changed_and_the_other_removed_is_a_conflict() {
        let base = state(&[r#"x.a {"id":"i-1234"}"#]);
        let changed = state(&[r#"x.a {"id":"i-1234","n":1}"#]);
        let moved = state(&[r#"x.b {"id":"i-1234"}"#]);
        let none = state(&[]);
        assert_eq!(shown(&base, &changed, &none), ["x.a conflict"]);
        assert_eq!(shown(&base, &none, &none), ["x.a same"]);
        assert_eq!(shown(&base, &moved, &changed), ["x.b conflict"]);
        assert_eq!(shown(&base, &moved, &moved), ["x.b same"]);
    }

    #[test]
    fn two_instances_that_come_to_one_place_are_in_conflict() {
        let base = state(&[r#"x.a {"id":"i-1234"}"#]);
        let moved = state(&[r#"x.b {"id":"i-1234"}"#]);
        let added = state(&[r#"x.a {"id":"i-1234"}"#, r#"x.b {"id":"i-5678"}"#]);
        assert_eq!(shown(&base, &moved, &added), ["x.b conflict", "x.b conflict"]);
        let other = state(&[r#"x.a {"id":"i-1234"}"#, r#"x.b {"id":"i-9999"}"#]);
        assert_eq!(shown(&base, &other, &added), ["x.b conflict"]);
    }

    #[test]
    fn outputs_are_judged_by_name() {
        let state = |value: &str| {
            format!(
                r#"{{"version":4,"outputs":{{"o":{{"value":"{value}","type":"string","sensitive":true}}}}}}"#
            )
        };
        let verdict = |a: &str, b: &str| {
            let three = three(&state("S3CR3T"), &state(a), &state(b));
            assert_eq!(three.count(three.outputs[0].verdict), 1);
            three.outputs[0].verdict
        };
        assert_eq!(verdict("x", "S3CR3T"), Verdict::OnlyA);
        assert_eq!(verdict("S3CR3T", "x"), Verdict::OnlyB);
        assert_eq!(verdict("x", "x"), Verdict::Same);
        assert_eq!(verdict("x", "y"), Verdict::Conflict);
    }
}
