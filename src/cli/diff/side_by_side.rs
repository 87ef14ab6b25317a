//! Before on the left and after on the right, for a wide terminal.

use unicode_width::UnicodeWidthStr as _;

use super::lines::{self, Hunk};
use super::pieces::{Piece, Text};
use super::row::{Row, SECRET, Values};
use super::text::{LONGEST_PATH, painted, path, start};
use super::wrap::{Detail, wrap};
use crate::base::theme::Meaning;
use crate::cli::output::{self, Output};
use crate::diff::Tag;

/// The width where nobody says how wide the terminal is.
const WIDTH: u16 = 140;
/// A side gets this many columns at least.
const NARROWEST: usize = 16;
/// Where lines of a long string begin.
const INDENT: usize = 8;

/// What stands on one side, and what became of it.
type Cell<'a> = Option<(Tag, &'a Text)>;

/// Writes one attribute; values of one line stand beside each other, and so do lines.
pub(super) fn write_row(out: &mut Output, row: &Row, detail: Detail) -> Result<(), output::Error> {
    let start = start(out, row, LONGEST_PATH);
    let all = usize::from(out.width().unwrap_or(WIDTH));
    match &row.values {
        Values::Secret => out.line(&format!("{start}{}", out.paint(Meaning::Sensitive, SECRET))),
        Values::Sides(before, after) => {
            let cells = (
                before.as_ref().map(|text| (Tag::Removed, text)),
                after.as_ref().map(|text| (Tag::Added, text)),
            );
            let used = LONGEST_PATH + INDENT;
            let mut lines = beside(out, cells, (column(all, used), detail)).into_iter();
            let indent = " ".repeat(used);
            if path(row).width() <= LONGEST_PATH {
                let first = lines.next().unwrap_or_default();
                out.line(format!("{start}{first}").trim_end())?;
            } else {
                out.line(start.trim_end())?;
            }
            lines.try_for_each(|line| out.line(format!("{indent}{line}").trim_end()))
        }
        Values::Lines(hunks) => {
            out.line(start.trim_end())?;
            for (before, after) in pairs(hunks) {
                let (before, after) = (before.and_then(signed), after.and_then(signed));
                if before.is_none() && after.is_none() {
                    out.line(&format!("        {}", out.paint(Meaning::Muted, "…")))?;
                    continue;
                }
                let cells = (
                    before.as_ref().map(|(tag, text)| (*tag, text)),
                    after.as_ref().map(|(tag, text)| (*tag, text)),
                );
                for line in beside(out, cells, (column(all, INDENT), detail)) {
                    out.line(format!("        {line}").trim_end())?;
                }
            }
            Ok(())
        }
    }
}

/// Returns how wide a side is: half of what is left.
fn column(all: usize, used: usize) -> usize {
    (all.saturating_sub(used + 3) / 2).max(NARROWEST)
}

/// Returns two cells in as many lines as the longer one needs.
fn beside(
    out: &Output,
    (before, after): (Cell<'_>, Cell<'_>),
    (column, detail): (usize, Detail),
) -> Vec<String> {
    let lines = |cell: Cell<'_>| cell.map_or_else(Vec::new, |(_, text)| wrap(text, column, detail));
    let (left, right) = (lines(before), lines(after));
    let side = |lines: &[Text], at: usize, cell: Cell<'_>| {
        let line = lines.get(at).zip(cell);
        let width = line.map_or(0, |(text, _)| text.width());
        let shown = line.map(|(text, (tag, _))| painted(out, tag, text)).unwrap_or_default();
        (shown, " ".repeat(column.saturating_sub(width)))
    };
    let line = |at| {
        let ((left, pad), (right, _)) = (side(&left, at, before), side(&right, at, after));
        format!("{left}{pad} │ {right}")
    };
    (0..left.len().max(right.len()).max(1)).map(line).collect()
}

/// Puts every removed line next to the added one at the same place in its run.
fn pairs(hunks: &[Hunk]) -> Vec<(Option<&Hunk>, Option<&Hunk>)> {
    let (mut pairs, mut removed) = (Vec::<(Option<&Hunk>, Option<&Hunk>)>::new(), 0);
    for hunk in hunks {
        match hunk {
            Hunk::Line(Tag::Removed, _) => {
                pairs.push((Some(hunk), None));
                removed += 1;
            }
            Hunk::Line(Tag::Added, _) if removed > 0 => {
                let at = pairs.len() - removed;
                pairs[at].1 = Some(hunk);
                removed -= 1;
            }
            Hunk::Line(Tag::Added, _) => pairs.push((None, Some(hunk))),
            Hunk::Line(Tag::Equal, _) | Hunk::Gap => {
                pairs.push((Some(hunk), Some(hunk)));
                removed = 0;
            }
        }
    }
    pairs
}

/// Returns a line with its sign in front; none for the place of some that are not shown.
fn signed(hunk: &Hunk) -> Option<(Tag, Text)> {
    let Hunk::Line(tag, text) = hunk else { return None };
    let sign = Piece { text: format!("{} ", lines::sign(*tag)), differs: false };
    Some((*tag, Text(std::iter::once(sign).chain(text.0.iter().cloned()).collect())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::diff::lines::hunks;

    #[test]
    fn rewritten_lines_stand_beside_each_other() {
        let hunks = hunks("a\nb 1\nc 1\nd", "a\nb 2\nd\ne");
        let show = |side: Option<&Hunk>| side.map(Hunk::plain).unwrap_or_default();
        let shown: Vec<String> =
            pairs(&hunks).iter().map(|(l, r)| format!("{}|{}", show(*l), show(*r))).collect();
        assert_eq!(shown, ["  a|  a", "- b 1|+ b 2", "- c 1|", "  d|  d", "|+ e"]);
    }
}
