//! `tfstate guard`.

use std::fs;
#[cfg(target_os = "linux")]
use std::path::Path;

use insta::assert_snapshot;

use crate::sandbox::{Ran, Sandbox};

const BEFORE: &str = include_str!("../../testdata/states/shop-before.tfstate");
const AFTER: &str = include_str!("../../testdata/states/shop-after.tfstate");

/// Makes a folder with a state as Terraform would keep it there, and one that an apply would make.
fn directory() -> Sandbox {
    let mut sandbox = Sandbox::new();
    sandbox.write("terraform.tfstate", BEFORE);
    sandbox.write("after.tfstate", AFTER);
    sandbox.write("tfstate.toml", "[backup]\nencryption = false\n");
    sandbox.set("PATH", "/usr/bin:/bin");
    assert_eq!(sandbox.run(["repo", "init", "-q"]).status, Some(0));
    sandbox
}

/// Runs a script of a shell under guard.
fn guard(sandbox: &Sandbox, options: &[&str], script: &str) -> Ran {
    let command = ["--", "sh", "-c", script];
    sandbox.run(["guard"].iter().chain(options).chain(&command))
}

/// Returns what a run printed with the ids of snapshots replaced.
fn plain(ran: &Ran) -> String {
    let text = ran.to_string();
    let words = text.split_inclusive([' ', '\n', ',']).map(|word| {
        let (bare, end) = word.split_at(word.trim_end_matches([' ', '\n', ',']).len());
        let is_id = bare.len() == 8 && bare.bytes().all(|b| b.is_ascii_hexdigit());
        format!("{}{end}", if is_id { "ID" } else { bare })
    });
    words.collect()
}

/// Returns how many snapshots there are.
fn snapshots(sandbox: &Sandbox) -> usize {
    sandbox.run(["snapshots", "-o", "json"]).stdout.matches("\"id\":").count()
}

#[test]
fn what_a_command_changes_is_told_and_can_be_taken_back() {
    let sandbox = directory();
    let ran = guard(&sandbox, &[], "cp after.tfstate terraform.tfstate; echo applied");
    assert_snapshot!(plain(&ran), @r#"
    applied
    [stderr]
    terraform.tfstate: 1 added · 1 removed · 9 changed · 1 moved · 2 outputs changed · 15 unchanged · serial 57 → 58 · same lineage
    + aws_cloudwatch_log_group.web  ~ aws_iam_role.web  ~ aws_lb.main  - aws_route53_record.legacy  and 10 more
    Snapshots: ID before, ID after, not encrypted
    Take it back: tfstate restore ID
    [exit 0]
    "#);
    let undo = ran.stderr.lines().last().unwrap().to_owned();
    let id = undo.rsplit(' ').next().unwrap();
    sandbox.run(["restore", id, "--to", "back.tfstate"]);
    assert_eq!(fs::read_to_string(sandbox.path("back.tfstate")).unwrap(), BEFORE);
    let restored = sandbox.run(["restore", "latest", "--to", "now.tfstate"]);
    assert_eq!(restored.status, Some(0), "{restored}");
    assert_eq!(fs::read_to_string(sandbox.path("now.tfstate")).unwrap(), AFTER);
}

#[test]
fn a_repository_that_is_made_on_the_way_is_told() {
    let sandbox = directory();
    let ran = guard(&sandbox, &["--repo", "another"], "true");
    assert!(ran.stderr.starts_with("Made a backup repository in another\nIts owner is "), "{ran}");
    assert!(!guard(&sandbox, &["--repo", "another"], "true").stderr.contains("Made"));
}

#[test]
fn a_state_that_stays_is_kept_once_and_told_in_one_line() {
    let sandbox = directory();
    let ran = guard(&sandbox, &[], "echo planned");
    assert_snapshot!(plain(&ran), @r#"
    planned
    [stderr]
    terraform.tfstate did not change; snapshot ID has it
    [exit 0]
    "#);
    assert_eq!(snapshots(&sandbox), 1);
    assert_eq!(guard(&sandbox, &["-q"], "true").to_string(), "[exit 0]\n");
}

#[test]
fn the_undo_names_the_state_that_was_named_and_the_repository() {
    let sandbox = directory();
    let script = "cp after.tfstate terraform.tfstate";
    let ran = guard(&sandbox, &["terraform.tfstate", "--repo", "my repo"], script);
    let undo = ran.stderr.lines().last().unwrap().to_owned();
    assert!(undo.ends_with(" --repo 'my repo' --to terraform.tfstate"), "{undo}");
}

#[test]
fn a_first_apply_has_nothing_before_it() {
    let sandbox = directory();
    fs::remove_file(sandbox.path("terraform.tfstate")).unwrap();
    let ran = guard(&sandbox, &[], "cp after.tfstate terraform.tfstate");
    assert_snapshot!(plain(&ran), @r#"
    [stderr]
    There is no state in terraform.tfstate yet
    terraform.tfstate is new; snapshot ID has it, not encrypted
    [exit 0]
    "#);
    let ran = guard(&sandbox, &[], "rm terraform.tfstate");
    assert_snapshot!(plain(&ran), @r#"
    [stderr]
    terraform.tfstate is gone; snapshot ID has it
    Take it back: tfstate restore ID
    [exit 0]
    "#);
    let ran = guard(&sandbox, &[], "true");
    assert_snapshot!(plain(&ran), @r#"
    [stderr]
    There is no state in terraform.tfstate yet
    There is still no state in terraform.tfstate
    [exit 0]
    "#);
}

#[cfg(unix)]
#[test]
fn the_status_of_the_command_is_passed_on_and_so_is_a_signal() {
    let sandbox = directory();
    let ran = guard(&sandbox, &["-q"], "cp after.tfstate terraform.tfstate; exit 42");
    assert_eq!((ran.status, snapshots(&sandbox)), (Some(42), 2), "{ran}");
    assert_eq!(guard(&sandbox, &["-q"], "kill -KILL $$").status, Some(137));
    assert_eq!(guard(&sandbox, &["-q"], "kill -INT $$").status, Some(130));
}

#[cfg(unix)]
#[test]
fn signals_are_left_to_the_command_and_what_it_did_is_kept_after_it() {
    let sandbox = directory();
    let script = "trap 'cp after.tfstate terraform.tfstate; exit 9' TERM; \
        for _ in 1 2 3 4 5; do kill -INT $PPID; done; sleep 0.2; kill -INT $PPID; sleep 0.2; \
        kill -TERM $PPID; \
        sleep 20 >/dev/null 2>&1 & wait";
    let ran = guard(&sandbox, &[], script);
    assert_eq!((ran.status, snapshots(&sandbox)), (Some(9), 2), "{ran}");
    assert!(ran.stderr.contains("Take it back: tfstate restore "), "{ran}");
}

#[cfg(target_os = "linux")]
#[test]
fn where_the_terminal_is_closed_what_the_command_did_is_kept_unless_nobody_is_to_hear_of_it() {
    let sandbox = directory();
    let script = "kill -HUP $PPID; sleep 0.2; cp after.tfstate terraform.tfstate; exit 9";
    let ran = guard(&sandbox, &[], script);
    assert_eq!((ran.status, snapshots(&sandbox)), (Some(9), 2), "{ran}");
    // As `nohup` does it.
    let mut shell = sandbox.command(Path::new("/bin/sh"));
    let program = env!("CARGO_BIN_EXE_tfstate");
    shell.args(["-c", "trap '' HUP; exec \"$@\"", "sh", program, "guard", "-q", "--"]);
    shell.args(["sh", "-c", "kill -HUP $$; exit 4"]);
    assert_eq!(shell.status().unwrap().code(), Some(4));
}

#[test]
fn what_cannot_be_kept_is_not_put_at_risk_unless_that_is_allowed() {
    let sandbox = directory();
    sandbox.write("file", "");
    let script = "cp after.tfstate terraform.tfstate; exit 7";
    let ran = guard(&sandbox, &["--repo", "file"], script);
    assert_snapshot!(plain(&ran), @r#"
    [stderr]
    error: cannot read file/repo.json
      because: not a directory
    hint: the command was not run; to run it without a copy: `--allow-unprotected`
    [exit 1]
    "#);
    assert_eq!(fs::read_to_string(sandbox.path("terraform.tfstate")).unwrap(), BEFORE);
    let ran = guard(&sandbox, &["--repo", "file", "--allow-unprotected"], script);
    assert_snapshot!(plain(&ran), @r#"
    [stderr]
    warning: the state is not kept before the command: cannot read file/repo.json: not a directory
    [exit 7]
    "#);
    assert_eq!(fs::read_to_string(sandbox.path("terraform.tfstate")).unwrap(), AFTER);
}

#[test]
fn a_repository_has_to_be_decided_on_first() {
    let sandbox = directory();
    sandbox.write("tfstate.toml", "");
    let ran = guard(&sandbox, &["--repo", "another"], "echo run");
    assert_eq!((ran.status, ran.stdout.as_str()), (Some(1), ""), "{ran}");
    assert!(ran.stderr.contains("neither recipients nor no encryption"), "{ran}");
}

#[test]
fn what_cannot_be_kept_afterwards_is_warned_of_and_the_status_stays() {
    let sandbox = directory();
    let script = "cp after.tfstate terraform.tfstate; rm -r home; echo > home; exit 5";
    let ran = guard(&sandbox, &[], script);
    assert_snapshot!(plain(&ran), @r#"
    [stderr]
    terraform.tfstate: 1 added · 1 removed · 9 changed · 1 moved · 2 outputs changed · 15 unchanged · serial 57 → 58 · same lineage
    + aws_cloudwatch_log_group.web  ~ aws_iam_role.web  ~ aws_lb.main  - aws_route53_record.legacy  and 10 more
    Take it back: tfstate restore ID
    warning: the state after the command is not kept: cannot read $DIR/home/.local/state/tfstate/backups/repo.json: not a directory
    hint: keep it: `tfstate backup`
    [exit 5]
    "#);
}

#[test]
fn a_state_that_a_command_breaks_is_kept_and_can_be_taken_back() {
    let sandbox = directory();
    let ran = guard(&sandbox, &[], "echo '{\"version\": 4' > terraform.tfstate");
    assert_snapshot!(plain(&ran), @r#"
    [stderr]
    warning: terraform.tfstate changed, and cannot be compared: line 2, column 1: the text ends in the middle of an object
    Snapshots: ID before, ID after, not encrypted
    Take it back: tfstate restore ID --force
    [exit 0]
    "#);
    assert_eq!(snapshots(&sandbox), 2);
    let back = ran.stderr.lines().last().unwrap().strip_prefix("Take it back: tfstate ").unwrap();
    let restored = sandbox.run(back.split(' ').chain(["--yes"]));
    assert_eq!(restored.status, Some(0), "{restored}");
    let now = fs::read_to_string(sandbox.path("terraform.tfstate")).unwrap();
    assert_eq!(now.len(), BEFORE.len(), "but for the serial");
}

#[test]
fn a_copy_cannot_be_guarded() {
    let sandbox = directory();
    assert_snapshot!(plain(&guard(&sandbox, &["-"], "true")), @r#"
    [stderr]
    error: cannot guard standard input: it is a copy, not where a state lives
    hint: name the file, the directory or the URL that the command changes
    hint: the command was not run; to run it without a copy: `--allow-unprotected`
    [exit 1]
    "#);
}

#[test]
fn a_command_that_cannot_be_run_is_a_failure() {
    let sandbox = directory();
    assert_snapshot!(sandbox.run(["guard", "--", "no-such-program"]), @r#"
    [stderr]
    error: cannot run no-such-program
      because: no such file or directory
    [exit 1]
    "#);
}
