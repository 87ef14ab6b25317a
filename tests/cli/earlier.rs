//! Earlier versions of a state: `@REV` and `snapshot:ID`, from the backup repository.

use age::secrecy::ExposeSecret as _;
use insta::assert_snapshot;

use crate::sandbox::{Ran, Sandbox};

const BEFORE: &str = include_str!("../../testdata/states/shop-before.tfstate");
const AFTER: &str = include_str!("../../testdata/states/shop-after.tfstate");

/// Makes a folder whose state was backed up before and after it changed.
fn changed() -> (Sandbox, Vec<String>) {
    let sandbox = Sandbox::new();
    let backup = |text: &str| {
        sandbox.write("terraform.tfstate", text);
        let made = sandbox.run(["backup", "--no-encryption", "-q"]);
        assert_eq!(made.status, Some(0), "{made}");
        made.stdout.split(' ').next().unwrap().to_owned()
    };
    let ids = vec![backup(BEFORE), backup(AFTER)];
    (sandbox, ids)
}

fn stdout(ran: Ran) -> String {
    assert_eq!(ran.status, Some(0), "{ran}");
    ran.stdout
}

#[test]
fn what_changed_since_an_earlier_version_is_told_by_its_reference_alone() {
    let (sandbox, ids) = changed();
    sandbox.write("before.tfstate", BEFORE);
    let expected = stdout(sandbox.run(["diff", "before.tfstate", "terraform.tfstate"]));
    let by_id = format!("terraform.tfstate@{}", ids[0]);
    for reference in ["@-1", "terraform.tfstate@-1", ".@serial:57", &by_id] {
        assert_eq!(stdout(sandbox.run(["diff", reference])), expected, "{reference}");
    }
    let snapshot = format!("snapshot:{}", ids[0]);
    assert_eq!(stdout(sandbox.run(["diff", &snapshot, "terraform.tfstate"])), expected);
    let two = ["diff", "terraform.tfstate@serial:57", "terraform.tfstate"];
    assert_eq!(stdout(sandbox.run(two)), expected);
}

#[test]
fn every_command_that_reads_a_state_reads_an_earlier_one() {
    let (sandbox, _) = changed();
    sandbox.write("before.tfstate", BEFORE);
    let before = stdout(sandbox.run(["list", "before.tfstate"]));
    assert_eq!(stdout(sandbox.run(["list", "@-1"])), before);
    let named = ["show", "-s", "@-1", "aws_iam_role.web"];
    let here = ["show", "-s", "before.tfstate", "aws_iam_role.web"];
    assert_eq!(stdout(sandbox.run(named)), stdout(sandbox.run(here)));
}

#[test]
fn the_one_before_is_the_newest_that_differs_from_what_is_there() {
    let (sandbox, _) = changed();
    sandbox.write("terraform.tfstate", AFTER.replace("\"serial\": 58", "\"serial\": 59"));
    let serial = |reference: &str| {
        let stats = stdout(sandbox.run(["stats", reference, "-o", "json"]));
        let stats: serde_json::Value = serde_json::from_str(&stats).unwrap();
        stats["serial"].as_u64()
    };
    assert_eq!(["@-1", "@-2", "@-0"].map(serial), [Some(58), Some(57), Some(59)]);
    std::fs::remove_file(sandbox.path("terraform.tfstate")).unwrap();
    assert_eq!(serial("terraform.tfstate@-1"), Some(58));
}

#[test]
fn what_there_is_not_is_said_with_what_there_is() {
    let (sandbox, ids) = changed();
    let plain = |ran: Ran| {
        let text = ran.to_string().replace(&ids[0], "ID");
        let words = text.split_inclusive([' ', '\n']).map(|word| {
            if word.starts_with("20") && word.trim_end().ends_with('Z') { "TIME\n" } else { word }
        });
        words.collect::<String>()
    };
    assert_snapshot!(plain(sandbox.run(["list", "@-9"])), @r#"
    [stderr]
    error: there is no terraform.tfstate@-9: the oldest of 2 snapshots is ID of TIME
    hint: list the snapshots there are: `tfstate snapshots STATE`
    [exit 1]
    "#);
    assert_snapshot!(plain(sandbox.run(["list", "@serial:1"])), @r#"
    [stderr]
    error: there is no terraform.tfstate@serial:1: the oldest of 2 snapshots is ID of TIME
    hint: list the snapshots there are: `tfstate snapshots STATE`
    [exit 1]
    "#);
    assert_snapshot!(plain(sandbox.run(["list", "terraform.tfstate@yesterday"])), @r#"
    [stderr]
    error: cannot read `terraform.tfstate@yesterday`: `@yesterday` is no earlier version
    hint: write @-1 for the one before, @2026-11-20T03:00Z for a time, @serial:412, or @ID for a snapshot
    [exit 1]
    "#);
    assert_snapshot!(plain(sandbox.run(["list", "snapshot:xyz"])), @r#"
    [stderr]
    error: there is no snapshot xyz
    hint: list what there is: `tfstate snapshots`
    [exit 1]
    "#);
    assert_snapshot!(plain(sandbox.run(["diff", "terraform.tfstate"])), @r#"
    [stderr]
    error: there is only one state to compare
    hint: name a second one, or an earlier version of this one: `tfstate diff STATE@-1`
    [exit 1]
    "#);
}

#[test]
fn without_a_repository_there_is_nothing_to_look_in() {
    let sandbox = Sandbox::shop();
    assert_snapshot!(sandbox.run(["list", "shop.tfstate@-1"]), @r#"
    [stderr]
    error: cannot look for earlier versions of shop.tfstate: there is no backup repository in $DIR/home/.local/state/tfstate/backups to look in
    hint: `tfstate backup` keeps snapshots from now on; TFSTATE_REPO says where they are
    [exit 1]
    "#);
}

#[test]
fn an_encrypted_snapshot_is_read_with_the_identity_of_the_configuration() {
    let sandbox = Sandbox::new();
    let identity = age::x25519::Identity::generate();
    let recipient = identity.to_public().to_string();
    sandbox.write("terraform.tfstate", BEFORE);
    let made = sandbox.run(["backup", "--recipient", &recipient]);
    assert_eq!(made.status, Some(0), "{made}");
    sandbox.write("terraform.tfstate", AFTER);
    let refused = sandbox.run(["diff", "@-1"]);
    assert_eq!(refused.status, Some(1), "{refused}");
    assert!(refused.stderr.contains("`backup.identity` in tfstate.toml"), "{refused}");
    sandbox.write("key.txt", identity.to_string().expose_secret());
    sandbox.write("tfstate.toml", "[backup]\nidentity = 'key.txt'\n");
    let told = sandbox.run(["diff", "@-1", "--stat"]);
    assert_eq!(told.status, Some(0), "{told}");
}
