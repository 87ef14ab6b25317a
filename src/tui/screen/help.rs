//! The help, made from the table of keys.

use ratatui::buffer::Buffer;

use crate::tui::command::{self, Binding, Command, Context};
use crate::tui::layout::Layout;
use crate::tui::lines::Line;
use crate::tui::model::Model;
use crate::tui::pane::Pane;
use crate::tui::scroll::Scroll;
use crate::tui::theme::{Focused, Meaning};
use crate::tui::widget::{detail, rule};

use super::{Cursor, Next, Screen};

/// Every key that counts where the help was asked for, and those of the filter.
#[derive(Debug)]
pub(crate) struct Help {
    lines: Pane,
}

impl Help {
    pub(crate) fn of(context: Context) -> Self {
        let mut lines = keys(context, |_| true);
        if context == Context::Resources {
            lines.push(Line::text(0, Meaning::Plain, String::new()));
            lines.push(Line::text(0, Meaning::Title, String::from("while the filter is typed")));
            // Keys that mean the same everywhere are listed above already.
            lines.extend(keys(Context::Prompt, |binding| !binding.contexts.contains(&context)));
        }
        let mut pane = Pane::default();
        pane.replace(lines, 60);
        Self { lines: pane }
    }
}

fn keys(context: Context, is_listed: impl Fn(&Binding) -> bool) -> Vec<Line> {
    let explained = command::of(context).filter(|binding| !binding.help.is_empty());
    explained
        .filter(|binding| is_listed(binding))
        .map(|binding| {
            let keys: Vec<String> = binding.keys.iter().map(|keys| command::shown(keys)).collect();
            Line::named(&keys.join(" "), Meaning::Plain, binding.help.to_owned())
        })
        .collect()
}

impl Screen for Help {
    fn context(&self) -> Context {
        Context::Help
    }

    fn on(&mut self, command: Command, model: &mut Model) -> Next {
        let (len, height) = (self.lines.lines.len(), model.body_height());
        if matches!(command, Command::Back | Command::Quit) {
            return Next::Pop;
        }
        // There is nothing to select here: keys move the window, not a cursor in it.
        let mut window = Scroll { cursor: self.lines.scroll.offset, offset: 0 };
        if window.on(command, len, height) {
            self.lines.scroll.offset = window.cursor.min(len.saturating_sub(height));
        }
        Next::Stay
    }

    fn draw(&self, model: &Model, layout: &Layout, buffer: &mut Buffer) -> Option<Cursor> {
        let body = layout.body();
        rule::draw(model.theme, body, "keys", Focused::Yes, buffer);
        detail::draw_lines(model, &self.lines, Layout::inside(body), Focused::No, buffer);
        None
    }
}
