//! Cursor and window of a list of which only the visible part is ever looked at.

use super::command::Command;

/// Rows kept visible above and below the cursor, where the window has room for them.
const MARGIN: usize = 2;

/// A cursor in a list, and the first row shown.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Scroll {
    pub(crate) cursor: usize,
    pub(crate) offset: usize,
}

impl Scroll {
    /// Moves the cursor to a row; past the end means the last one.
    pub(crate) fn to(&mut self, row: usize, len: usize) {
        self.cursor = row.min(len.saturating_sub(1));
    }

    /// Moves the cursor by some rows.
    pub(crate) fn by(&mut self, rows: isize, len: usize) {
        self.to(self.cursor.saturating_add_signed(rows), len);
    }

    /// Moves cursor and window together, so that the cursor keeps its place on the screen.
    pub(crate) fn page(&mut self, rows: isize, len: usize, height: usize) {
        self.offset = self.offset.saturating_add_signed(rows);
        self.by(rows, len);
        self.fit(len, height);
    }

    /// Moves as a command asks; returns whether it was one of those that move.
    pub(crate) fn on(&mut self, command: Command, len: usize, height: usize) -> bool {
        let page = isize::try_from(height.saturating_sub(1).max(1)).unwrap_or(1);
        let half = (page / 2).max(1);
        match command {
            Command::Up => self.by(-1, len),
            Command::Down => self.by(1, len),
            Command::PageUp => self.page(-page, len, height),
            Command::PageDown => self.page(page, len, height),
            Command::HalfUp => self.page(-half, len, height),
            Command::HalfDown => self.page(half, len, height),
            Command::Top => self.to(0, len),
            Command::Bottom => self.to(usize::MAX, len),
            _ => return false,
        }
        true
    }

    /// Brings the window to where it shows the cursor and no emptiness it could avoid.
    pub(crate) fn fit(&mut self, len: usize, height: usize) {
        self.to(self.cursor, len);
        let margin = MARGIN.min(height.saturating_sub(1) / 2);
        let highest = self.cursor.saturating_sub(margin);
        let lowest = (self.cursor + margin + 1).min(len).saturating_sub(height);
        self.offset = self.offset.max(lowest).min(highest.max(lowest));
        self.offset = self.offset.min(len.saturating_sub(height));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_window_follows_the_cursor_with_a_margin() {
        let mut scroll = Scroll::default();
        for _ in 0..8 {
            scroll.by(1, 100);
            scroll.fit(100, 10);
        }
        assert_eq!(scroll, Scroll { cursor: 8, offset: 1 });
        scroll.to(99, 100);
        scroll.fit(100, 10);
        assert_eq!(scroll, Scroll { cursor: 99, offset: 90 });
    }

    #[test]
    fn a_page_keeps_the_place_of_the_cursor_on_the_screen() {
        let mut scroll = Scroll { cursor: 20, offset: 15 };
        scroll.page(10, 100, 10);
        assert_eq!(scroll, Scroll { cursor: 30, offset: 25 });
    }

    proptest! {
        #[test]
        fn the_cursor_is_in_the_list_and_in_the_window(
            cursor in 0usize..300, offset in 0usize..300, len in 0usize..200, height in 0usize..60
        ) {
            let mut scroll = Scroll { cursor, offset };
            scroll.fit(len, height);
            prop_assert!(scroll.cursor < len.max(1));
            if height > 0 {
                prop_assert!(scroll.offset <= scroll.cursor);
                prop_assert!(scroll.cursor < scroll.offset + height);
            }
        }
    }
}
