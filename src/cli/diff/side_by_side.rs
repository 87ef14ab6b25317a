//! Before on the left and after on the right, for a wide terminal.

use unicode_width::UnicodeWidthStr as _;

use super::entry::{self, Row, Values};
use super::lines::Hunk;
use super::text::{shorten, start};
use crate::base::theme::Meaning;
use crate::cli::output::{self, Output};
use crate::diff::Tag;

/// The width where nobody says how wide the terminal is.
const WIDTH: u16 = 140;

/// Writes one attribute; values of one line stand beside each other, and so do lines.
pub(super) fn write_row(out: &mut Output, row: &Row, width: usize) -> Result<(), output::Error> {
    let start = start(out, row, width);
    let all = usize::from(out.width().unwrap_or(WIDTH));
    match &row.values {
        Values::Secret => {
            out.line(&format!("{start}{}", out.paint(Meaning::Sensitive, entry::SECRET)))
        }
        Values::Sides(before, after) => {
            let used = 8 + row.path.width().max(width);
            let column = all.saturating_sub(used + 3) / 2;
            let sides = (before.as_deref().unwrap_or(""), after.as_deref().unwrap_or(""));
            let line = beside(out, sides, column);
            out.line(format!("{start}{line}").trim_end())
        }
        Values::Lines(hunks) => {
            out.line(start.trim_end())?;
            let column = all.saturating_sub(8 + 3) / 2;
            for (before, after) in pairs(hunks) {
                let line = beside(out, (&before, &after), column);
                out.line(format!("        {line}").trim_end())?;
            }
            Ok(())
        }
    }
}

fn beside(out: &Output, (before, after): (&str, &str), column: usize) -> String {
    let (left, right) = (shorten(before, Some(column)), shorten(after, Some(column)));
    let pad = " ".repeat(column.saturating_sub(left.width()));
    let (left, right) = if before == after {
        (left, right)
    } else {
        (out.paint(Meaning::Removed, &left), out.paint(Meaning::Added, &right))
    };
    format!("{left}{pad} │ {right}")
}

/// Puts every removed line next to the added one at the same place in its run.
fn pairs(hunks: &[Hunk]) -> Vec<(String, String)> {
    let (mut pairs, mut removed): (Vec<(String, String)>, usize) = (Vec::new(), 0);
    for hunk in hunks {
        let text = hunk.plain();
        match hunk {
            Hunk::Line(Tag::Removed, _) => {
                pairs.push((text, String::new()));
                removed += 1;
            }
            Hunk::Line(Tag::Added, _) if removed > 0 => {
                let at = pairs.len() - removed;
                pairs[at].1 = text;
                removed -= 1;
            }
            Hunk::Line(Tag::Added, _) => pairs.push((String::new(), text)),
            Hunk::Line(Tag::Equal, _) | Hunk::Gap => {
                pairs.push((text.clone(), text));
                removed = 0;
            }
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::diff::lines::hunks;

    #[test]
    fn rewritten_lines_stand_beside_each_other() {
        let pairs = pairs(&hunks("a\nb 1\nc 1\nd", "a\nb 2\nd\ne"));
        let shown: Vec<String> = pairs.iter().map(|(l, r)| format!("{l}|{r}")).collect();
        assert_eq!(shown, ["  a|  a", "- b 1|+ b 2", "- c 1|", "  d|  d", "|+ e"]);
    }
}
