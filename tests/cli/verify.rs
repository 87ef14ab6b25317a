//! `tfstate verify`.

use std::fs;
use std::path::{Path, PathBuf};

use age::secrecy::ExposeSecret as _;
use insta::assert_snapshot;

use crate::sandbox::{Ran, Sandbox};

const BEFORE: &str = include_str!("../../testdata/states/shop-before.tfstate");
const AFTER: &str = include_str!("../../testdata/states/shop-after.tfstate");

/// Makes a repository with two snapshots of one state, and returns the file of the key.
fn repository() -> (Sandbox, String) {
    let sandbox = Sandbox::new();
    let key = age::x25519::Identity::generate();
    let file = sandbox.write("key.txt", key.to_string().expose_secret());
    let recipient = key.to_public().to_string();
    for state in [BEFORE, AFTER] {
        sandbox.write("terraform.tfstate", state);
        let made = sandbox.run(["backup", "--repo", "repo", "--recipient", &recipient]);
        assert_eq!(made.status, Some(0), "{made}");
    }
    (sandbox, file.display().to_string())
}

/// Returns the files below a folder of the repository, by their names.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { all.extend(files(&path)) } else { all.push(path) }
    }
    all.sort_by_key(|path| path.file_name().map(ToOwned::to_owned));
    all
}

/// Returns the files of the snapshots in the order in which they were made.
fn snapshots(sandbox: &Sandbox) -> Vec<PathBuf> {
    let mut all = files(&sandbox.path("repo/s"));
    all.sort_by_key(|path| path.file_name().unwrap().to_string_lossy()[17..25].to_owned());
    all
}

fn damage(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    tfstate::base::fs::replace(path, &bytes).unwrap();
}

/// Returns what a run printed without the names that differ from run to run.
fn plain(ran: &Ran) -> String {
    let is_hex = |text: &str| text.len() == 8 && text.bytes().all(|b| b.is_ascii_hexdigit());
    let text = ran.to_string();
    let words = text.split_inclusive([' ', '\n']).map(|word| {
        let (bare, end) = word.split_at(word.trim_end_matches([' ', '\n', ':', ',']).len());
        let is_stream = bare.rsplit_once('-').is_some_and(|(_, hash)| is_hex(hash));
        let bare = if is_stream { "STREAM" } else { bare };
        format!("{}{end}", if is_hex(bare) { "ID" } else { bare })
    });
    words.collect()
}

fn verify(sandbox: &Sandbox, args: &[&str]) -> Ran {
    sandbox.run([&["verify", "--repo", "repo"], args].concat())
}

#[test]
fn a_repository_in_which_nothing_is_wrong_is_verified_without_a_key() {
    let (sandbox, key) = repository();
    assert_snapshot!(plain(&verify(&sandbox, &[])), @r#"
    2 snapshots of 1 state verified, 0 problems
    [exit 0]
    "#);
    assert_eq!(verify(&sandbox, &["--quick"]).status, Some(0));
    assert_snapshot!(plain(&verify(&sandbox, &["--read-data", "-i", &key])), @r#"
    2 snapshots of 1 state verified, 2 restored in memory, 0 problems
    [exit 0]
    "#);
}

#[test]
fn a_damaged_snapshot_is_named_and_what_to_do_is_said() {
    let (sandbox, _) = repository();
    damage(&snapshots(&sandbox)[1]);
    assert_snapshot!(plain(&verify(&sandbox, &[])), @r#"
    failure: ID STREAM: its payload is not the one that was written
    1 of 2 snapshots of 1 state verified, 1 problem
    [stderr]
    hint: store the states named anew, as a whole: `tfstate backup --force --strategy full STATE`
    hint: then an owner of the repository may let go what is lost: `tfstate prune --damaged`
    [exit 2]
    "#);
    assert_eq!(verify(&sandbox, &["--quick"]).status, Some(0), "its head is good");
    let json = verify(&sandbox, &["-o", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(json["schema"], "tfstate.verify/1");
    let summary = serde_json::json!({
        "states": 1, "snapshots": 2, "verified": 1, "read": 0, "problems": 1, "warnings": 0,
    });
    assert_eq!(json["summary"], summary);
    let problem = &json["problems"][0];
    assert_eq!((&problem["problem"], &problem["severity"]), (&"damaged".into(), &"failure".into()));
    // What it advises helps.
    let advised = ["backup", "--repo", "repo", "--force", "--strategy", "full"];
    assert_eq!(sandbox.run(advised).status, Some(0));
    let prune = ["prune", "--repo", "repo", "--damaged", "--keep-last", "9", "--grace", "0"];
    let pruned = sandbox.run(prune);
    assert!(pruned.stdout.contains("2 kept, 1 removed"), "{pruned}");
    assert_eq!(verify(&sandbox, &[]).status, Some(0));
}

#[test]
fn the_newest_snapshot_is_missed() {
    let (sandbox, _) = repository();
    fs::remove_file(&snapshots(&sandbox)[1]).unwrap();
    let ran = verify(&sandbox, &["--quick"]);
    assert_eq!(ran.status, Some(2), "{ran}");
    assert!(ran.stdout.contains("no owner had it removed"), "{ran}");
    // So are all of the newest runs, by the computer that made them.
    for run in files(&sandbox.path("repo/r")) {
        fs::remove_file(run).unwrap();
    }
    let ran = verify(&sandbox, &["--quick"]);
    assert_eq!(ran.status, Some(2), "{ran}");
    assert!(ran.stdout.contains("the note of run 2"), "{ran}");
}

#[test]
fn only_what_is_asked_for_is_verified() {
    let (sandbox, _) = repository();
    let paths = snapshots(&sandbox);
    damage(&paths[1]);
    let id = |path: &Path| path.file_name().unwrap().to_string_lossy()[28..36].to_owned();
    let (good, bad) = (id(&paths[0]), id(&paths[1]));
    assert_eq!(verify(&sandbox, &[&good]).status, Some(0));
    assert_eq!(verify(&sandbox, &[&bad]).status, Some(2));
    assert_eq!(verify(&sandbox, &["--state", "terraform.tfstate"]).status, Some(2));
    let other = verify(&sandbox, &["--state", "other.tfstate"]);
    assert_eq!(other.status, Some(1), "{other}");
    let longer = format!("{good}{}", "0".repeat(24));
    for unknown in ["zzzz", &longer] {
        let ran = verify(&sandbox, &[unknown]);
        assert_eq!(ran.status, Some(1), "{ran}");
        assert!(ran.stderr.contains(&format!("there is no snapshot {unknown}")), "{ran}");
    }
}

#[test]
fn data_is_read_only_with_the_key_that_fits() {
    let (sandbox, key) = repository();
    assert_snapshot!(plain(&verify(&sandbox, &["--read-data"])), @r#"
    [stderr]
    error: cannot decrypt what is in repo: no identity was given
    hint: give the file with the key: `--identity FILE`, or `backup.identity` in tfstate.toml
    [exit 1]
    "#);
    let other = age::x25519::Identity::generate();
    let file = sandbox.write("other.txt", other.to_string().expose_secret());
    let ran = verify(&sandbox, &["--read-data", "-i", &file.display().to_string()]);
    assert_eq!(ran.status, Some(1), "{ran}");
    let ran = verify(&sandbox, &["-i", &key]);
    assert_eq!(ran.status, Some(1), "{ran}");
    assert!(ran.stderr.contains("add `--read-data`"), "{ran}");
}

#[test]
fn the_parts_of_a_drill_cover_everything_once() {
    let (sandbox, key) = repository();
    let read = |subset: &str| {
        let ran = verify(&sandbox, &["-o", "json", "--read-data-subset", subset, "-i", &key]);
        assert_eq!(ran.status, Some(0), "{ran}");
        let json: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        let read = json["summary"]["read"].as_u64().unwrap();
        assert_eq!(ran.stderr.contains("no key was tried"), read == 0, "{ran}");
        read
    };
    assert_eq!((1..=3).map(|part| read(&format!("{part}/3"))).sum::<u64>(), 2);
    assert_eq!((1..=30).map(|part| read(&format!("{part}/30"))).sum::<u64>(), 2);
    assert_eq!([read("1%"), read("100%")], [1, 2]);
    for bad in ["0/3", "4/3", "x", "0%", "101%", "NaN%"] {
        let ran = verify(&sandbox, &["--read-data-subset", bad, "-i", &key]);
        assert_eq!(ran.status, Some(1), "{bad}: {ran}");
    }
}

#[test]
fn a_place_without_a_repository_is_no_answer() {
    let sandbox = Sandbox::new();
    assert_eq!(verify(&sandbox, &[]).status, Some(1));
}
