//! Bad input of every kind ends with status 1, a message that says what and where, and nothing
//! changed: never with a crash, a hang or a full memory.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use support::{Run, tfstate};
use tfstate::base::fs::write_new;

fn testdata(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(name)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Runs `tfstate` with `input` on its standard input.
fn piped(arguments: &[&str], input: &[u8]) -> Run {
    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_tfstate"))
        .args(arguments)
        .env_clear()
        .current_dir(folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // The other side may have seen enough and closed the pipe.
    let _written = stdin.write_all(input);
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    Run { code: output.status.code(), stdout: output.stdout, stderr: output.stderr }
}

/// Asserts status 1, no data, and a message of the expected form that holds all of `parts`.
fn refused(run: &Run, parts: &[&str]) {
    let stderr = text(&run.stderr);
    assert_eq!(run.code, Some(1), "{stderr}");
    assert!(run.stdout.is_empty(), "{}", text(&run.stdout));
    assert!(stderr.contains("error: "), "{stderr}");
    for part in parts {
        assert!(stderr.contains(part), "`{part}` is not in:\n{stderr}");
    }
}

#[test]
fn a_missing_file_is_named() {
    refused(&tfstate(["list", "./no-such.tfstate"]), &["no-such.tfstate", "hint:"]);
}

#[test]
fn a_directory_without_a_state_says_what_was_looked_for() {
    refused(&tfstate(["list"]), &["terraform.tfstate", "hint:"]);
}

#[test]
fn an_empty_pipe_is_no_state() {
    refused(&piped(&["list", "-"], b""), &["standard input", "empty"]);
}

#[test]
fn a_pipe_that_breaks_is_told_with_its_line_and_column() {
    let whole = fs::read(testdata("states/shop-before.tfstate")).unwrap();
    let run = piped(&["list", "-"], &whole[..whole.len() / 2]);
    refused(&run, &["standard input", "line ", "column ", "ends in the middle"]);
}

#[test]
fn ten_thousand_nested_arrays_are_named_and_do_not_overflow_the_stack() {
    let nested = |depth: usize| {
        let (open, close) = ("[".repeat(depth), "]".repeat(depth));
        format!(
            r#"{{"version":4,"resources":[{{"mode":"managed","type":"t","name":"n","provider":"provider[\"registry.terraform.io/a/b\"]","instances":[{{"attributes":{{"id":"x","deep":{open}{close}}}}}]}}]}}"#
        )
    };
    let deep = nested(9_000);
    let run = piped(&["list", "-"], deep.as_bytes());
    assert_eq!((run.code, text(&run.stdout)), (Some(0), "t.n\n".to_owned()));
    refused(&piped(&["get", "-s", "-", "t.n.deep"], deep.as_bytes()), &["t.n", "nested too deep"]);
    refused(&piped(&["list", "-"], nested(10_001).as_bytes()), &["nested more than 10000 deep"]);
}

#[test]
fn gigabytes_of_brackets_are_given_up_early() {
    let start = Instant::now();
    let brackets = "[".repeat(64 << 20);
    refused(&piped(&["list", "-"], brackets.as_bytes()), &["nested more than 10000 deep"]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("brackets.tfstate");
    write_new(&file, brackets.as_bytes()).unwrap();
    refused(
        &tfstate(["list".as_ref(), file.as_os_str()]),
        &["brackets.tfstate", "nested more than"],
    );
    assert!(start.elapsed() < Duration::from_secs(30), "it looked at more than it had to");
}

#[test]
fn what_terraform_repairs_in_attributes_is_listed_but_not_printed_as_if_it_were_text() {
    for (name, problem) in [("invalid-utf8", "not valid UTF-8"), ("lone-surrogate", "surrogate")] {
        let file = testdata(&format!("states/{name}.tfstate"));
        let list = tfstate(["list".as_ref(), file.as_os_str()]);
        assert_eq!(list.code, Some(0), "{}", text(&list.stderr));
        let address = text(&list.stdout).lines().next().unwrap().to_owned();
        let show = tfstate(["show".as_ref(), "-s".as_ref(), file.as_os_str(), address.as_ref()]);
        refused(&show, &[&address, problem]);
    }
}

#[test]
fn numbers_of_any_length_come_out_digit_for_digit() {
    let digits = "7".repeat(10_000);
    let state = format!(
        r#"{{"version":4,"outputs":{{"n":{{"value":{digits},"type":"number"}}}},"resources":[]}}"#
    );
    let run = piped(&["get", "-s", "-", "output.n"], state.as_bytes());
    assert_eq!(
        (run.code, text(&run.stdout).trim()),
        (Some(0), digits.as_str()),
        "{}",
        text(&run.stderr)
    );
    let serial = format!(r#"{{"version":4,"serial":{digits}}}"#);
    refused(&piped(&["list", "-"], serial.as_bytes()), &["line 1, column 23", "\"serial\""]);
}

#[test]
fn a_key_that_stands_twice_is_warned_of_and_an_instance_that_stands_twice_is_refused() {
    let file = testdata("states/duplicate-envelope-key.tfstate");
    let run = tfstate(["list".as_ref(), file.as_os_str()]);
    assert_eq!(run.code, Some(0));
    assert!(text(&run.stderr).contains("stands twice"), "{}", text(&run.stderr));
    let file = testdata("malformed/duplicate-instance.tfstate");
    refused(&tfstate(["list".as_ref(), file.as_os_str()]), &["line ", "stands in the state twice"]);
}

#[test]
fn no_file_that_terraform_refuses_is_changed_or_crashes_a_command() {
    for entry in fs::read_dir(testdata("malformed")).unwrap() {
        let file = entry.unwrap().path();
        if !file.is_file() {
            continue;
        }
        let before = fs::read(&file).unwrap();
        for command in ["list", "stats", "output"] {
            let run = tfstate([command.as_ref(), file.as_os_str()]);
            assert!(
                matches!(run.code, Some(0 | 1)),
                "{command} {}: {:?}",
                file.display(),
                run.code
            );
            assert!(!text(&run.stderr).contains("panicked"), "{}", file.display());
        }
        assert_eq!(fs::read(&file).unwrap(), before);
    }
}

/// Terraform writes a local state by cutting it to nothing first, so a map of it can lose its
/// pages at any time.
#[cfg(unix)]
#[test]
fn a_file_that_shrinks_while_it_is_mapped_ends_the_command_with_a_message() {
    let state = |id: usize| {
        let instances: Vec<String> = (0..20_000)
            .map(|key| format!(r#"{{"index_key":{key},"attributes":{{"id":"{id}-{key}"}}}}"#))
            .collect();
        let resource = r#"{"mode":"managed","type":"t","name":"n","provider":"provider[\"registry.terraform.io/a/b\"]","instances":"#;
        format!(r#"{{"version":4,"resources":[{resource}[{}]}}]}}"#, instances.join(","))
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("large.tfstate");
    write_new(&file, state(1).as_bytes()).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_tfstate"))
        .arg("diff")
        .arg(&file)
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // More than a pipe holds: once this is written, the file before it was opened.
    let other = state(2);
    let (head, tail) = other.split_at(1);
    stdin.write_all(head.as_bytes()).unwrap();
    stdin.write_all(&b" ".repeat(1 << 20)).unwrap();
    fs::File::options().write(true).open(&file).unwrap().set_len(0).unwrap();
    stdin.write_all(tail.as_bytes()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let run = Run { code: output.status.code(), stdout: output.stdout, stderr: output.stderr };
    refused(&run, &["truncated by another process", "hint:"]);
}
