//! The detail pane, and any other list of lines.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::tui::layout::{Focus, Layout};
use crate::tui::lines::{Fold, Line, indent};
use crate::tui::model::Model;
use crate::tui::pane::Pane;
use crate::tui::screen::Cursor;
use crate::tui::theme::{self, Focused, Meaning};
use crate::tui::view::Row;

use super::rule;
use super::text::{Pen, cells};

/// Columns that are left of a name, however deep it stands.
const SHORTEST_LABEL: usize = 8;

/// Draws the pane; returns where its cursor is.
pub(crate) fn draw(model: &Model, layout: &Layout, buffer: &mut Buffer) -> Option<Cursor> {
    let pane = layout.detail;
    if pane.area() == 0 {
        return None;
    }
    let focused = Focused::when(model.focus == Focus::Detail);
    rule::draw(model.theme, pane, &title(model), focused, buffer);
    divider(model, layout, buffer);
    draw_lines(model, &model.detail, Layout::inside(pane), focused, buffer)
}

/// Draws the column between the panes.
fn divider(model: &Model, layout: &Layout, buffer: &mut Buffer) {
    let style = model.theme.style(Meaning::Quiet);
    for line in 0..layout.divider.height {
        let glyph = if line == 0 { model.theme.tee() } else { model.theme.vertical() };
        Pen::new(model.theme, layout.divider, line, buffer).write(glyph, style);
    }
}

/// Returns what the pane is about.
fn title(model: &Model) -> String {
    let Some(loaded) = &model.loaded else { return String::from("details") };
    match model.selected() {
        Some(Row::Instance(place)) => {
            let resource = loaded.document.instance(place as usize).resource();
            let title = format!("{}.{}", resource.kind(), resource.name());
            crate::base::text::escape(&title).into_owned()
        }
        Some(Row::Module(node)) => {
            let node = &loaded.tree.nodes[node];
            let call = &loaded.tree.nodes[node.parent].label;
            // A key says nothing without the call it belongs to.
            if node.label.starts_with('[') {
                format!("{call}{}", node.label)
            } else {
                node.label.clone()
            }
        }
        None => String::from("details"),
    }
}

/// Draws the lines of a pane that are in its window.
pub(crate) fn draw_lines(
    model: &Model,
    pane: &Pane,
    area: Rect,
    focused: Focused,
    buffer: &mut Buffer,
) -> Option<Cursor> {
    let window = pane.lines.iter().skip(pane.scroll.offset).take(usize::from(area.height));
    for (row, line) in (0..).zip(window) {
        let pen = Pen::new(model.theme, area, row, buffer);
        draw_line(model, pane, line, pen);
    }
    if focused == Focused::No {
        return None;
    }
    let row = cells(pane.scroll.cursor.checked_sub(pane.scroll.offset)?);
    if row >= area.height {
        return None;
    }
    let area = Rect { y: area.y + row, height: 1, ..area };
    Pen::new(model.theme, area, 0, buffer).write(">", model.theme.style(Meaning::Plain));
    buffer.set_style(area, theme::selection(focused));
    Some(Cursor::Hidden(Position::new(area.x, area.y)))
}

fn draw_line(model: &Model, pane: &Pane, line: &Line, mut pen: Pen<'_>) {
    let theme = model.theme;
    let start = pen.x() + 1;
    let values = start + cells(pane.value_column).saturating_sub(1);
    pen.reserve(1);
    pen.skip(1 + indent(line.depth).saturating_sub(2));
    match line.fold {
        Some(Fold::Open) => pen.write(theme.open(), theme.style(Meaning::Quiet)),
        Some(Fold::Closed) => pen.write(theme.closed(), theme.style(Meaning::Quiet)),
        None => pen.skip(1),
    }
    pen.skip(1);
    if !line.label.is_empty() {
        // A long name gives way, so that values stand below each other.
        let room = usize::from(values.saturating_sub(pen.x() + 1)).max(SHORTEST_LABEL);
        let room = if line.value.is_empty() { pen.room() } else { room };
        pen.write_within(&line.label, room, theme.style(Meaning::Label));
        pen.skip(1);
        pen.skip_to(values);
    }
    pen.write(&line.value, theme.style(line.meaning));
    if line.meaning == Meaning::Revealed
        && let Some(revealed) = &model.revealed
    {
        let left = revealed.until.saturating_duration_since(model.now).as_secs();
        pen.write_right(&format!("  {left} s"), theme.style(Meaning::Quiet));
    }
}
