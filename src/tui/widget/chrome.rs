//! What frames every screen: the header, the path to the selection, the status, the keys.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use unicode_width::UnicodeWidthStr;

use crate::base::{size, text};
use crate::state::address::{self, Mode};
use crate::tui::Revealing;
use crate::tui::command::{self, Context};
use crate::tui::layout::{Focus, Layout};
use crate::tui::lines::Spot;
use crate::tui::model::Model;
use crate::tui::pane::Pane;
use crate::tui::reload::Loaded;
use crate::tui::theme::Meaning;
use crate::tui::view::Row;

use super::text::{Pen, grouped};

/// Draws all of it.
pub(crate) fn draw(model: &Model, context: Context, layout: &Layout, buffer: &mut Buffer) {
    header(model, layout.header, buffer);
    path(model, context, layout.path, buffer);
    status(model, context, layout.status, buffer);
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
        if pen.room() > facts.width() + 18 {
            pen.write_right(&facts, theme.style(Meaning::Quiet));
            pen.reserve(2);
        }
    }
    if area.width >= 60 {
        pen.write("tfstate", theme.style(Meaning::Title));
        pen.skip(2);
    }
    pen.write_tail(&model.title, theme.style(Meaning::Plain));
}

/// Returns what is known of the whole document, the most telling first.
fn facts(loaded: &Loaded, separator: &str, width: u16) -> String {
    let document = &loaded.document;
    let mut facts = vec![format!("serial {}", document.serial())];
    if width >= 60 {
        let word = if document.len() == 1 { "instance" } else { "instances" };
        facts.push(format!("{} {word}", grouped(document.len())));
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

/// Draws where the cursor is; what leads there gives way to what is there.
fn path(model: &Model, context: Context, area: Rect, buffer: &mut Buffer) {
    let theme = model.theme;
    let mut pen = Pen::new(theme, area, 0, buffer);
    pen.skip(1);
    let steps = match context {
        Context::Resources | Context::Prompt => place(model),
        Context::Outputs => {
            vec![String::from("outputs")].into_iter().chain(spot(&model.outputs)).collect()
        }
        Context::Help => Vec::new(),
    };
    let width = |steps: &[String]| steps.iter().map(|step| step.width() + 3).sum::<usize>();
    let hidden = (0..steps.len()).find(|&from| width(&steps[from..]) <= pen.room() + 1);
    let hidden = hidden.unwrap_or(steps.len().saturating_sub(1));
    if hidden > 0 {
        pen.write(theme.ellipsis(), theme.style(Meaning::Quiet));
    }
    for (at, step) in steps.iter().enumerate().skip(hidden) {
        if at > 0 {
            pen.write(theme.step(), theme.style(Meaning::Quiet));
        }
        let is_last = at + 1 == steps.len();
        let meaning = if is_last { Meaning::Plain } else { Meaning::Quiet };
        pen.write_tail(step, theme.style(meaning));
    }
}

/// Returns the modules around the selected row, what it is, and the line in its details.
fn place(model: &Model) -> Vec<String> {
    let (Some(loaded), Some(row)) = (&model.loaded, model.selected()) else { return Vec::new() };
    let node = match row {
        Row::Module(node) => node,
        Row::Instance(place) => loaded.tree.node_of(&loaded.document, place),
    };
    let mut around: Vec<usize> = loaded.tree.lineage(node).collect();
    around.reverse();
    let mut steps: Vec<String> = Vec::new();
    for at in around {
        let label = &loaded.tree.nodes[at].label;
        match steps.last_mut() {
            Some(call) if label.starts_with('[') => call.push_str(label),
            _ => steps.push(label.clone()),
        }
    }
    if let Row::Instance(place) = row {
        steps.push(short_address(loaded, place));
    }
    if model.focus == Focus::Detail {
        steps.extend(spot(&model.detail));
    }
    steps
}

/// Returns what the cursor of a pane is at.
fn spot(pane: &Pane) -> Option<String> {
    let text = match pane.line()?.spot.as_ref()? {
        Spot::Value(path) => path.to_string(),
        Spot::Section(title) => (*title).to_owned(),
        Spot::Dependency(address) => address.clone(),
    };
    Some(text::escape(&text).into_owned())
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
fn status(model: &Model, context: Context, area: Rect, buffer: &mut Buffer) {
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
    if let Some((row, rows)) = position(model, context).filter(|&(_, rows)| rows > 0) {
        let position = format!("{}/{}", grouped(row + 1), grouped(rows));
        pen.write(&position, theme.style(Meaning::Quiet));
    }
}

/// Returns the row of the cursor in the list that keys go to, and how many rows that has.
fn position(model: &Model, context: Context) -> Option<(usize, usize)> {
    let of_pane = |pane: &Pane| (pane.scroll.cursor, pane.lines.len());
    match context {
        Context::Help => None,
        Context::Outputs => Some(of_pane(&model.outputs)),
        Context::Resources if model.focus == Focus::Detail => Some(of_pane(&model.detail)),
        Context::Resources | Context::Prompt => Some((model.scroll.cursor, model.view.len())),
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
