//! `tfstate restore`: a state becomes what it was, where it lives.

use std::fs;

use age::secrecy::ExposeSecret as _;
use insta::assert_snapshot;

use crate::sandbox::{Ran, Sandbox};

const BEFORE: &str = include_str!("../../testdata/states/shop-before.tfstate");
const AFTER: &str = include_str!("../../testdata/states/shop-after.tfstate");

/// Makes a folder whose state was backed up before it changed, and returns the snapshot's id.
fn changed() -> (Sandbox, String) {
    let sandbox = Sandbox::new();
    sandbox.write("terraform.tfstate", BEFORE);
    let made = sandbox.run(["backup", "--no-encryption", "-q"]);
    assert_eq!(made.status, Some(0), "{made}");
    let id = made.stdout.split(' ').next().unwrap().to_owned();
    sandbox.write("terraform.tfstate", AFTER);
    (sandbox, id)
}

fn now(sandbox: &Sandbox) -> String {
    fs::read_to_string(sandbox.path("terraform.tfstate")).unwrap()
}

/// Returns what a restore of the whole leaves: what it was, with this serial.
fn rolled_back(serial: u64) -> String {
    BEFORE.replace("\"serial\": 57", &format!("\"serial\": {serial}"))
}

/// Returns what a run printed with everything that differs from run to run replaced.
fn plain(ran: &Ran) -> String {
    let text = ran.to_string();
    let is_id = |word: &str| word.len() == 8 && word.bytes().all(|b| b.is_ascii_hexdigit());
    let words = text.split_inclusive([' ', '\n', '`', ',', '"', ':']).map(|word| {
        let bare = word.trim_end_matches([' ', '\n', '`', ',', '"', ':']);
        if is_id(bare) { word.replace(bare, "ID") } else { word.to_owned() }
    });
    let text: String = words.collect();
    let words = text.split_inclusive([' ', '\n']).map(|word| {
        let bare = word.trim_end_matches([' ', '\n', ',', '"', ':']);
        let is_time = bare.starts_with("20") && bare.ends_with('Z');
        if is_time { word.replace(bare, "TIME") } else { word.to_owned() }
    });
    words.collect()
}

/// Returns the command that is said to undo a restore.
fn undo(restored: &Ran) -> String {
    let told = restored.stderr.lines().find_map(|line| line.strip_prefix("Undo it: `"));
    told.and_then(|told| told.strip_suffix('`')).unwrap().to_owned()
}

fn done(ran: Ran) -> Ran {
    assert_eq!(ran.status, Some(0), "{ran}");
    ran
}

#[test]
fn a_dry_run_shows_what_would_be_done_and_changes_nothing() {
    let (sandbox, id) = changed();
    let dry = sandbox.run(["restore", &id, "--dry-run"]);
    assert_snapshot!(plain(&dry), @r#"
    - aws_cloudwatch_log_group.web  removed
    ~ aws_iam_role.web  1 change
    ~ aws_lb.main  1 change
    + aws_route53_record.legacy  added
    > aws_s3_bucket.assets  moved from module.assets.aws_s3_bucket.this
    ~ random_password.db  2 changes
    ~ module.database.aws_db_instance.main  1 change
    ~ module.network.aws_security_group.web  1 change
    ~ module.network.aws_vpc.main  4 changes
    ~ module.web["blue"].aws_instance.server[0]  1 change
    ~ module.web["blue"].aws_instance.server[1]  1 change
    ~ module.web["green"].aws_instance.server[1]  1 change
    ~ output.database_password  changed
    ~ output.release  changed
    1 added · 1 removed · 9 changed · 1 moved · 2 outputs changed · 15 unchanged · serial 58 → 59
    same lineage
    [stderr]
    Would restore snapshot ID of TIME to terraform.tfstate: serial 58 would be 59
    [exit 0]
    "#);
    assert_eq!(now(&sandbox), AFTER);
    assert!(!sandbox.path(".terraform.tfstate.lock.info").exists());
    assert_eq!(sandbox.run(["snapshots"]).stdout.lines().count(), 2, "a line, and the head");
}

#[test]
fn a_state_is_rolled_back_where_it_lives_and_that_can_be_undone() {
    let (sandbox, id) = changed();
    let restored = sandbox.run(["restore", &id, "--yes"]);
    assert_snapshot!(plain(&restored), @r#"
    - aws_cloudwatch_log_group.web  removed
    ~ aws_iam_role.web  1 change
    ~ aws_lb.main  1 change
    + aws_route53_record.legacy  added
    > aws_s3_bucket.assets  moved from module.assets.aws_s3_bucket.this
    ~ random_password.db  2 changes
    ~ module.database.aws_db_instance.main  1 change
    ~ module.network.aws_security_group.web  1 change
    ~ module.network.aws_vpc.main  4 changes
    ~ module.web["blue"].aws_instance.server[0]  1 change
    ~ module.web["blue"].aws_instance.server[1]  1 change
    ~ module.web["green"].aws_instance.server[1]  1 change
    ~ output.database_password  changed
    ~ output.release  changed
    1 added · 1 removed · 9 changed · 1 moved · 2 outputs changed · 15 unchanged · serial 58 → 59
    same lineage
    [stderr]
    Kept what was there as snapshot ID
    Restored snapshot ID of TIME to terraform.tfstate: serial 58 is now 59
    Kept what is there now as snapshot ID
    Undo it: `tfstate restore ID`
    [exit 0]
    "#);
    assert_eq!(now(&sandbox), rolled_back(59));
    assert!(!sandbox.path(".terraform.tfstate.lock.info").exists());
    let undo = undo(&restored);
    let undone = done(sandbox.run(undo.split(' ').skip(1).chain(["--yes"])));
    assert_eq!(now(&sandbox), AFTER.replace("\"serial\": 58", "\"serial\": 60"), "{undone}");
}

#[test]
fn every_way_to_name_a_version_leads_to_the_same_state() {
    let (sandbox, id) = changed();
    let at = format!("terraform.tfstate@{id}");
    let snapshot = format!("snapshot:{id}");
    let references: [&[&str]; 9] = [
        &[&id[..6]],
        &[&snapshot],
        &["latest"],
        &["@-1"],
        &["terraform.tfstate@serial:57"],
        &[&at],
        &["terraform.tfstate"],
        &[],
        &[".", "--at", "2100-01-01"],
    ];
    for reference in references {
        sandbox.write("terraform.tfstate", AFTER);
        let ran = sandbox.run(["restore", "--dry-run"].iter().chain(reference));
        let text = format!("snapshot {id} of ");
        assert!(ran.stderr.contains(&text) && ran.status == Some(0), "{reference:?}: {ran}");
    }
    let early = sandbox.run(["restore", "--at", "2020-01-01", "--dry-run"]);
    assert_eq!(early.status, Some(1), "{early}");
    assert_snapshot!(sandbox.run(["restore", "@-1", "--at", "2020-01-01"]), @r#"
    [stderr]
    error: @-1 is one version already: it was no other one at that time
    hint: leave out `--at`, or name the state alone
    [exit 1]
    "#);
    assert_snapshot!(sandbox.run(["restore", "--at", "yesterday"]), @r#"
    [stderr]
    error: invalid value 'yesterday' for '--at <TIME>': give a time, as in `2026-11-20T03:00Z` or `2026-11-20`

    For more information, try '--help'.
    [exit 1]
    "#);
}

#[test]
fn without_a_terminal_somebody_has_to_agree_beforehand() {
    let (sandbox, id) = changed();
    assert_snapshot!(sandbox.run(["restore", &id]), @r#"
    [stderr]
    error: cannot ask whether to restore terraform.tfstate: there is no terminal
    hint: see what it would do: add `--dry-run`; to do it: add `--yes`
    [exit 1]
    "#);
    assert_snapshot!(sandbox.run(["restore", &id, "-o", "json"]), @r#"
    [stderr]
    error: cannot ask whether to restore terraform.tfstate: the output is JSON
    hint: see what it would do: add `--dry-run`; to do it: add `--yes`
    [exit 1]
    "#);
    assert_eq!(now(&sandbox), AFTER);
}

#[test]
fn a_state_that_says_the_same_is_not_written() {
    let (sandbox, _) = changed();
    sandbox.write("terraform.tfstate", rolled_back(61));
    assert_snapshot!(plain(&sandbox.run(["restore", "--yes"])), @r#"
    [stderr]
    Nothing to restore: terraform.tfstate says the same as snapshot ID of TIME
    [exit 0]
    "#);
    assert_eq!(now(&sandbox), rolled_back(61));
}

#[test]
fn scripts_are_told_what_was_done() {
    let (sandbox, id) = changed();
    let ran = done(sandbox.run(["restore", &id, "--yes", "-o", "json", "-q"]));
    assert_snapshot!(plain(&ran), @r#"
    {
      "schema": "tfstate.restore/1",
      "snapshot": "ID",
      "from": "snapshot ID of TIME",
      "to": "terraform.tfstate",
      "serial": {
        "before": 58,
        "after": 59
      },
      "kept": "snapshot:ID",
      "kept_after": "snapshot:ID",
      "written": true,
      "summary": {
        "added": 1,
        "removed": 1,
        "changed": 9,
        "moved": 1,
        "unchanged": 15,
        "ignored": 0,
        "by_role": 0
      }
    }
    [exit 0]
    "#);
    let told: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let kept = told["kept"].as_str().unwrap();
    assert_eq!(done(sandbox.run(["pull", kept])).stdout, AFTER);
    let again = done(sandbox.run(["restore", &id, "--yes", "-o", "json", "-q"]));
    let told: serde_json::Value = serde_json::from_str(&again.stdout).unwrap();
    assert_eq!((&told["written"], &told["serial"]["after"]), (&false.into(), &59.into()));
    let new = done(sandbox.run(["restore", &id, "--to", "new.tfstate", "-o", "json", "-q"]));
    let told: serde_json::Value = serde_json::from_str(&new.stdout).unwrap();
    assert_eq!((&told["written"], &told["serial"]["after"]), (&true.into(), &57.into()));
}

#[test]
fn the_newest_snapshot_after_a_restore_is_what_was_restored() {
    let (sandbox, id) = changed();
    done(sandbox.run(["restore", &id, "--yes"]));
    fs::remove_file(sandbox.path("terraform.tfstate")).unwrap();
    done(sandbox.run(["restore", "--to", "terraform.tfstate"]));
    assert_eq!(now(&sandbox), rolled_back(59), "and not what was rolled back from");
}

#[test]
fn an_empty_filter_does_not_stand_for_everything() {
    let (sandbox, id) = changed();
    let ran = sandbox.run(["restore", &id, "--only", "", "--yes"]);
    assert_snapshot!(ran, @r#"
    [stderr]
    error: the filter of `--only` is empty, which would select everything
    hint: say which, as in `--only module:network`; to restore all of it, leave it out
    [exit 1]
    "#);
    done(sandbox.run(["restore", &id, "--only", "module:network", "--yes"]));
    let again = sandbox.run(["restore", &id, "--only", "module:network", "--yes"]);
    assert!(
        again.stderr.contains("Nothing to restore: what the filter selects in terraform.tfstate"),
        "{again}"
    );
}

#[test]
fn only_what_a_filter_selects_is_put_back() {
    let (sandbox, id) = changed();
    let ran = sandbox.run(["restore", &id, "--only", "module:network", "--yes"]);
    assert_snapshot!(plain(&ran), @r#"
    ~ module.network.aws_security_group.web  1 change
    ~ module.network.aws_vpc.main  4 changes
    2 changed · 24 unchanged · serial 58 → 59 · same lineage
    [stderr]
    Kept what was there as snapshot ID
    Restored snapshot ID of TIME to terraform.tfstate: serial 58 is now 59
    Kept what is there now as snapshot ID
    Undo it: `tfstate restore ID`
    [exit 0]
    "#);
    sandbox.write("before.tfstate", BEFORE);
    sandbox.write("after.tfstate", AFTER);
    let diff = |from: &str, filter: &str| {
        let args = ["diff", from, "terraform.tfstate", "--noise", "--stat", "--only", filter];
        done(sandbox.run(args)).stdout
    };
    assert!(diff("before.tfstate", "module:network").contains("no differences"));
    assert!(diff("after.tfstate", "!module:network").contains("no differences"));
    assert_snapshot!(sandbox.run(["restore", &id, "--only", "type:none", "--dry-run"]), @r#"
    [stderr]
    error: cannot restore a part of terraform.tfstate
      because: the filter selects nothing, neither there nor in the earlier version
    hint: see what a filter selects: `tfstate list STATE -f FILTER`
    [exit 1]
    "#);
    assert_snapshot!(sandbox.run(["restore", &id, "--only", "(", "--dry-run"]), @r#"
    [stderr]
    error: cannot read the filter
      because: expected something to look for
        (
         ^
    hint: see the filter language: `tfstate help list`
    [exit 1]
    "#);
}

#[test]
fn what_a_part_depends_on_and_is_gone_is_warned_of() {
    let (sandbox, id) = changed();
    let vpc = "module.network.aws_vpc.main";
    let filter = format!("!addr:{vpc}");
    sandbox.write("terraform.tfstate", r#"{"version":4,"serial":60,"lineage":"","resources":[]}"#);
    let ran = done(sandbox.run(["restore", &id, "--only", &filter, "--yes"]));
    let warning = format!("depends on {vpc}, which will not be in the state");
    assert!(ran.stderr.contains(&warning), "{ran}");
}

#[test]
fn another_lineage_and_what_is_no_state_need_force() {
    let (sandbox, id) = changed();
    let other = AFTER.replacen("\"lineage\": \"", "\"lineage\": \"other-", 1);
    sandbox.write("terraform.tfstate", &other);
    let ran = sandbox.run(["restore", &id, "--yes"]);
    assert_eq!(ran.status, Some(1), "{ran}");
    assert!(ran.stderr.contains("it has the lineage other-"), "{ran}");
    assert_eq!(now(&sandbox), other);
    let forced = done(sandbox.run(["restore", &id, "--yes", "--force"]));
    let told = "has another lineage, 5f2b7c1e-93a4-4d0e-8c66-1f0a9b7d2e41: it is written with the one that is there, other-5f2b";
    assert!(forced.stderr.contains(told), "{forced}");
    let expected = rolled_back(59).replacen("\"lineage\": \"", "\"lineage\": \"other-", 1);
    assert_eq!(now(&sandbox), expected);
    sandbox.write("terraform.tfstate", "<html>");
    assert_snapshot!(plain(&sandbox.run(["restore", &id, "--yes"])), @r#"
    [stderr]
    error: cannot restore to terraform.tfstate: what is there cannot be read
      because: this is an HTML or XML page, not a state
    hint: to replace it all the same, with a copy kept: `--force`
    [exit 1]
    "#);
    let forced = done(sandbox.run(["restore", &id, "--yes", "--force", "-o", "json", "-q"]));
    let told: serde_json::Value = serde_json::from_str(&forced.stdout).unwrap();
    assert_eq!(now(&sandbox), BEFORE);
    let kept = told["kept"].as_str().unwrap();
    assert_eq!(done(sandbox.run(["pull", kept])).stdout, "<html>");
}

#[test]
fn a_state_that_is_gone_comes_back_byte_for_byte() {
    let (sandbox, id) = changed();
    fs::remove_file(sandbox.path("terraform.tfstate")).unwrap();
    let ran = done(sandbox.run(["restore", &id, "--yes"]));
    assert!(!ran.stderr.contains("Undo it"), "{ran}");
    assert_eq!(now(&sandbox), BEFORE);
    sandbox.write("terraform.tfstate", "");
    done(sandbox.run(["restore", &id, "--yes"]));
    assert_eq!(now(&sandbox), BEFORE);
}

#[test]
fn another_place_is_rolled_forward_and_a_new_file_gets_the_exact_bytes() {
    let (sandbox, id) = changed();
    sandbox.write("other.tfstate", rolled_back(80).replace("t3", "t2"));
    let restored = done(sandbox.run(["restore", &id, "--to", "other.tfstate", "--yes"]));
    assert_eq!(fs::read_to_string(sandbox.path("other.tfstate")).unwrap(), rolled_back(81));
    assert!(restored.stderr.contains("--to other.tfstate`"), "{restored}");
    assert_snapshot!(plain(&sandbox.run(["restore", &id, "--to", "new.tfstate"])), @r#"
    [stderr]
    Restored snapshot ID of TIME, serial 57 (33.2 KB) to new.tfstate
    [exit 0]
    "#);
    assert_eq!(fs::read_to_string(sandbox.path("new.tfstate")).unwrap(), BEFORE);
    assert_snapshot!(sandbox.run(["restore", &id, "--to", "part.tfstate", "--only", "type:x"]), @r#"
    [stderr]
    error: cannot restore to part.tfstate: there is no state to put a part back into
    hint: restore all of it: leave out `--only`
    [exit 1]
    "#);
    assert!(!sandbox.path("part.tfstate").exists());
    assert_snapshot!(sandbox.run(["restore", &id, "--to", "git:HEAD:a.tfstate", "--yes"]), @r#"
    [stderr]
    error: cannot lock or change git:HEAD:a.tfstate: it is a copy, not where a state lives
    hint: name the file, the directory or the URL that it came from
    [exit 1]
    "#);
}

fn piped(sandbox: &Sandbox, args: &[&str], text: &str) -> Ran {
    let mut command = sandbox.command(env!("CARGO_BIN_EXE_tfstate").as_ref());
    command.args(args).stdin(fs::File::open(sandbox.write("piped.tfstate", text)).unwrap());
    sandbox.ran(command.output().unwrap())
}

#[test]
fn states_that_came_through_a_pipe_have_a_history_each_and_come_back_by_the_name_in_the_list() {
    let sandbox = Sandbox::new();
    let other = BEFORE.replace("\"lineage\": \"", "\"lineage\": \"other-");
    for text in [BEFORE, &other] {
        done(piped(&sandbox, &["backup", "-", "--no-encryption", "-q"], text));
    }
    let listed = sandbox.run(["snapshots", "-o", "json"]).stdout;
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    let stream = |at: usize| listed["snapshots"][at]["stream"].as_str().unwrap();
    assert_ne!(stream(0), stream(1));
    assert!(!listed.to_string().contains("5f2b7c1e"), "who lists has no key: {listed}");
    let back = [0, 1].map(|at| {
        let file = format!("{at}.tfstate");
        done(sandbox.run(["restore", stream(at), "--to", &file]));
        fs::read_to_string(sandbox.path(&file)).unwrap()
    });
    // Within one second, their names decide on the order.
    assert!(back == [BEFORE, &other] || back == [&other, BEFORE]);
    let pruned = sandbox.run(["prune", stream(0), "--keep-last", "1", "--dry-run"]);
    assert!(pruned.stdout.contains(stream(0)) && !pruned.stdout.contains(stream(1)), "{pruned}");
    done(sandbox.run(["verify", "--state", stream(1)]));
    let none = sandbox.run(["restore", "nothing-01234567", "--to", "none.tfstate"]);
    assert!(none.stderr.contains("there is no snapshot of nothing-01234567"), "{none}");
    let empty = piped(&sandbox, &["restore", "-", "--to", "empty.tfstate"], "");
    assert_eq!(empty.status, Some(1), "{empty}");
    assert!(!sandbox.path("empty.tfstate").exists());
}

#[test]
fn what_came_from_no_place_needs_one() {
    let sandbox = Sandbox::new();
    let made = piped(&sandbox, &["backup", "-", "--no-encryption", "-q"], BEFORE);
    assert_eq!(made.status, Some(0), "{made}");
    let ran = sandbox.run(["restore", "latest", "--yes"]);
    assert_eq!(ran.status, Some(1), "{ran}");
    assert!(ran.stderr.contains("error: cannot tell where the state of stdin:"), "{ran}");
    assert!(
        ran.stderr.contains(" lives: it came from standard input\nhint: name the place"),
        "{ran}"
    );
    done(sandbox.run(["restore", "latest", "--to", "new.tfstate"]));
}

#[test]
fn a_locked_state_is_not_rolled_back() {
    let (sandbox, id) = changed();
    let tfstate = env!("CARGO_BIN_EXE_tfstate");
    let inside = format!("{tfstate} restore {id} --yes; echo \"status $?\"");
    let ran = sandbox.run(["lock", "run", "--", "sh", "-c", &inside]);
    assert!(ran.stdout.contains("status 4"), "{ran}");
    assert_eq!(now(&sandbox), AFTER);
    let ran = done(sandbox.run(["restore", &id, "--yes", "--no-lock"]));
    assert!(ran.stderr.contains("is not locked meanwhile"), "{ran}");
}

#[test]
fn where_there_is_no_repository_an_earlier_version_of_another_kind_comes_back_and_can_be_undone() {
    let mut sandbox = Sandbox::new();
    sandbox.set("PATH", "/usr/bin:/bin:/usr/local/bin");
    sandbox.write("terraform.tfstate", AFTER);
    sandbox.write("old.tfstate", BEFORE);
    let git = |args: &[&str]| {
        let mut git = sandbox.command("git".as_ref());
        git.args(["-c", "user.name=a", "-c", "user.email=a@b"]).args(args);
        git.output().unwrap().status.success()
    };
    assert!(git(&["init", "-q"]) && git(&["add", "."]) && git(&["commit", "-qm", "a"]));
    assert_snapshot!(sandbox.run(["restore", "git:HEAD:old.tfstate", "--yes"]), @r#"
    [stderr]
    error: cannot tell where the state of git:HEAD:old.tfstate lives: it is a copy
    hint: name the place: `--to STATE`
    [exit 1]
    "#);
    let to = ["restore", "git:HEAD:old.tfstate", "--to", ".", "--yes"];
    let restored = done(sandbox.run(to));
    assert_eq!(now(&sandbox), rolled_back(59));
    let folder = sandbox.path("").display().to_string();
    let undo = undo(&restored).replace("$DIR", folder.trim_end_matches('/'));
    assert!(undo.starts_with("tfstate push --force "), "{undo}");
    done(sandbox.run(undo.split(' ').skip(1)));
    assert_eq!(now(&sandbox), AFTER.replace("\"serial\": 58", "\"serial\": 60"));
}

#[test]
fn an_encrypted_snapshot_comes_back_with_its_key_and_so_does_what_was_there() {
    let sandbox = Sandbox::new();
    let identity = age::x25519::Identity::generate();
    sandbox.write("key.txt", identity.to_string().expose_secret());
    sandbox.write("terraform.tfstate", BEFORE);
    let recipient = identity.to_public().to_string();
    let made = sandbox.run(["backup", "--repo", "repo", "--recipient", &recipient, "-q"]);
    assert_eq!(made.status, Some(0), "{made}");
    sandbox.write("terraform.tfstate", AFTER);
    let args = ["restore", "latest", "--repo", "repo", "-i", "key.txt", "--yes"];
    let restored = done(sandbox.run(args));
    assert!(!restored.to_string().contains("S3CR3T"), "{restored}");
    let undo = undo(&restored);
    assert!(undo.ends_with(" --repo repo --identity key.txt"), "{undo}");
    done(sandbox.run(undo.split(' ').skip(1).chain(["--yes"])));
    assert_eq!(now(&sandbox), AFTER.replace("\"serial\": 58", "\"serial\": 60"));
}

#[test]
fn opentofu_keeps_the_serial_of_an_encrypted_state_to_itself() {
    let encrypted = include_str!("../../testdata/states/opentofu-encrypted.tfstate");
    let sandbox = Sandbox::new();
    sandbox.write("terraform.tfstate", encrypted);
    done(sandbox.run(["backup", "--no-encryption", "-q"]));
    sandbox.write("terraform.tfstate", AFTER);
    assert_snapshot!(plain(&sandbox.run(["restore", "--yes", "--force"])), @r#"
    [stderr]
    error: cannot restore snapshot ID of TIME to terraform.tfstate: it cannot be read as a state
      because: this state is encrypted by OpenTofu (serial 3, lineage 11111111-2222-3333-4444-555555555555, key from key_provider.pbkdf2.main)
    hint: its serial is encrypted too: write it to a new file, `--to FILE`, and let OpenTofu raise it: `tofu state push FILE`
    [exit 1]
    "#);
    fs::remove_file(sandbox.path("terraform.tfstate")).unwrap();
    done(sandbox.run(["restore", "--yes"]));
    assert_eq!(now(&sandbox), encrypted);
}

#[test]
fn of_many_resources_some_are_named_before_somebody_is_asked() {
    let instances: Vec<String> =
        (0..100).map(|n| format!(r#"{{"index_key":{n},"attributes":{{"id":"{n}"}}}}"#)).collect();
    let many = format!(
        r#"{{"version":4,"serial":1,"lineage":"l","resources":[{{"mode":"managed","type":"x","name":"a","provider":"provider[\"a/a\"]","instances":[{}]}}]}}"#,
        instances.join(",")
    );
    let sandbox = Sandbox::new();
    sandbox.write("terraform.tfstate", many);
    done(sandbox.run(["backup", "--no-encryption", "-q"]));
    sandbox.write("terraform.tfstate", r#"{"version":4,"serial":2,"lineage":"l","resources":[]}"#);
    let shown = done(sandbox.run(["restore", "--dry-run"])).stdout;
    assert_eq!(shown.lines().count(), 42, "{shown}");
    assert!(shown.contains("… and 60 entries more") && shown.contains("100 added"), "{shown}");
}

#[cfg(unix)]
mod at_a_terminal {
    use std::io::{Read, Write};

    use portable_pty::{CommandBuilder, PtySize, native_pty_system};

    use super::{AFTER, changed, now, rolled_back};
    use crate::sandbox::Sandbox;

    /// Runs a restore in a terminal, answers its question, and returns what was shown.
    fn answered(sandbox: &Sandbox, id: &str, answer: &str) -> (String, u32) {
        let size = PtySize { rows: 24, cols: 80, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_tfstate"));
        command.args(["restore", id]);
        command.env_clear();
        command.env("HOME", sandbox.path("home"));
        command.env("NO_COLOR", "1");
        command.cwd(sandbox.path(""));
        let mut child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let mut keys = pair.master.take_writer().unwrap();
        let mut reader = pair.master.try_clone_reader().unwrap();
        let (mut seen, mut buffer, mut is_answered) = (String::new(), [0; 1024], false);
        // Linux ends the reading with an error when the last process is gone.
        while let Ok(read @ 1..) = reader.read(&mut buffer) {
            seen.push_str(&String::from_utf8_lossy(&buffer[..read]));
            if !is_answered && seen.contains("[y/N] ") {
                keys.write_all(answer.as_bytes()).unwrap();
                is_answered = true;
            }
        }
        (seen, child.wait().unwrap().exit_code())
    }

    #[test]
    fn yes_does_it() {
        let (sandbox, id) = changed();
        let (seen, status) = answered(&sandbox, &id, "y\n");
        assert_eq!(status, 0, "{seen}");
        assert!(seen.contains("~ aws_lb.main"), "{seen}");
        assert_eq!(now(&sandbox), rolled_back(59));
    }

    #[test]
    fn no_and_ctrl_c_change_nothing_and_leave_no_lock() {
        let (sandbox, id) = changed();
        for (answer, expected) in [("n\n", 1), ("\n", 1), ("\u{3}", 130)] {
            let (seen, status) = answered(&sandbox, &id, answer);
            assert_eq!(status, expected, "{seen}");
            assert_eq!(now(&sandbox), AFTER);
            assert!(!sandbox.path(".terraform.tfstate.lock.info").exists());
        }
    }
}
