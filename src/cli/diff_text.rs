//! A comparison as people read it: one block for each resource, one line for each attribute.

use super::hcl;
use super::output::{self, Output};
use crate::base::text::escape;
use crate::base::theme::Meaning;
use crate::diff::{self, Action, Change, Comparison, OutputChange, ResourceChange, Tag};
use crate::state::value::Value;

/// Lines of context around a change in a long string.
const CONTEXT: usize = 2;

/// Writes what differs; nothing but the last line where nothing does.
pub(crate) fn write(out: &mut Output, comparison: &Comparison) -> Result<(), output::Error> {
    for change in &comparison.resources {
        write_resource(out, change)?;
    }
    for change in &comparison.outputs {
        write_output(out, change)?;
    }
    out.line(&summary(comparison))
}

fn write_resource(out: &mut Output, change: &ResourceChange) -> Result<(), output::Error> {
    let (mark, meaning) = mark(change.action);
    let mark = out.paint(meaning, mark);
    let address = out.paint(Meaning::Address, &change.address);
    let deposed = change.deposed.as_ref().map(|key| format!(" (deposed {})", escape(key)));
    let what = match (&change.from_address, change.changes.len()) {
        (Some(from), 0) => format!("  moved from {}", escape(from)),
        (Some(from), n) => format!("  moved from {}, {}", escape(from), counted(n, "change")),
        (None, 0) => format!("  {}", change.action.name()),
        (None, n) => format!("  {}", counted(n, "change")),
    };
    let what = out.paint(Meaning::Muted, &what);
    out.line(&format!("{mark} {address}{}{what}", deposed.unwrap_or_default()))?;
    let paths: Vec<String> =
        change.changes.iter().map(|change| escape(&change.path_text()).into_owned()).collect();
    // One long path does not push all values to the right.
    let width =
        paths.iter().map(|path| path.chars().count()).filter(|&n| n <= 40).max().unwrap_or(0);
    for (change, path) in change.changes.iter().zip(paths) {
        write_change(out, change, &path, width)?;
    }
    Ok(())
}

fn write_change(
    out: &mut Output,
    change: &Change,
    path: &str,
    width: usize,
) -> Result<(), output::Error> {
    let (mark, meaning) = match (&change.before, &change.after) {
        (None, _) => ("+", Meaning::Added),
        (_, None) => ("-", Meaning::Removed),
        _ => ("~", Meaning::Changed),
    };
    let mark = out.paint(meaning, mark);
    if let (Some(Value::String(before)), Some(Value::String(after))) =
        (&change.before, &change.after)
        && (before.contains('\n') || after.contains('\n'))
    {
        out.line(&format!("    {mark} {}", out.paint(Meaning::Attribute, path)))?;
        return write_lines(out, before, after);
    }
    let pad = " ".repeat(width.saturating_sub(path.chars().count()));
    let path = out.paint(Meaning::Attribute, path);
    let value = transition(out, change.before.as_ref(), change.after.as_ref());
    out.line(&format!("    {mark} {path}{pad}  {value}"))
}

/// Writes the lines that differ between two long strings, with some around them.
fn write_lines(out: &mut Output, before: &str, after: &str) -> Result<(), output::Error> {
    let lines = diff::lines(before, after);
    let changed: Vec<usize> = (0..lines.len()).filter(|&at| lines[at].tag != Tag::Equal).collect();
    let is_near = |at: usize| {
        let next = changed.partition_point(|&c| c + CONTEXT < at);
        changed.get(next).is_some_and(|&c| c <= at + CONTEXT)
    };
    let mut left_out = false;
    for (at, line) in lines.iter().enumerate() {
        let (mark, meaning) = match line.tag {
            Tag::Equal if is_near(at) => (" ", None),
            Tag::Equal => {
                if !left_out {
                    out.line(&format!("        {}", out.paint(Meaning::Muted, "…")))?;
                }
                left_out = true;
                continue;
            }
            Tag::Removed => ("-", Some(Meaning::Removed)),
            Tag::Added => ("+", Some(Meaning::Added)),
        };
        left_out = false;
        let text = format!("{mark} {}", line.text);
        let text = match meaning {
            Some(meaning) => out.paint(meaning, &text),
            None => escape(&text).into_owned(),
        };
        out.line(&format!("        {text}"))?;
    }
    Ok(())
}

fn write_output(out: &mut Output, change: &OutputChange) -> Result<(), output::Error> {
    let (mark, meaning) = mark(change.action);
    let mark = out.paint(meaning, mark);
    let name = out.paint(Meaning::Address, &format!("output.{}", change.name));
    let value = transition(out, change.before.as_ref(), change.after.as_ref());
    out.line(&format!("{mark} {name}  {value}"))?;
    if let (Some(before), Some(after)) = (change.sensitive_before, change.sensitive_after)
        && before != after
    {
        out.line(&format!(
            "    {} sensitive  {before} → {after}",
            out.paint(Meaning::Changed, "~")
        ))?;
    }
    Ok(())
}

fn transition(out: &Output, before: Option<&Value<'_>>, after: Option<&Value<'_>>) -> String {
    match (before, after) {
        (Some(Value::Sensitive), Some(Value::Sensitive)) => {
            out.paint(Meaning::Sensitive, "(sensitive value, changed)")
        }
        (Some(before), Some(after)) => format!("{} → {}", inline(out, before), inline(out, after)),
        (Some(value), None) | (None, Some(value)) => inline(out, value),
        (None, None) => String::new(),
    }
}

/// Returns a value on one line.
fn inline(out: &Output, value: &Value<'_>) -> String {
    match value {
        Value::Sensitive => out.paint(Meaning::Sensitive, hcl::MASK),
        other => escape(&other.to_json()).into_owned(),
    }
}

fn mark(action: Action) -> (&'static str, Meaning) {
    match action {
        Action::Added => ("+", Meaning::Added),
        Action::Removed => ("-", Meaning::Removed),
        Action::Changed => ("~", Meaning::Changed),
        Action::Moved => (">", Meaning::Moved),
    }
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// Returns the last line: counts, and how the two states are related.
fn summary(comparison: &Comparison) -> String {
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
    if parts.is_empty() {
        parts.push("no differences".to_owned());
    }
    parts.push(format!("{} unchanged", counts.unchanged));
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
