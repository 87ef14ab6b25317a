//! Every difference in words: what became of what, and its values as text.
//!
//! All text in an [`Entry`] has been through `base::text`: no control character, no mark that
//! reorders what is read.

use super::row::{self, Row, Values};
use crate::base::text::escape;
use crate::base::theme::Meaning;
use crate::diff::{
    Action, Change, CheckChange, Comparison, Field, KeyConversion, Keys, ModuleMove, OutputChange,
    ResourceChange,
};
use crate::state::address::Address;
use crate::state::path::Step;
use crate::state::value::Value;

/// One resource instance or output that differs, or several that are told as one.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) action: Action,
    /// The module it is in; what is in none has a name too.
    pub(super) module: String,
    /// Its address, or `output.NAME`.
    pub(super) name: String,
    /// What became of it, in a few words.
    pub(super) note: String,
    /// The address that the note ends with: where it was.
    pub(super) moved_from: Option<String>,
    /// Whether it is another object than before at the same address.
    pub(super) replaced: bool,
    pub(super) rows: Vec<Row>,
    /// The address of a resource instance, by which it can be told together with others.
    pub(super) address: Option<Address>,
    /// Whether it is a deposed object at that address.
    pub(super) deposed: bool,
    /// Whom it tells of, where it tells of several.
    pub(super) members: Option<Members>,
}

/// The instances that one entry tells of.
#[derive(Clone, Debug)]
pub(super) struct Members {
    /// What tells them apart, in a few words each; one list or more.
    pub(super) short: Vec<Vec<String>>,
    /// Their addresses.
    pub(super) addresses: Vec<String>,
}

impl Entry {
    /// Returns everything that differs: what moved together, resources in their order, outputs,
    /// checks.
    ///
    /// An instance that moved with others and did not change is told by their entry alone.
    pub(super) fn all(comparison: &Comparison) -> Vec<Self> {
        let is_told =
            |change: &&ResourceChange| change.fold.is_none() || !change.changes.is_empty();
        let mut all: Vec<Self> = comparison.module_moves.iter().map(Self::of_module).collect();
        all.extend(comparison.key_conversions.iter().map(Self::of_conversion));
        all.extend(comparison.resources.iter().filter(is_told).map(Self::of_resource));
        all.extend(comparison.outputs.iter().map(Self::of_output));
        all.extend(comparison.checks.iter().map(Self::of_check));
        all
    }

    fn of_module(moved: &ModuleMove) -> Self {
        let note = format!("{}, moved as a whole from", counted(moved.instances, "instance"));
        let moved_from = Some(escape(&moved.from).into_owned());
        let name = escape(&moved.to).into_owned();
        Self { note, moved_from, ..Self::new(Action::Moved, name.clone(), name) }
    }

    fn of_conversion(converted: &KeyConversion) -> Self {
        let keys = |keys: Keys| match keys {
            Keys::Single => "a single instance",
            Keys::Count => "count",
            Keys::ForEach => "for_each",
        };
        let count = counted(converted.instances, "instance");
        let (from, to) = (keys(converted.from), keys(converted.to));
        let name = escape(&converted.resource).into_owned();
        let note = format!("{count}, went from {from} to {to}");
        Self {
            note,
            ..Self::new(
                Action::Moved,
                module(Address::parse(&converted.resource).ok().as_ref()),
                name,
            )
        }
    }

    fn of_check(change: &CheckChange) -> Self {
        let status = |status: &Option<String>| status.as_deref().unwrap_or("unknown").to_owned();
        let values = Values::words(Some(status(&change.before)), Some(status(&change.after)));
        let rows = vec![Row { action: Action::Changed, path: "(status)".to_owned(), values }];
        let name = format!("check of {}", escape(&change.address));
        Self { rows, ..Self::new(Action::Changed, "checks".to_owned(), name) }
    }

    /// Makes an entry of which only is said what became of it.
    pub(super) fn new(action: Action, module: String, name: String) -> Self {
        Self {
            action,
            module,
            name,
            note: action.name().to_owned(),
            moved_from: None,
            replaced: false,
            rows: Vec::new(),
            address: None,
            deposed: false,
            members: None,
        }
    }

    pub(super) fn of_resource(change: &ResourceChange) -> Self {
        let mut name = escape(&change.address).into_owned();
        if let Some(key) = &change.deposed {
            name = format!("{name} (deposed {})", escape(key));
        }
        let replaced = is_replaced(change);
        let count = counted(change.changes.len(), "change");
        let (mut note, moved_from) = match (&change.from_address, change.changes.len()) {
            (Some(from), 0) => ("moved from".to_owned(), Some(from)),
            (Some(from), _) => (format!("{count}, moved from"), Some(from)),
            (None, 0) => (change.action.name().to_owned(), None),
            (None, _) => (count, None),
        };
        if replaced {
            note = format!("replaced, {note}");
        }
        let address = Address::parse(&change.address).ok();
        Self {
            note,
            moved_from: moved_from.map(|from| escape(from).into_owned()),
            replaced,
            rows: change.changes.iter().map(Row::of).collect(),
            deposed: change.deposed.is_some(),
            address: address.clone(),
            ..Self::new(change.action, module(address.as_ref()), name)
        }
    }

    pub(super) fn of_output(change: &OutputChange) -> Self {
        let mut rows = Vec::new();
        if !change.changes.is_empty() {
            let inside = change.changes.iter();
            rows.extend(inside.map(|inner| Row::at(&inner.path.to_string(), inner)));
        // Two masked values look alike whether they differ or not.
        } else if change.before != change.after || change.before == Some(Value::Sensitive) {
            let values = Values::of(change.before.as_ref(), change.after.as_ref());
            let path = change
                .quiet
                .map_or_else(String::new, |quiet| format!("value{}", row::note(Some(quiet))));
            rows.push(Row { action: change.action, path, values });
        }
        let mut row = |path: &str, before: Option<String>, after: Option<String>| {
            if change.action == Action::Changed && before != after {
                let values = Values::words(before, after);
                rows.push(Row { action: Action::Changed, path: path.to_owned(), values });
            }
        };
        let switch = |side: Option<bool>| side.map(|sensitive| sensitive.to_string());
        row("(sensitive)", switch(change.sensitive_before), switch(change.sensitive_after));
        row("(deprecated)", change.deprecated_before.clone(), change.deprecated_after.clone());
        if rows.is_empty() {
            // Nothing that is shown differs, so what differs is behind a mask.
            let (path, values) = (String::new(), Values::Secret);
            rows.push(Row { action: Action::Changed, path, values });
        }
        let name = format!("output.{}", escape(&change.name));
        Self { rows, ..Self::new(change.action, "outputs".to_owned(), name) }
    }

    /// Returns what became of it, with the address where it was.
    pub(super) fn note(&self) -> String {
        match &self.moved_from {
            Some(from) => format!("{} {from}", self.note),
            None => self.note.clone(),
        }
    }

    /// Returns what it means to the eye; what was replaced was removed first.
    pub(super) fn meaning(&self) -> Meaning {
        if self.replaced { Meaning::Removed } else { meaning(self.action) }
    }

    /// Returns the sign that stands before it.
    pub(super) fn sign(&self) -> &'static str {
        if self.replaced { "~/>" } else { sign(self.action) }
    }
}

/// Returns whether the object at an address is another one: its `id` is not what it was.
pub(super) fn is_replaced(change: &ResourceChange) -> bool {
    let is_id = |change: &Change| {
        let id = matches!(change.path.steps(), [Step::Key(key)] if key == "id");
        id && change.field == Field::Attributes && change.before.is_some() && change.after.is_some()
    };
    let is_another = |change: &Change| is_id(change) && change.quiet.is_none();
    change.action == Action::Changed && change.changes.iter().any(is_another)
}

/// Returns the name of the module that an address is in.
pub(super) fn module(address: Option<&Address>) -> String {
    let module = address.map(|address| address.module.to_string());
    let module = module.filter(|module| !module.is_empty());
    module.map_or("root module".to_owned(), |module| escape(&module).into_owned())
}

/// Returns the sign of an action.
pub(super) fn sign(action: Action) -> &'static str {
    match action {
        Action::Added => "+",
        Action::Removed => "-",
        Action::Changed => "~",
        Action::Moved => ">",
    }
}

/// Returns what an action means to the eye.
pub(super) fn meaning(action: Action) -> Meaning {
    match action {
        Action::Added => Meaning::Added,
        Action::Removed => Meaning::Removed,
        Action::Changed => Meaning::Changed,
        Action::Moved => Meaning::Moved,
    }
}

/// Returns a number of entries.
pub(super) fn counted_entries(count: usize) -> String {
    if count == 1 { "1 entry".to_owned() } else { format!("{count} entries") }
}

/// Returns a number and what it counts.
pub(super) fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}
