//! The tree of resources with its detail pane.

use ratatui::buffer::Buffer;

use crate::tui::Revealing;
use crate::tui::command::{Command, Context};
use crate::tui::effect::Effect;
use crate::tui::jump::{self, Way};
use crate::tui::layout::{Focus, Layout, Panes};
use crate::tui::lines::Line;
use crate::tui::model::{Model, Place};
use crate::tui::pane::Answer;
use crate::tui::reload::Loaded;
use crate::tui::theme::Meaning;
use crate::tui::view::{Folds, Row};
use crate::tui::widget::{detail, tree};

use super::help::Help;
use super::outputs::Outputs;
use super::prompt::Prompt;
use super::{Cursor, Next, Screen};

/// The first screen.
#[derive(Debug, Default)]
pub(crate) struct Resources;

impl Screen for Resources {
    fn context(&self) -> Context {
        Context::Resources
    }

    fn on(&mut self, command: Command, model: &mut Model) -> Next {
        match command {
            Command::Help => return Next::Push(Box::new(Help::of(Context::Resources))),
            Command::Outputs => {
                model.hide_secrets();
                return Next::Push(Box::new(Outputs));
            }
            Command::Filter => return Next::Push(Box::new(Prompt)),
            Command::Back => return back(model),
            Command::SwitchPane => switch(model),
            Command::ToggleDetail => toggle_detail(model),
            Command::Reveal => reveal(model),
            Command::CopyAddress => return copy(model, "address", address).into(),
            Command::CopyId => return copy(model, "id", id).into(),
            Command::Dependencies => jump::to_dependencies(model),
            Command::Dependents => return jump::dependents(model).into(),
            Command::JumpBack => return jump::through_history(model, Way::Back).into(),
            Command::JumpForward => return jump::through_history(model, Way::Forward).into(),
            _ if model.focus == Focus::Detail => {
                if let (Command::Enter, Some(address)) = (command, jump::dependency(model)) {
                    return jump::along(model, &address).into();
                }
                on_detail(command, model);
            }
            _ => on_tree(command, model),
        }
        model.settle();
        Next::Stay
    }

    fn draw(&self, model: &Model, layout: &Layout, buffer: &mut Buffer) -> Option<Cursor> {
        let on_tree = tree::draw(model, layout, buffer);
        let on_detail = detail::draw(model, layout, buffer);
        if model.focus == Focus::Detail { on_detail } else { on_tree }
    }
}

/// Backs out one level: out of the detail pane, then out of the filter.
fn back(model: &mut Model) -> Next {
    if model.focus == Focus::Detail {
        switch(model);
        model.settle();
        return Next::Stay;
    }
    if model.search.is_active() {
        return clear_filter(model);
    }
    Next::Stay
}

/// Ends the filter; what was selected under it stays selected, unfolded where it has to be.
pub(super) fn clear_filter(model: &mut Model) -> Next {
    let effect = model.search.set("", model.now);
    model.unfold_around_wanted();
    model.rebuild();
    effect.into()
}

fn switch(model: &mut Model) {
    model.focus = match model.focus {
        Focus::Tree => Focus::Detail,
        Focus::Detail => Focus::Tree,
    };
}

fn toggle_detail(model: &mut Model) {
    model.panes = match model.panes {
        Panes::Both => Panes::TreeOnly,
        Panes::TreeOnly => Panes::Both,
    };
    model.focus = Focus::Tree;
}

fn on_detail(command: Command, model: &mut Model) {
    let height = model.detail_height();
    match model.detail.on(command, height) {
        Answer::Rewrite => model.rewrite(),
        Answer::Leave => model.focus = Focus::Tree,
        Answer::Done | Answer::NotMine => {}
    }
}

fn on_tree(command: Command, model: &mut Model) {
    let Some(loaded) = model.loaded.clone() else { return };
    let (len, height) = (model.view.len(), model.tree_height());
    if model.scroll.on(command, len, height) {
        return model.went();
    }
    match command {
        Command::Enter => enter(model),
        Command::Right => go_in(model),
        Command::Left => fold_or_leave(model, &loaded),
        Command::NextSibling => sibling(model, &loaded, 1),
        Command::PreviousSibling => sibling(model, &loaded, -1),
        Command::FoldAll => fold_to(model, &loaded, 1),
        Command::UnfoldAll => fold_to(model, &loaded, usize::MAX),
        Command::FoldTo(levels) => fold_to(model, &loaded, usize::from(levels)),
        _ => {}
    }
}

/// Folds or unfolds a module, goes into an instance.
fn enter(model: &mut Model) {
    let Some(Row::Module(node)) = model.selected() else { return go_in(model) };
    model.folds_mut().toggle(node);
    model.rebuild();
}

/// Unfolds a module, then goes to its first row; goes into an instance.
fn go_in(model: &mut Model) {
    match model.selected() {
        Some(Row::Instance(_)) => {
            model.panes = Panes::Both;
            model.focus = Focus::Detail;
        }
        Some(Row::Module(node)) if model.folds_mut().open(node) => model.rebuild(),
        Some(Row::Module(_)) => {
            model.scroll.by(1, model.view.len());
            model.went();
        }
        None => {}
    }
}

fn fold_or_leave(model: &mut Model, loaded: &Loaded) {
    let around = match model.selected() {
        Some(Row::Module(node)) => {
            if model.folds_mut().close(node) {
                return model.rebuild();
            }
            loaded.tree.nodes[node].parent
        }
        Some(Row::Instance(place)) => loaded.tree.node_of(&loaded.document, place),
        None => return,
    };
    if let Some(row) = model.view.find(Row::Module(around)) {
        model.scroll.to(row, model.view.len());
        model.went();
    }
}

/// Moves to the next row on the same level that has the same module around it.
fn sibling(model: &mut Model, loaded: &Loaded, by: isize) {
    let level = |row| match row {
        Row::Module(node) => loaded.tree.nodes[node].depth,
        Row::Instance(place) => {
            loaded.tree.nodes[loaded.tree.node_of(&loaded.document, place)].depth + 1
        }
    };
    let Some(own) = model.selected().map(level) else { return };
    let mut at = model.scroll.cursor;
    while let Some(next) = at.checked_add_signed(by) {
        let Some(found) = model.view.row(next).map(level) else { return };
        at = next;
        if found <= own {
            if found == own {
                model.scroll.to(at, model.view.len());
                model.went();
            }
            return;
        }
    }
}

fn fold_to(model: &mut Model, loaded: &Loaded, levels: usize) {
    *model.folds_mut() = Folds::to_depth(&loaded.tree, levels);
    model.rebuild();
    model.went();
}

/// Shows the secret under the cursor of the detail pane; from the tree it leads there first.
fn reveal(model: &mut Model) {
    let Some(Row::Instance(place)) = model.selected() else {
        return model.notify(Meaning::Plain, "a module holds no secret itself");
    };
    if model.focus == Focus::Tree {
        let mut secrets =
            model.detail.lines.iter().enumerate().filter(|(_, line)| line.secret().is_some());
        let (first, more) = (secrets.next().map(|(row, _)| row), secrets.next().is_some());
        let Some(row) = first else {
            return model.notify(Meaning::Plain, "no masked value in sight here");
        };
        model.detail.scroll.cursor = row;
        if more {
            model.panes = Panes::Both;
            model.focus = Focus::Detail;
            return model
                .notify(Meaning::Plain, "several secrets: x shows the one under the cursor");
        }
    }
    let line = model.detail.line().cloned();
    reveal_line(model, Place::Instance(place), line.as_ref());
}

/// Shows the secret of a line, where it has one and that is allowed.
pub(super) fn reveal_line(model: &mut Model, place: Place, line: Option<&Line>) {
    if model.revealing == Revealing::Never {
        return model.notify(Meaning::Plain, "secrets are never shown in this session");
    }
    match line.and_then(Line::secret) {
        Some(path) => model.reveal(place, path.clone()),
        None if model.hide_secrets() => {}
        None => model.notify(Meaning::Plain, "no masked value under the cursor"),
    }
}

fn address(loaded: &Loaded, row: Row) -> Option<String> {
    match row {
        Row::Instance(place) => Some(loaded.document.instance(place as usize).address_text()),
        Row::Module(node) => loaded.tree.nodes.get(node).map(|node| node.path.clone()),
    }
}

/// Returns the id of an instance, unless it is a secret itself.
fn id(loaded: &Loaded, row: Row) -> Option<String> {
    let Row::Instance(place) = row else { return None };
    let shown = loaded
        .document
        .instance(place as usize)
        .shown_attributes(crate::state::sensitive::Reveal::No);
    shown.ok()?.get("id")?.as_str().map(str::to_owned)
}

fn copy(
    model: &mut Model,
    what: &str,
    text: impl Fn(&Loaded, Row) -> Option<String>,
) -> Option<Effect> {
    let (loaded, row) = (model.loaded.clone()?, model.selected()?);
    let Some(text) = text(&loaded, row).filter(|text| !text.is_empty()) else {
        model.notify(Meaning::Plain, format!("no {what} to copy here"));
        return None;
    };
    Some(Effect::Copy(text))
}
