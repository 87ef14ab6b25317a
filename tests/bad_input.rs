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

/// A state, a change of it, and what each command does with it.
///
/// Terraform 1.11.4 lists all of these. It keeps the text of attributes as it is when it writes,
/// and shows it repaired: U+FFFD for what can't be decoded, the last of two equal keys, a number
/// rounded to 512 bits. Here nothing is repaired in what is printed: what can't be printed as it is
/// ends with status 1 and the address, and what counts although something else stands there too is
/// printed with it. Whatever copies a state or compares two never looks that deep.
struct Odd {
    file: &'static str,
    /// What makes another state of it, which `diff` has to tell.
    change: (&'static [u8], &'static [u8]),
    /// What `show`, `get` and `query` print of it, or why they do not.
    printed: Result<&'static str, &'static str>,
}

const ODD: [Odd; 4] = [
    Odd {
        file: "invalid-utf8",
        change: (b"a\xff", b"a\xfe"),
        printed: Err("this string is not valid UTF-8"),
    },
    Odd {
        file: "lone-surrogate",
        change: (b"a\\ud800", b"a\\ud801"),
        printed: Err("half of a surrogate pair"),
    },
    Odd { file: "duplicate-attribute-key", change: (b"\"two\"", b"\"2\""), printed: Ok("two") },
    Odd { file: "numbers", change: (b"1.500", b"1.501"), printed: Ok("1.500") },
];

/// Runs every command that reads a state on `file`: name, and what it left.
fn every_reader(file: &Path, address: &str) -> Vec<(&'static str, Run)> {
    let file = file.to_str().unwrap();
    let run = |name, words: &[&str]| (name, tfstate(words));
    vec![
        run("list", &["list", file]),
        run("stats", &["stats", file]),
        run("show", &["show", "-s", file, address]),
        run("get", &["get", "-s", file, address]),
        run("query", &["query", "-s", file, ".resources[0].instances[0].attributes"]),
    ]
}

fn replaced(bytes: &[u8], (from, to): (&[u8], &[u8])) -> Vec<u8> {
    let at = bytes.windows(from.len()).position(|window| window == from).unwrap();
    [&bytes[..at], to, &bytes[at + from.len()..]].concat()
}

#[test]
fn what_terraform_repairs_is_listed_and_printed_as_it_is_or_not_at_all() {
    for odd in ODD {
        let file = testdata(&format!("states/{}.tfstate", odd.file));
        let before = fs::read(&file).unwrap();
        for (command, run) in every_reader(&file, "acme_host.web") {
            let said = format!("{command} {}: {}", odd.file, text(&run.stderr));
            match odd.printed {
                _ if command == "list" => {
                    assert_eq!((run.code, text(&run.stdout)), (Some(0), "acme_host.web\n".into()));
                }
                _ if command == "stats" => assert_eq!(run.code, Some(0), "{said}"),
                Err(problem) => refused(&run, &["acme_host.web", problem]),
                Ok(part) => {
                    assert_eq!(run.code, Some(0), "{said}");
                    assert!(text(&run.stdout).contains(part), "{said}{}", text(&run.stdout));
                }
            }
        }
        assert_eq!(fs::read(&file).unwrap(), before);
    }
}

#[test]
fn a_change_of_what_terraform_repairs_is_told_without_being_printed_repaired() {
    let folder = tempfile::tempdir().unwrap();
    for odd in ODD {
        let file = testdata(&format!("states/{}.tfstate", odd.file));
        let other = folder.path().join(odd.file);
        write_new(&other, &replaced(&fs::read(&file).unwrap(), odd.change)).unwrap();
        let diff = |from: &Path, to: &Path| {
            tfstate([
                "diff".as_ref(),
                "--detailed-exitcode".as_ref(),
                from.as_os_str(),
                to.as_os_str(),
            ])
        };
        let same = diff(&file, &file);
        assert_eq!(same.code, Some(0), "{}", text(&same.stderr));
        let changed = diff(&file, &other);
        let said = text(&changed.stdout);
        assert_eq!(changed.code, Some(2), "{}: {said}{}", odd.file, text(&changed.stderr));
        assert!(said.contains("1 changed"), "{said}");
        assert!(!said.contains('\u{fffd}'), "{said}");
    }
}

#[test]
fn what_terraform_repairs_comes_back_from_a_backup_byte_for_byte() {
    let folder = tempfile::tempdir().unwrap();
    let (repo, back) = (folder.path().join("repo"), folder.path().join("back.tfstate"));
    let envelope = "duplicate-envelope-key";
    for name in ODD.iter().map(|odd| odd.file).chain([envelope]) {
        let file = testdata(&format!("states/{name}.tfstate"));
        let repo = repo.to_str().unwrap();
        let file_text = file.to_str().unwrap();
        let key = folder.path().join("signing.key");
        let key = key.to_str().unwrap();
        let made =
            tfstate(["backup", file_text, "--no-encryption", "--repo", repo, "--signing-key", key]);
        assert_eq!(made.code, Some(0), "{name}: {}", text(&made.stderr));
        let id: String = text(&made.stdout).chars().take_while(|c| *c != ' ').collect();
        let to = back.to_str().unwrap();
        let restored = tfstate(["restore", &id, "--to", to, "--repo", repo, "--yes"]);
        assert_eq!(restored.code, Some(0), "{name}: {}", text(&restored.stderr));
        assert_eq!(fs::read(&back).unwrap(), fs::read(&file).unwrap(), "{name}");
        fs::remove_file(&back).unwrap();
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
fn a_longer_number_is_another_number() {
    let state = |digit: char| {
        let digits = "7".repeat(9_999);
        format!(
            r#"{{"version":4,"serial":1,"lineage":"l","outputs":{{"n":{{"value":{digits}{digit},"type":"number"}}}},"resources":[]}}"#
        )
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.tfstate");
    write_new(&file, state('7').as_bytes()).unwrap();
    let words = ["diff", "--detailed-exitcode", file.to_str().unwrap(), "-"];
    for (digit, code) in [('7', 0), ('8', 2)] {
        let run = piped(&words, state(digit).as_bytes());
        assert_eq!(run.code, Some(code), "{}", text(&run.stderr));
    }
}

/// Terraform takes the last one without a word, so every command says that something is hidden.
#[test]
fn a_field_of_the_state_that_stands_twice_is_warned_of_by_every_command() {
    let file = testdata("states/duplicate-envelope-key.tfstate");
    for (command, run) in every_reader(&file, "acme_host.second") {
        assert_eq!(run.code, Some(0), "{command}: {}", text(&run.stderr));
        assert!(text(&run.stderr).contains("stands twice"), "{command}: {}", text(&run.stderr));
    }
    let file = file.to_str().unwrap();
    assert!(text(&tfstate(["diff", file, file]).stderr).contains("stands twice"));
}

/// Terraform refuses it, because one of the two would be lost.
#[test]
fn an_instance_that_stands_twice_is_refused_by_every_command() {
    let parts = ["line ", "acme_host.web[0]", "stands in the state twice", "hint:"];
    let file = testdata("malformed/duplicate-instance.tfstate");
    for (_, run) in every_reader(&file, "acme_host.web") {
        refused(&run, &parts);
    }
    let good = testdata("states/shop-before.tfstate");
    for pair in [[&file, &good], [&good, &file]] {
        refused(&tfstate(["diff".as_ref(), pair[0].as_os_str(), pair[1].as_os_str()]), &parts);
    }
}

/// Files that are equal are not read to their end where they are large; what is no state is
/// refused all the same.
#[test]
fn two_equal_files_that_are_no_states_are_not_called_equal_states() {
    let folder = tempfile::tempdir().unwrap();
    let head = r#"{"version":4,"terraform_version":"1.11.4","serial":1,"lineage":"l","outputs":{},"resources":["#;
    let element = r#"{"mode":"managed","type":"t","name":"n","provider":"provider[\"registry.terraform.io/a/b\"]","instances":[]},"#;
    let elements = element.repeat((6 << 20) / element.len());
    let whole = format!("{head}{}]}}", elements.trim_end_matches(','));
    let diff = |name: &str, content: &str| {
        let files = ["a", "b"].map(|side| folder.path().join(format!("{name}-{side}")));
        for file in &files {
            write_new(file, content.as_bytes()).unwrap();
        }
        tfstate(["diff".as_ref(), files[0].as_os_str(), files[1].as_os_str()])
    };
    let equal = diff("whole", &whole);
    assert_eq!(equal.code, Some(0), "{}", text(&equal.stderr));
    assert!(text(&equal.stdout).contains("no differences · equal byte for byte · serial 1"));
    refused(&diff("cut", &whole[..whole.len() - 1]), &["ends in the middle"]);
    refused(&diff("text", &"no state ".repeat(700_000)), &["cannot read"]);
    refused(&diff("future", &whole.replacen("\"version\":4", "\"version\":5", 1)), &["version 5"]);
    refused(&diff("plan", &format!("{{\"planned_values\":[{elements}1]}}")), &["cannot read"]);
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
