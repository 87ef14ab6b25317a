//! The browser without a terminal: events in, effects out, and a picture when asked.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ratatui::buffer::Buffer;
use ratatui::layout::Size;

use super::command::{self, Command, Context, Lookup};
use super::effect::Effect;
use super::model::Model;
use super::reload::Arrival;
use super::screen::{Cursor, Next, Resources, Screen};
use super::theme::Meaning;
use super::view::Matches;
use super::widget::{chrome, prompt};
use super::{LoadError, Options};

/// Something that happened.
#[derive(Debug)]
pub(crate) enum Event {
    /// A key, by its name in the table of keys.
    Key(String),
    /// A character that was typed, with the name of its key.
    Typed(char),
    /// Text that was pasted.
    Pasted(String),
    /// The window changed its size, or was covered: draw again.
    Resized,
    /// Keys go to another window.
    FocusLost,
    /// The process was continued after a stop that we did not ask for.
    Continued,
    /// The shell asked us to stop.
    Stop,
    /// The document is here.
    Loaded(Arrival),
    /// The document could not be loaded.
    LoadFailed(LoadError),
    /// A query found something; `took` once it is finished.
    Found { generation: u64, matches: Arc<Matches>, took: Option<Duration> },
    /// Text was handed to the clipboard, or why not.
    Copied(Result<String, String>),
    /// A signal asks us to end.
    Signal(i32),
    /// The terminal can't be read any more.
    Closed(std::io::Error),
    /// A worker panicked, at this place in the source.
    Panicked(String),
}

/// The model, and the screens that lie on each other.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) model: Model,
    screens: Vec<Box<dyn Screen>>,
}

impl App {
    /// Returns the browser before its document is there.
    pub(crate) fn new(options: &Options, now: Instant) -> Self {
        let mut model = Model::new(options, now);
        model.search.insert(&options.filter);
        Self { model, screens: vec![Box::new(Resources)] }
    }

    /// Returns which keys count.
    pub(crate) fn context(&self) -> Context {
        self.screens.last().map_or(Context::Resources, |screen| screen.context())
    }

    /// Returns how many screens lie on each other.
    #[cfg(test)]
    pub(crate) fn depth(&self) -> usize {
        self.screens.len()
    }

    /// Takes an event; returns what is to be done for it.
    pub(crate) fn on(&mut self, event: Event) -> Option<Effect> {
        match event {
            Event::Key(key) => self.key(&key),
            Event::Typed(c) => self.typed(c),
            Event::Pasted(text) => {
                let screen = self.screens.last_mut()?;
                let next = screen.paste(&text, &mut self.model);
                self.follow(next)
            }
            Event::FocusLost => {
                self.model.hide_secrets();
                None
            }
            Event::Stop => Some(self.suspend()),
            Event::Continued => Some(Effect::Redraw),
            Event::Loaded(arrival) => self.model.arrive(arrival),
            Event::LoadFailed(error) => {
                self.model.loading = None;
                let text = format!("cannot load it again: {error}");
                let text = crate::base::text::escape(&text).into_owned();
                self.model.notify(Meaning::Problem, text);
                None
            }
            Event::Found { generation, matches, took } => {
                self.model.found(generation, matches, took);
                None
            }
            Event::Copied(result) => {
                match result {
                    Ok(text) => self.model.notify(Meaning::Plain, text),
                    Err(text) => self.model.notify(Meaning::Problem, text),
                }
                None
            }
            // The runtime acts on these before they get here, or they only ask for a new frame.
            Event::Resized | Event::Signal(_) | Event::Closed(_) | Event::Panicked(_) => None,
        }
    }

    fn key(&mut self, key: &str) -> Option<Effect> {
        let mut presses = std::mem::take(&mut self.model.pending);
        if !presses.is_empty() {
            // A sequence is left by any key that does not continue it.
            if key == "esc" {
                return None;
            }
            presses.push(' ');
        }
        presses.push_str(key);
        match command::lookup(self.context(), &presses) {
            Lookup::Command(command) => self.command(command),
            Lookup::Prefix => {
                self.model.pending = presses;
                None
            }
            Lookup::Nothing => None,
        }
    }

    fn typed(&mut self, c: char) -> Option<Effect> {
        if self.context() == Context::Prompt {
            return self.command(Command::Type(c));
        }
        if c == ' ' {
            return self.key("space");
        }
        self.key(c.encode_utf8(&mut [0; 4]))
    }

    /// Does what a command asks for; what means the same everywhere is done here.
    pub(crate) fn command(&mut self, command: Command) -> Option<Effect> {
        match command {
            Command::QuitNow => return Some(Effect::Quit),
            Command::Quit if self.screens.len() == 1 => return Some(Effect::Quit),
            Command::Suspend => return Some(self.suspend()),
            Command::Redraw => return Some(Effect::Redraw),
            Command::Reload => return self.reload(),
            Command::HideAll => {
                self.model.hide_secrets();
                return None;
            }
            _ => {}
        }
        let next = self.screens.last_mut()?.on(command, &mut self.model);
        self.follow(next)
    }

    fn follow(&mut self, next: Next) -> Option<Effect> {
        match next {
            Next::Stay => None,
            Next::Do(effect) => Some(effect),
            Next::Push(screen) => {
                self.screens.push(screen);
                None
            }
            Next::Pop => {
                self.pop();
                None
            }
            Next::PopAnd(effect) => {
                self.pop();
                Some(effect)
            }
        }
    }

    fn pop(&mut self) {
        if self.screens.len() > 1 {
            self.screens.pop();
        }
        self.model.settle();
    }

    fn suspend(&mut self) -> Effect {
        self.model.hide_secrets();
        Effect::Suspend
    }

    fn reload(&mut self) -> Option<Effect> {
        if self.model.loading.is_some() {
            return None;
        }
        self.model.hide_secrets();
        self.model.loading = Some(self.model.now);
        Some(Effect::Load(self.model.keep()))
    }

    /// Takes the size of the screen; must be done before drawing onto one.
    pub(crate) fn resize(&mut self, size: Size) {
        self.model.resize(size);
    }

    /// Draws everything onto a buffer of the size last told; says where the cursor is to be.
    pub(crate) fn draw(&self, buffer: &mut Buffer) -> Option<Cursor> {
        let model = &self.model;
        let Some(layout) = model.layout() else {
            chrome::too_small(model, buffer.area, buffer);
            return None;
        };
        chrome::draw(model, self.context(), &layout, buffer);
        prompt::draw(model, layout.prompt, prompt::State::Resting, buffer);
        let covering = self.screens.iter().rposition(|screen| !screen.is_overlay()).unwrap_or(0);
        let mut cursor = None;
        for screen in &self.screens[covering..] {
            cursor = screen.draw(model, &layout, buffer);
        }
        cursor
    }
}
