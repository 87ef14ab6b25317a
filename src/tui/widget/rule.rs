//! The title line of a pane.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::tui::theme::{Focused, Meaning, Theme};

use super::text::Pen;

/// Draws the title line over the first row of a pane: `─ [resources] ─────`.
pub(crate) fn draw(theme: Theme, pane: Rect, title: &str, focused: Focused, buffer: &mut Buffer) {
    let quiet = theme.style(Meaning::Quiet);
    let mut pen = Pen::new(theme, pane, 0, buffer);
    pen.write(theme.horizontal(), quiet);
    match focused {
        Focused::Yes => pen.write(&format!(" [{title}] "), theme.style(Meaning::Title)),
        Focused::No => pen.write(&format!(" {title} "), quiet),
    }
    while pen.room() > 0 {
        pen.write(theme.horizontal(), quiet);
    }
}
