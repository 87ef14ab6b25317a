//! What frames every screen: the header, the path to the selection, the status, the keys.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::base::{size, text};
use crate::state::address::{self, Mode};
use crate::tui::Revealing;
use crate::tui::command::{self, Context};
use crate::tui::layout::Layout;
use crate::tui::model::Model;
use crate::tui::reload::Loaded;
use crate::tui::theme::Meaning;
use crate::tui::view::Row;

use super::text::{Pen, grouped};

/// Draws all of it.
pub(crate) fn draw(model: &Model, context: Context, layout: &Layout, buffer: &mut Buffer) {
    header(model, layout.header, buffer);
    path(model, layout.path, buffer);
    status(model, layout.status, buffer);
    hints(model, context, layout.hints, buffer);
}

/// Says that nothing can be shown.
pub(crate) fn too_small(model: &Model, area: Rect, buffer: &mut Buffer) {
    let mut pen = Pen::new(model.theme, area, area.height / 2, buffer);
    pen.write("window too small (20x5 needed)", model.theme.style(Meaning::Plain));
}

fn header(model: &Model, area: Rect, buffer: &mut Buffer) {
    let theme = model.theme;
    let mut pen = Pen::new(theme, area, 0, buffer);
    pen.skip(1);
    if let Some(loaded) = &model.loaded {
        let facts = facts(loaded, theme.separator(), area.width);
        if pen.room() > facts.chars().count() + 16 {
            pen.write_right(&facts, theme.style(Meaning::Quiet));
        }
    }
    if area.width >= 60 {
        pen.write("tfstate", theme.style(Meaning::Title));
        pen.skip(2);
    }
    pen.write(&model.title, theme.style(Meaning::Plain));
}

/// Returns what is known of the whole document, the most telling first.
fn facts(loaded: &Loaded, separator: &str, width: u16) -> String {
    let document = &loaded.document;
    let mut facts = vec![format!("serial {}", document.serial())];
    if width >= 60 {
        facts.push(format!("{} instances", grouped(document.len())));
    }
    if width >= 80 {
        facts.push(size::to_string(document.bytes().len() as u64));
    }
    if width >= 110 && !document.terraform_version().is_empty() {
        facts.push(format!("terraform {}", text::escape(document.terraform_version())));
    }
    if width >= 140 && !document.lineage().is_empty() {
        facts.push(format!("lineage {}", text::escape(document.lineage())));
    }
    facts.join(separator) + " "
}

fn path(model: &Model, area: Rect, buffer: &mut Buffer) {
    let (Some(loaded), Some(row)) = (&model.loaded, model.selected()) else { return };
    let theme = model.theme;
    let node = match row {
        Row::Module(node) => node,
        Row::Instance(place) => loaded.tree.node_of(&loaded.document, place),
    };
    let mut pen = Pen::new(theme, area, 0, buffer);
    pen.skip(1);
    let mut around: Vec<usize> = loaded.tree.lineage(node).collect();
    around.reverse();
    for (i, &at) in around.iter().enumerate() {
        let label = &loaded.tree.nodes[at].label;
        if i > 0 && !label.starts_with('[') {
            pen.write(theme.step(), theme.style(Meaning::Quiet));
        }
        pen.write(label, theme.style(Meaning::Quiet));
    }
    if let Row::Instance(place) = row {
        if !around.is_empty() {
            pen.write(theme.step(), theme.style(Meaning::Quiet));
        }
        pen.write(&short_address(loaded, place), theme.style(Meaning::Plain));
    }
}

/// Returns the address of an instance without its module.
fn short_address(loaded: &Loaded, place: u32) -> String {
    let instance = loaded.document.instance(place as usize);
    let resource = instance.resource();
    let data = if resource.mode() == Mode::Data { "data." } else { "" };
    let mut out = format!("{data}{}.{}", resource.kind(), resource.name());
    address::push_key(&mut out, &instance.key());
    text::escape(&out).into_owned()
}

/// Draws where the cursor is, and whatever there is to say: a mistake before a notice.
fn status(model: &Model, area: Rect, buffer: &mut Buffer) {
    let theme = model.theme;
    let mut pen = Pen::new(theme, area, 0, buffer);
    pen.skip(1);
    if let Some(mistake) = &model.search.mistake {
        return pen.write(&mistake.message, theme.style(Meaning::Problem));
    }
    let secrets = match (&model.revealed, model.revealing) {
        (Some(_), _) => "a secret is shown: X hides it ",
        (None, Revealing::OnRequest) => "secrets hidden ",
        (None, Revealing::Never) => "secrets never shown ",
    };
    let meaning = if model.revealed.is_some() { Meaning::Revealed } else { Meaning::Quiet };
    if pen.room() > secrets.len() + 12 && model.loaded.is_some() {
        pen.write_right(secrets, theme.style(meaning));
    }
    if let Some(notice) = &model.notice {
        return pen.write(&notice.text, theme.style(notice.meaning));
    }
    if model.loaded.is_some() && model.loading.is_some() {
        return pen.write("loading again", theme.style(Meaning::Quiet));
    }
    if model.view.len() > 0 {
        let (row, rows) = (grouped(model.scroll.cursor + 1), grouped(model.view.len()));
        pen.write(&format!("{row}/{rows}"), theme.style(Meaning::Quiet));
    }
}

/// Draws the keys that count now, or those that can follow the ones pressed so far.
fn hints(model: &Model, context: Context, area: Rect, buffer: &mut Buffer) {
    let theme = model.theme;
    let mut pen = Pen::new(theme, area, 0, buffer);
    if !model.pending.is_empty() {
        pen.skip(1);
        pen.write(&command::shown(&model.pending), theme.style(Meaning::Key));
        pen.write(theme.ellipsis(), theme.style(Meaning::Quiet));
        for (key, help) in command::after(context, &model.pending) {
            hint(model, &mut pen, key, help);
        }
        return;
    }
    for binding in command::of(context).filter(|binding| !binding.hint.is_empty()) {
        hint(model, &mut pen, &command::shown(binding.keys[0]), binding.hint);
    }
}

/// Draws one key with its word, where both fit.
fn hint(model: &Model, pen: &mut Pen<'_>, key: &str, word: &str) {
    let width = key.chars().count() + word.chars().count() + 2;
    if pen.room() <= width {
        return;
    }
    pen.skip(1);
    pen.write(key, model.theme.style(Meaning::Key));
    pen.skip(1);
    pen.write(word, model.theme.style(Meaning::Quiet));
    pen.skip(1);
}
