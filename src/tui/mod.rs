//! The terminal browser of `tfstate inspect`: events in, effects out.
//!
//! [`run`] owns the terminal until the user leaves. Inside, `app` turns an event into a change of
//! the `model` and a list of `effect`s; `runtime` is the loop that waits for events, draws, and
//! has effects performed by the threads of `worker`. A `screen` decides what a command means and
//! draws without changing anything; `command` is the one table of keys, from which the help and
//! the hints are made; `theme` gives styles by meaning. Nothing here writes a state.
//!
//! Two promises bind every part. What comes from a state is hostile text, so it passes through
//! [`base::text::escape`](crate::base::text::escape) before it is kept for drawing. And a secret
//! is not kept at all: lines hold its fingerprint, unless the user asked to see this one.

mod about;
mod app;
mod clipboard;
mod command;
mod effect;
mod fingerprint;
mod jump;
mod layout;
mod lines;
mod model;
mod pane;
mod reload;
mod runtime;
mod screen;
mod scroll;
mod search;
mod terminal;
mod theme;
mod tree;
mod view;
mod widget;
mod worker;

#[cfg(test)]
mod tests;

use std::fmt;
use std::io;

use crate::state::document::Document;

pub use theme::{Colour, Glyphs};

/// Whatever kept a document from being loaded.
pub type LoadError = Box<dyn std::error::Error + Send + Sync>;

/// Reads the document; called once at the start and once for each reload, on a worker thread.
pub type Loader = Box<dyn FnMut() -> Result<Document, LoadError> + Send>;

/// Whether single secrets may be shown on request.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Revealing {
    /// A key shows one value for half a minute.
    #[default]
    OnRequest,
    /// Secrets stay masked whatever is pressed.
    Never,
}

/// What the browser is started with.
pub struct Options {
    /// Name of the source, as the user knows it.
    pub title: String,
    /// Reads the document.
    pub loader: Loader,
    /// The filter to begin with; empty for none.
    pub filter: String,
    /// Which characters may be drawn.
    pub glyphs: Glyphs,
    /// Whether colours may be used.
    pub colour: Colour,
    /// Whether secrets may be shown on request.
    pub revealing: Revealing,
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options").field("title", &self.title).finish_non_exhaustive()
    }
}

/// How the browser was left.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// The user left.
    Quit,
    /// A signal ended it; its number.
    Signal(i32),
}

/// Why the browser could not go on. The terminal is restored by then.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The document could not be loaded.
    #[error(transparent)]
    Load(LoadError),
    /// There is no terminal, or it went away.
    #[error("cannot use the terminal")]
    Terminal(#[source] io::Error),
    /// A worker panicked; only the place is told, since the message could hold a value.
    #[error("the browser failed at {0}, which is a bug")]
    Panicked(String),
}

/// Shows the document until the user leaves.
pub fn run(options: Options) -> Result<Outcome, Error> {
    runtime::run(options)
}
