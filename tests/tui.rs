#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
//! The browser in a real terminal: what it draws, what it leaves behind, what it never sends.

#![cfg(unix)]

#[path = "support/terminal.rs"]
mod terminal;

use std::io::Write;
use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::time::Duration;

use portable_pty::{CommandBuilder, PtySize};
use terminal::Terminal;

const STATE: &str = r#"{
  "version": 4, "terraform_version": "1.11.4", "serial": 42, "lineage": "l", "outputs": {},
  "resources": [
    {"mode": "managed", "type": "random_password", "name": "admin",
      "provider": "provider[\"registry.terraform.io/hashicorp/random\"]",
      "instances": [{"attributes": {"id": "none", "result": "S3CR3T-result"},
        "sensitive_attributes": [[{"type": "get_attr", "value": "result"}]]}]},
    {"module": "module.network", "mode": "managed", "type": "aws_vpc", "name": "main",
      "provider": "provider[\"registry.terraform.io/hashicorp/aws\"]",
      "instances": [{"attributes": {"id": "vpc-1",
        "note": "\u001b]0;EVIL-TITLE\u0007\u001b[2J\u009b31m\u202edesrever", "\u001b[5mkey": "v"}}]}
  ]}"#;

struct Session {
    terminal: Terminal,
    _folder: tempfile::TempDir,
}

impl Session {
    fn start(environment: &[(&str, &str)]) -> Self {
        Self::with(environment, |file| {
            let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_tfstate"));
            command.arg("inspect");
            command.arg(file);
            command
        })
    }

    fn with(environment: &[(&str, &str)], command: impl FnOnce(&Path) -> CommandBuilder) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file: PathBuf = folder.path().join("prod.tfstate");
        std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&file)
            .and_then(|mut file| file.write_all(STATE.as_bytes()))
            .unwrap();
        let mut command = command(&file);
        command.env_clear();
        command.env("TERM", "xterm-256color");
        command.env("HOME", folder.path());
        command.env("PATH", "/usr/bin:/bin");
        command.cwd(folder.path());
        for (name, value) in environment {
            command.env(name, value);
        }
        Self { terminal: Terminal::start(command, (24, 80)), _folder: folder }
    }

    fn is_raw(&self) -> bool {
        let modes = format!("{:?}", self.master.get_termios().unwrap().local_flags);
        !modes.contains("ICANON") && !modes.contains("ECHO ")
    }

    fn assert_restored(&self) {
        let screen = self.screen();
        assert!(!screen.alternate_screen(), "the alternate screen is left");
        assert!(!screen.hide_cursor(), "the cursor is back");
        assert!(!screen.bracketed_paste(), "pastes are not bracketed any more");
        let bytes = self.bytes();
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.contains("\x1b[?1004h") && text.contains("\x1b[?1004l"), "focus events");
    }
}

impl Deref for Session {
    type Target = Terminal;

    fn deref(&self) -> &Terminal {
        &self.terminal
    }
}

impl DerefMut for Session {
    fn deref_mut(&mut self) -> &mut Terminal {
        &mut self.terminal
    }
}

#[test]
fn it_shows_the_tree_and_leaves_the_terminal_as_it_was() {
    let mut session = Session::start(&[]);
    session.wait_for("module.network");
    session.wait_for("random_password.admin");
    session.press("q");
    assert!(session.end().success());
    session.assert_restored();
}

#[test]
fn the_terminal_is_raw_while_it_runs_and_cooked_after() {
    // A shell keeps the terminal open, so that there is one to look at afterwards.
    let mut session = Session::with(&[], |file| {
        let mut command = CommandBuilder::new("/bin/sh");
        command.args(["-c", "\"$0\" inspect \"$1\"; echo over; read line"]);
        command.arg(env!("CARGO_BIN_EXE_tfstate"));
        command.arg(file);
        command
    });
    session.wait_for("random_password.admin");
    assert!(session.is_raw());
    session.press("q");
    session.wait_for("over");
    assert!(!session.is_raw());
    session.press("\n");
    session.end();
}

#[test]
fn a_filter_narrows_the_tree() {
    let mut session = Session::start(&[]);
    session.wait_for("random_password.admin");
    session.press("/vpc");
    session.wait_for("1 of 2");
    session.wait(|screen| !screen.contents().contains("random_password"));
    session.press("\r");
    session.wait(vt100::Screen::hide_cursor);
    session.press("\x1b");
    session.wait_for("random_password.admin");
    session.press("q");
    assert!(session.end().success());
}

#[test]
fn a_secret_is_sent_to_the_terminal_only_when_asked_for() {
    let mut session = Session::start(&[]);
    session.wait_for("random_password.admin");
    session.press("j");
    session.wait_for("\u{2039}secret #");
    assert!(!contains(&session.bytes(), b"S3CR3T"));
    session.press("x");
    session.wait_for("S3CR3T-result");
    session.press("X");
    session.wait(|screen| !screen.contents().contains("S3CR3T"));
    session.press("q");
    assert!(session.end().success());
}

#[test]
fn nothing_in_a_state_commands_the_terminal() {
    let mut session = Session::start(&[]);
    session.wait_for("module.network");
    session.press("G\tzR");
    session.wait_for("EVIL-TITLE");
    session.press("q");
    assert!(session.end().success());
    let bytes = session.bytes();
    let text = String::from_utf8_lossy(&bytes);
    assert!(!text.contains("\x1b]0;") && !text.contains("\x1b[5m"), "{text:?}");
    assert!(!text.contains('\u{9b}') && !text.contains('\u{202e}') && !text.contains('\x07'));
    session.assert_restored();
}

#[test]
fn signals_end_it_with_the_terminal_restored() {
    for signal in [rustix::process::Signal::TERM, rustix::process::Signal::HUP] {
        let mut session = Session::start(&[]);
        session.wait_for("random_password.admin");
        let pid = session.child.process_id().and_then(|pid| i32::try_from(pid).ok()).unwrap();
        let pid = rustix::process::Pid::from_raw(pid).unwrap();
        rustix::process::kill_process(pid, signal).unwrap();
        assert!(!session.end().success());
        session.assert_restored();
    }
}

#[test]
fn without_colour_the_selection_is_reversed() {
    let mut session = Session::start(&[("NO_COLOR", "1")]);
    session.wait_for("random_password.admin");
    session.press("j");
    session.wait(|screen| {
        let row =
            (0..24).find(|&row| screen.cell(row, 0).is_some_and(|cell| cell.contents() == ">"));
        row.is_some_and(|row| {
            (0..40).all(|x| screen.cell(row, x).is_some_and(vt100::Cell::inverse))
        })
    });
    session.press("q");
    assert!(session.end().success());
    let text = String::from_utf8_lossy(&session.bytes()).into_owned();
    for colour in 31..=36 {
        assert!(!text.contains(&format!("\x1b[{colour}m")), "{text:?}");
        assert!(!text.contains(&format!("\x1b[38;5;{}m", colour - 30)), "{text:?}");
    }
}

#[test]
fn keys_come_from_the_terminal_when_the_state_comes_from_a_pipe() {
    let mut session = Session::with(&[], |file| {
        let mut command = CommandBuilder::new("/bin/sh");
        command.args(["-c", "cat \"$1\" | \"$0\" inspect -"]);
        command.arg(env!("CARGO_BIN_EXE_tfstate"));
        command.arg(file);
        command
    });
    session.wait_for("random_password.admin");
    session.press("q");
    assert!(session.end().success());
    session.assert_restored();
}

#[test]
fn resizing_redraws_and_never_breaks_it() {
    let mut session = Session::start(&[]);
    session.wait_for("random_password.admin");
    for (cols, rows) in [(1, 1), (200, 60), (19, 4), (3, 50), (40, 12), (80, 24)] {
        session.master.resize(PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }).unwrap();
    }
    session.press("j");
    // The reader of keys may leave one that comes together with a change of size until the next
    // one comes: Ctrl-l, which only draws again.
    std::thread::sleep(Duration::from_millis(300));
    session.press("\x0c");
    session.wait_for("2/4");
    session.press("q");
    assert!(session.end().success());
}

#[test]
fn it_writes_nothing_while_nothing_happens() {
    let mut session = Session::start(&[]);
    session.wait_for("random_password.admin");
    session.press("j");
    session.wait_for("2/4");
    // The frame that was waited for may have been read in part.
    std::thread::sleep(Duration::from_millis(300));
    let before = session.bytes().len();
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(session.bytes().len(), before);
    session.press("q");
    assert!(session.end().success());
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

#[test]
fn it_can_be_suspended_and_continued_and_hides_what_was_revealed() {
    let mut session = Session::with(&[("PS1", "$ ")], |_| {
        let mut command = CommandBuilder::new("/bin/sh");
        command.arg("-i");
        command
    });
    session.wait_for("$ ");
    session.press(concat!(env!("CARGO_BIN_EXE_tfstate"), " inspect prod.tfstate\n"));
    session.wait_for("random_password.admin");
    session.press("jx");
    session.wait_for("S3CR3T-result");
    session.press("\x1a");
    session.wait(|screen| {
        let contents = screen.contents();
        let is_back = contents.contains("Stopped") && contents.trim_end().ends_with('$');
        !screen.alternate_screen() && is_back
    });
    assert!(!session.is_raw());
    session.press("fg\n");
    session.wait(|screen| screen.alternate_screen() && screen.contents().contains("admin"));
    session.wait_for("\u{2039}secret #");
    assert!(session.is_raw());
    session.press("q");
    // What is typed before the prompt is back would still go to the browser.
    session
        .wait(|screen| !screen.alternate_screen() && screen.contents().trim_end().ends_with('$'));
    session.press("exit\n");
    session.end();
}

#[test]
fn a_state_that_cannot_be_read_leaves_the_terminal_as_it_was() {
    let mut session = Session::with(&[], |file| {
        let broken = file.with_file_name("broken.tfstate");
        std::fs::copy(file, &broken).unwrap();
        std::fs::OpenOptions::new().write(true).open(&broken).unwrap().set_len(200).unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_tfstate"));
        command.arg("inspect");
        command.arg(broken);
        command
    });
    assert!(!session.end().success());
    let screen = session.screen();
    assert!(!screen.alternate_screen() && !screen.hide_cursor());
    assert!(!screen.contents().is_empty(), "the reason stays on the screen");
}
