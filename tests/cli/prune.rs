//! `tfstate prune`.

use std::fs;

use insta::assert_snapshot;
use regex::Regex;

use crate::sandbox::{Ran, Sandbox};

/// Makes a repository in plain text with so many snapshots of one state.
fn repository(snapshots: usize) -> Sandbox {
    let sandbox = Sandbox::new();
    for serial in 1..=snapshots {
        let state = format!(
            "{{\"version\": 4, \"terraform_version\": \"1.9.0\", \"serial\": {serial}, \"lineage\": \"l\", \"outputs\": {{}}, \"resources\": []}}\n"
        );
        sandbox.write("terraform.tfstate", state);
        let made = sandbox.run(["backup", "--no-encryption", "--repo", "repo", "-q"]);
        assert_eq!(made.status, Some(0), "{made}");
    }
    sandbox
}

fn prune(sandbox: &Sandbox, args: &[&str]) -> Ran {
    sandbox.run(["prune", "--repo", "repo"].iter().chain(args))
}

/// Returns what a run printed with everything that differs from run to run replaced.
fn plain(ran: &Ran) -> String {
    let mut text = ran.to_string();
    for (pattern, name) in [
        (r"\b[0-9a-f]{8}  ", "ID  "),
        (r"terraform-[0-9a-f]{8}\b", "terraform-HASH"),
        (r"\S*-terraform-HASH", "terraform-HASH"),
        (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ", "TIME"),
        (r"\d+(\.\d)? K?B\b", "SIZE"),
    ] {
        text = Regex::new(pattern).unwrap().replace_all(&text, name).into_owned();
    }
    text
}

fn snapshots(sandbox: &Sandbox) -> usize {
    let mut folders = vec![sandbox.path("repo/s")];
    let mut found = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { found += 1 }
        }
    }
    found
}

#[test]
fn nothing_is_removed_where_nothing_says_what_to_keep() {
    let sandbox = repository(2);
    assert_snapshot!(plain(&prune(&sandbox, &[])), @r"
    [stderr]
    error: nothing says which snapshots to keep
    hint: say it: `--keep-daily 30 --keep-monthly 12`, or in the table `backup.keep` of tfstate.toml
    [exit 1]
    ");
    assert_eq!(snapshots(&sandbox), 2);
}

#[test]
fn a_tag_that_no_snapshot_has_is_no_policy_and_beside_others_it_is_told() {
    let sandbox = repository(3);
    let alone = prune(&sandbox, &["--keep-tag", "nosuch", "--yes"]);
    assert_snapshot!(plain(&alone), @r"
    [stderr]
    error: no snapshot has the tag `nosuch`, and nothing else says what to keep
    hint: see which tags there are: `tfstate snapshots`
    [exit 1]
    ");
    let beside = prune(&sandbox, &["--keep-tag", "nosuch", "--keep-last", "1", "--dry-run"]);
    assert_eq!(beside.status, Some(0), "{beside}");
    assert!(beside.stderr.contains("warning: no snapshot has the tag `nosuch`"), "{beside}");
    sandbox.write("terraform.tfstate", "{}");
    let made = sandbox.run(["backup", "--repo", "repo", "--tag", "release", "-q"]);
    assert_eq!(made.status, Some(0), "{made}");
    let known = prune(&sandbox, &["--keep-tag", "release", "--dry-run"]);
    assert_eq!(known.status, Some(0), "{known}");
    assert!(!known.stderr.contains("warning"), "{known}");
}

#[test]
fn a_dry_run_says_what_would_be_done_in_the_same_words_and_does_nothing() {
    let sandbox = repository(3);
    let dry = prune(&sandbox, &["--keep-last", "1", "--dry-run"]);
    assert_snapshot!(plain(&dry), @r"
    terraform-HASH
      remove  ID  TIME
      remove  ID  TIME
      keep    ID  TIME  last, newest, newest that is intact
    1 kept, 0 removed (SIZE), 2 to be removed (SIZE) by a run after 24h
    [stderr]
    Nothing was changed: this only says what would be done
    [exit 0]
    ");
    assert!(!sandbox.path("repo/gc").exists());
    let done = prune(&sandbox, &["--keep-last", "1"]);
    assert_eq!(dry.stdout, done.stdout);
    assert_eq!((snapshots(&sandbox), done.status), (3, Some(0)));
    // What was named stays until the day is over; then it would go.
    let again = prune(&sandbox, &["--keep-last", "1"]);
    assert_snapshot!(plain(&again), @r"
    terraform-HASH
      remove  ID  TIME  named on TIME
      remove  ID  TIME  named on TIME
      keep    ID  TIME  last, newest, newest that is intact
    1 kept, 0 removed (SIZE), 2 to be removed (SIZE) by a run after 24h
    [exit 0]
    ");
    let at_once = prune(&sandbox, &["--keep-last", "1", "--grace", "0"]);
    assert!(at_once.stdout.contains("1 kept, 2 removed ("), "{at_once}");
    assert_eq!(snapshots(&sandbox), 1);
    let restored = sandbox.run(["restore", "latest", "--repo", "repo", "--to", "back"]);
    assert_eq!(restored.status, Some(0), "{restored}");
    let (back, now) = (sandbox.path("back"), sandbox.path("terraform.tfstate"));
    assert_eq!(fs::read(back).unwrap(), fs::read(now).unwrap());
}

#[test]
fn what_to_keep_can_stand_in_the_configuration_and_json_tells_each_snapshot() {
    let sandbox = repository(3);
    sandbox.write("tfstate.toml", "[backup.keep]\nlast = 2\n");
    let ran = prune(&sandbox, &["terraform.tfstate", "-o", "json"]);
    let told: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert!(ran.stdout.starts_with("{\n  \"schema\": \"tfstate.prune/1\""));
    assert_eq!(told["pending"], 1);
    let actions = told["streams"][0]["snapshots"].as_array().unwrap();
    let actions: Vec<&str> = actions.iter().map(|s| s["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["remove", "keep", "keep"]);
    let refused = prune(&sandbox, &["absent.tfstate"]);
    assert_eq!(refused.status, Some(1), "{refused}");
}

#[test]
fn where_much_would_go_somebody_is_asked_first() {
    let sandbox = repository(12);
    let refused = prune(&sandbox, &["--keep-last", "1", "--grace", "0", "-o", "json"]);
    assert_snapshot!(plain(&refused), @r"
    [stderr]
    error: more than half of the snapshots of terraform-HASH would go, and there is no terminal to ask
    hint: look at what goes with `--dry-run`, and add `--yes`
    [exit 1]
    ");
    assert_eq!(snapshots(&sandbox), 12);
    let done = prune(&sandbox, &["--keep-last", "1", "--grace", "0", "--yes"]);
    assert_eq!((done.status, snapshots(&sandbox)), (Some(0), 1), "{done}");
}

#[test]
fn a_computer_that_only_writes_backups_removes_nothing() {
    let sandbox = repository(2);
    sandbox.run(["backup", "--repo", "else", "--no-encryption", "--signing-key", "other.key"]);
    let refused = prune(&sandbox, &["--keep-last", "1", "--signing-key", "other.key"]);
    assert_snapshot!(plain(&refused), @r"
    [stderr]
    error: the signing key of this computer is not an owner's of the backup repository in repo
    hint: run this where the repository was made, or give its key: `--signing-key FILE`; if that is lost, begin a new repository: this one can still be restored from
    [exit 1]
    ");
    assert_eq!(snapshots(&sandbox), 2);
}

#[cfg(unix)]
#[test]
fn what_its_place_does_not_let_go_is_told_as_such() {
    use std::os::unix::fs::PermissionsExt;
    let sandbox = repository(2);
    let stream = fs::read_dir(sandbox.path("repo/s")).unwrap().next().unwrap().unwrap().path();
    fs::set_permissions(&stream, fs::Permissions::from_mode(0o500)).unwrap();
    let denied = prune(&sandbox, &["--keep-last", "1", "--grace", "0"]);
    fs::set_permissions(&stream, fs::Permissions::from_mode(0o700)).unwrap();
    // Root may do everything.
    if denied.status != Some(0) {
        assert_eq!(denied.status, Some(3), "{denied}");
        assert!(denied.stderr.contains("is kept by its place"), "{denied}");
        assert_eq!(snapshots(&sandbox), 2);
    }
}
