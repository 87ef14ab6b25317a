//! Exit statuses, and what is said with them.

use std::fs::File;
use std::io::Read;
use std::process::{Command, Stdio};

use insta::assert_snapshot;

use crate::sandbox::Sandbox;

#[test]
fn the_version_is_printed_alone() {
    let sandbox = Sandbox::new();
    let said = format!("tfstate {}\n[exit 0]\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(sandbox.run(["--version"]).to_string(), said);
    assert_eq!(sandbox.run(["-V"]).to_string(), said);
    assert_eq!(sandbox.run(["-q", "-V"]).to_string(), said);
}

#[test]
fn asking_for_help_is_no_failure_and_saying_nothing_is_one() {
    let sandbox = Sandbox::new();
    let asked = sandbox.run(["-h"]);
    assert_eq!((asked.status, asked.stderr.as_str()), (Some(0), ""));
    let silent = sandbox.run::<&str>([]);
    assert_eq!((silent.status, silent.stdout.as_str()), (Some(1), ""));
    assert_eq!(silent.stderr, asked.stdout);
}

#[test]
fn a_usage_error_exits_with_1_and_says_what_was_meant() {
    assert_snapshot!(Sandbox::new().run(["confg", "show"]), @r#"
    [stderr]
    error: unrecognized subcommand 'confg'

      tip: a similar subcommand exists: 'config'

    Usage: tfstate [OPTIONS] <COMMAND>

    For more information, try '--help'.
    [exit 1]
    "#);
}

#[test]
fn an_unsupported_format_is_refused_with_the_supported_ones() {
    let sandbox = Sandbox::new();
    assert_snapshot!(sandbox.run(["config", "show", "-o", "html"]), @r#"
    [stderr]
    error: invalid value 'html' for '--output <FORMAT>'
      [possible values: text, json]

    For more information, try '--help'.
    [exit 1]
    "#);
    assert_snapshot!(sandbox.run(["-o", "html", "config", "show"]), @r#"
    [stderr]
    error: `tfstate config` cannot print html
    hint: use one of: text, json
    [exit 1]
    "#);
    assert_snapshot!(sandbox.run(["man", "-o", "json"]), @r#"
    [stderr]
    error: `tfstate man` cannot print json
    hint: leave out `-o`: there is only one way to print this
    [exit 1]
    "#);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_a_failure() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command(env!("CARGO_BIN_EXE_tfstate").as_ref());
    let full = File::options().write(true).open("/dev/full").unwrap();
    let output = command.arg("man").stdout(full).output().unwrap();
    assert_snapshot!(sandbox.ran(output), @r#"
    [stderr]
    error: cannot write to standard output
      because: no space left on device
    [exit 1]
    "#);
}

#[test]
fn a_closed_pipe_ends_quietly_with_0() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command(env!("CARGO_BIN_EXE_tfstate").as_ref());
    let mut child =
        command.arg("man").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!((child.wait().unwrap().code(), said.as_str()), (Some(0), ""));
}

#[test]
fn an_unknown_log_level_is_refused_with_the_known_ones() {
    let mut sandbox = Sandbox::new();
    sandbox.set("TFSTATE_LOG", "loud");
    assert_snapshot!(sandbox.run(["config", "show"]), @r#"
    [stderr]
    error: cannot log at level `loud`, from TFSTATE_LOG
    hint: set it to off, error, warn, info, debug or trace
    [exit 1]
    "#);
}

#[test]
fn logs_go_to_standard_error_when_they_are_asked_for() {
    let sandbox = Sandbox::new();
    sandbox.write("tfstate.toml", "");
    let silent = sandbox.run(["config", "show"]);
    assert_eq!(silent.stderr, "");
    let told = sandbox.run(["config", "show", "-v"]);
    assert_eq!(told.stdout, silent.stdout);
    assert!(
        told.stderr.contains("INFO") && told.stderr.contains("tfstate.toml"),
        "{}",
        told.stderr
    );
    let json = sandbox.run(["config", "show", "-v", "--log-format", "json"]).stderr;
    for line in json.lines() {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(event["level"], "INFO");
    }
    assert!(!json.is_empty());
}

#[test]
fn silenced_talk_leaves_errors_and_results() {
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.run(["man", "--dir", "man1", "-q"]).to_string(), "[exit 0]\n");
    let failed = sandbox.run(["-q", "config", "show", "--config", "none.toml"]);
    assert!(failed.stderr.starts_with("error: "), "{}", failed.stderr);
}

/// Reading a configuration from a pipe that nobody writes to is a command that takes long.
#[cfg(unix)]
#[test]
fn an_interrupted_command_exits_with_130() {
    let sandbox = Sandbox::new();
    let pipe = sandbox.path("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let mut command = sandbox.command(env!("CARGO_BIN_EXE_tfstate").as_ref());
    let mut child = command.args(["config", "show", "--config", "pipe"]).spawn().unwrap();
    // Opening the pipe waits until the program opens it too, which is after its signals are set.
    let held = File::options().write(true).open(&pipe).unwrap();
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    drop(held);
}
