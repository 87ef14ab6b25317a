//! Text from elsewhere, made safe to show: everything in a state is hostile.
//!
//! A terminal acts on control characters, and a reader is misled by characters that reorder or
//! hide others. They are shown as Rust would write them (`\u{202e}`), which is for eyes only: the
//! result is not meant to be read back.

use std::borrow::Cow;
use std::fmt::Write as _;

use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};
use unicode_width::UnicodeWidthStr as _;

/// Returns text that can go to a terminal on one line.
pub fn escape(text: &str) -> Cow<'_, str> {
    escape_where(text, |c| !is_safe(c))
}

/// Does as [`escape`], but keeps line feeds, for text that is shown as several lines.
pub fn escape_lines(text: &str) -> Cow<'_, str> {
    escape_where(text, |c| c != '\n' && !is_safe(c))
}

/// Does for a JSON document what [`escape_lines`] does for text, as JSON writes it: for a program
/// it is the same document.
pub fn escape_json(document: &str) -> Cow<'_, str> {
    // Outside of strings there is nothing to escape, and inside each of these stands for itself.
    escape_as(
        document,
        |c| c != '\n' && !is_safe(c),
        |out, c| {
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(out, "\\u{unit:04x}").expect("writing to a string does not fail");
            }
        },
    )
}

/// Returns two lines: text, made safe to show, and carets below the bytes `at` of it.
///
/// An empty range, as at the end of a text in which something is missing, gets one caret.
pub fn caret(text: &str, at: std::ops::Range<usize>) -> String {
    let start = text.floor_char_boundary(at.start.min(text.len()));
    let end = text.ceil_char_boundary(at.end.clamp(start, text.len()));
    let (before, wrong, after) =
        (escape(&text[..start]), escape(&text[start..end]), escape(&text[end..]));
    let (indent, carets) = (" ".repeat(before.width()), "^".repeat(wrong.width().max(1)));
    format!("{before}{wrong}{after}\n{indent}{carets}")
}

/// Returns line and column of an offset, counted from 1, the column in characters.
pub fn position(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.rsplit('\n').next().unwrap_or_default();
    (before.matches('\n').count() + 1, line.chars().count() + 1)
}

fn escape_where(text: &str, unsafe_: impl Fn(char) -> bool) -> Cow<'_, str> {
    escape_as(text, unsafe_, |out, c| out.extend(c.escape_default()))
}

fn escape_as(
    text: &str,
    unsafe_: impl Fn(char) -> bool,
    write: impl Fn(&mut String, char),
) -> Cow<'_, str> {
    let Some(first) = text.find(&unsafe_) else {
        return Cow::Borrowed(text);
    };
    let mut out = String::with_capacity(text.len() + 8);
    out.push_str(&text[..first]);
    for c in text[first..].chars() {
        if unsafe_(c) {
            write(&mut out, c);
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

fn is_safe(c: char) -> bool {
    if c.is_ascii() {
        return matches!(c, ' '..='~');
    }
    // Fillers and joiners that are letters or marks by category, but show as nothing.
    if matches!(c, '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}') {
        return false;
    }
    !matches!(
        c.general_category(),
        GeneralCategory::Control
            | GeneralCategory::Format
            | GeneralCategory::LineSeparator
            | GeneralCategory::ParagraphSeparator
            | GeneralCategory::Surrogate
            | GeneralCategory::Unassigned
    )
}

/// Quotes a word for a shell, if it needs that.
pub fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._:-+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_text_is_borrowed() {
        for text in ["", "aws_vpc.main", "größe 日本語 🦀 é"] {
            assert!(matches!(escape(text), Cow::Borrowed(same) if same == text), "{text}");
        }
    }

    #[test]
    fn what_a_terminal_or_a_reader_would_trip_over_is_shown() {
        let cases = [
            ("\u{1b}[31mred", r"\u{1b}[31mred"),
            ("a\tb\r\n", r"a\tb\r\n"),
            ("\u{7f}\u{9b}", r"\u{7f}\u{9b}"),
            ("\u{202e}txt\u{2066}", r"\u{202e}txt\u{2066}"),
            ("a\u{200b}b\u{200f}\u{2060}\u{feff}", r"a\u{200b}b\u{200f}\u{2060}\u{feff}"),
            ("\u{2028}\u{2029}", r"\u{2028}\u{2029}"),
            ("\u{378}\u{e0041}\u{3164}", r"\u{378}\u{e0041}\u{3164}"),
        ];
        for (text, shown) in cases {
            assert_eq!(escape(text), shown);
        }
    }

    #[test]
    fn line_feeds_can_be_kept() {
        assert_eq!(escape_lines("a\nb\u{1b}\r\n"), "a\nb\\u{1b}\\r\n");
    }

    #[test]
    fn a_document_stays_the_same_for_a_program() {
        let document = "{\n  \"a\\\\\u{9b}\u{202e}\u{e0041}é\": 1\n}";
        let shown = escape_json(document);
        assert_eq!(shown, "{\n  \"a\\\\\\u009b\\u202e\\udb40\\udc41é\": 1\n}");
        let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(value(&shown), value(document));
    }

    #[test]
    fn every_bidi_and_zero_width_character_is_shown() {
        let ranges = [
            '\u{202a}'..='\u{202e}',
            '\u{2066}'..='\u{2069}',
            '\u{200b}'..='\u{200f}',
            '\0'..='\x1f',
        ];
        for c in ranges.into_iter().flatten().chain('\u{7f}'..='\u{9f}') {
            assert!(!escape(&c.to_string()).contains(c), "{c:?}");
        }
    }

    #[test]
    fn words_are_quoted_where_a_shell_would_take_them_apart() {
        assert_eq!(shell_word("s3://b/a.tfstate"), "s3://b/a.tfstate");
        assert_eq!(shell_word("postgres://h/d?a=1&b=2"), "'postgres://h/d?a=1&b=2'");
        assert_eq!(shell_word("it's"), r"'it'\''s'");
        assert_eq!(shell_word(""), "''");
    }
}
