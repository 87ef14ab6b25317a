//! `tfstate diff` on a terminal: it pages, as git does, and only there.
#![cfg(unix)]

use std::io::Read as _;
use std::time::{Duration, Instant};

use portable_pty::{CommandBuilder, ExitStatus, PtySize, native_pty_system};

use crate::sandbox::Sandbox;

/// Far beyond what is needed: a busy machine must not fail a test.
const PATIENCE: Duration = Duration::from_secs(30);

/// Makes a folder with two states that differ in 3,000 lines.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    for (name, value) in [("a", 1), ("b", 2)] {
        let resource = |n: u32| {
            format!(
                r#"{{"mode":"managed","type":"x","name":"n{n}","provider":"provider[\"a/b\"]",
                  "instances":[{{"attributes":{{"id":"{n}","v":"{n}-{value}","w":{value}}}}}]}}"#
            )
        };
        let resources: Vec<String> = (0..1000).map(resource).collect();
        let state = format!(
            r#"{{"version":4,"serial":1,"lineage":"l","resources":[{}]}}"#,
            resources.join(",")
        );
        sandbox.write(name, state);
    }
    sandbox
}

/// Runs `tfstate diff a b` on a terminal; returns what that got and how it ended.
fn on_a_terminal(
    sandbox: &Sandbox,
    words: &[&str],
    variables: &[(&str, &str)],
) -> (String, ExitStatus) {
    let size = PtySize { rows: 24, cols: 80, pixel_width: 0, pixel_height: 0 };
    let pair = native_pty_system().openpty(size).unwrap();
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_tfstate"));
    command.args(["diff", "a", "b"]);
    command.args(words);
    command.env_clear();
    command.env("TERM", "xterm-256color");
    command.env("HOME", sandbox.path("home"));
    command.env("PATH", "/usr/bin:/bin");
    command.cwd(sandbox.path(""));
    for (name, value) in variables {
        command.env(name, value);
    }
    let mut child = pair.slave.spawn_command(command).unwrap();
    drop(pair.slave);
    let mut reader = pair.master.try_clone_reader().unwrap();
    let seen = std::thread::spawn(move || {
        let (mut seen, mut chunk) = (Vec::new(), [0; 4096]);
        // A terminal whose other end is gone is an error on some systems.
        while let Ok(read @ 1..) = reader.read(&mut chunk) {
            seen.extend_from_slice(&chunk[..read]);
        }
        String::from_utf8_lossy(&seen).into_owned()
    });
    let end = Instant::now() + PATIENCE;
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if Instant::now() > end {
            child.kill().unwrap();
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    (seen.join().unwrap(), status)
}

#[test]
fn a_terminal_gets_the_pager_and_a_pipe_does_not() {
    let mut sandbox = sandbox();
    let pager = "printf 'PAGED\\n'; head -n 2";
    let (seen, status) = on_a_terminal(&sandbox, &[], &[("PAGER", pager)]);
    assert!(status.success() && seen.starts_with("PAGED"), "{seen}");
    // The colours that the terminal would get reach it through the pager.
    assert!(seen.contains("\u{1b}[33m~"), "{seen:?}");
    sandbox.set("PAGER", pager);
    let ran = sandbox.run(["diff", "a", "b"]);
    assert!(!ran.stdout.contains("PAGED") && ran.stdout.lines().count() == 3001, "{ran}");
}

#[test]
fn our_own_variable_comes_before_the_general_one() {
    let variables = [("PAGER", "echo general"), ("TFSTATE_PAGER", "echo own")];
    let (seen, _) = on_a_terminal(&sandbox(), &[], &variables);
    assert_eq!(seen.trim(), "own");
}

#[test]
fn leaving_the_pager_early_is_quiet_and_no_failure() {
    // `true` reads nothing at all, so that writing to it fails.
    for pager in ["true", "head -n 1 > /dev/null", "exit 3"] {
        let (seen, status) = on_a_terminal(&sandbox(), &[], &[("TFSTATE_PAGER", pager)]);
        assert!(status.success() && seen.is_empty(), "{pager}: {seen}");
    }
}

#[test]
fn the_answer_of_the_command_is_given_after_the_pager() {
    let variables = [("TFSTATE_PAGER", "true")];
    let (seen, status) = on_a_terminal(&sandbox(), &["--detailed-exitcode"], &variables);
    assert_eq!((status.exit_code(), seen.as_str()), (2, ""));
}

#[test]
fn without_a_pager_everything_is_printed() {
    let sandbox = sandbox();
    for (words, pager) in
        [(&["--no-pager"][..], "echo PAGED"), (&[], "cat"), (&[], "no-such-pager-anywhere")]
    {
        let (seen, status) = on_a_terminal(&sandbox, words, &[("PAGER", pager)]);
        assert!(status.success() && !seen.contains("PAGED"), "{pager}");
        assert!(seen.contains("1000 changed"), "{pager}: {seen}");
    }
}

#[test]
fn ctrl_c_is_the_pagers_while_it_runs() {
    // The shell that runs the pager signals everything in front of the terminal, as Ctrl-C does.
    let pager = "trap '' INT; kill -INT 0; sleep 0.1; kill -INT 0; sleep 0.1; echo still here";
    let (seen, status) = on_a_terminal(&sandbox(), &[], &[("PAGER", pager)]);
    assert!(status.success(), "{status:?} {seen}");
    assert_eq!(seen.trim(), "still here");
}
