//! Takes the terminal over and gives it back: on leaving, on errors, on panics, on signals.

use std::io::{self, Write};
use std::panic::{self, PanicHookInfo};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, ThreadId};

use crossterm::cursor::{Hide, Show};
use crossterm::event::{
    DisableBracketedPaste, DisableFocusChange, EnableBracketedPaste, EnableFocusChange,
};
use crossterm::queue;
use crossterm::style::{ResetColor, force_color_output};
use crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};

use super::output::Device;

/// Whether the terminal is ours: the panic hook and the guard both give it back, once.
static TAKEN: AtomicBool = AtomicBool::new(false);
/// Where the last panic happened.
static PANIC: Mutex<Option<String>> = Mutex::new(None);

type Hook = Box<dyn Fn(&PanicHookInfo<'_>) + Send + Sync>;

/// Holds the terminal while it lives.
pub(crate) struct Guard {
    /// What panics did before.
    hook: Option<Hook>,
}

impl std::fmt::Debug for Guard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Guard")
    }
}

impl Guard {
    /// Takes the terminal over.
    pub(crate) fn take() -> io::Result<Self> {
        // NO_COLOR is decided by the caller. Left to itself, crossterm answers it by resetting
        // every attribute, and the selected row with them.
        force_color_output(true);
        let before = panic::take_hook();
        let ui = thread::current().id();
        panic::set_hook(Box::new(move |info| on_panic(ui, info)));
        let guard = Self { hook: Some(before) };
        enter()?;
        Ok(guard)
    }
}

/// Gives the terminal back for a while.
pub(crate) fn release() {
    leave();
}

/// Takes the terminal over again, whatever became of it meanwhile.
pub(crate) fn retake() -> io::Result<()> {
    leave();
    enter()
}

impl Drop for Guard {
    fn drop(&mut self) {
        leave();
        // The hook can't be changed while a panic is on its way out.
        if let Some(before) = self.hook.take()
            && !thread::panicking()
        {
            panic::set_hook(before);
        }
    }
}

fn enter() -> io::Result<()> {
    TAKEN.store(true, Ordering::SeqCst);
    enable_raw_mode()?;
    let mut bytes = Vec::new();
    queue!(bytes, EnterAlternateScreen, EnableBracketedPaste, EnableFocusChange, Hide)?;
    Device::open()?.write(&bytes)
}

/// Undoes [`enter`]. There is nobody to tell if that fails: the terminal is gone then.
fn leave() {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    let mut bytes = Vec::new();
    let queued = queue!(
        bytes,
        ResetColor,
        Show,
        DisableFocusChange,
        DisableBracketedPaste,
        LeaveAlternateScreen
    );
    if let (Ok(()), Ok(mut device)) = (queued, Device::open()) {
        device.write(&bytes).ok();
    }
    disable_raw_mode().ok();
}

/// Tells where a panic happened. Its message is left out: it could hold a value of the state.
fn on_panic(ui: ThreadId, info: &PanicHookInfo<'_>) {
    let place = info.location().map_or_else(
        || String::from("an unknown place"),
        |at| format!("{}:{}:{}", at.file(), at.line(), at.column()),
    );
    // The terminal stays ours when a worker panics: the loop hears of it and leaves in order.
    if thread::current().id() == ui {
        leave();
        writeln!(io::stderr(), "error: the browser failed at {place}, which is a bug").ok();
    }
    if let Ok(mut last) = PANIC.lock() {
        *last = Some(place);
    }
}

/// Returns where the last panic happened.
pub(crate) fn take_panic() -> String {
    let last = PANIC.lock().ok().and_then(|mut last| last.take());
    last.unwrap_or_else(|| String::from("an unknown place"))
}
