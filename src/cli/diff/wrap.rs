//! Text in as many lines as it needs at a width, and not in more than are worth reading.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::pieces::{Piece, Text};

/// A value takes this many lines at most where it is shown short.
const MOST_LINES: usize = 6;
/// What is the same on both sides and longer than this many characters is shown short.
const LONGEST_SAME: usize = 96;
/// How much of it is shown at each end.
const AROUND: usize = 32;
/// A line is not broken at a word's end if that leaves more than this part of it empty.
const LOOSEST: usize = 2;

/// How much of what is long or often the same is shown.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Detail {
    /// As much as a reader needs to judge it.
    Short,
    /// All of it.
    Whole,
}

/// Breaks text into lines of at most `room` columns.
///
/// Short, it loses the middle of long runs that did not change, and ends after a few lines with
/// the number of characters that were left out.
pub(super) fn wrap(text: &Text, room: usize, detail: Detail) -> Vec<Text> {
    if text.width() <= room {
        return vec![text.clone()];
    }
    if detail == Detail::Whole {
        return break_up(&text.0, room, usize::MAX).0;
    }
    let (mut lines, rest) = break_up(&shorten_same(&text.0), room, MOST_LINES);
    if rest > 0 {
        let note = format!("… {rest} more characters");
        lines.push(Text(vec![Piece { text: note, differs: false }]));
    }
    lines
}

/// Takes the middle out of long pieces that are the same on both sides, where others differ.
fn shorten_same(pieces: &[Piece]) -> Vec<Piece> {
    if !pieces.iter().any(|piece| piece.differs) {
        return pieces.to_vec();
    }
    let shorten = |piece: &Piece| {
        let count = piece.text.chars().count();
        if piece.differs || count <= LONGEST_SAME {
            return piece.clone();
        }
        let head: String = piece.text.chars().take(AROUND).collect();
        let tail: String = piece.text.chars().skip(count - AROUND).collect();
        Piece { text: format!("{head}…{tail}"), differs: false }
    };
    pieces.iter().map(shorten).collect()
}

/// Breaks pieces into at most `most` lines; returns how many characters are left over, too.
fn break_up(pieces: &[Piece], room: usize, most: usize) -> (Vec<Text>, usize) {
    let chars: Vec<(char, bool)> =
        pieces.iter().flat_map(|piece| piece.text.chars().map(|c| (c, piece.differs))).collect();
    let (mut lines, mut start) = (Vec::new(), 0);
    while start < chars.len() && lines.len() < most {
        let end = start + line_length(&chars[start..], room);
        lines.push(text_of(&chars[start..end]));
        start = end;
    }
    (lines, chars.len() - start)
}

/// Returns how many characters go on the first line: up to the last good place to break that is
/// not too far from the margin.
fn line_length(chars: &[(char, bool)], room: usize) -> usize {
    let (mut used, mut good) = (0, None);
    for (at, &(c, _)) in chars.iter().enumerate() {
        used += c.width().unwrap_or(0);
        if used > room {
            // One character is shown even where there is no room for it.
            return good.unwrap_or(at).max(1);
        }
        if matches!(c, ' ' | ',' | ';' | '&') && used > room - room / LOOSEST {
            good = Some(at + 1);
        }
    }
    chars.len()
}

fn text_of(chars: &[(char, bool)]) -> Text {
    let pieces = chars
        .chunk_by(|one, other| one.1 == other.1)
        .map(|run| Piece { text: run.iter().map(|(c, _)| c).collect(), differs: run[0].1 });
    Text(pieces.collect())
}

/// Joins names with commas into lines of at most `room` columns, and says how many there are more
/// than fit on `most` lines.
pub(super) fn list(names: &[String], room: usize, most: usize) -> Vec<String> {
    let (mut lines, mut line, mut width) = (Vec::new(), String::new(), 0);
    for (at, name) in names.iter().enumerate() {
        let comma = if at + 1 < names.len() { ", " } else { "" };
        let wider = name.width() + comma.len();
        if width > 0 && width + wider > room {
            lines.push(std::mem::take(&mut line).trim_end().to_owned());
            width = 0;
            if lines.len() == most {
                lines.push(format!("… {} more", names.len() - at));
                return lines;
            }
        }
        line.push_str(name);
        line.push_str(comma);
        width += wider;
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(lines: &[Text]) -> Vec<String> {
        lines.iter().map(Text::text).collect()
    }

    #[test]
    fn no_line_is_wider_than_there_is_room_and_nothing_is_lost() {
        let text = "日本語 and words, ".repeat(40);
        for room in [1, 2, 7, 16, 80] {
            let lines = wrap(&Text::plain(&text), room, Detail::Whole);
            assert!(lines.iter().all(|line| line.width() <= room.max(2)), "{room}");
            assert_eq!(plain(&lines).concat(), text);
        }
    }

    #[test]
    fn lines_end_after_a_word_where_one_ends_near_the_margin() {
        let lines = wrap(&Text::plain("alpha beta gamma"), 12, Detail::Short);
        assert_eq!(plain(&lines), ["alpha beta ", "gamma"]);
        let lines = wrap(&Text::plain(&"x".repeat(15)), 10, Detail::Short);
        assert_eq!(plain(&lines), ["x".repeat(10), "x".repeat(5)]);
    }

    #[test]
    fn long_text_ends_with_what_is_left_out() {
        let lines = wrap(&Text::plain(&"x".repeat(1000)), 10, Detail::Short);
        assert_eq!(lines.len(), MOST_LINES + 1);
        assert_eq!(lines[MOST_LINES].text(), "… 940 more characters");
    }

    #[test]
    fn what_differs_is_shown_however_far_inside_it_is() {
        let (before, after) =
            (format!("{} 1", "a".repeat(5000)), format!("{} 2", "a".repeat(5000)));
        let (before, after) = Text::sides(&before, &after);
        for text in [before, after] {
            let lines = wrap(&text, 40, Detail::Short);
            assert!(lines.iter().flat_map(|line| &line.0).any(|piece| piece.differs));
        }
    }

    #[test]
    fn a_list_says_how_many_more_there_are() {
        let names: Vec<String> = (0..20).map(|n| format!("[{n}]")).collect();
        assert_eq!(list(&names[..3], 40, 2), ["[0], [1], [2]"]);
        assert_eq!(list(&names, 12, 2), ["[0], [1],", "[2], [3],", "… 16 more"]);
    }
}
