//! A program on a pseudo terminal, and what that terminal shows.

use std::io::{Read, Write};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};

/// Far beyond what is needed: a busy machine must not fail a test.
const PATIENCE: Duration = Duration::from_mins(1);

/// What the terminal got so far.
struct Seen {
    bytes: Vec<u8>,
    screen: vt100::Parser,
    closed: bool,
}

/// A program that runs on a terminal.
pub(crate) struct Terminal {
    pub(crate) child: Box<dyn Child + Send + Sync>,
    pub(crate) master: Box<dyn MasterPty + Send>,
    keys: Box<dyn Write + Send>,
    seen: Arc<(Mutex<Seen>, Condvar)>,
    reader: Option<JoinHandle<()>>,
}

impl Terminal {
    /// Runs a command on a terminal of so many rows and columns.
    pub(crate) fn start(command: CommandBuilder, (rows, cols): (u16, u16)) -> Self {
        let size = PtySize { rows, cols, ..PtySize::default() };
        let pair = native_pty_system().openpty(size).unwrap();
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let screen = vt100::Parser::new(rows.try_into().unwrap(), cols.try_into().unwrap(), 0);
        let seen = Seen { bytes: Vec::new(), screen, closed: false };
        let seen = Arc::new((Mutex::new(seen), Condvar::new()));
        let reader = read(pair.master.try_clone_reader().unwrap(), Arc::clone(&seen));
        let keys = pair.master.take_writer().unwrap();
        Self { child, master: pair.master, keys, seen, reader: Some(reader) }
    }

    pub(crate) fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// Waits until the screen is as wanted; fails with what it shows instead.
    pub(crate) fn wait(&self, wanted: impl Fn(&vt100::Screen) -> bool) {
        let (seen, changed) = &*self.seen;
        let end = Instant::now() + PATIENCE;
        let mut seen = seen.lock().unwrap();
        while !wanted(seen.screen.screen()) {
            let left = end.saturating_duration_since(Instant::now());
            let contents = seen.screen.screen().contents();
            assert!(!seen.closed && !left.is_zero(), "the screen shows:\n{contents}");
            (seen, _) = changed.wait_timeout(seen, left).unwrap();
        }
    }

    pub(crate) fn wait_for(&self, text: &str) {
        self.wait(|screen| screen.contents().contains(text));
    }

    /// Waits for the end, and for the last byte: that comes after the end is known.
    pub(crate) fn end(&mut self) -> ExitStatus {
        let end = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            if Instant::now() > end {
                self.child.kill().unwrap();
                panic!("it does not end");
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        self.reader.take().unwrap().join().unwrap();
        status
    }

    /// Returns all that was sent to the terminal.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.seen.0.lock().unwrap().bytes.clone()
    }

    /// Returns what is to be seen now.
    pub(crate) fn screen(&self) -> vt100::Screen {
        self.seen.0.lock().unwrap().screen.screen().clone()
    }
}

fn read(mut from: Box<dyn Read + Send>, seen: Arc<(Mutex<Seen>, Condvar)>) -> JoinHandle<()> {
    std::thread::spawn(move || {
        let mut chunk = [0; 4096];
        loop {
            // A terminal that nobody holds any more cannot be read.
            let len = from.read(&mut chunk).unwrap_or(0);
            let (state, changed) = &*seen;
            let mut state = state.lock().unwrap();
            state.bytes.extend_from_slice(&chunk[..len]);
            state.screen.process(&chunk[..len]);
            state.closed = len == 0;
            changed.notify_all();
            if len == 0 {
                return;
            }
        }
    })
}
