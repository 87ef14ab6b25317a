//! Every difference in words: what became of what, and its values as text.
//!
//! All text in an [`Entry`] has been through `base::text`: no control character, no mark that
//! reorders what is read.

use super::lines::{self, Hunk};
use crate::base::text::escape;
use crate::base::theme::Meaning;
use crate::cli::hcl;
use crate::diff::{
    Action, Change, CheckChange, Comparison, Field, KeyConversion, Keys, ModuleMove, OutputChange,
    Quiet, ResourceChange,
};
use crate::state::address::Address;
use crate::state::path::Step;
use crate::state::value::Value;

/// One resource instance or output that differs.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) action: Action,
    /// The module it is in; what is in none has a name too.
    pub(super) module: String,
    /// Its address, or `output.NAME`.
    pub(super) name: String,
    /// What became of it, in a few words.
    pub(super) note: String,
    /// Whether it is another object than before at the same address.
    pub(super) replaced: bool,
    pub(super) rows: Vec<Row>,
}

/// One attribute that differs.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// What became of the attribute.
    pub(super) action: Action,
    /// Where it is; empty for the value of an output.
    pub(super) path: String,
    pub(super) values: Values,
}

/// What stood there, and what stands there now.
#[derive(Clone, Debug)]
pub(super) enum Values {
    /// Two values on one line each; a side that has none is missing.
    Sides(Option<String>, Option<String>),
    /// A secret on either side: only that it changed is told.
    Secret,
    /// Strings of several lines.
    Lines(Vec<Hunk>),
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
        let count = counted(moved.instances, "instance");
        let note = format!("moved as a whole from {}, {count}", escape(&moved.from));
        let name = escape(&moved.to).into_owned();
        Self { note, ..Self::new(Action::Moved, name.clone(), name) }
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
        let note = format!("went from {from} to {to}, {count}");
        Self { note, ..Self::new(Action::Moved, module(&converted.resource), name) }
    }

    fn of_check(change: &CheckChange) -> Self {
        let status = |status: &Option<String>| {
            Some(status.as_deref().map_or("unknown".into(), |text| escape(text).into_owned()))
        };
        let values = Values::Sides(status(&change.before), status(&change.after));
        let rows = vec![Row { action: Action::Changed, path: "(status)".to_owned(), values }];
        let name = format!("check of {}", escape(&change.address));
        let note = Action::Changed.name().to_owned();
        Self { note, rows, ..Self::new(Action::Changed, "checks".to_owned(), name) }
    }

    fn new(action: Action, module: String, name: String) -> Self {
        Self { action, module, name, note: String::new(), replaced: false, rows: Vec::new() }
    }

    fn of_resource(change: &ResourceChange) -> Self {
        let mut name = escape(&change.address).into_owned();
        if let Some(key) = &change.deposed {
            name = format!("{name} (deposed {})", escape(key));
        }
        let replaced = is_replaced(change);
        let mut note = match (&change.from_address, change.changes.len()) {
            (Some(from), 0) => format!("moved from {}", escape(from)),
            (Some(from), n) => format!("moved from {}, {}", escape(from), counted(n, "change")),
            (None, 0) => change.action.name().to_owned(),
            (None, n) => counted(n, "change"),
        };
        if replaced {
            note = format!("replaced, {note}");
        }
        let rows = change.changes.iter().map(Row::of).collect();
        Self { action: change.action, module: module(&change.address), name, note, replaced, rows }
    }

    fn of_output(change: &OutputChange) -> Self {
        let mut rows = Vec::new();
        // Two masked values look alike whether they differ or not.
        if change.before != change.after || change.before == Some(Value::Sensitive) {
            let values = Values::of(change.before.as_ref(), change.after.as_ref());
            rows.push(Row { action: change.action, path: String::new(), values });
        }
        let mut row = |path: &str, before: Option<String>, after: Option<String>| {
            if change.action == Action::Changed && before != after {
                let values = Values::Sides(before, after);
                rows.push(Row { action: Action::Changed, path: path.to_owned(), values });
            }
        };
        let switch = |side: Option<bool>| side.map(|sensitive| sensitive.to_string());
        row("(sensitive)", switch(change.sensitive_before), switch(change.sensitive_after));
        let message = |side: &Option<String>| side.as_ref().map(|text| escape(text).into_owned());
        row("(deprecated)", message(&change.deprecated_before), message(&change.deprecated_after));
        let name = format!("output.{}", escape(&change.name));
        let note = change.action.name().to_owned();
        Self { note, rows, ..Self::new(change.action, "outputs".to_owned(), name) }
    }

    /// Returns the sign that stands before it.
    pub(super) fn sign(&self) -> &'static str {
        if self.replaced { "~/>" } else { sign(self.action) }
    }
}

impl Row {
    fn of(change: &Change) -> Self {
        let action = match (&change.before, &change.after) {
            (None, _) => Action::Added,
            (_, None) => Action::Removed,
            _ => Action::Changed,
        };
        let mut path = escape(&change.path_text()).into_owned();
        match change.quiet {
            Some(Quiet::Formatting) => path.push_str(" (formatting only)"),
            Some(Quiet::Role) => path.push_str(" (same role)"),
            None => {}
        }
        Self { action, path, values: Values::of(change.before.as_ref(), change.after.as_ref()) }
    }

    /// Returns the row as one line of plain text, values included where they fit on one.
    pub(super) fn line(&self) -> String {
        let gap = if self.path.is_empty() { "" } else { "  " };
        let values = match &self.values {
            Values::Secret => SECRET.to_owned(),
            Values::Sides(Some(before), Some(after)) => format!("{before} → {after}"),
            Values::Sides(Some(value), None) | Values::Sides(None, Some(value)) => value.clone(),
            Values::Sides(None, None) | Values::Lines(_) => String::new(),
        };
        format!("{} {}{gap}{values}", sign(self.action), self.path).trim_end().to_owned()
    }
}

/// What stands in the place of a secret that is not the same as before.
pub(super) const SECRET: &str = "(sensitive value, changed)";

impl Values {
    fn of(before: Option<&Value<'static>>, after: Option<&Value<'static>>) -> Self {
        match (before, after) {
            (Some(Value::Sensitive), Some(Value::Sensitive)) => Self::Secret,
            (Some(Value::String(before)), Some(Value::String(after)))
                if before.contains('\n') || after.contains('\n') =>
            {
                Self::Lines(lines::hunks(before, after))
            }
            (before, after) => Self::Sides(before.map(inline), after.map(inline)),
        }
    }
}

/// Returns a value on one line.
fn inline(value: &Value<'_>) -> String {
    match value {
        Value::Sensitive => hcl::MASK.to_owned(),
        other => escape(&other.to_json()).into_owned(),
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
fn module(address: &str) -> String {
    let module = Address::parse(address).map(|address| address.module.to_string());
    let module = module.ok().filter(|module| !module.is_empty());
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

/// Returns a number and what it counts.
pub(super) fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// Returns the last line: counts, and how the two states are related.
pub(super) fn summary(comparison: &Comparison) -> String {
    let counts = comparison.summary;
    let mut parts: Vec<String> = [
        (counts.added, "added"),
        (counts.removed, "removed"),
        (counts.changed, "changed"),
        (counts.moved, "moved"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, what)| format!("{count} {what}"))
    .collect();
    if !comparison.outputs.is_empty() {
        parts.push(format!("{} changed", counted(comparison.outputs.len(), "output")));
    }
    if !comparison.checks.is_empty() {
        parts.push(format!("{} changed", counted(comparison.checks.len(), "check")));
    }
    if parts.is_empty() {
        parts.push("no differences".to_owned());
    }
    parts.push(format!("{} unchanged", counts.unchanged));
    if counts.by_role > 0 {
        parts.push(format!("{} matched by role (--noise)", counted(counts.by_role, "difference")));
    }
    if counts.ignored > 0 {
        parts.push(format!("{} not told (--noise)", counted(counts.ignored, "change")));
    }
    let (from, to) = (&comparison.from, &comparison.to);
    parts.push(if from.serial == to.serial {
        format!("serial {}", to.serial)
    } else {
        format!("serial {} → {}", from.serial, to.serial)
    });
    parts.push(
        if comparison.lineage_differs() { "different lineages" } else { "same lineage" }.to_owned(),
    );
    parts.join(" · ")
}
