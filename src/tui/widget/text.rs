//! Text in cells: cut where the room ends, with a mark that says so.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::tui::theme::Theme;

/// Writes from left to right on one line, and stops at its end.
#[derive(Debug)]
pub(crate) struct Pen<'b> {
    buffer: &'b mut Buffer,
    theme: Theme,
    start: u16,
    x: u16,
    end: u16,
    y: u16,
}

impl<'b> Pen<'b> {
    /// Returns a pen for one line of an area.
    pub(crate) fn new(theme: Theme, area: Rect, line: u16, buffer: &'b mut Buffer) -> Self {
        let area = area.intersection(buffer.area);
        let end = if line < area.height { area.right() } else { area.x };
        Self { buffer, theme, start: area.x, x: area.x, end, y: area.y + line }
    }

    pub(crate) fn x(&self) -> u16 {
        self.x
    }

    /// Returns the columns left.
    pub(crate) fn room(&self) -> usize {
        usize::from(self.end - self.x)
    }

    /// Leaves columns empty.
    pub(crate) fn skip(&mut self, columns: usize) {
        self.x += cells(columns.min(self.room()));
    }

    /// Goes to a column counted from the start of the area, never back.
    pub(crate) fn skip_to(&mut self, column: u16) {
        self.x = column.clamp(self.x, self.end);
    }

    /// Gives up columns at the end of the line.
    pub(crate) fn reserve(&mut self, columns: usize) {
        self.end -= cells(columns.min(self.room()));
    }

    /// Writes text; what does not fit ends in the mark that something is missing.
    pub(crate) fn write(&mut self, text: &str, style: Style) {
        let room = self.room();
        if text.is_empty() {
            return;
        }
        if room == 0 {
            return self.mark_cut(style);
        }
        if text.width() <= room {
            self.put(text, room, style);
            return;
        }
        self.put(text, room - 1, style);
        if self.room() > 0 {
            self.put(self.theme.ellipsis(), 1, style);
            self.x = self.end;
        }
    }

    /// Writes text; of what does not fit the end is kept, behind the mark.
    pub(crate) fn write_tail(&mut self, text: &str, style: Style) {
        let room = self.room();
        if text.width() <= room {
            return self.write(text, style);
        }
        if room > 0 {
            self.put(self.theme.ellipsis(), 1, style);
            self.put(tail(text, room - 1), room - 1, style);
        }
    }

    /// Writes text that may take no more than some columns.
    pub(crate) fn write_within(&mut self, text: &str, columns: usize, style: Style) {
        let end = self.end;
        self.end = self.end.min(self.x.saturating_add(cells(columns)));
        self.write(text, style);
        self.end = end;
    }

    /// Puts the mark over the last cell, where a text ended just at the end of the line.
    fn mark_cut(&mut self, style: Style) {
        if self.start < self.end {
            self.buffer.set_stringn(self.end - 1, self.y, self.theme.ellipsis(), 1, style);
        }
    }

    fn put(&mut self, text: &str, room: usize, style: Style) {
        (self.x, _) = self.buffer.set_stringn(self.x, self.y, text, room, style);
    }

    /// Writes text against the right end and gives up its columns; nothing where it won't fit.
    pub(crate) fn write_right(&mut self, text: &str, style: Style) {
        let width = text.width();
        if width == 0 || width > self.room() {
            return;
        }
        let x = self.end - cells(width);
        self.buffer.set_stringn(x, self.y, text, width, style);
        self.end = x;
    }
}

/// Returns a number of cells as the screen counts them.
pub(crate) fn cells(columns: usize) -> u16 {
    u16::try_from(columns).unwrap_or(u16::MAX)
}

/// Returns the end of a text that fits into some columns.
pub(crate) fn tail(text: &str, columns: usize) -> &str {
    let mut width = 0;
    for (at, c) in text.char_indices().rev() {
        width += c.width().unwrap_or(0);
        if width > columns {
            return &text[at + c.len_utf8()..];
        }
    }
    text
}

/// Returns a number with its digits in groups of three.
pub(crate) fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str, width: u16) -> String {
        let area = Rect::new(0, 0, width, 1);
        let mut buffer = Buffer::empty(area);
        Pen::new(Theme::default(), area, 0, &mut buffer).write(text, Style::new());
        buffer.content().iter().map(ratatui::buffer::Cell::symbol).collect()
    }

    #[test]
    fn text_that_does_not_fit_says_so() {
        assert_eq!(written("abc", 3), "abc");
        assert_eq!(written("abcd", 3), "ab…");
        assert_eq!(written("日本語", 5), "日 本 …");
        assert_eq!(written("日本語", 4), "日 … ");
        assert_eq!(written("abc", 0), "");
    }

    #[test]
    fn a_text_that_matters_at_its_end_is_cut_at_its_start() {
        let area = Rect::new(0, 0, 6, 1);
        let mut buffer = Buffer::empty(area);
        Pen::new(Theme::default(), area, 0, &mut buffer).write_tail("envs/prod", Style::new());
        let shown: String = buffer.content().iter().map(ratatui::buffer::Cell::symbol).collect();
        assert_eq!(shown, "…/prod");
    }

    #[test]
    fn numbers_are_grouped() {
        let shown = [0, 999, 1000, 500_000, 1_234_567].map(grouped);
        assert_eq!(shown, ["0", "999", "1,000", "500,000", "1,234,567"]);
    }

    #[test]
    fn the_tail_keeps_whole_characters() {
        assert_eq!(tail("a日b", 2), "b");
        assert_eq!(tail("a日b", 3), "日b");
        assert_eq!(tail("ab", 9), "ab");
    }
}
