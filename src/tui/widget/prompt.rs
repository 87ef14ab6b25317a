//! The line of the filter, with what it found.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use unicode_width::UnicodeWidthStr;

use crate::base::text;
use crate::tui::model::Model;
use crate::tui::screen::Cursor;
use crate::tui::theme::Meaning;

use super::text::{Pen, grouped, tail};

/// Whether the filter is being typed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum State {
    Typing,
    Resting,
}

/// Draws the line; returns where the cursor is while one types.
pub(crate) fn draw(model: &Model, area: Rect, state: State, buffer: &mut Buffer) -> Option<Cursor> {
    let search = &model.search;
    if area.area() == 0 || (state == State::Resting && !search.is_active()) {
        return None;
    }
    clear(area, buffer);
    let theme = model.theme;
    let mut pen = Pen::new(theme, area, 0, buffer);
    let count = count(model);
    if pen.room() > count.width() + 12 {
        pen.write_right(&count, theme.style(Meaning::Quiet));
    }
    pen.skip(1);
    pen.write("/ ", theme.style(Meaning::Key));
    // What stands left of the cursor is what one looks at, so the end of that is kept in sight.
    let room = pen.room().saturating_sub(1);
    let before = &search.text[..search.cursor];
    let start = match state {
        State::Typing => before.len() - tail(before, room).len(),
        State::Resting => 0,
    };
    let bad = search.mistake.as_ref().map(|mistake| mistake.at.clone()).unwrap_or_default();
    let mut cursor = None;
    for (at, c) in search.text[start..].char_indices().map(|(at, c)| (start + at, c)) {
        if at == search.cursor {
            cursor = Some(pen.x());
        }
        let meaning = if bad.contains(&at) { Meaning::BadPart } else { Meaning::Plain };
        pen.write(&text::escape(c.encode_utf8(&mut [0; 4])), theme.style(meaning));
    }
    let x = cursor.unwrap_or_else(|| pen.x()).min(area.right().saturating_sub(1));
    // A mistake at the very end has no character of its own to underline.
    if search.mistake.is_some() && bad.start >= search.text.len() {
        pen.write("_", theme.style(Meaning::BadPart));
    }
    (state == State::Typing).then(|| Cursor::Shown(Position::new(x, area.y)))
}

fn clear(area: Rect, buffer: &mut Buffer) {
    for x in area.left()..area.right() {
        if let Some(cell) = buffer.cell_mut((x, area.y)) {
            cell.reset();
        }
    }
}

/// Returns how much was found, and how long that took.
fn count(model: &Model) -> String {
    let Some(loaded) = &model.loaded else { return String::new() };
    let total = grouped(loaded.document.len());
    let found = match model.matches() {
        Some(matches) => format!("{} of {total}", grouped(matches.total)),
        None => total,
    };
    let running = model.search.running.map(|since| model.now.saturating_duration_since(since));
    let time = match (running, model.search.took) {
        // A short wait does not need to be counted.
        (Some(elapsed), _) if elapsed.as_millis() >= 150 => {
            format!("searching {:.1} s", elapsed.as_secs_f32())
        }
        (None, Some(took)) => format!("{} ms", took.as_millis()),
        _ => String::new(),
    };
    format!("  {found}  {time} ")
}
