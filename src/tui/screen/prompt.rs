//! The line that the filter is typed into. It lies over the resources, which follow as one types.

use ratatui::buffer::Buffer;

use crate::tui::command::{Command, Context};
use crate::tui::layout::{Focus, Layout};
use crate::tui::model::Model;
use crate::tui::widget::prompt;

use super::resources::clear_filter;
use super::{Cursor, Next, Screen};

/// The prompt.
#[derive(Debug)]
pub(crate) struct Prompt;

impl Screen for Prompt {
    fn context(&self) -> Context {
        Context::Prompt
    }

    fn on(&mut self, command: Command, model: &mut Model) -> Next {
        let search = &mut model.search;
        match command {
            Command::Accept => {
                model.focus = Focus::Tree;
                model.went();
                return Next::Pop;
            }
            Command::Cancel => {
                return match clear_filter(model) {
                    Next::Do(effect) => Next::PopAnd(effect),
                    _ => Next::Pop,
                };
            }
            Command::Type(c) => search.insert(c.encode_utf8(&mut [0; 4])),
            Command::DeleteBack if search.text.is_empty() => return Next::Pop,
            Command::DeleteBack => search.delete_back(),
            Command::Delete => search.delete(),
            Command::DeleteWord => search.delete_word(),
            Command::DeleteLine => return edited(model, |model| model.search.text.clear()),
            Command::Left => search.left(),
            Command::Right => search.right(),
            Command::Home => search.cursor = 0,
            Command::End => search.cursor = search.text.len(),
            moving => {
                let (len, height) = (model.view.len(), model.tree_height());
                if model.scroll.on(moving, len, height) {
                    model.went();
                }
                return Next::Stay;
            }
        }
        match command {
            Command::Left | Command::Right | Command::Home | Command::End => Next::Stay,
            _ => edited(model, |_| {}),
        }
    }

    fn paste(&mut self, text: &str, model: &mut Model) -> Next {
        edited(model, |model| model.search.insert(text))
    }

    fn is_overlay(&self) -> bool {
        true
    }

    fn draw(&self, model: &Model, layout: &Layout, buffer: &mut Buffer) -> Option<Cursor> {
        prompt::draw(model, layout.prompt, prompt::State::Typing, buffer)
    }
}

/// Changes the text and asks for its result.
fn edited(model: &mut Model, change: impl FnOnce(&mut Model)) -> Next {
    change(model);
    model.search.cursor = model.search.cursor.min(model.search.text.len());
    let effect = model.search.query(model.now);
    model.rebuild();
    effect.into()
}
