//! The screens. Each turns a command into a change of the model and says what comes next.

mod help;
mod outputs;
mod prompt;
mod resources;

use std::fmt::Debug;

use ratatui::buffer::Buffer;
use ratatui::layout::Position;

use super::command::{Command, Context};
use super::effect::Effect;
use super::layout::Layout;
use super::model::Model;

pub(crate) use resources::Resources;

/// What follows from a command.
#[derive(Debug)]
pub(crate) enum Next {
    /// This screen stays.
    Stay,
    /// Another screen covers this one.
    Push(Box<dyn Screen>),
    /// This screen goes.
    Pop,
    /// Something has to be done.
    Do(Effect),
    /// This screen goes, and something has to be done.
    PopAnd(Effect),
}

impl From<Option<Effect>> for Next {
    fn from(effect: Option<Effect>) -> Self {
        effect.map_or(Self::Stay, Self::Do)
    }
}

/// Where the terminal's cursor is to be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Cursor {
    /// Visible, because text is typed there.
    Shown(Position),
    /// Invisible, for screen readers that follow it.
    Hidden(Position),
}

/// One layer of what is on the screen.
pub(crate) trait Screen: Debug {
    /// Returns which keys count.
    fn context(&self) -> Context;

    /// Does what a command asks for.
    fn on(&mut self, command: Command, model: &mut Model) -> Next;

    /// Takes pasted text; most screens have no use for it.
    fn paste(&mut self, _text: &str, _model: &mut Model) -> Next {
        Next::Stay
    }

    /// Returns whether the screen below shows through.
    fn is_overlay(&self) -> bool {
        false
    }

    /// Draws the part between header and footer, or over it.
    fn draw(&self, model: &Model, layout: &Layout, buffer: &mut Buffer) -> Option<Cursor>;
}
