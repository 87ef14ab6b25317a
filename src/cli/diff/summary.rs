//! The last line: how much changed, and how the two states are related.

use super::entry::{self, counted};
use crate::diff::Comparison;

/// What stands between the parts.
pub(super) const BETWEEN: &str = " · ";

/// Returns the last line as one text.
pub(super) fn line(comparison: &Comparison) -> String {
    of(comparison).join(BETWEEN)
}

/// Returns the parts of the last line: counts, and how the two states are related.
pub(super) fn of(comparison: &Comparison) -> Vec<String> {
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
    let replaced = comparison.resources.iter().filter(|change| entry::is_replaced(change)).count();
    if replaced > 0
        && let Some(changed) = parts.iter_mut().find(|part| part.ends_with("changed"))
    {
        *changed = format!("{changed} ({replaced} replaced)");
    }
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
    parts
}
