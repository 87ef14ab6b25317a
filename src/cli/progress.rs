//! What is shown on the terminal while something takes long: one line on standard error, which is
//! gone when the work is done.

use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::interrupt::Interrupt;
use super::output::Output;

/// What is done sooner than this is not spoken of.
const PATIENCE: Duration = Duration::from_millis(800);

/// How often the line is written anew.
const PACE: Duration = Duration::from_millis(200);

/// A line that tells how far the work is, until it is dropped.
#[derive(Debug)]
pub(crate) struct Progress {
    line: Arc<Line>,
    writer: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Line {
    state: Mutex<State>,
    changed: Condvar,
    /// What holds a first Ctrl-C back until something is done; then the line says so.
    holds: Option<Interrupt>,
}

/// What follows in the line once somebody pressed Ctrl-C.
const STOPPING: &str = ", stopping after what was begun; Ctrl-C again stops at once";

#[derive(Debug, Default)]
struct State {
    /// Safe for a terminal.
    text: String,
    is_shown: bool,
    is_done: bool,
}

impl Line {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes the line again and again until the work is done.
    fn run(&self) {
        let mut pause = PATIENCE;
        let mut state = self.state();
        loop {
            let waited = self.changed.wait_timeout_while(state, pause, |state| !state.is_done);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
            if state.is_done {
                return;
            }
            // Where nobody can see it, nothing is lost.
            write!(io::stderr(), "\r{}{}\x1b[K", state.text, self.stopping()).ok();
            state.is_shown = true;
            pause = PACE;
        }
    }

    fn stopping(&self) -> &'static str {
        if self.holds.as_ref().is_some_and(Interrupt::is_asked) { STOPPING } else { "" }
    }

    fn clear(state: &mut State) {
        if std::mem::take(&mut state.is_shown) {
            write!(io::stderr(), "\r\x1b[K").ok();
        }
    }
}

impl Progress {
    /// Begins to tell `text`, which must be safe for a terminal, if progress is to be shown.
    pub(crate) fn start(out: &Output, text: String) -> Self {
        Self::of(out, text, Line::default())
    }

    /// Does so for work that a first Ctrl-C does not end at once.
    pub(crate) fn held(out: &Output, text: String, by: &Interrupt) -> Self {
        Self::of(out, text, Line { holds: Some(by.clone()), ..Line::default() })
    }

    fn of(out: &Output, text: String, line: Line) -> Self {
        let line = Arc::new(line);
        line.state().text = text;
        let writer = out.shows_progress().then(|| {
            let line = Arc::clone(&line);
            thread::spawn(move || line.run())
        });
        Self { line, writer }
    }

    /// Tells something else from now on, where anybody is told.
    pub(crate) fn tell(&self, text: impl FnOnce() -> String) {
        if self.writer.is_some() {
            self.line.state().text = text();
        }
    }

    /// Takes the line away, to make room for something that is printed; it comes back by itself.
    pub(crate) fn make_room(&self) {
        Line::clear(&mut self.line.state());
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.line.state().is_done = true;
        self.line.changed.notify_all();
        // One that panicked has nothing more to say.
        self.writer.take().map(JoinHandle::join);
        Line::clear(&mut self.line.state());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::env::Env;

    #[test]
    fn nothing_is_written_where_no_progress_is_to_be_shown() {
        let mut out = Output::standard(&Env::default());
        out.silence_progress();
        let progress = Progress::start(&out, "reading".to_owned());
        assert!(progress.writer.is_none());
        progress.tell(|| unreachable!("nobody is told"));
        progress.make_room();
        assert!(!progress.line.state().is_shown);
    }
}
