//! A comparison as people read it: one block for each resource, one line for each attribute.

use unicode_width::UnicodeWidthStr as _;

use super::entry::{self, Entry};
use super::lines::{self, Hunk};
use super::pieces::{Piece, Text};
use super::row::{Row, SECRET, Values};
use super::wrap::{self, Detail, wrap};
use super::{Layout, Report, side_by_side, summary};
use crate::base::theme::Meaning;
use crate::cli::output::{self, Output};
use crate::diff::{Action, Tag};

/// A path longer than this does not push all values to the right.
pub(super) const LONGEST_PATH: usize = 40;
/// Where the paths of attributes begin, after their sign.
const INDENT: usize = 6;
/// Where values begin that stand below their path, after their sign.
const BELOW: usize = 10;
/// A value gets this many columns at least.
const NARROWEST: usize = 16;
/// The instances that an entry tells of are named in this many lines.
const LINES_OF_NAMES: usize = 2;

/// Writes what differs; nothing but the last line where nothing does.
pub(crate) fn write(
    out: &mut Output,
    report: Report<'_>,
    layout: Layout,
) -> Result<(), output::Error> {
    for entry in report.entries() {
        write_head(out, &entry)?;
        write_members(out, &entry)?;
        let width = column(&entry.rows);
        for row in &entry.rows {
            match layout {
                Layout::Unified => write_row(out, row, width, report.detail)?,
                // Every resource has its two sides in the same columns.
                Layout::SideBySide => side_by_side::write_row(out, row, report.detail)?,
            }
        }
    }
    write_summary(out, &summary::of(report.comparison))
}

/// Returns how wide the column of the paths is.
pub(super) fn column(rows: &[Row]) -> usize {
    let widths = rows.iter().map(|row| row.path.width());
    widths.filter(|&width| width <= LONGEST_PATH).max().unwrap_or(0)
}

/// Writes the last line, or lines where it is wider than the terminal.
pub(super) fn write_summary(out: &mut Output, parts: &[String]) -> Result<(), output::Error> {
    let room = out.width().map_or(usize::MAX, usize::from);
    let mut line = String::new();
    for part in parts {
        let wider = line.width() + part.width() + summary::BETWEEN.width();
        if !line.is_empty() && wider > room {
            out.line(&line)?;
            line.clear();
        }
        if !line.is_empty() {
            line.push_str(summary::BETWEEN);
        }
        line.push_str(part);
    }
    out.line(&line)
}

pub(super) fn write_head(out: &mut Output, entry: &Entry) -> Result<(), output::Error> {
    let sign = out.paint(entry.meaning(), entry.sign());
    let name = out.paint(Meaning::Address, &entry.name);
    let note = entry.note();
    let used = entry.sign().width() + entry.name.width() + note.width() + 3;
    let fits = out.width().is_none_or(|all| used <= usize::from(all));
    let note = out.paint(Meaning::Muted, &note);
    if fits {
        return out.line(&format!("{sign} {name}  {note}"));
    }
    // Names are not broken: they are to be copied.
    out.line(&format!("{sign} {name}"))?;
    out.line(&format!("    {note}"))
}

fn write_members(out: &mut Output, entry: &Entry) -> Result<(), output::Error> {
    let Some(members) = &entry.members else { return Ok(()) };
    let (room, most) = match out.width() {
        Some(all) => (usize::from(all).saturating_sub(4).max(NARROWEST), LINES_OF_NAMES),
        None => (usize::MAX, usize::MAX),
    };
    // Of what is gone, everything is named.
    let most = if entry.action == Action::Removed { usize::MAX } else { most };
    for names in &members.short {
        for line in wrap::list(names, room, most) {
            out.line(&format!("    {}", out.paint(Meaning::Muted, &line)))?;
        }
    }
    Ok(())
}

/// Writes one attribute: on one line where it fits, otherwise with its values below it.
pub(super) fn write_row(
    out: &mut Output,
    row: &Row,
    width: usize,
    detail: Detail,
) -> Result<(), output::Error> {
    let start = start(out, row, width);
    let used = INDENT + path(row).width().max(width) + 2;
    let fits = |value: usize| out.width().is_none_or(|all| used + value <= usize::from(all));
    match &row.values {
        Values::Secret => out.line(&format!("{start}{}", out.paint(Meaning::Sensitive, SECRET))),
        Values::Sides(Some(before), Some(after)) if fits(before.width() + after.width() + 3) => {
            let (before, after) =
                (painted(out, Tag::Removed, before), painted(out, Tag::Added, after));
            out.line(&format!("{start}{before} → {after}"))
        }
        Values::Sides(Some(value), None) if fits(value.width()) => {
            out.line(&format!("{start}{}", painted(out, Tag::Removed, value)))
        }
        Values::Sides(None, Some(value)) if fits(value.width()) => {
            out.line(&format!("{start}{}", painted(out, Tag::Added, value)))
        }
        Values::Sides(before, after) => {
            out.line(start.trim_end())?;
            for (tag, value) in [(Tag::Removed, before), (Tag::Added, after)] {
                if let Some(value) = value {
                    write_below(out, tag, value, detail)?;
                }
            }
            Ok(())
        }
        Values::Lines(hunks) => {
            out.line(start.trim_end())?;
            hunks.iter().try_for_each(|hunk| match hunk {
                Hunk::Gap => out.line(&format!("        {}", out.paint(Meaning::Muted, "…"))),
                Hunk::Line(tag, text) => write_below(out, *tag, text, detail),
            })
        }
    }
}

/// Writes text below its path, with its sign before the first line.
fn write_below(
    out: &mut Output,
    tag: Tag,
    text: &Text,
    detail: Detail,
) -> Result<(), output::Error> {
    let room = out.width().map(|all| usize::from(all).saturating_sub(BELOW).max(NARROWEST));
    let lines = room.map_or_else(|| vec![text.clone()], |room| wrap(text, room, detail));
    for (at, line) in lines.iter().enumerate() {
        let sign = if at == 0 { lines::sign(tag) } else { " " };
        let sign = of_tag(tag).map_or(sign.to_owned(), |meaning| out.paint(meaning, sign));
        let line = painted(out, tag, line);
        out.line(format!("        {sign} {line}").trim_end())?;
    }
    Ok(())
}

/// Returns the sign and the path of a row, in a column of this width.
pub(super) fn start(out: &Output, row: &Row, width: usize) -> String {
    let sign = out.paint(entry::meaning(row.action), entry::sign(row.action));
    let path = path(row);
    let pad = " ".repeat(width.saturating_sub(path.width()));
    // Plain: the values have the colours here, and names must be easy to read between them.
    format!("    {sign} {path}{pad}  ")
}

/// Returns what is printed for the path of a row.
pub(super) fn path(row: &Row) -> &str {
    if row.path.is_empty() { "value" } else { &row.path }
}

/// Returns text in the colour of what became of it, with what differs in it marked.
pub(super) fn painted(out: &Output, tag: Tag, text: &Text) -> String {
    let piece = |piece: &Piece| match of_tag(tag) {
        None => piece.text.clone(),
        Some(meaning) if piece.differs => out.paint_strongly(meaning, &piece.text),
        Some(meaning) => out.paint(meaning, &piece.text),
    };
    text.0.iter().map(piece).collect()
}

fn of_tag(tag: Tag) -> Option<Meaning> {
    match tag {
        Tag::Equal => None,
        Tag::Removed => Some(Meaning::Removed),
        Tag::Added => Some(Meaning::Added),
    }
}
