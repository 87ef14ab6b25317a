//! A three-way comparison as people read it: what each side did, and what can't both be had.

use super::entry::Entry;
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
    let Some(first) = sides.first().map(tell) else { return Ok(()) };
    match sides.verdict {
        Verdict::OnlyA | Verdict::OnlyB | Verdict::Same => {
            write_head(out, &first, (sides, Some(&first.note())))?;
            write_rows(out, &first, detail)
        }
        Verdict::Apart | Verdict::Conflict => {
            write_head(out, &first, (sides, None))?;
            for (label, side) in [("A", &sides.a), ("B", &sides.b)] {
                let Some(side) = side.as_ref().map(tell) else { continue };
                let note = out.paint(side.meaning(), &side.note());
                out.line(&format!("  {label} {note}"))?;
                write_rows(out, &side, detail)?;
            }
            Ok(())
        }
    }
}

fn write_rows(out: &mut Output, entry: &Entry, detail: Detail) -> Result<(), output::Error> {
    let width = text::column(&entry.rows);
    entry.rows.iter().try_for_each(|row| text::write_row(out, row, width, detail))
}

fn write_head<T>(
    out: &mut Output,
    entry: &Entry,
    (sides, note): (&Sides<T>, Option<&str>),
) -> Result<(), output::Error> {
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
    let note =
        note.map_or_else(String::new, |note| format!(", {}", out.paint(Meaning::Muted, note)));
    out.line(&format!("{mark} {}  {words}{note}", out.paint(Meaning::Address, &entry.name)))
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
