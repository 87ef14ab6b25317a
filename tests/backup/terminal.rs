//! What is asked on a terminal: whether to make an identity, and where.

use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use crate::place::state;
use crate::program::{BINARY, Program};

/// Far beyond what is needed: a busy machine must not fail a test.
const PATIENCE: Duration = Duration::from_mins(1);

/// The program on a terminal.
struct Session {
    child: Box<dyn Child + Send + Sync>,
    keys: Box<dyn Write + Send>,
    shown: Arc<(Mutex<String>, Condvar)>,
    reader: JoinHandle<()>,
    _terminal: Box<dyn MasterPty + Send>,
}

impl Session {
    fn start(program: &Program, words: &[&str]) -> Self {
        let size = PtySize { rows: 24, cols: 200, ..PtySize::default() };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(BINARY);
        command.args(words);
        command.env_clear();
        command.env("HOME", program.path("home"));
        command.cwd(program.path("."));
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let shown = Arc::new((Mutex::new(String::new()), Condvar::new()));
        let mut screen = pair.master.try_clone_reader().unwrap();
        let kept = Arc::clone(&shown);
        let reader = thread::spawn(move || {
            let mut buffer = [0; 4096];
            // A terminal that nobody holds any more cannot be read.
            while let Ok(read @ 1..) = screen.read(&mut buffer) {
                kept.0.lock().unwrap().push_str(&String::from_utf8_lossy(&buffer[..read]));
                kept.1.notify_all();
            }
        });
        let keys = pair.master.take_writer().unwrap();
        Self { child, keys, shown, reader, _terminal: pair.master }
    }

    /// Waits until the program has said this, and answers.
    fn answer(&mut self, question: &str, answer: &str) {
        let (shown, changed) = &*self.shown;
        let end = Instant::now() + PATIENCE;
        let mut text = shown.lock().unwrap();
        while !text.contains(question) {
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "{question} was not asked: {text}");
            text = changed.wait_timeout(text, left).unwrap().0;
        }
        drop(text);
        self.keys.write_all(format!("{answer}\n").as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// Waits for its end, and returns whether it was a success and all that was shown.
    fn end(mut self) -> (bool, String) {
        let is_success = self.child.wait().unwrap().success();
        // What it said last may still be on its way.
        self.reader.join().unwrap();
        let shown = self.shown.0.lock().unwrap().clone();
        (is_success, shown)
    }
}

const RESTORE: [&str; 6] = ["restore", "prod.tfstate", "--repo", "repo", "--to", "old.tfstate"];

#[test]
fn a_repository_without_recipients_offers_to_make_an_identity() {
    let program = Program::new();
    program.write(&state(3, 1));
    let mut session = Session::start(&program, &["repo", "init", "--repo", "repo"]);
    session.answer("Make a new age identity to encrypt for?", "y");
    let place = program.path("new-identity.txt");
    session.answer("Write it to this new file", place.to_str().unwrap());
    let (done, shown) = session.end();
    assert!(done, "{shown}");
    assert!(shown.contains("keep two copies elsewhere"), "{shown}");
    assert!(!shown.contains("AGE-SECRET-KEY"), "{shown}");
    assert_eq!(place.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let mut command = program.command(BINARY);
    command.args(["backup", "prod.tfstate", "--repo", "repo"]);
    assert!(command.output().unwrap().status.success());
    let mut command = program.command(BINARY);
    command.args(RESTORE).arg("--identity").arg(place);
    assert!(command.output().unwrap().status.success());
    assert_eq!(std::fs::read(program.path("old.tfstate")).unwrap(), state(3, 1));
}

#[test]
fn nothing_is_made_where_the_offer_is_refused() {
    let program = Program::new();
    let mut session = Session::start(&program, &["repo", "init", "--repo", "repo"]);
    session.answer("Make a new age identity to encrypt for?", "");
    let (done, shown) = session.end();
    assert!(!done && shown.contains("neither recipients nor no encryption chosen"), "{shown}");
    assert!(program.try_repository().is_err());
}
