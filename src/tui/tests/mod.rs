//! The browser without a terminal: keys in, a picture out. Queries are answered at once.

mod behaviour;
mod pictures;
mod properties;
mod secrets;

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr;

use crate::state::document::Document;

use super::app::{App, Event};
use super::effect::Effect;
use super::fingerprint::Fingerprints;
use super::reload::{Arrival, Keep};
use super::{Colour, Glyphs, Options, Revealing, worker};

/// A small state with something of everything. `S3CR3T` stands in what must not be seen.
const STATE: &str = include_str!("small.tfstate");

struct Browser {
    app: App,
    state: String,
    start: Instant,
    effects: Vec<Effect>,
}

impl Browser {
    fn new(change: impl FnOnce(&mut Options)) -> Self {
        let mut options = Options {
            title: String::from("prod.tfstate"),
            loader: Box::new(|| Err("nobody loads in this test".into())),
            filter: String::new(),
            glyphs: Glyphs::Unicode,
            colour: Colour::Ansi,
            revealing: Revealing::OnRequest,
        };
        change(&mut options);
        let start = Instant::now();
        let mut app = App::new(&options, start);
        app.model.prints = Fingerprints::fixed();
        app.resize(Size::new(80, 24));
        Self { app, state: STATE.to_owned(), start, effects: Vec::new() }
    }

    /// Returns the browser with a state loaded.
    fn on(state: &str) -> Self {
        let mut browser = Self::new(|_| {});
        browser.load(state);
        browser
    }

    fn load(&mut self, state: &str) {
        self.state = state.to_owned();
        let document = Document::parse(state.as_bytes().to_vec()).unwrap();
        self.event(Event::Loaded(Arrival::new(document, Keep::default())));
    }

    fn event(&mut self, event: Event) {
        if let Some(effect) = self.app.on(event) {
            self.perform(effect);
        }
    }

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Query { generation, filter: Some(filter) } => {
                let loaded = self.app.model.loaded.clone().unwrap();
                let mut found = Vec::new();
                worker::search(
                    &loaded,
                    &filter,
                    || true,
                    |matches, took| {
                        found.push((matches, took.map(|_| Duration::from_millis(1))));
                        true
                    },
                );
                for (matches, took) in found {
                    self.event(Event::Found { generation, matches: matches.into(), took });
                }
            }
            Effect::Query { filter: None, .. } => {}
            Effect::Load(keep) => {
                let document = Document::parse(self.state.clone().into_bytes()).unwrap();
                self.event(Event::Loaded(Arrival::new(document, keep)));
            }
            other => self.effects.push(other),
        }
    }

    /// Presses keys, by the names the table of keys has for them; `"text` is typed.
    fn press(&mut self, keys: &str) -> &mut Self {
        for key in keys.split(' ').filter(|key| !key.is_empty()) {
            let typed = key.strip_prefix('"');
            let typed = if key == "space" { Some(" ") } else { typed };
            if let Some(text) = typed.or((key.chars().count() == 1).then_some(key)) {
                text.chars().for_each(|c| self.event(Event::Typed(c)));
            } else {
                self.event(Event::Key(key.to_owned()));
            }
        }
        self
    }

    fn size(&mut self, width: u16, height: u16) -> &mut Self {
        self.app.resize(Size::new(width, height));
        self
    }

    fn pass(&mut self, time: Duration) {
        let now = self.app.model.now + time;
        self.app.model.tick(now);
    }

    fn draw(&self) -> Buffer {
        let Size { width, height } = self.app.model.size;
        let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
        self.app.draw(&mut buffer);
        buffer
    }

    fn text(&self) -> String {
        text(&self.draw())
    }
}

/// Returns what a reader sees.
fn text(buffer: &Buffer) -> String {
    let mut out = String::new();
    for y in 0..buffer.area.height {
        let mut x = 0;
        let mut line = String::new();
        while x < buffer.area.width {
            let symbol = buffer[(x, y)].symbol();
            line.push_str(symbol);
            x += u16::try_from(symbol.width()).unwrap().max(1);
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// Returns where which style is: for each line the columns where it begins, and its letters.
fn styles(buffer: &Buffer) -> String {
    let mut out = String::new();
    for y in 0..buffer.area.height {
        let mut last = String::new();
        let mut line = String::new();
        for x in 0..buffer.area.width {
            let style = letters(buffer, x, y);
            if style != last {
                write!(line, " {x}:{}", if style.is_empty() { "." } else { &style }).unwrap();
                last = style;
            }
        }
        if !line.is_empty() {
            writeln!(out, "{y:>2}{line}").unwrap();
        }
    }
    out
}

fn letters(buffer: &Buffer, x: u16, y: u16) -> String {
    let cell = &buffer[(x, y)];
    let modifiers = [
        (Modifier::REVERSED, 'r'),
        (Modifier::BOLD, 'b'),
        (Modifier::DIM, 'd'),
        (Modifier::UNDERLINED, 'u'),
    ];
    let mut out: String =
        modifiers.iter().filter(|(m, _)| cell.modifier.contains(*m)).map(|(_, c)| *c).collect();
    if cell.fg != Color::Reset {
        out.push_str(&cell.fg.to_string());
    }
    assert_eq!(cell.bg, Color::Reset, "the background is the terminal's own");
    out
}
