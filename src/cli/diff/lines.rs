//! Strings of several lines: the lines that differ, some around them, and in a line that was
//! rewritten the words that differ.

use super::pieces::Text;
use crate::diff::{self, Line, Tag};

/// Lines of context around a change.
const CONTEXT: usize = 2;
/// In a longer run of lines nobody looks for the one that a line was rewritten from.
const LONGEST_RUN: usize = 500;

/// A line that is shown, or the place of some that are not.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Hunk {
    /// Lines that are the same and far from a change.
    Gap,
    /// A line, and what became of it.
    Line(Tag, Text),
}

impl Hunk {
    /// Returns the line as plain text with its sign.
    pub(super) fn plain(&self) -> String {
        match self {
            Self::Gap => "…".to_owned(),
            Self::Line(tag, text) => {
                format!("{} {}", sign(*tag), text.text()).trim_end().to_owned()
            }
        }
    }
}

/// Returns the sign of a line.
pub(super) fn sign(tag: Tag) -> &'static str {
    match tag {
        Tag::Equal => " ",
        Tag::Removed => "-",
        Tag::Added => "+",
    }
}

/// Compares two strings and leaves out what is far from a change.
pub(super) fn hunks(before: &str, after: &str) -> Vec<Hunk> {
    let lines = diff::lines(before, after);
    let changed: Vec<usize> = (0..lines.len()).filter(|&at| lines[at].tag != Tag::Equal).collect();
    let is_near = |at: usize| {
        let next = changed.partition_point(|&c| c + CONTEXT < at);
        changed.get(next).is_some_and(|&c| c <= at + CONTEXT)
    };
    let mut hunks = Vec::new();
    for at in 0..lines.len() {
        if is_near(at) {
            hunks.push(Hunk::Line(lines[at].tag, text(lines[at], partner(&lines, at))));
        } else if hunks.last() != Some(&Hunk::Gap) {
            hunks.push(Hunk::Gap);
        }
    }
    hunks
}

/// Returns the line that a removed or added one was rewritten to or from: the one at the same
/// place in the run of the other side.
fn partner<'a>(lines: &[Line<'a>], at: usize) -> Option<&'a str> {
    let tag = lines[at].tag;
    let back = lines[..at].iter().rev().take_while(|line| line.tag == tag);
    let back = back.take(LONGEST_RUN).count();
    let ahead = lines[at..].iter().take_while(|line| line.tag == tag).take(LONGEST_RUN).count();
    if back.max(ahead) == LONGEST_RUN {
        return None;
    }
    let other = match tag {
        Tag::Equal => return None,
        Tag::Removed => at + ahead + back,
        Tag::Added => {
            let start = at - back;
            let run = lines[..start].iter().rev().take_while(|line| line.tag == Tag::Removed);
            let run = run.take(LONGEST_RUN).count();
            if back >= run {
                return None;
            }
            start - run + back
        }
    };
    let between = &lines[at.min(other)..=at.max(other).min(lines.len() - 1)];
    let line = lines.get(other)?;
    let paired = line.tag != tag && line.tag != Tag::Equal;
    (paired && between.iter().all(|line| line.tag != Tag::Equal)).then_some(line.text)
}

/// Returns a line with what differs from its partner marked.
fn text(line: Line<'_>, partner: Option<&str>) -> Text {
    match (line.tag, partner) {
        (Tag::Removed, Some(after)) => Text::sides(line.text, after).0,
        (Tag::Added, Some(before)) => Text::sides(before, line.text).1,
        _ => Text::plain(line.text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::diff::pieces::Piece;

    fn shown(before: &str, after: &str) -> Vec<String> {
        let show = |hunk: &Hunk| match hunk {
            Hunk::Gap => "…".to_owned(),
            Hunk::Line(tag, Text(pieces)) => {
                let mark =
                    |p: &Piece| if p.differs { format!("[{}]", p.text) } else { p.text.clone() };
                format!("{}{}", sign(*tag), pieces.iter().map(mark).collect::<String>())
            }
        };
        hunks(before, after).iter().map(show).collect()
    }

    #[test]
    fn the_words_that_differ_in_a_rewritten_line_are_marked() {
        assert_eq!(
            shown("set -e\nport=80 # web\n", "set -e\nport=8080 # web\n"),
            [" set -e", "-port=[80] # web", "+port=[8080] # web", " "]
        );
        assert_eq!(shown("alpha\n", "beta\n"), ["-alpha", "+beta", " "]);
    }

    #[test]
    fn lines_are_paired_by_their_place_in_the_run() {
        assert_eq!(
            shown("a 1\nb 1", "a 2\nb 2\nc 2"),
            ["-a [1]", "-b [1]", "+a [2]", "+b [2]", "+c 2"]
        );
    }

    #[test]
    fn lines_far_from_a_change_are_left_out() {
        assert_eq!(shown("1\n2\n3\n4\n5\nx", "1\n2\n3\n4\n5\ny"), ["…", " 4", " 5", "-x", "+y"]);
    }

    #[test]
    fn hostile_lines_are_escaped() {
        assert_eq!(shown("\u{1b}[2J\n", "\u{202e}\n")[..2], [r"-\u{1b}[2J", r"+\u{202e}"]);
    }
}
