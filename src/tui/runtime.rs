//! The loop: wait for an event, take all that are there, draw once, have effects performed.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use crate::base::env::Env;

use super::app::{App, Event};
use super::clipboard::{self, Way};
use super::effect::Effect;
use super::reload::Keep;
use super::terminal::{self, Guard, Output, read_keys};
use super::theme::Meaning;
use super::worker::{self, LoadWorker, Query, QueryWorker};
use super::{Error, Options, Outcome};

/// Events that may wait; a sender waits with more, which holds back a paste but never the loop.
const WAITING: usize = 1024;

/// Runs the browser from the first frame to the last.
pub(super) fn run(options: Options) -> Result<Outcome, Error> {
    let app = App::new(&options, Instant::now());
    let guard = Guard::take().map_err(Error::Terminal)?;
    let output = Output::new().map_err(Error::Terminal)?;
    let (sender, events) = sync_channel(WAITING);
    signals(&sender).map_err(Error::Terminal)?;
    let keys = sender.clone();
    worker::spawn(&sender, move || read_keys(&keys));
    let loads = LoadWorker::start(options.loader, &sender);
    loads.load(Keep::default());
    let queries = QueryWorker::start(&sender);
    let runtime = Runtime { _guard: guard, app, output, events, sender, loads, queries };
    runtime.run()
}

struct Runtime {
    /// Gives the terminal back when the loop is left, however that happens. It is the first to go:
    /// to give the memory of a large state back takes a while.
    _guard: Guard,
    app: App,
    output: Output,
    events: Receiver<Event>,
    sender: SyncSender<Event>,
    loads: LoadWorker,
    queries: QueryWorker,
}

impl Runtime {
    fn run(mut self) -> Result<Outcome, Error> {
        loop {
            self.draw().map_err(Error::Terminal)?;
            let Some(mut event) = self.wait() else { continue };
            loop {
                if let Some(end) = self.take(event) {
                    return end;
                }
                match self.events.try_recv() {
                    Ok(next) => event = next,
                    Err(_) => break,
                }
            }
        }
    }

    fn draw(&mut self) -> std::io::Result<()> {
        let size = self.output.size()?;
        self.app.resize(size);
        let app = &self.app;
        self.output.draw(|buffer| app.draw(buffer))
    }

    /// Waits for an event, or for the moment when something on the screen changes by itself.
    fn wait(&mut self) -> Option<Event> {
        let event = match self.app.model.deadline() {
            None => self.events.recv().ok(),
            Some(deadline) => {
                let left = deadline.saturating_duration_since(Instant::now());
                self.events.recv_timeout(left.max(Duration::from_millis(1))).ok()
            }
        };
        self.app.model.tick(Instant::now());
        event
    }

    /// Takes one event; returns how everything ends, when it does.
    fn take(&mut self, event: Event) -> Option<Result<Outcome, Error>> {
        let event = match event {
            Event::Signal(signal) => return Some(Ok(Outcome::Signal(signal))),
            Event::Closed(error) => return Some(Err(Error::Terminal(error))),
            Event::Panicked(place) => return Some(Err(Error::Panicked(place))),
            Event::LoadFailed(error) if self.app.model.loaded.is_none() => {
                return Some(Err(Error::Load(error)));
            }
            event => event,
        };
        let effect = self.app.on(event)?;
        self.perform(effect)
    }

    fn perform(&mut self, effect: Effect) -> Option<Result<Outcome, Error>> {
        match effect {
            Effect::Quit => return Some(Ok(Outcome::Quit)),
            Effect::Suspend => return self.suspend(),
            Effect::Redraw => return self.redraw().err().map(|error| Err(Error::Terminal(error))),
            Effect::Load(keep) => self.loads.load(keep),
            Effect::Query { generation, filter } => {
                // Without a document there is nothing to search; its arrival asks again.
                if let Some(loaded) = self.app.model.loaded.clone() {
                    self.queries.search(Query { generation, filter, loaded });
                }
            }
            Effect::Copy(text) => self.copy(text),
        }
        None
    }

    fn redraw(&mut self) -> std::io::Result<()> {
        terminal::retake()?;
        self.output.forget()
    }

    /// Stops until the shell continues us, with the terminal as we found it.
    fn suspend(&mut self) -> Option<Result<Outcome, Error>> {
        if !can_stop() {
            self.app.model.notify(Meaning::Plain, "there is no shell to go back to");
            return None;
        }
        terminal::release();
        let mut held = Vec::new();
        if stop().is_ok() {
            // The signal may take a moment to stop this thread. Until it has, and somebody has
            // continued us, the terminal is not ours to take.
            while let Ok(event) = self.events.recv() {
                match event {
                    Event::Continued => break,
                    other => held.push(other),
                }
            }
        }
        if let Err(error) = self.redraw() {
            return Some(Err(Error::Terminal(error)));
        }
        held.into_iter().find_map(|event| self.take(event))
    }

    fn copy(&mut self, text: String) {
        let sender = self.sender.clone();
        let told = match Way::of(&Env::process()) {
            Way::Tmux => {
                worker::spawn(&self.sender, move || {
                    let copied = clipboard::to_tmux(&text);
                    let told = copied.map(|()| format!("copied {} B with tmux", text.len()));
                    let told = told.map_err(|error| format!("cannot copy with tmux: {error}"));
                    sender.send(Event::Copied(told)).ok();
                });
                return;
            }
            Way::Terminal => match clipboard::osc52(&text).map(|bytes| self.output.send(&bytes)) {
                Some(Ok(())) => Ok(format!("sent {} B to the terminal's clipboard", text.len())),
                Some(Err(_)) | None => Err(String::from("too long for the terminal's clipboard")),
            },
        };
        self.app.on(Event::Copied(told));
    }
}

/// Makes signals events.
#[cfg(unix)]
fn signals(events: &SyncSender<Event>) -> std::io::Result<()> {
    use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP};

    let mut signals =
        signal_hook::iterator::Signals::new([SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGTSTP, SIGCONT])?;
    let sender = events.clone();
    worker::spawn(events, move || {
        for signal in signals.forever() {
            let event = match signal {
                SIGTSTP => Event::Stop,
                SIGCONT => Event::Continued,
                signal => Event::Signal(signal),
            };
            if sender.send(event).is_err() {
                return;
            }
        }
    });
    Ok(())
}

#[cfg(not(unix))]
fn signals(_events: &SyncSender<Event>) -> std::io::Result<()> {
    Ok(())
}

/// Returns whether somebody could continue us: a session of our own has no shell.
#[cfg(unix)]
fn can_stop() -> bool {
    use rustix::process::{getpid, getsid};

    getsid(None).is_ok_and(|session| session != getpid())
}

#[cfg(not(unix))]
fn can_stop() -> bool {
    false
}

/// Stops the whole job, as Ctrl-Z does.
#[cfg(unix)]
fn stop() -> std::io::Result<()> {
    use rustix::process::{Signal, kill_current_process_group};

    Ok(kill_current_process_group(Signal::STOP)?)
}

#[cfg(not(unix))]
fn stop() -> std::io::Result<()> {
    Err(std::io::ErrorKind::Unsupported.into())
}
