//! `tfstate repo`.

use std::fs;
use std::path::Path;

use age::secrecy::ExposeSecret as _;
use insta::assert_snapshot;
use regex::Regex;

use crate::sandbox::{Ran, Sandbox};

const STATE: &str = include_str!("../../testdata/states/shop-before.tfstate");

/// Makes a key, and returns its public half and the file that its private half is in.
fn key(sandbox: &Sandbox, name: &str) -> (String, String) {
    let identity = age::x25519::Identity::generate();
    let file = sandbox.write(name, identity.to_string().expose_secret());
    (identity.to_public().to_string(), file.display().to_string())
}

fn repo(sandbox: &Sandbox, args: &[&str]) -> Ran {
    let (command, rest) = args.split_first().unwrap();
    sandbox.run(["repo", command, "--repo", "repo"].iter().chain(rest))
}

/// Returns what a run printed with everything that differs from run to run replaced.
fn plain(ran: &Ran) -> String {
    let mut text = ran.to_string();
    for (pattern, name) in [
        (r"ed25519:[\w-]{43}", "ed25519:KEY"),
        (r"age1[0-9a-z]{58}", "age1KEY"),
        (r"\b\d{8}T\d{6}Z\b", "TIME"),
        (r"\b[0-9a-f]{32}\b", "ID"),
        (r"\b[0-9a-f]{8}\b", "ID"),
        (r"\d+(\.\d)? K?B\b", "SIZE"),
        (r"\S+-ID:", "STREAM:"),
    ] {
        text = Regex::new(pattern).unwrap().replace_all(&text, name).into_owned();
    }
    text
}

fn backup(sandbox: &Sandbox, state: &str) -> String {
    sandbox.write("terraform.tfstate", state);
    let made = sandbox.run(["backup", "--repo", "repo", "-q"]);
    assert_eq!(made.status, Some(0), "{made}");
    made.stdout.split(' ').next().unwrap().to_owned()
}

fn restore(sandbox: &Sandbox, id: &str, identity: &str) -> Option<String> {
    let to = sandbox.path("back");
    fs::remove_file(&to).ok();
    let args = ["restore", id, "--repo", "repo", "--to", "back", "-i", identity];
    (sandbox.run(args).status == Some(0)).then(|| fs::read_to_string(to).unwrap())
}

#[test]
fn a_repository_is_made_once_and_described() {
    let sandbox = Sandbox::new();
    let (first, _) = key(&sandbox, "a.txt");
    assert_snapshot!(plain(&repo(&sandbox, &["init", "--recipient", &first])), @r"
    [stderr]
    Made a backup repository in repo
    Its owner is the signing key of this computer, ed25519:KEY
    warning: there is one recipient: if its key is lost, so are the backups
    hint: name all that are to read them: `tfstate repo rekey --recipient KEY --recipient KEY --identity FILE`
    [exit 0]
    ");
    assert_snapshot!(plain(&repo(&sandbox, &["init", "--recipient", &first])), @r"
    [stderr]
    error: there is a backup repository in repo already
    hint: look at it: `tfstate repo info`
    [exit 1]
    ");
    backup(&sandbox, STATE);
    assert_snapshot!(plain(&repo(&sandbox, &["info"])), @r"
    place       repo
    id          ID
    created     TIME
    changed     never
    encryption  age
    recipient   age1KEY
    owner       ed25519:KEY
    writer      ed25519:KEY since TIME
    this key    ed25519:KEY, an owner's and a writer's
    states      1
    snapshots   1 (SIZE)
      full       1 (SIZE)
    held        0
    to remove   0
    [exit 0]
    ");
    let told = repo(&sandbox, &["info", "-o", "json"]).stdout;
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!((&told["schema"], &told["snapshots"]), (&"tfstate.repo/1".into(), &1.into()));
    assert_eq!((&told["key_owns"], &told["kinds"]["full"]["snapshots"]), (&true.into(), &1.into()));
}

#[test]
fn two_recipients_or_an_explicit_wish_give_no_warning() {
    let sandbox = Sandbox::new();
    let ((a, _), (b, _)) = (key(&sandbox, "a.txt"), key(&sandbox, "b.txt"));
    let single = repo(&sandbox, &["init", "--recipient", &a, "--single-recipient"]);
    assert!(single.status == Some(0) && !single.stderr.contains("warning"), "{single}");
    let args = ["repo", "init", "--repo", "other", "--recipient", &a, "--recipient", &b];
    let two = sandbox.run(args);
    assert!(two.status == Some(0) && !two.stderr.contains("warning"), "{two}");
    let undecided = sandbox.run(["repo", "init", "--repo", "third"]);
    assert_eq!(undecided.status, Some(1), "{undecided}");
    assert!(!sandbox.path("third").exists());
}

#[test]
fn an_identity_under_a_passphrase_can_stay_in_the_repository() {
    let sandbox = Sandbox::new();
    sandbox.write("pass", "correct horse\n");
    let made = repo(&sandbox, &["init", "--passphrase-file", "pass"]);
    assert_eq!(made.status, Some(0), "{made}");
    let id = backup(&sandbox, STATE);
    let args = ["restore", &id, "--repo", "repo", "--to", "back", "--passphrase-file", "pass"];
    let restored = sandbox.run(args);
    assert_eq!(restored.status, Some(0), "{restored}");
    assert_eq!(fs::read_to_string(sandbox.path("back")).unwrap(), STATE);
    assert_eq!(sandbox.run(["verify", "--repo", "repo"]).status, Some(0));
    fs::remove_dir_all(sandbox.path("repo/keys")).unwrap();
    let verified = sandbox.run(["verify", "--repo", "repo"]);
    assert_eq!(verified.status, Some(2), "{verified}");
    assert!(verified.stdout.contains("the identity that a passphrase opens is gone"), "{verified}");
    fs::remove_file(sandbox.path("back")).unwrap();
    let refused = sandbox.run(args);
    assert!(refused.stderr.contains("and the copy of `keys/`, if that is gone"), "{refused}");
}

#[test]
fn who_owns_a_repository_is_not_made_up_on_the_way() {
    let sandbox = Sandbox::new();
    let (recipient, _) = key(&sandbox, "a.txt");
    repo(&sandbox, &["init", "--recipient", &recipient]);
    let public = "ed25519:3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08";
    let ran = repo(&sandbox, &["authorize", public, "--signing-key", "typo.key"]);
    assert_snapshot!(ran, @r#"
    [stderr]
    error: there is no signing key in typo.key
    hint: run this where the repository was made, or give its key: `--signing-key FILE`
    [exit 1]
    "#);
    assert!(!sandbox.path("typo.key").exists());
}

#[test]
fn a_passphrase_may_come_through_a_pipe() {
    let sandbox = Sandbox::new();
    sandbox.write("pass", "correct horse\nbattery\n");
    repo(&sandbox, &["init", "--passphrase-file", "pass"]);
    let id = backup(&sandbox, STATE);
    let restore = |input: &str| {
        let mut program = sandbox.command(Path::new(env!("CARGO_BIN_EXE_tfstate")));
        program.args(["restore", &id, "--repo", "repo", "--to", "back", "--passphrase-file", "-"]);
        program.stdin(std::fs::File::open(sandbox.path(input)).unwrap());
        sandbox.ran(program.output().unwrap())
    };
    let restored = restore("pass");
    assert_eq!(restored.status, Some(0), "{restored}");
    sandbox.write("nothing", "");
    assert!(restore("nothing").stderr.contains("the first line of standard input is empty"));
    let twice = ["rekey", "--passphrase-file", "-", "--new-passphrase-file", "-"];
    let refused = repo(&sandbox, &twice);
    assert!(refused.stderr.contains("standard input cannot be read twice"), "{refused}");
}

#[test]
fn a_passphrase_is_exchanged_and_only_the_new_one_opens_what_there_was() {
    let sandbox = Sandbox::new();
    sandbox.write("old", "correct horse\n");
    sandbox.write("new", "battery staple\n");
    repo(&sandbox, &["init", "--passphrase-file", "old"]);
    let id = backup(&sandbox, STATE);
    let rekey = ["rekey", "--new-passphrase-file", "new", "--passphrase-file"];
    let wrong = repo(&sandbox, &[&rekey[..], &["new"]].concat());
    assert_eq!(wrong.status, Some(1), "{wrong}");
    assert_eq!(fs::read_dir(sandbox.path("repo/keys")).unwrap().count(), 1, "{wrong}");
    assert_snapshot!(plain(&repo(&sandbox, &[&rekey[..], &["old"]].concat())), @r"
    [stderr]
    warning: without the new passphrase nobody can read the backups from now on
    hint: keep it elsewhere too, and a copy of what is in `keys/` of the repository, which it opens
    Units and configurations must no longer name recipients
    STREAM: 1 encrypted anew, 0 were so already
    The old objects can be read as before, until `tfstate prune` removes them
    warning: what somebody with an old key has read, this does not take back
    hint: change the secrets in the states too
    [exit 0]
    ");
    let again = repo(&sandbox, &[&rekey[..], &["old"]].concat());
    assert!(again.stderr.contains("0 encrypted anew, 1 were so already"), "{again}");
    assert!(again.stderr.contains("under this passphrase already"), "{again}");
    let restore = |by| {
        let args = ["restore", &id, "--repo", "repo", "--to", by, "--passphrase-file"];
        sandbox.run(args.iter().chain(&[if by == "by-old" { "old" } else { "new" }]))
    };
    assert_eq!(restore("by-new").status, Some(0));
    assert_eq!(fs::read_to_string(sandbox.path("by-new")).unwrap(), STATE);
    let refused = restore("by-old");
    assert_eq!(refused.status, Some(1), "{refused}");
    assert!(refused.stderr.contains("or the passphrase that there is now"), "{refused}");
}

#[test]
fn an_earlier_passphrase_is_missed_while_snapshots_need_it() {
    let sandbox = Sandbox::new();
    sandbox.write("pass", "correct horse\n");
    repo(&sandbox, &["init", "--passphrase-file", "pass"]);
    backup(&sandbox, STATE);
    let (a, _) = key(&sandbox, "a.txt");
    let anew = repo(&sandbox, &["rekey", "--recipient", &a, "--new-only"]);
    assert_eq!(anew.status, Some(0), "{anew}");
    let verify = || sandbox.run(["verify", "--repo", "repo"]);
    assert_eq!(verify().status, Some(0));
    let kept = fs::read_dir(sandbox.path("repo/keys")).unwrap().next().unwrap().unwrap().path();
    let aside = sandbox.path("aside");
    fs::rename(&kept, &aside).unwrap();
    let missed = verify();
    assert_eq!(missed.status, Some(2), "{missed}");
    assert!(missed.stdout.contains("snapshots still encrypted for it: 1"), "{missed}");
    let missed = sandbox.run(["verify", "--repo", "repo", "--state", "terraform.tfstate"]);
    assert_eq!(missed.status, Some(2), "also where only this state is asked for\n{missed}");
    fs::copy(sandbox.write("garbage", "no identity"), &kept).unwrap();
    let damaged = verify();
    assert_eq!(damaged.status, Some(2), "{damaged}");
    fs::rename(&aside, &kept).unwrap();
    let rest = repo(&sandbox, &["rekey", "--recipient", &a, "--passphrase-file", "pass"]);
    assert_eq!(rest.status, Some(0), "{rest}");
    fs::remove_file(&kept).unwrap();
    let verified = verify();
    assert_eq!(verified.status, Some(0), "nothing needs it any more\n{verified}");
}

#[test]
fn keys_take_the_place_of_a_passphrase_and_it_that_of_keys() {
    let sandbox = Sandbox::new();
    sandbox.write("pass", "correct horse\n");
    repo(&sandbox, &["init", "--passphrase-file", "pass"]);
    let id = backup(&sandbox, STATE);
    let (a, identity) = key(&sandbox, "a.txt");
    sandbox.write("readers", format!("# who reads\n{a}\n"));
    let to_key = ["rekey", "--recipients-file", "readers", "--passphrase-file", "pass"];
    assert_eq!(repo(&sandbox, &to_key).status, Some(0));
    let info = repo(&sandbox, &["info"]).stdout;
    assert!(info.contains("encryption  age\n"), "{info}");
    assert!(info.contains("identity    an earlier one is here, under a passphrase"), "{info}");
    assert_eq!(restore(&sandbox, &id, &identity).as_deref(), Some(STATE));
    sandbox.write("tfstate.toml", "[backup]\nidentity = 'a.txt'\n");
    let back = repo(&sandbox, &["rekey", "--new-passphrase-file", "pass"]);
    assert_eq!(back.status, Some(0), "{back}");
    let info = repo(&sandbox, &["info"]).stdout;
    assert!(info.contains("encryption  age, with an identity here under a passphrase"), "{info}");
    // Whatever is configured.
    let args = ["restore", &id, "--repo", "repo", "--to", "back2", "--passphrase-file", "pass"];
    let restored = sandbox.run(args);
    assert_eq!(restored.status, Some(0), "{restored}");
    let verify = || sandbox.run(["verify", "--repo", "repo"]);
    sandbox.write("repo/keys/0123456789abcdef.age", "no identity");
    sandbox.write("repo/keys/notes", "hello");
    let verified = verify();
    assert_eq!(verified.status, Some(0), "{verified}");
    assert!(verified.stdout.contains("keys/0123456789abcdef.age is damaged"), "{verified}");
    assert!(verified.stdout.contains("keys/notes is not ours"), "{verified}");
    for kept in fs::read_dir(sandbox.path("repo/keys")).unwrap() {
        sandbox.write(&format!("repo/keys/{}", kept.unwrap().file_name().display()), "gone");
    }
    let verified = verify();
    assert_eq!(verified.status, Some(2), "{verified}");
    assert!(verified.stderr.contains("hint: put the copy of it back"), "{verified}");
}

#[test]
fn whoever_is_to_read_has_to_be_named_by_the_command_itself() {
    let sandbox = Sandbox::new();
    let (a, identity) = key(&sandbox, "a.txt");
    repo(&sandbox, &["init", "--recipient", &a, "--single-recipient"]);
    backup(&sandbox, STATE);
    // A checkout may bring a configuration along.
    let (b, _) = key(&sandbox, "b.txt");
    sandbox.write("tfstate.toml", format!("[backup]\nrecipients = [\"{b}\"]\n"));
    sandbox.write("nobody", "# not yet\n");
    sandbox.write("pass", "correct horse\n");
    for (args, expected) in [
        (&[][..], "no recipient is named to encrypt for"),
        (&["--recipients-file", "nobody"], "there is no recipient in nobody"),
        (&["--recipient", &b, "--new-passphrase-file", "pass"], "cannot be used with"),
    ] {
        let refused = repo(&sandbox, &[&["rekey", "-i", &identity], args].concat());
        assert_eq!(refused.status, Some(1), "{refused}");
        assert!(refused.stderr.contains(expected), "{refused}");
    }
    assert!(repo(&sandbox, &["info"]).stdout.contains("changed     never"), "nothing was changed");
}

#[test]
fn what_is_backed_up_while_all_is_encrypted_anew_builds_on_nothing_that_others_read() {
    let sandbox = Sandbox::new();
    let ((a, old), (b, new)) = (key(&sandbox, "a.txt"), key(&sandbox, "b.txt"));
    repo(&sandbox, &["init", "--recipient", &a, "--single-recipient"]);
    let first = backup(&sandbox, STATE);
    // As one that is interrupted leaves it.
    let begun = repo(&sandbox, &["rekey", "--recipient", &b, "--new-only"]);
    assert_eq!(begun.status, Some(0), "{begun}");
    // What did not change is stored for them, too.
    let unchanged = backup(&sandbox, STATE);
    assert_eq!(restore(&sandbox, &unchanged, &new).as_deref(), Some(STATE));
    repo(&sandbox, &["rekey", "--recipient", &a, "--new-only"]);
    backup(&sandbox, STATE);
    repo(&sandbox, &["rekey", "--recipient", &b, "--new-only"]);
    let changed = STATE.replace("shop", "shed");
    sandbox.write("terraform.tfstate", &changed);
    let made = sandbox.run(["backup", "--repo", "repo", "--strategy", "incremental"]);
    let why = "full (it is encrypted for others than the one before)";
    assert!(made.stdout.contains(why), "{made}");
    let second = made.stdout.split(' ').next().unwrap();
    let done = repo(&sandbox, &["rekey", "--recipient", &b, "-i", &old]);
    assert_eq!(done.status, Some(0), "{done}");
    assert_eq!(restore(&sandbox, &first, &new).as_deref(), Some(STATE));
    assert_eq!(restore(&sandbox, second, &new).as_deref(), Some(changed.as_str()));
}

#[test]
fn another_computer_writes_once_it_is_authorised_and_until_it_is_revoked() {
    let sandbox = Sandbox::new();
    sandbox.write("terraform.tfstate", STATE);
    repo(&sandbox, &["init", "--no-encryption"]);
    let write =
        || sandbox.run(["backup", "--repo", "repo", "-q", "--force", "--signing-key", "other.key"]);
    let refused = write();
    assert_eq!(refused.status, Some(1), "{refused}");
    let text = fs::read_to_string(sandbox.path("other.key")).unwrap();
    let public = Regex::new(r"ed25519:[\w-]{43}").unwrap().find(&text).unwrap().as_str();
    let by_itself = repo(&sandbox, &["authorize", public, "--signing-key", "other.key"]);
    assert_eq!(by_itself.status, Some(1), "{by_itself}");
    assert_eq!(repo(&sandbox, &["authorize", public]).status, Some(0));
    assert_eq!(write().status, Some(0));
    assert_snapshot!(plain(&repo(&sandbox, &["revoke", public])), @r"
    [stderr]
    ed25519:KEY may no longer write to repo
    [exit 0]
    ");
    assert_eq!(write().status, Some(1));
}

#[test]
fn after_a_rekey_the_new_key_reads_everything_and_the_old_files_go() {
    let sandbox = Sandbox::new();
    let ((a, old), (b, new)) = (key(&sandbox, "a.txt"), key(&sandbox, "b.txt"));
    repo(&sandbox, &["init", "--recipient", &a, "--single-recipient"]);
    let first = backup(&sandbox, STATE);
    let changed = STATE.replace("shop", "shed");
    let second = backup(&sandbox, &changed);
    let refused = repo(&sandbox, &["rekey", "--recipient", &b, "-i", &new]);
    assert_eq!(refused.status, Some(1), "{refused}");
    assert!(repo(&sandbox, &["info"]).stdout.contains("changed     never"), "nothing was changed");
    assert_snapshot!(plain(&repo(&sandbox, &["rekey", "--recipient", &b, "-i", &old])), @r"
    [stderr]
    Backups are encrypted for these from now on: age1KEY
    warning: there is one recipient: if its key is lost, so are the backups
    hint: name all that are to read them: `tfstate repo rekey --recipient KEY --recipient KEY --identity FILE`
    Units and configurations that name recipients have to name these
    STREAM: 2 encrypted anew, 0 were so already
    The old objects can be read as before, until `tfstate prune` removes them
    warning: what somebody with an old key has read, this does not take back
    hint: change the secrets in the states too
    [exit 0]
    ");
    let args = ["prune", "--repo", "repo", "--keep-last", "9", "--grace", "0"];
    let pruned = sandbox.run(args);
    assert!(pruned.stdout.contains("2 kept, 2 removed ("), "{pruned}");
    for (id, state) in [(&first, STATE), (&second, &changed)] {
        assert_eq!(restore(&sandbox, id, &new).as_deref(), Some(state));
        assert_eq!(restore(&sandbox, id, &old), None);
    }
    let told = sandbox.run(["backup", "--repo", "repo", "--strategy", "incremental"]);
    assert!(told.stdout.contains("full (the one before was encrypted anew)"), "{told}");
    let third = backup(&sandbox, STATE);
    assert_eq!(restore(&sandbox, &third, &new).as_deref(), Some(STATE));
}

#[test]
fn where_a_repository_vanished_none_is_begun_in_its_place() {
    let sandbox = Sandbox::new();
    let (a, _) = key(&sandbox, "a.txt");
    fs::create_dir(sandbox.path("elsewhere")).unwrap();
    sandbox.write("elsewhere/terraform.tfstate", STATE);
    let backup = || {
        let mut command = sandbox.command(env!("CARGO_BIN_EXE_tfstate").as_ref());
        command.args(["backup", "terraform.tfstate", "--repo", "../repo", "--recipient", &a]);
        sandbox.ran(command.current_dir(sandbox.path("elsewhere")).output().unwrap())
    };
    assert_eq!(backup().status, Some(0));
    fs::rename(sandbox.path("repo"), sandbox.path("unmounted")).unwrap();
    let refused = backup();
    assert_eq!(refused.status, Some(1), "{refused}");
    assert!(!sandbox.path("repo").exists(), "{refused}");
    fs::rename(sandbox.path("unmounted"), sandbox.path("repo")).unwrap();
    assert_eq!(backup().status, Some(0));
}

#[test]
fn a_state_that_has_no_snapshots_is_not_encrypted_anew() {
    let sandbox = Sandbox::new();
    let ((a, old), (b, _)) = (key(&sandbox, "a.txt"), key(&sandbox, "b.txt"));
    repo(&sandbox, &["init", "--recipient", &a, "--single-recipient"]);
    backup(&sandbox, STATE);
    let refused = repo(&sandbox, &["rekey", "--recipient", &b, "-i", &old, "mistyped.tfstate"]);
    assert_eq!(refused.status, Some(1), "{refused}");
    assert!(refused.stderr.starts_with("error: there is no snapshot of "), "{refused}");
    assert!(repo(&sandbox, &["info"]).stdout.contains("changed     never"), "nothing was changed");
}

#[test]
fn where_the_key_is_lost_what_comes_can_be_for_another() {
    let sandbox = Sandbox::new();
    let ((a, _), (b, new)) = (key(&sandbox, "a.txt"), key(&sandbox, "b.txt"));
    repo(&sandbox, &["init", "--recipient", &a, "--single-recipient"]);
    let first = backup(&sandbox, STATE);
    assert_eq!(repo(&sandbox, &["rekey", "--recipient", &b]).status, Some(1));
    let rekeyed = repo(&sandbox, &["rekey", "--recipient", &b, "--new-only"]);
    assert_eq!(rekeyed.status, Some(0), "{rekeyed}");
    let changed = STATE.replace("shop", "shed");
    let second = backup(&sandbox, &changed);
    assert_eq!(restore(&sandbox, &first, &new), None);
    assert_eq!(restore(&sandbox, &second, &new).as_deref(), Some(changed.as_str()));
    // What it opens is enough to go on with, although it opens not all.
    let (c, newest) = key(&sandbox, "c.txt");
    assert_eq!(repo(&sandbox, &["rekey", "--recipient", &c, "-i", &new]).status, Some(3));
    assert_eq!(restore(&sandbox, &backup(&sandbox, STATE), &newest).as_deref(), Some(STATE));
}

#[test]
fn what_is_held_stays_until_it_is_released() {
    let sandbox = Sandbox::new();
    repo(&sandbox, &["init", "--no-encryption"]);
    let first = backup(&sandbox, STATE);
    backup(&sandbox, &STATE.replace("shop", "shed"));
    assert_snapshot!(plain(&repo(&sandbox, &["hold", &first, "--reason", "audit"])), @r"
    [stderr]
    Snapshot ID is held: retention keeps it until it is released
    [exit 0]
    ");
    let prune = || sandbox.run(["prune", "--repo", "repo", "--keep-last", "1", "--dry-run"]);
    assert!(prune().stdout.contains("  held\n"), "{}", prune());
    let listed = |options: &[&str]| {
        sandbox.run(["snapshots", "--repo", "repo"].iter().chain(options)).stdout
    };
    let lines = listed(&[]);
    assert!(lines.lines().any(|line| line.contains(&first) && line.ends_with("held: audit")));
    assert_eq!(lines.matches("held").count(), 1, "{lines}");
    let told: serde_json::Value = serde_json::from_str(&listed(&["-o", "json"])).unwrap();
    let held = |at: usize| &told["snapshots"][at]["held"];
    assert_eq!((&held(0)["reason"], held(1).is_null()), (&"audit".into(), true), "{told}");
    assert!(held(0)["since"].is_string(), "{told}");
    assert_snapshot!(plain(&repo(&sandbox, &["release", &first])), @r"
    [stderr]
    Snapshot ID is released: retention decides on it again
    [exit 0]
    ");
    assert!(prune().stdout.contains(&format!("remove  {first}")), "{}", prune());
    assert!(!listed(&[]).contains("held"), "{}", listed(&[]));
}
