//! A comparison as people read it: one block for each resource, one line for each attribute.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::entry::{self, Entry, Row, Values};
use super::lines::{self, Hunk, Piece};
use super::{Layout, Report, side_by_side};
use crate::base::theme::Meaning;
use crate::cli::output::{self, Output};
use crate::diff::Tag;

/// A path longer than this does not push all values to the right.
const LONGEST_PATH: usize = 40;
/// A value is not shortened below this.
const SHORTEST: usize = 16;

/// Writes what differs; nothing but the last line where nothing does.
pub(crate) fn write(
    out: &mut Output,
    report: Report<'_>,
    layout: Layout,
) -> Result<(), output::Error> {
    for entry in Entry::all(report.comparison) {
        let width = entry.rows.iter().map(|row| row.path.width());
        let width = width.filter(|&width| width <= LONGEST_PATH).max().unwrap_or(0);
        write_head(out, &entry)?;
        for row in &entry.rows {
            match layout {
                Layout::Unified => write_row(out, row, width)?,
                // Every resource has its two sides in the same columns.
                Layout::SideBySide => side_by_side::write_row(out, row, LONGEST_PATH)?,
            }
        }
    }
    out.line(&entry::summary(report.comparison))
}

fn write_head(out: &mut Output, entry: &Entry) -> Result<(), output::Error> {
    let sign = out.paint(entry::meaning(entry.action), entry.sign());
    let name = out.paint(Meaning::Address, &entry.name);
    let note = out.paint(Meaning::Muted, &entry.note);
    out.line(&format!("{sign} {name}  {note}"))
}

fn write_row(out: &mut Output, row: &Row, width: usize) -> Result<(), output::Error> {
    let start = start(out, row, width);
    let used = 8 + row.path.width().max(width);
    match &row.values {
        Values::Lines(hunks) => {
            out.line(start.trim_end())?;
            hunks.iter().try_for_each(|hunk| out.line(&format!("        {}", line(out, hunk))))
        }
        Values::Secret => {
            out.line(&format!("{start}{}", out.paint(Meaning::Sensitive, entry::SECRET)))
        }
        Values::Sides(Some(before), Some(after)) => {
            let room = out.width().map(|all| usize::from(all).saturating_sub(used + 3) / 2);
            let (before, after) = (shorten(before, room), shorten(after, room));
            out.line(&format!("{start}{before} → {after}"))
        }
        Values::Sides(before, after) => {
            let room = out.width().map(|all| usize::from(all).saturating_sub(used));
            let value = before.as_deref().or(after.as_deref()).unwrap_or_default();
            out.line(&format!("{start}{}", shorten(value, room)))
        }
    }
}

/// Returns the sign and the path of a row, in a column of this width.
pub(super) fn start(out: &Output, row: &Row, width: usize) -> String {
    let sign = out.paint(entry::meaning(row.action), entry::sign(row.action));
    let path = if row.path.is_empty() { "value" } else { &row.path };
    let pad = " ".repeat(width.saturating_sub(path.width()));
    format!("    {sign} {}{pad}  ", out.paint(Meaning::Attribute, path))
}

/// Returns a line of a long string with its sign, what differs in it marked.
pub(super) fn line(out: &Output, hunk: &Hunk) -> String {
    let Hunk::Line(tag, pieces) = hunk else { return out.paint(Meaning::Muted, "…") };
    format!("{}{}", painted_sign(out, *tag), painted_pieces(out, *tag, pieces))
}

fn painted_sign(out: &Output, tag: Tag) -> String {
    let sign = format!("{} ", lines::sign(tag));
    of_tag(tag).map_or(sign.clone(), |meaning| out.paint(meaning, &sign))
}

/// Returns the pieces of a line in the colour of what became of it.
fn painted_pieces(out: &Output, tag: Tag, pieces: &[Piece]) -> String {
    let piece = |piece: &Piece| match of_tag(tag) {
        None => piece.text.clone(),
        Some(meaning) if piece.differs => out.paint_strongly(meaning, &piece.text),
        Some(meaning) => out.paint(meaning, &piece.text),
    };
    pieces.iter().map(piece).collect()
}

fn of_tag(tag: Tag) -> Option<Meaning> {
    match tag {
        Tag::Equal => None,
        Tag::Removed => Some(Meaning::Removed),
        Tag::Added => Some(Meaning::Added),
    }
}

/// Cuts text that is wider than there is room for, and says so with `…`.
pub(super) fn shorten(text: &str, room: Option<usize>) -> String {
    let Some(room) = room.map(|room| room.max(SHORTEST)) else { return text.to_owned() };
    if text.width() <= room {
        return text.to_owned();
    }
    let mut used = 0;
    let fits = |c: &char| {
        used += c.width().unwrap_or(0);
        used < room
    };
    text.chars().take_while(fits).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_to_the_columns_there_are() {
        assert_eq!(shorten("short", Some(16)), "short");
        assert_eq!(shorten(&"x".repeat(20), Some(16)), format!("{}…", "x".repeat(15)));
        assert_eq!(shorten(&"日".repeat(20), Some(17)), format!("{}…", "日".repeat(8)));
        assert_eq!(shorten(&"x".repeat(200), None).len(), 200);
    }
}
