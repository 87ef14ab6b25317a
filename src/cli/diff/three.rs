//! A three-way comparison as people read it: what each side did, and what can't both be had.

use crate::base::text::escape;
use crate::base::theme::Meaning;
use crate::cli::hcl;
use crate::cli::output::{self, Output};
use crate::diff::{Action, Change, OutputChange, ResourceChange, Sides, ThreeWay, Verdict};
use crate::state::value::Value;

/// Writes what the sides did; nothing but the last line where neither did anything.
pub(crate) fn write(out: &mut Output, three: &ThreeWay) -> Result<(), output::Error> {
    for sides in &three.resources {
        let Some(change) = sides.first() else { continue };
        let deposed = change.deposed.as_ref().map(|key| format!(" (deposed {})", escape(key)));
        let name = format!("{}{}", change.address, deposed.unwrap_or_default());
        write_head(out, &name, sides)?;
        for (label, change) in labelled(sides) {
            write_resource(out, label, change)?;
        }
    }
    for sides in &three.outputs {
        let Some(change) = sides.first() else { continue };
        write_head(out, &format!("output.{}", change.name), sides)?;
        for (label, change) in labelled(sides) {
            write_output(out, label, change)?;
        }
    }
    out.line(&summary(three))
}

fn write_head<T>(out: &mut Output, name: &str, sides: &Sides<T>) -> Result<(), output::Error> {
    let (mark, meaning, words) = match sides.verdict {
        Verdict::OnlyA => ("A", Meaning::Added, "only A"),
        Verdict::OnlyB => ("B", Meaning::Changed, "only B"),
        Verdict::Same => ("=", Meaning::Muted, "the same on both sides"),
        Verdict::Apart => ("&", Meaning::Moved, "both sides, in different parts"),
        Verdict::Conflict => ("!", Meaning::Error, "conflict"),
    };
    let places = match sides.conflicts.as_slice() {
        [] => String::new(),
        conflicts => format!(": {}", conflicts.join(", ")),
    };
    let mark = out.paint(meaning, mark);
    let words = out.paint(meaning, &format!("{words}{places}"));
    out.line(&format!("{mark} {}  {words}", out.paint(Meaning::Address, name)))
}

/// Returns what is to be shown of each side; once where both did the same.
fn labelled<T>(sides: &Sides<T>) -> Vec<(&'static str, &T)> {
    let labels = match sides.verdict {
        Verdict::Same => [" ", ""],
        Verdict::OnlyA | Verdict::OnlyB => [" ", " "],
        Verdict::Apart | Verdict::Conflict => ["A", "B"],
    };
    let shown = [sides.a.as_ref(), sides.b.as_ref()];
    labels
        .into_iter()
        .zip(shown)
        .filter_map(|(l, c)| Some((l, c?)))
        .filter(|(l, _)| !l.is_empty())
        .collect()
}

fn write_resource(
    out: &mut Output,
    label: &str,
    change: &ResourceChange,
) -> Result<(), output::Error> {
    let from = change.from_address.as_ref().map(|from| format!(" from {}", escape(from)));
    let what = format!("{}{}", change.action.name(), from.unwrap_or_default());
    out.line(&format!("  {label} {}", out.paint(meaning(change.action), &what)))?;
    for change in &change.changes {
        let path = out.paint(Meaning::Attribute, &change.path_text());
        let value = transition(out, change);
        out.line(&format!("      {} {path}  {value}", mark(out, change)))?;
    }
    Ok(())
}

fn write_output(out: &mut Output, label: &str, change: &OutputChange) -> Result<(), output::Error> {
    let sides = (change.before.as_ref(), change.after.as_ref());
    let what = out.paint(meaning(change.action), change.action.name());
    out.line(&format!("  {label} {what}  {}", values(out, sides)))
}

fn meaning(action: Action) -> Meaning {
    match action {
        Action::Added => Meaning::Added,
        Action::Removed => Meaning::Removed,
        Action::Changed => Meaning::Changed,
        Action::Moved => Meaning::Moved,
    }
}

fn mark(out: &Output, change: &Change) -> String {
    match (&change.before, &change.after) {
        (None, _) => out.paint(Meaning::Added, "+"),
        (_, None) => out.paint(Meaning::Removed, "-"),
        _ => out.paint(Meaning::Changed, "~"),
    }
}

fn transition(out: &Output, change: &Change) -> String {
    values(out, (change.before.as_ref(), change.after.as_ref()))
}

fn values(out: &Output, sides: (Option<&Value<'_>>, Option<&Value<'_>>)) -> String {
    match sides {
        (Some(Value::Sensitive), Some(Value::Sensitive)) => {
            out.paint(Meaning::Sensitive, "(sensitive value, changed)")
        }
        (Some(before), Some(after)) => format!("{} → {}", inline(out, before), inline(out, after)),
        (Some(value), None) | (None, Some(value)) => inline(out, value),
        (None, None) => String::new(),
    }
}

fn inline(out: &Output, value: &Value<'_>) -> String {
    match value {
        Value::Sensitive => out.paint(Meaning::Sensitive, hcl::MASK),
        other => escape(&other.to_json()).into_owned(),
    }
}

/// Returns the last line: how much of each, and the serials.
fn summary(three: &ThreeWay) -> String {
    let parts = [
        (Verdict::OnlyA, "only A"),
        (Verdict::OnlyB, "only B"),
        (Verdict::Same, "the same"),
        (Verdict::Apart, "in different parts"),
    ];
    let mut words: Vec<String> = parts
        .into_iter()
        .map(|(verdict, word)| (three.count(verdict), word))
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    words.push(match (three.is_empty(), three.count(Verdict::Conflict)) {
        (true, _) => "no differences".to_owned(),
        (false, 0) => "no conflicts".to_owned(),
        (false, 1) => "1 conflict".to_owned(),
        (false, count) => format!("{count} conflicts"),
    });
    let (base, a, b) = (three.base.serial, three.a.serial, three.b.serial);
    words.push(format!("serial {base} → {a} (A), {b} (B)"));
    words.push(
        if three.lineage_differs() { "different lineages" } else { "same lineage" }.to_owned(),
    );
    words.join(" · ")
}
