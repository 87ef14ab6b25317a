//! What is asked on a terminal: whether to make an identity, and where.

use std::os::unix::fs::PermissionsExt as _;

use portable_pty::CommandBuilder;

use crate::place::state;
use crate::program::{BINARY, Program};
use crate::terminal::Terminal;

/// The program on a terminal.
struct Session(Terminal);

impl Session {
    fn start(program: &Program, words: &[&str]) -> Self {
        let mut command = CommandBuilder::new(BINARY);
        command.args(words);
        command.env_clear();
        command.env("HOME", program.path("home"));
        command.cwd(program.path("."));
        Self(Terminal::start(command, (24, 200)))
    }

    /// Waits until the program has said this, and answers.
    fn answer(&mut self, question: &str, answer: &str) {
        self.0.wait_for(question);
        self.0.press(&format!("{answer}\n"));
    }

    /// Waits for its end, and returns whether it was a success and all that was shown.
    fn end(mut self) -> (bool, String) {
        let is_success = self.0.end().success();
        (is_success, String::from_utf8(self.0.bytes()).unwrap())
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
