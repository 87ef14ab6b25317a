//! `tfstate snapshots`.

use std::fs;

use age::secrecy::ExposeSecret as _;

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
        let args = ["backup", "--recipient", &recipient, "--strategy", "incremental"];
        let made = sandbox.run(args.iter().chain(&["--tag", "nightly"]));
        assert_eq!(made.status, Some(0), "{made}");
    }
    (sandbox, file.display().to_string())
}

fn json(ran: &Ran) -> serde_json::Value {
    serde_json::from_str(&ran.stdout).unwrap()
}

#[test]
fn the_list_shows_what_a_snapshot_builds_on_and_its_tags() {
    let (mut sandbox, _) = repository();
    let ran = sandbox.set("COLUMNS", "200").run(["snapshots"]);
    let lines: Vec<Vec<&str>> =
        ran.stdout.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["SNAPSHOT", "CREATED", "STRATEGY", "PARENT", "STORED", "TAGS", "STATE"]);
    let listed = json(&sandbox.run(["snapshots", "-o", "json"]));
    let listed = &listed["snapshots"];
    assert_eq!(
        (listed[0]["parent"].as_str(), listed[1]["parent"].as_str()),
        (None, listed[0]["id"].as_str())
    );
    assert_eq!(listed[1]["tags"], serde_json::json!(["nightly"]));
    assert!(lines[2].contains(&listed[0]["id"].as_str().unwrap()), "{ran}");
    assert!(lines[2].contains(&"nightly"), "{ran}");
    assert!(listed[0].get("serial").is_none());
}

#[test]
fn changes_need_the_key_and_show_addresses_alone() {
    let (sandbox, key) = repository();
    let refused = sandbox.run(["snapshots", "--changes"]);
    assert_eq!(refused.status, Some(1), "{refused}");
    assert!(refused.stderr.contains("--identity FILE"), "{refused}");
    let shown = sandbox.run(["snapshots", "--changes", "-i", &key]);
    assert_eq!(shown.status, Some(0), "{shown}");
    assert!(!shown.stdout.contains("S3CR3T"), "{shown}");
    let listed = json(&sandbox.run(["snapshots", "--changes", "-i", &key, "-o", "json"]));
    let listed = &listed["snapshots"];
    assert!(listed[0]["changes"].is_null() && listed[0]["serial"].is_u64());
    let changes = listed[1]["changes"].as_array().unwrap();
    let compared = json(&sandbox.run({
        sandbox.write("before.tfstate", BEFORE);
        ["diff", "before.tfstate", "terraform.tfstate", "-o", "json"]
    }));
    let pick = |change: &serde_json::Value| (change["address"].clone(), change["action"].clone());
    let expected: Vec<_> = compared["resources"].as_array().unwrap().iter().map(pick).collect();
    assert_eq!(changes.iter().map(pick).collect::<Vec<_>>(), expected);
    assert!(!expected.is_empty());
    let first = expected[0].0.as_str().unwrap();
    assert!(shown.stdout.contains(first), "{shown}");
    let useless = sandbox.run(["snapshots", "-i", &key]);
    assert_eq!(useless.status, Some(1), "{useless}");
}

#[test]
fn a_damaged_snapshot_is_noted_in_the_list() {
    let (sandbox, key) = repository();
    let listed = json(&sandbox.run(["snapshots", "-o", "json"]));
    let stream = listed["snapshots"][0]["stream"].as_str().unwrap().to_owned();
    let folder = sandbox.path(&format!("home/.local/state/tfstate/backups/s/{stream}"));
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let mut bytes = fs::read(&path).unwrap();
        bytes.truncate(bytes.len() - 1);
        tfstate::base::fs::replace(&path, &bytes).unwrap();
    }
    for args in [&[][..], &["--changes", "-i", &key]] {
        let ran = sandbox.run([&["snapshots"], args].concat());
        assert_eq!(ran.status, Some(0), "{ran}");
        assert_eq!(ran.stdout.matches("damaged").count(), 2, "{ran}");
    }
}

#[test]
fn a_state_that_was_not_backed_up_for_too_long_is_named() {
    let (sandbox, _) = repository();
    let fresh = sandbox.run(["snapshots", "--max-age", "26h"]);
    assert_eq!(fresh.status, Some(0), "{fresh}");
    assert_eq!(fresh.stdout, "1 of 1 state was backed up in time\n");
    std::thread::sleep(std::time::Duration::from_millis(2100));
    let old = sandbox.run(["snapshots", "--max-age", "1s"]);
    assert_eq!(old.status, Some(2), "{old}");
    assert!(
        old.stdout.contains("terraform") && old.stdout.contains("last backed up 0 min ago"),
        "{old}"
    );
    // A run that finds nothing new confirms it.
    assert_eq!(sandbox.run(["backup"]).status, Some(0));
    let fresh = sandbox.run(["snapshots", "--max-age", "60s", "terraform.tfstate", "-o", "json"]);
    assert_eq!(fresh.status, Some(0), "{fresh}");
    let state = &json(&fresh)["states"][0];
    assert!(state["age_seconds"].as_u64().unwrap() < 60 && state["too_old"] == false, "{fresh}");
}

#[test]
fn a_state_that_was_never_backed_up_is_named() {
    let (sandbox, _) = repository();
    sandbox.write("other.tfstate", BEFORE);
    let never = sandbox.run(["snapshots", "--max-age", "26h", "other.tfstate"]);
    assert_eq!(never.status, Some(2), "{never}");
    assert!(never.stdout.contains("never backed up"), "{never}");
    let bad = sandbox.run(["snapshots", "--max-age", "soon"]);
    assert_eq!(bad.status, Some(1), "{bad}");
}
