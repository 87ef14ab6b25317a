//! A three-way comparison as people read it: what each side did, and what can't both be had.

use super::entry::{self, Entry};
use super::text;
use super::wrap::Detail;
use crate::base::text::escape;
use crate::base::theme::Meaning;
use crate::cli::output::{self, Output};
use crate::diff::{Sides, ThreeWay, Verdict};

/// Writes what the sides did; nothing but the last line where neither did anything.
pub(crate) fn write(
    out: &mut Output,
    three: &ThreeWay,
    detail: Detail,
) -> Result<(), output::Error> {
    for sides in &three.resources {
        write_sides(out, sides, (Entry::of_resource, detail))?;
    }
    for sides in &three.outputs {
        write_sides(out, sides, (Entry::of_output, detail))?;
    }
    text::write_summary(out, &summary(three))
}

fn write_sides<T>(
    out: &mut Output,
    sides: &Sides<T>,
    (tell, detail): (fn(&T) -> Entry, Detail),
) -> Result<(), output::Error> {
    let Some(change) = sides.first() else { return Ok(()) };
    write_head(out, &tell(change).name, sides)?;
    for (label, change) in labelled(sides) {
        let entry = tell(change);
        let note = out.paint(entry::meaning(entry.action), &entry.note());
        out.line(&format!("  {label} {note}"))?;
        let width = text::column(&entry.rows);
        for row in &entry.rows {
            text::write_row(out, row, width, detail)?;
        }
    }
    Ok(())
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
        conflicts => format!(": {}", escape(&conflicts.join(", "))),
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

/// Returns the parts of the last line: how much of each, and the serials.
fn summary(three: &ThreeWay) -> Vec<String> {
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
    words
}
