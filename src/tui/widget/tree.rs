//! The tree: only the rows that are in the window are ever formatted.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use unicode_width::UnicodeWidthStr;

use crate::base::text;
use crate::state::address::{self, Mode};
use crate::state::document::Instance;
use crate::tui::layout::{Focus, Layout};
use crate::tui::model::Model;
use crate::tui::reload::Loaded;
use crate::tui::screen::Cursor;
use crate::tui::theme::{self, Focused, Meaning};
use crate::tui::view::Row;

use super::rule;
use super::text::{Pen, cells, grouped};

/// Columns that are left of a type, however long the name is.
const SHORTEST_KIND: usize = 8;

/// Draws the pane; returns where its cursor is.
pub(crate) fn draw(model: &Model, layout: &Layout, buffer: &mut Buffer) -> Option<Cursor> {
    if layout.tree.area() == 0 {
        return None;
    }
    let focused = Focused::when(model.focus == Focus::Tree);
    rule::draw(model.theme, layout.tree, "resources", focused, buffer);
    let area = Layout::inside(layout.tree);
    let Some(loaded) = &model.loaded else {
        loading(model, area, buffer);
        return None;
    };
    if model.view.len() == 0 {
        empty(model, loaded, area, buffer);
        return None;
    }
    for line in 0..area.height {
        let at = model.scroll.offset + usize::from(line);
        let Some(row) = model.view.row(at) else { break };
        let pen = Pen::new(model.theme, area, line, buffer);
        match row {
            Row::Module(node) => module(model, loaded, node, pen),
            Row::Instance(place) => instance(model, loaded, place, pen),
        }
    }
    cursor(model, area, buffer)
}

/// Marks the selected row and returns where it is.
fn cursor(model: &Model, area: Rect, buffer: &mut Buffer) -> Option<Cursor> {
    let line = cells(model.scroll.cursor.checked_sub(model.scroll.offset)?);
    if line >= area.height {
        return None;
    }
    let row = Rect { y: area.y + line, height: 1, ..area };
    Pen::new(model.theme, row, 0, buffer).write(">", model.theme.style(Meaning::Plain));
    buffer.set_style(row, theme::selection(Focused::when(model.focus == Focus::Tree)));
    Some(Cursor::Hidden(Position::new(row.x, row.y)))
}

fn module(model: &Model, loaded: &Loaded, at: usize, mut pen: Pen<'_>) {
    let theme = model.theme;
    let node = &loaded.tree.nodes[at];
    let folds = if model.search.result.is_some() { &model.filtered_folds } else { &model.folds };
    let mark = if folds.is_closed(at) { theme.closed() } else { theme.open() };
    let total = grouped(node.total);
    let count = match model.matches() {
        Some(matches) => format!(" {}/{total} ", grouped(matches.counts[at])),
        None => format!(" {total} "),
    };
    pen.skip(1 + indent(node.depth.saturating_sub(1)));
    pen.write(mark, theme.style(Meaning::Quiet));
    pen.skip(1);
    if pen.room() > count.len() + 8 {
        pen.write_right(&count, theme.style(Meaning::Quiet));
    }
    pen.write(&node.label, theme.style(Meaning::Module));
}

fn instance(model: &Model, loaded: &Loaded, place: u32, mut pen: Pen<'_>) {
    let theme = model.theme;
    let instance = loaded.document.instance(place as usize);
    let depth = loaded.tree.nodes[loaded.tree.node_of(&loaded.document, place)].depth;
    pen.skip(1 + indent(depth) + if depth == 0 { 0 } else { 2 });
    let flags = flags(instance);
    if !flags.is_empty() && pen.room() > flags.len() + 12 {
        pen.write_right(&flags, theme.style(Meaning::Warning));
    }
    let resource = instance.resource();
    if resource.mode() == Mode::Data {
        pen.write("data.", theme.style(Meaning::Quiet));
    }
    let (kind, name) = (resource.kind(), resource.name());
    let (kind, name) = (text::escape(&kind), text::escape(&name));
    let mut key = String::new();
    address::push_key(&mut key, &instance.key());
    let key = text::escape(&key);
    // Name and key tell neighbours apart; so it is the type that gives way.
    let rest = 1 + name.width() + key.width();
    let room = pen.room().saturating_sub(rest).max(SHORTEST_KIND);
    pen.write_within(&kind, room, theme.style(Meaning::Plain));
    pen.write(".", theme.style(Meaning::Plain));
    pen.write(&name, theme.style(Meaning::Title));
    pen.write(&key, theme.style(Meaning::Label));
}

fn flags(instance: Instance<'_>) -> String {
    let mut out = String::new();
    if instance.is_tainted() {
        out.push_str(" tainted ");
    }
    if let Some(key) = instance.deposed() {
        out.push_str(" deposed ");
        out.push_str(&text::escape(&key));
        out.push(' ');
    }
    out
}

fn indent(depth: usize) -> usize {
    2 * depth.min(20)
}

fn loading(model: &Model, area: Rect, buffer: &mut Buffer) {
    let Some(since) = model.loading else { return };
    let elapsed = model.now.saturating_duration_since(since);
    let mut pen = Pen::new(model.theme, area, area.height / 3, buffer);
    pen.skip(2);
    pen.write("loading", model.theme.style(Meaning::Plain));
    pen.write(model.theme.ellipsis(), model.theme.style(Meaning::Plain));
    // A short wait does not need to be counted.
    if elapsed.as_millis() >= 150 {
        let seconds = format!(" {:.1} s", elapsed.as_secs_f32());
        pen.write(&seconds, model.theme.style(Meaning::Quiet));
    }
}

fn empty(model: &Model, loaded: &Loaded, area: Rect, buffer: &mut Buffer) {
    let message = if loaded.document.is_empty() {
        "this state holds no resources"
    } else {
        "nothing matches; Esc clears the filter"
    };
    let mut pen = Pen::new(model.theme, area, area.height / 3, buffer);
    pen.skip(2);
    pen.write(message, model.theme.style(Meaning::Quiet));
}
