//! `tfstate backup` and `snapshots`, and `restore` to a new file.

use std::fs;

use age::secrecy::ExposeSecret as _;
use insta::assert_snapshot;

use crate::sandbox::{Ran, Sandbox};

const BEFORE: &str = include_str!("../../testdata/states/shop-before.tfstate");
const AFTER: &str = include_str!("../../testdata/states/shop-after.tfstate");

/// Makes a folder with a state as Terraform would keep it there.
fn directory() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("terraform.tfstate", BEFORE);
    sandbox
}

/// Returns what a run printed with everything that differs from run to run replaced.
fn plain(ran: &Ran) -> String {
    let text = ran.to_string();
    let id = |word: &str| word.len() == 8 && word.bytes().all(|b| b.is_ascii_hexdigit());
    let words = text.split_inclusive([' ', '\n']).map(|word| {
        let (bare, end) = word.split_at(word.trim_end().len());
        let bare = if id(bare) { "ID" } else { bare };
        let bare = if bare.starts_with("20") && bare.ends_with('Z') { "TIME" } else { bare };
        format!("{bare}{end}")
    });
    words.collect()
}

/// Makes a key, and returns its public half and the file that its private half is in.
fn key(sandbox: &Sandbox) -> (String, String) {
    let identity = age::x25519::Identity::generate();
    let file = sandbox.write("key.txt", identity.to_string().expose_secret());
    (identity.to_public().to_string(), file.display().to_string())
}

#[test]
fn the_first_backup_must_be_told_for_whom_it_is() {
    let sandbox = directory();
    assert_snapshot!(plain(&sandbox.run(["backup"])), @r#"
    [stderr]
    error: cannot make a backup repository in $DIR/home/.local/state/tfstate/backups: neither recipients nor no encryption chosen
    hint: encrypt for a key from `age-keygen`: `--recipient age1…`; or keep plain text: `--no-encryption`
    [exit 1]
    "#);
}

#[test]
fn a_cache_that_cannot_be_written_is_warned_of_since_it_costs_whole_snapshots() {
    let mut sandbox = directory();
    sandbox.write("file", "");
    sandbox.set("XDG_CACHE_HOME", sandbox.path("file").display().to_string());
    let backup = || sandbox.run(["backup", "--no-encryption"]);
    backup();
    let again = backup();
    assert_eq!(again.status, Some(0), "{again}");
    assert!(again.stdout.contains("full (this computer remembers nothing of the one before)"));
    let said = "warning: cannot remember in $DIR/file/tfstate what was stored: ";
    assert!(again.stderr.contains(said), "{again}");
    assert!(again.stderr.contains("name a folder that can be written: `TFSTATE_CACHE_DIR`"));
    let mut sandbox = directory();
    let keys = sandbox.path("keys").display().to_string();
    sandbox.set("HOME", "").set("STATE_DIR", keys);
    let homeless = sandbox.run(["backup", "--no-encryption"]);
    assert_eq!(homeless.status, Some(0), "{homeless}");
    let said = "warning: there is no folder to remember in what was stored\n";
    assert!(homeless.stderr.contains(said), "{homeless}");
    let nothing = sandbox.run(["backup", "none.tfstate", "--no-encryption"]);
    assert!(!nothing.stderr.contains(said), "{nothing}");
}

#[test]
fn two_computers_with_a_state_at_one_path_are_told_that_they_share_a_history() {
    let mut sandbox = directory();
    sandbox.set("TFSTATE_CACHE_DIR", "one");
    assert_eq!(sandbox.run(["backup", "--no-encryption"]).status, Some(0));
    let other = ["backup", "--signing-key", "other"];
    let refused = sandbox.run(other);
    let key = refused.stderr.split("repo authorize ").nth(1).unwrap();
    let key = key.split('`').next().unwrap().to_owned();
    assert_eq!(sandbox.run(["repo", "authorize", &key]).status, Some(0));
    sandbox.write("terraform.tfstate", AFTER);
    sandbox.set("TFSTATE_CACHE_DIR", "two");
    let first = sandbox.run(other);
    assert_eq!(first.status, Some(0), "{first}");
    assert!(!first.stderr.contains("another computer"), "one that took over\n{first}");
    sandbox.write("terraform.tfstate", BEFORE);
    sandbox.set("TFSTATE_CACHE_DIR", "one");
    let warned = sandbox.run(["backup"]);
    let said = format!("warning: another computer, {key}, backs up terraform.tfstate as well");
    assert!(warned.stderr.contains(&said), "{warned}");
}

#[test]
fn a_state_without_a_name_is_no_state() {
    let sandbox = directory();
    let refused = sandbox.run(["backup", "", "--no-encryption"]);
    assert_eq!(refused.status, Some(1), "{refused}");
    let said = "error: cannot read the reference \"\": it names nothing\n";
    assert!(refused.stderr.contains(said), "{refused}");
}

#[test]
fn a_first_backup_tells_what_it_made_and_that_one_key_is_few() {
    let mut sandbox = directory();
    sandbox.set("TFSTATE_SIGNING_KEY_FILE", sandbox.path("signing.key").display().to_string());
    let (recipient, _) = key(&sandbox);
    let made = sandbox.run(["backup", "--recipient", &recipient]);
    let said: Vec<&str> = made.stderr.lines().collect();
    assert_snapshot!(said.iter().map(|line| line.split(", ed25519").next().unwrap()).collect::<Vec<_>>().join("\n"), @r#"
    Made a backup repository in $DIR/home/.local/state/tfstate/backups
    Its owner is the signing key of this computer
    warning: there is one recipient: if its key is lost, so are the backups
    hint: name all that are to read them: `tfstate repo rekey --recipient KEY --recipient KEY --identity FILE`
    "#);
    assert_eq!(sandbox.run(["backup"]).stderr, "");
}

#[cfg(unix)]
#[test]
fn a_signing_key_that_everybody_can_read_is_warned_of() {
    use std::os::unix::fs::PermissionsExt as _;
    let mut sandbox = directory();
    let file = sandbox.path("signing.key");
    sandbox.set("TFSTATE_SIGNING_KEY_FILE", file.display().to_string());
    sandbox.run(["backup", "--no-encryption"]);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let ran = sandbox.run(["backup"]);
    assert!(
        ran.stderr.contains("hint: make it yours alone: `chmod 600 $DIR/signing.key`"),
        "{ran}"
    );
}

#[test]
fn tags_that_mean_something_to_retention_are_not_given_by_hand() {
    let sandbox = directory();
    for tag in ["broken", "imported", "before", "before-change"] {
        let ran = sandbox.run(["backup", "--no-encryption", "--tag", tag]);
        assert_eq!(ran.status, Some(1), "{ran}");
        assert!(ran.stderr.contains("tfstate gives these itself: "), "{ran}");
    }
}

#[test]
fn what_is_no_recipient_is_told_by_the_line_of_its_file() {
    let sandbox = directory();
    let (recipient, _) = key(&sandbox);
    sandbox.write("ours.txt", format!("# ours\n{recipient}\nage1typo\n"));
    let ran = sandbox.run(["backup", "--recipients-file", "ours.txt"]);
    assert_snapshot!(ran, @r#"
    [stderr]
    error: line 3 of ours.txt is neither an `age1…` recipient nor an ssh public key
    [exit 1]
    "#);
}

#[test]
fn what_was_backed_up_comes_back_byte_for_byte() {
    let sandbox = directory();
    let (recipient, identity) = key(&sandbox);
    let made = sandbox.run(["backup", "--recipient", &recipient]);
    assert_eq!(made.status, Some(0), "{made}");
    sandbox.write("terraform.tfstate", AFTER);
    assert_eq!(sandbox.run(["backup"]).status, Some(0));
    let restored = sandbox.run(["restore", "--to", "back.tfstate", "-i", &identity]);
    assert_eq!(restored.status, Some(0), "{restored}");
    assert_eq!(fs::read_to_string(sandbox.path("back.tfstate")).unwrap(), AFTER);
    let first = made.stdout.split(' ').next().unwrap().to_owned();
    let restored = sandbox.run(["restore", &first, "--to", "first.tfstate", "-i", &identity]);
    assert_eq!(restored.status, Some(0), "{restored}");
    assert_eq!(fs::read_to_string(sandbox.path("first.tfstate")).unwrap(), BEFORE);
}

#[test]
fn a_snapshot_holds_nothing_of_the_state_in_plain_text() {
    let sandbox = directory();
    let (recipient, _) = key(&sandbox);
    let made = sandbox.run(["backup", "--repo", "repo", "--recipient", &recipient]);
    assert_eq!(made.status, Some(0), "{made}");
    let mut folders = vec![sandbox.path("repo")];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            files += 1;
            let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
            assert!(!text.contains("S3CR3T") && !text.contains("lineage"), "{}", path.display());
        }
    }
    assert!(files >= 2, "a record and a snapshot");
}

#[test]
fn an_unchanged_state_is_not_stored_again() {
    let sandbox = directory();
    sandbox.run(["backup", "--no-encryption"]);
    assert_snapshot!(plain(&sandbox.run(["backup"])), @r#"
    ID  terraform.tfstate  unchanged since that snapshot
    [stderr]
    warning: the snapshots in $DIR/home/.local/state/tfstate/backups are not encrypted
    [exit 0]
    "#);
}

#[test]
fn a_state_that_can_not_be_parsed_is_kept_and_reported() {
    let sandbox = directory();
    sandbox.write("terraform.tfstate", &BEFORE[..100]);
    let made = sandbox.run(["backup", "--no-encryption", "-q"]);
    assert_eq!(made.status, Some(0), "{made}");
    let restored = sandbox.run(["restore", "--to", "back"]);
    assert!(restored.stderr.contains("cannot be read as a state"), "{restored}");
    assert_eq!(fs::read_to_string(sandbox.path("back")).unwrap(), BEFORE[..100]);
}

#[test]
fn that_a_state_cannot_be_parsed_is_seen_by_who_watches_and_by_who_lists() {
    let sandbox = directory();
    let args = ["backup", "--no-encryption", "-q", "--metrics-file", "tfstate.prom"];
    for (text, readable) in [(BEFORE, "1"), (&BEFORE[..100], "0")] {
        sandbox.write("terraform.tfstate", text);
        assert_eq!(sandbox.run(args).status, Some(0));
        let metrics = fs::read_to_string(sandbox.path("tfstate.prom")).unwrap();
        let found = metrics.lines().find(|l| l.starts_with("tfstate_backup_state_readable{"));
        assert!(found.is_some_and(|line| line.ends_with(&format!(" {readable}"))), "{metrics}");
    }
    let listed = sandbox.run(["snapshots"]).stdout;
    assert!(listed.lines().last().unwrap().contains(" broken "), "{listed}");
}

#[test]
fn some_of_several_states_that_fail_are_named_and_the_rest_is_kept() {
    let sandbox = directory();
    let args = ["backup", "./absent.tfstate", "terraform.tfstate", "--no-encryption", "-q"];
    assert_snapshot!(plain(&sandbox.run(args)), @r#"
    ID  terraform.tfstate  full, 33.2 KB stored in 5.0 KB, not encrypted
    [stderr]
    error: cannot find ./absent.tfstate
    [exit 3]
    "#);
}

#[test]
fn snapshots_are_listed_by_the_name_that_is_shown_too_and_none_is_said_to_be_none() {
    let sandbox = directory();
    assert_eq!(sandbox.run(["backup", "--no-encryption", "-q"]).status, Some(0));
    let all = sandbox.run(["snapshots"]).stdout;
    let name = all.split_whitespace().last().unwrap();
    for state in [name, "terraform.tfstate", "."] {
        assert_eq!(sandbox.run(["snapshots", state]).stdout, all, "{state}");
    }
    let none = sandbox.run(["snapshots", "other.tfstate"]);
    assert!(none.stderr.starts_with("There is no snapshot of other.tfstate in "), "{none}");
}

#[test]
fn a_pipe_into_which_nothing_was_written_is_no_state_to_keep() {
    let sandbox = Sandbox::new();
    let ran = sandbox.run(["backup", "-", "--no-encryption"]);
    assert_eq!(ran.status, Some(1), "{ran}");
    assert!(ran.stderr.contains("error: cannot back up standard input: nothing came in"), "{ran}");
    assert_eq!(sandbox.run(["snapshots"]).stdout.lines().count(), 1, "the heading alone");
}

#[test]
fn the_metrics_tell_of_a_run_that_could_not_begin() {
    let sandbox = directory();
    sandbox.write("file", "");
    let run = |words: &[&str]| {
        let run = ["backup", "--no-encryption", "--metrics-file", "tfstate.prom"];
        let ran = sandbox.run(run.iter().chain(words));
        let metrics = fs::read_to_string(sandbox.path("tfstate.prom")).unwrap();
        let line =
            |name: &str| metrics.lines().find(|line| line.starts_with(name)).map(str::to_owned);
        let names = ["tfstate_backup_last_run_exit_status ", "tfstate_backup_failures "];
        let [exit, failures] = names.map(|name| line(name).unwrap().replace(name, ""));
        assert!(line("tfstate_backup_last_success_timestamp_seconds{").is_some(), "{metrics}");
        (ran.status, exit, failures)
    };
    let expected =
        |status: i32, failures: &str| (Some(status), status.to_string(), failures.into());
    assert_eq!(run(&[]), expected(0, "0"));
    assert_eq!(run(&["--repo", "file"]), expected(1, "1"));
}

#[test]
fn an_encrypted_snapshot_needs_its_key() {
    let sandbox = directory();
    let (recipient, _) = key(&sandbox);
    sandbox.run(["backup", "--recipient", &recipient]);
    let refused = sandbox.run(["restore", "--to", "back"]);
    assert_snapshot!(plain(&refused), @r#"
    [stderr]
    error: snapshot ID is encrypted, and no identity was given
    hint: give the file with the key: `--identity FILE`, where the command takes it, else `backup.identity` in tfstate.toml; where a passphrase opens it, `--passphrase-file FILE` and the copy of `keys/`, if that is gone
    [exit 1]
    "#);
    assert!(!sandbox.path("back").exists());
}

#[test]
fn a_state_that_is_named_twice_is_backed_up_once() {
    let sandbox = Sandbox::shop();
    let words = ["backup", "shop.tfstate", "./shop.tfstate", "sh*.tfstate", "--no-encryption"];
    let ran = sandbox.run(words);
    assert_eq!((ran.status, ran.stdout.lines().count()), (Some(0), 1), "{ran}");
}
