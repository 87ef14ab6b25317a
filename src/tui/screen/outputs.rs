//! The outputs of the root module, over the whole width.

use ratatui::buffer::Buffer;

use crate::tui::command::{Command, Context};
use crate::tui::layout::Layout;
use crate::tui::model::{Model, Place};
use crate::tui::pane::Answer;
use crate::tui::theme::Focused;
use crate::tui::widget::{detail, rule};

use super::help::Help;
use super::resources::reveal_line;
use super::{Cursor, Next, Screen};

/// The list of outputs.
#[derive(Debug)]
pub(crate) struct Outputs;

impl Screen for Outputs {
    fn context(&self) -> Context {
        Context::Outputs
    }

    fn on(&mut self, command: Command, model: &mut Model) -> Next {
        match command {
            Command::Help => return Next::Push(Box::new(Help::of(Context::Outputs))),
            Command::Back | Command::Quit | Command::Resources => {
                model.hide_secrets();
                return Next::Pop;
            }
            Command::Reveal => {
                let line = model.outputs.line().cloned();
                reveal_line(model, Place::Outputs, line.as_ref());
            }
            _ => {
                let height = model.body_height();
                if model.outputs.on(command, height) == Answer::Rewrite {
                    model.rewrite();
                }
            }
        }
        model.settle();
        Next::Stay
    }

    fn draw(&self, model: &Model, layout: &Layout, buffer: &mut Buffer) -> Option<Cursor> {
        let body = layout.body();
        rule::draw(model.theme, body, "outputs", Focused::Yes, buffer);
        detail::draw_lines(model, &model.outputs, Layout::inside(body), Focused::Yes, buffer)
    }
}
