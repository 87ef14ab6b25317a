//! What users read, kept in files so that a change shows in review: the help of every command and
//! the completion scripts. `TFSTATE_UPDATE=1 cargo test --test cli` rewrites them.

use std::fmt::Write as _;
use std::path::Path;

use crate::sandbox::Sandbox;

/// Compares text with a file of the repository, or rewrites the file.
pub(crate) fn compare(file: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    if std::env::vars_os().any(|(name, value)| name == "TFSTATE_UPDATE" && value == "1") {
        tfstate::base::fs::replace(&path, text.as_bytes()).unwrap();
        return;
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == text, "{file} is out of step; run TFSTATE_UPDATE=1 cargo test --test cli");
}

/// Appends the help of a command and of those below it.
fn describe(sandbox: &Sandbox, path: &[String], command: &clap::Command, out: &mut String) {
    let ran = sandbox.run(path.iter().map(String::as_str).chain(["--help"]));
    assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""), "{path:?}");
    let title = std::iter::once("tfstate").chain(path.iter().map(String::as_str));
    let title = title.collect::<Vec<_>>().join(" ");
    // An empty line of help is indented, which editors and git do not like to keep.
    let lines: Vec<&str> = ran.stdout.lines().map(str::trim_end).collect();
    write!(out, "## {title}\n\n{}\n\n", lines.join("\n").trim_end()).unwrap();
    for inner in command.get_subcommands().filter(|inner| !inner.is_hide_set()) {
        let path = [path, &[inner.get_name().to_owned()]].concat();
        describe(sandbox, &path, inner, out);
    }
}

#[test]
fn the_help_reference_is_in_step() {
    let mut reference = String::new();
    describe(&Sandbox::new(), &[], &tfstate::cli::definition(), &mut reference);
    compare("tests/cli/reference.txt", &reference);
}

#[test]
fn every_command_has_help_that_begins_with_one_imperative_line() {
    let mut open = vec![tfstate::cli::definition()];
    while let Some(command) = open.pop() {
        let name = command.get_name();
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        assert!(about.starts_with(char::is_uppercase), "{name}: {about}");
        assert!(!about.ends_with('.') && !about.contains('\n'), "{name}: {about}");
        open.extend(command.get_subcommands().cloned());
    }
}

#[test]
fn the_completion_scripts_are_in_step() {
    let sandbox = Sandbox::new();
    let files = [
        ("bash", "bash"),
        ("zsh", "zsh"),
        ("fish", "fish"),
        ("powershell", "ps1"),
        ("elvish", "elv"),
    ];
    for (shell, extension) in files {
        let ran = sandbox.run(["completions", shell]);
        assert_eq!(ran.status, Some(0), "{shell}");
        compare(&format!("completions/tfstate.{extension}"), &ran.stdout);
    }
}
