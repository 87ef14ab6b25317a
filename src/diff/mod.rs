//! Two states in, what changed out: by address and attribute, never by line.
//!
//! Pure and quick: instances are paired in one walk over Terraform's order, those with equal bytes
//! are not decoded. What differs only in spelling is no change: white space, key order, the digits
//! of a number, the layout of JSON inside a string, and what Terraform and OpenTofu leave out or
//! write as empty. Secrets are masked before they get into a result.
//!
//! Everything in a result is raw text of the states; who prints it escapes it.

mod canonical;
mod change;
mod checks;
mod fold;
mod instance;
mod list;
mod merge;
mod moves;
mod noise;
mod options;
mod outputs;
#[cfg(test)]
mod properties;
mod roles;
mod rule;
mod same;
mod sequence;
mod text;
mod three;
mod unordered;
mod values;

use fold::Folds;
use instance::Rules;
use merge::{Found, Place};
use moves::Moves;
use options::Untold;
use roles::Roles;

pub use change::{Change, Field, Quiet};
pub use checks::CheckChange;
pub use fold::{Fold, KeyConversion, Keys, ModuleMove};
pub use options::{Environments, Noise, Options};
pub use outputs::OutputChange;
pub use rule::{Error, Rule};
pub use same::{differing_paths, is_same_instance, is_same_output, object_name};
pub use text::{Line, Tag, lines};
pub use three::{Sides, ThreeWay, Verdict, compare_three};

use crate::state::address::Mode;
use crate::state::document::Document;

/// What differs between two states.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Comparison {
    /// The old state.
    pub from: Facts,
    /// The new state.
    pub to: Facts,
    /// How many instances of which kind.
    pub summary: Summary,
    /// The instances that differ, in Terraform's order of their addresses.
    pub resources: Vec<ResourceChange>,
    /// The outputs that differ, by name.
    pub outputs: Vec<OutputChange>,
    /// The checks whose status differs, by address.
    pub checks: Vec<CheckChange>,
    /// The modules that were renamed as a whole; their instances are among the resources too.
    pub module_moves: Vec<ModuleMove>,
    /// The resources that got keys of another kind; their instances are among the resources too.
    pub key_conversions: Vec<KeyConversion>,
}

impl Comparison {
    /// Returns whether nothing differs; facts such as the serial are no difference.
    pub fn is_empty(&self) -> bool {
        self.resources.is_empty() && self.outputs.is_empty() && self.checks.is_empty()
    }

    /// Returns whether the states belong to different histories.
    pub fn lineage_differs(&self) -> bool {
        self.from.lineage != self.to.lineage
    }

    /// Keeps only the instances that `keep` answers `true` for, and counts again.
    ///
    /// What is unchanged stays counted: it was never in question.
    pub fn retain(&mut self, keep: impl FnMut(&ResourceChange) -> bool) {
        self.resources.retain(keep);
        let folds = Folds {
            modules: std::mem::take(&mut self.module_moves),
            keys: std::mem::take(&mut self.key_conversions),
        };
        let folds = fold::recount(folds, &mut self.resources);
        (self.module_moves, self.key_conversions) = (folds.modules, folds.keys);
        let Summary { unchanged, ignored, by_role, .. } = self.summary;
        self.summary = Summary::of(&self.resources, unchanged, Untold { ignored, by_role });
    }
}

/// What a state says of itself.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Facts {
    /// Version of the format.
    pub version: u64,
    /// Version of the last writer; empty where the state does not say.
    pub terraform_version: String,
    /// The serial.
    pub serial: u64,
    /// The lineage; it may be empty.
    pub lineage: String,
}

impl Facts {
    fn of(document: &Document) -> Self {
        Self {
            version: document.version(),
            terraform_version: document.terraform_version().to_owned(),
            serial: document.serial(),
            lineage: document.lineage().to_owned(),
        }
    }
}

/// Counts of instances, deposed objects included. Each instance is counted once.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Summary {
    /// Those only the new state has.
    pub added: usize,
    /// Those only the old state has.
    pub removed: usize,
    /// Those that differ at the same address.
    pub changed: usize,
    /// Those at another address, whether they changed too or not.
    pub moved: usize,
    /// All others, with those in which only what is ignored changed.
    pub unchanged: usize,
    /// Changes that are not told: what [`Options`] ignores, and noise.
    pub ignored: usize,
    /// Differences between two environments that are not told, as both sides play the same role.
    pub by_role: usize,
}

impl Summary {
    fn of(resources: &[ResourceChange], unchanged: usize, untold: Untold) -> Self {
        let count = |action| resources.iter().filter(|change| change.action == action).count();
        Self {
            added: count(Action::Added),
            removed: count(Action::Removed),
            changed: count(Action::Changed),
            moved: count(Action::Moved),
            unchanged,
            ignored: untold.ignored,
            by_role: untold.by_role,
        }
    }
}

/// What became of an instance or an output.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Action {
    /// Only the new state has it.
    Added,
    /// Only the old state has it.
    Removed,
    /// It differs.
    Changed,
    /// The same object is at another address.
    Moved,
}

impl Action {
    /// Returns its name in JSON: `added`, `removed`, `changed`, `moved`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
            Self::Moved => "moved",
        }
    }
}

/// An instance that differs.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ResourceChange {
    /// Its address; the new one where it moved.
    pub address: String,
    /// What became of it.
    pub action: Action,
    /// Where it was, if it moved.
    pub from_address: Option<String>,
    /// The key of a deposed object, which shares its address with the current one.
    pub deposed: Option<String>,
    /// Whether it is managed or a data source.
    pub mode: Mode,
    /// Its type, such as `aws_instance`.
    pub kind: String,
    /// What its move is part of, where one edit moved several.
    pub fold: Option<Fold>,
    /// What differs in it; empty for what was added or removed as a whole.
    pub changes: Vec<Change>,
    /// Its place in the old document's [`instances`](Document::instances).
    pub from: Option<usize>,
    /// Its place in the new document's [`instances`](Document::instances).
    pub to: Option<usize>,
}

/// Compares two states. Those of equal bytes are known to be equal without looking into them.
pub fn compare(from: &Document, to: &Document, options: &Options) -> Comparison {
    let rules = Rules { reveal: options.reveal, schemas: options.schemas.as_deref(), roles: None };
    if from.bytes() == to.bytes() {
        let found = Told { unchanged: from.len(), ..Told::default() };
        return comparison((from, to), found, (options, rules));
    }
    let (mut found, unchanged) = merge::unequal(from, to);
    let mut learnt = None;
    if options.environments == Environments::Two {
        let (known, paired) = Roles::learn(from, to, found);
        (learnt, found) = (Some(known), paired);
    }
    let rules = Rules { roles: learnt.as_ref(), ..rules };
    let (moves, stayed) = examine(from, to, (&found, rules));
    let mut told = Told { unchanged, ..Told::default() };
    for ((at, &found), changes) in found.iter().enumerate().zip(stayed) {
        told.tell((found, moves.origin(at)), changes, (options, rules));
    }
    comparison((from, to), told, (options, rules))
}

/// What is told of the instances, and how many are not.
#[derive(Debug, Default)]
struct Told {
    resources: Vec<ResourceChange>,
    unchanged: usize,
    untold: Untold,
}

impl Told {
    fn tell(
        &mut self,
        (found, origin): (Found<'_>, Option<Place<'_>>),
        changes: Vec<Change>,
        (options, rules): (&Options, Rules<'_>),
    ) {
        let (action, sides, changes) = match (found, origin) {
            (Found::Removed(_), Some(_)) => return,
            (Found::Both(from, to), _) => {
                let (changes, untold) = options.told(to.instance, changes);
                self.untold += untold;
                let renamed = usize::from(rules.roles.is_some() && roles::are_twins(&found));
                let moved = renamed > 0 && options.noise == Noise::Shown;
                if !moved {
                    self.untold.by_role += renamed;
                }
                if changes.is_empty() && !moved {
                    self.unchanged += 1;
                    return;
                }
                let action = if moved { Action::Moved } else { Action::Changed };
                (action, (Some(from), Some(to)), changes)
            }
            (Found::Added(to), Some(from)) => {
                let changes = instance::compare(from.instance, to.instance, rules);
                let (changes, untold) = options.told(to.instance, changes);
                self.untold += untold;
                (Action::Moved, (Some(from), Some(to)), changes)
            }
            (Found::Added(to), None) => (Action::Added, (None, Some(to)), changes),
            (Found::Removed(from), None) => (Action::Removed, (Some(from), None), changes),
        };
        self.resources.extend(resource(action, sides, changes));
    }
}

fn comparison(
    (from, to): (&Document, &Document),
    Told { mut resources, unchanged, mut untold }: Told,
    (options, rules): (&Options, Rules<'_>),
) -> Comparison {
    let folds = fold::find((from, to), &mut resources);
    let mut outputs = outputs::compare(from, to, rules);
    if options.noise == Noise::Hidden {
        untold += outputs::hush(&mut outputs);
    }
    Comparison {
        from: Facts::of(from),
        to: Facts::of(to),
        summary: Summary::of(&resources, unchanged, untold),
        resources,
        outputs,
        checks: checks::compare(from, to),
        module_moves: folds.modules,
        key_conversions: folds.keys,
    }
}

/// From this many on, two threads are faster than one.
const WORTH_TWO_THREADS: usize = 64;

/// Finds what moved, and compares what stayed: one list of changes for each instance found.
fn examine<'a>(
    from: &'a Document,
    to: &'a Document,
    (found, rules): (&[Found<'a>], Rules<'_>),
) -> (Moves<'a>, Vec<Vec<Change>>) {
    let compare = || found.iter().map(|found| stayed(found, rules)).collect();
    if found.len() < WORTH_TWO_THREADS {
        return (moves::find(from, to, found), compare());
    }
    std::thread::scope(|scope| {
        let second = scope.spawn(|| moves::find(from, to, found));
        let stayed = compare();
        let moves = second.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        (moves, stayed)
    })
}

fn stayed(found: &Found<'_>, rules: Rules<'_>) -> Vec<Change> {
    match found {
        Found::Both(from, to) => instance::compare(from.instance, to.instance, rules),
        Found::Added(_) | Found::Removed(_) => Vec::new(),
    }
}

/// Tells a change; `None` where it has neither side.
fn resource(
    action: Action,
    (from, to): (Option<Place<'_>>, Option<Place<'_>>),
    changes: Vec<Change>,
) -> Option<ResourceChange> {
    let instance = to.or(from)?.instance;
    let moved = from.filter(|_| action == Action::Moved);
    Some(ResourceChange {
        address: instance.address_text(),
        action,
        from_address: moved.map(|from| from.instance.address_text()),
        deposed: instance.deposed(),
        mode: instance.resource().mode(),
        kind: instance.resource().kind().into_owned(),
        fold: None,
        changes,
        from: from.map(|place| place.at),
        to: to.map(|place| place.at),
    })
}

#[cfg(test)]
mod tests {
    use super::properties::{compared, state};
    use super::*;

    fn shown(comparison: &Comparison) -> Vec<String> {
        let show = |change: &ResourceChange| {
            let deposed = change.deposed.as_deref().unwrap_or("current");
            format!("{} {} {deposed}", change.address, change.action.name())
        };
        comparison.resources.iter().map(show).collect()
    }

    #[test]
    fn instances_are_told_in_the_order_of_their_addresses() {
        let before = state(&["x.a[0] {}", "x.a[2] {}", "x.a[10] {}", "x.c {}", "data.y.z {}"]);
        let after = state(&[r#"x.a[2] {"n":1}"#, "x.b {}", "x.c {}", r#"m.m/x.a {"n":2}"#]);
        let comparison = compared(&before, &after);
        let expected = [
            "data.y.z removed current",
            "x.a[0] removed current",
            "x.a[2] changed current",
            "x.a[10] removed current",
            "x.b added current",
            "module.m.x.a added current",
        ];
        assert_eq!(shown(&comparison), expected);
        let summary =
            Summary { added: 2, removed: 3, changed: 1, unchanged: 1, ..Summary::default() };
        assert_eq!(comparison.summary, summary);
    }

    #[test]
    fn a_deposed_object_is_told_apart_from_the_current_one() {
        let deposed = r#"x.a {"id":"old"} "deposed":"0a0a0a0a","#;
        let before = state(&[r#"x.a {"id":"old"}"#]);
        let after = state(&[r#"x.a {"id":"new"}"#, deposed]);
        assert_eq!(
            shown(&compared(&before, &after)),
            ["x.a changed current", "x.a added 0a0a0a0a"]
        );
    }

    #[test]
    fn a_moved_instance_lists_what_else_changed_and_counts_once() {
        let before = state(&[r#"x.a {"id":"h-1","n":1}"#]);
        let after = state(&[r#"x.b["k"] {"id":"h-1","n":2}"#]);
        let comparison = compared(&before, &after);
        let change = &comparison.resources[0];
        assert_eq!((change.action, change.from_address.as_deref()), (Action::Moved, Some("x.a")));
        assert_eq!(change.changes[0].path_text(), "n");
        assert_eq!(comparison.summary, Summary { moved: 1, ..Summary::default() });
    }

    #[test]
    fn order_and_layout_of_the_file_do_not_matter() {
        let one = state(&["x.b {}", r#"x.a {"n":1}"#, "m.m/x.a[1] {}", "m.m/x.a[0] {}"]);
        let two = state(&["m.m/x.a[0] {}", r#"x.a {"n":1.0}"#, "m.m/x.a[1] {}", "x.b {}"]);
        let comparison = compared(&one, &two);
        assert!(comparison.is_empty());
        assert_eq!(comparison.summary, Summary { unchanged: 4, ..Summary::default() });
    }

    #[test]
    fn the_header_is_told_and_is_no_difference() {
        let before = state(&["x.a {}"]);
        let after = before.replace(r#""serial":1,"lineage":"l""#, r#""serial":7,"lineage":"k""#);
        let comparison = compared(&before, &after);
        assert!(comparison.is_empty() && comparison.lineage_differs());
        assert_eq!((comparison.from.serial, comparison.to.serial), (1, 7));
    }

    #[test]
    fn what_is_not_kept_is_not_counted() {
        let mut comparison = compared(&state(&["x.a {}"]), &state(&["x.b {}", "y.b {}"]));
        comparison.retain(|change| change.kind == "x");
        assert_eq!(comparison.summary, Summary { added: 1, removed: 1, ..Summary::default() });
        assert_eq!(
            comparison.resources.iter().map(|change| change.to).collect::<Vec<_>>(),
            [None, Some(0)]
        );
    }
}
