//! Commands that change a state where it lives: `pull`, `push`, `lock`, `unlock`.

use insta::assert_snapshot;

use crate::sandbox::Sandbox;

fn state(serial: u64, output: &str) -> String {
    format!(
        "{{\n  \"version\": 4,\n  \"serial\": {serial},\n  \"lineage\": \"l\",\n  \"outputs\": {{\"a\": \
         {{\"value\": \"{output}\", \"type\": \"string\"}}}},\n  \"resources\": []\n}}\n"
    )
}

#[test]
fn a_state_comes_out_byte_for_byte() {
    let sandbox = Sandbox::new();
    sandbox.write("terraform.tfstate", state(4, "x"));
    assert_eq!(sandbox.run(["pull"]).stdout, state(4, "x"));
    sandbox.run(["pull", "--to", "copy.tfstate"]);
    assert_eq!(std::fs::read_to_string(sandbox.path("copy.tfstate")).unwrap(), state(4, "x"));
    assert_snapshot!(sandbox.run(["pull", "--to", "copy.tfstate"]), @r#"
    [stderr]
    error: cannot write copy.tfstate: it exists
    hint: name a new file
    [exit 1]
    "#);
}

#[test]
fn a_newer_state_goes_in_and_what_was_there_is_kept() {
    let mut sandbox = Sandbox::new();
    sandbox.write("terraform.tfstate", state(4, "x"));
    sandbox.write("new.tfstate", state(7, "y"));
    let home = sandbox.path("home");
    sandbox.set("XDG_STATE_HOME", home.to_str().unwrap());
    let pushed = sandbox.run(["push", "new.tfstate"]);
    assert_eq!(pushed.status, Some(0), "{}", pushed.stderr);
    assert!(pushed.stderr.contains("serial 4 is now 8"), "{}", pushed.stderr);
    let now = std::fs::read_to_string(sandbox.path("terraform.tfstate")).unwrap();
    assert_eq!(now, state(8, "y"));
    let kept: Vec<_> = std::fs::read_dir(home.join("tfstate/replaced")).unwrap().collect();
    let kept = kept[0].as_ref().unwrap().path();
    assert_eq!(std::fs::read_to_string(kept).unwrap(), state(4, "x"));
    assert!(!sandbox.path(".terraform.tfstate.lock.info").exists());
}

#[test]
fn what_terraform_would_refuse_is_refused_and_changes_nothing() {
    let sandbox = Sandbox::new();
    sandbox.write("terraform.tfstate", state(4, "x"));
    sandbox.write("older.tfstate", state(3, "y"));
    assert_snapshot!(sandbox.run(["push", "older.tfstate"]), @r#"
    [stderr]
    error: cannot push to terraform.tfstate: it has the serial 4, the state to push has the older 3
    hint: see what would be lost: `tfstate diff STATE FILE`; to push all the same: `--force`
    [exit 1]
    "#);
    sandbox.write("other.tfstate", state(9, "y").replace("\"l\"", "\"m\""));
    assert_snapshot!(sandbox.run(["push", "other.tfstate"]), @r#"
    [stderr]
    error: cannot push to terraform.tfstate: it has the lineage l, the state to push has m
    hint: see that this is the right place: the two were never the same state; to push all the same: `--force`
    [exit 1]
    "#);
    assert_snapshot!(sandbox.run(["push", "absent.tfstate"]), @r#"
    [stderr]
    error: cannot find absent.tfstate
    hint: check the path, or pipe the state in: `terraform state pull | tfstate list -`
    [exit 1]
    "#);
    let now = std::fs::read_to_string(sandbox.path("terraform.tfstate")).unwrap();
    assert_eq!(now, state(4, "x"));
}

#[test]
fn a_lock_is_held_while_a_command_runs_and_others_are_told_who_holds_it() {
    let mut sandbox = Sandbox::new();
    sandbox.write("terraform.tfstate", state(4, "x"));
    sandbox.write("new.tfstate", state(7, "y"));
    sandbox.set("USER", "ann");
    let tfstate = env!("CARGO_BIN_EXE_tfstate");
    let inside = format!("{tfstate} push new.tfstate; echo \"status $?\"; {tfstate} lock show");
    let ran = sandbox.run(["lock", "run", "--", "sh", "-c", &inside]);
    assert!(ran.stdout.contains("status 4"), "{}\n{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains("is locked by ann@"), "{}", ran.stderr);
    assert!(ran.stdout.contains("tfstate-lock-run"), "{}", ran.stdout);
    assert_snapshot!(sandbox.run(["lock", "show"]), @r#"
    terraform.tfstate is not locked
    [exit 0]
    "#);
    assert_eq!(sandbox.run(["push", "new.tfstate", "-q"]).status, Some(0));
}

#[cfg(unix)]
#[test]
fn signals_are_left_to_the_command_under_a_lock_which_is_released_after_it() {
    let sandbox = Sandbox::new();
    sandbox.write("terraform.tfstate", state(4, "x"));
    let command = "trap 'echo asked; exit 9' TERM; \
        kill -INT $PPID; sleep 0.2; kill -INT $PPID; sleep 0.2; kill -TERM $PPID; \
        sleep 20 >/dev/null 2>&1 & wait";
    let ran = sandbox.run(["lock", "run", "--", "sh", "-c", command]);
    assert_eq!((ran.stdout.as_str(), ran.status), ("asked\n", Some(9)), "{}", ran.stderr);
    let note = sandbox.path(".terraform.tfstate.lock.info");
    assert!(!note.exists());
}

#[test]
fn the_status_of_a_command_under_a_lock_is_passed_on() {
    let sandbox = Sandbox::new();
    sandbox.write("terraform.tfstate", state(4, "x"));
    assert_eq!(sandbox.run(["lock", "run", "--", "sh", "-c", "exit 7"]).status, Some(7));
    assert_snapshot!(sandbox.run(["lock", "run", "--", "no-such-program"]), @r#"
    [stderr]
    error: cannot run no-such-program
      because: no such file or directory
    [exit 1]
    "#);
    assert_snapshot!(sandbox.run(["lock", "list", "-o", "json", "--all"]), @r#"
    {
      "schema": "tfstate.lock/1",
      "locks": [
        {
          "state": "terraform.tfstate",
          "locked": false,
          "lockable": true,
          "id": null,
          "who": null,
          "operation": null,
          "info": null,
          "version": null,
          "created": null,
          "age_seconds": null,
          "why": null
        }
      ]
    }
    [exit 0]
    "#);
}

#[test]
fn a_copy_is_not_where_a_state_lives() {
    let sandbox = Sandbox::new();
    assert_snapshot!(sandbox.run(["lock", "show", "-"]), @r#"
    [stderr]
    error: cannot lock or change standard input: it is a copy, not where a state lives
    hint: name the file, the directory or the URL that it came from
    [exit 1]
    "#);
    sandbox.write("terraform.tfstate", state(4, "x"));
    assert_snapshot!(sandbox.run(["unlock", "some-id", "--yes"]), @r#"
    [stderr]
    error: cannot unlock terraform.tfstate: it is not locked
    hint: see who holds it: `tfstate lock show STATE`
    [exit 1]
    "#);
}

#[test]
fn a_list_without_locks_says_so() {
    let sandbox = Sandbox::new();
    sandbox.write("terraform.tfstate", state(4, "x"));
    assert_snapshot!(sandbox.run(["lock", "list"]), @r#"
    [stderr]
    None is locked: 1 looked at
    [exit 0]
    "#);
}

#[cfg(unix)]
#[test]
fn two_interrupts_leave_no_lock_behind_and_the_command_decides_how_it_ends() {
    let sandbox = Sandbox::new();
    sandbox.write("terraform.tfstate", state(4, "x"));
    // Only the process above is interrupted, as by a terminal whose program takes no notice.
    let twice = "kill -INT $PPID; sleep 0.2; kill -INT $PPID; sleep 0.2; exit 7";
    let run = sandbox.run(["lock", "run", "--", "sh", "-c", twice]);
    assert_eq!(run.status, Some(7), "{}", run.stderr);
    assert!(!sandbox.path(".terraform.tfstate.lock.info").exists());
}
