//! `tfstate schedule`.

use std::fs;

use insta::assert_snapshot;

use crate::sandbox::{Ran, Sandbox};

/// Returns what a run printed, the same wherever the program was built.
fn plain(ran: &Ran) -> String {
    ran.to_string().replace(env!("CARGO_BIN_EXE_tfstate"), "$TFSTATE")
}

#[test]
fn a_line_of_a_crontab_spells_out_what_holds_here() {
    let mut sandbox = Sandbox::shop();
    sandbox.write("tfstate.toml", "[backup]\nrepo = 'kept'\nencryption = false\n");
    sandbox.set("TF_WORKSPACE", "prod");
    let ran = sandbox.run(["schedule", "--cron", "shop.tfstate", "--calendar", "17 3 * * *"]);
    assert_snapshot!(plain(&ran), @r#"
    # tfstate-backup: add this to `crontab -e` of the user who is to back up.
    # What fails is mailed to that user. A run is left out while another one lasts.
    # Cron gives it no variables: name a file of them with `--env-file`.
    17 3 * * * umask 077; ulimit -c 0; TF_WORKSPACE=prod flock -n "$HOME/.tfstate-backup.lock" $TFSTATE backup --repo $DIR/kept --no-encryption $DIR/shop.tfstate >/dev/null
    [exit 0]
    "#);
}

#[test]
fn the_readme_shows_what_is_printed() {
    let sandbox = Sandbox::new();
    let words = ["--cron", "/srv/infra/prod", "--repo", "/srv/backups", "--every", "daily"];
    let ran = sandbox.run(["schedule"].iter().chain(&words));
    let unit = ran.stdout.replace(env!("CARGO_BIN_EXE_tfstate"), "/usr/local/bin/tfstate");
    let readme = include_str!("../../README.md");
    let shown = format!("$ tfstate schedule {}\n{unit}```\n", words.join(" "));
    assert!(readme.contains(&shown), "{shown}");
}

/// Runs the line as cron does: `/bin/sh`, a home, and hardly a variable.
#[cfg(unix)]
#[test]
fn the_line_of_a_crontab_backs_up() {
    let sandbox = Sandbox::shop();
    if !std::path::Path::new("/usr/bin/flock").exists() {
        std::io::Write::write_all(&mut std::io::stderr(), b"skipped: needs flock\n").unwrap();
        return;
    }
    fs::create_dir(sandbox.path("home")).unwrap();
    fs::rename(sandbox.path("shop.tfstate"), sandbox.path("50% of 'it'.tfstate")).unwrap();
    sandbox.write("tfstate.toml", "[backup]\nencryption = false\n");
    let unit = sandbox.run(["schedule", "--cron", "50% of 'it'.tfstate", "--strategy", "full"]);
    let line = unit.stdout.lines().last().unwrap().to_owned();
    let here = sandbox.path("").display().to_string();
    let command = line.splitn(6, ' ').nth(5).unwrap().replace("$DIR", here.trim_end_matches('/'));
    let command = command.replace(r"\%", "%");
    let run = || {
        let mut shell = sandbox.command("/bin/sh".as_ref());
        shell.args(["-c", &command]).env("PATH", "/usr/bin:/bin").current_dir("/");
        sandbox.ran(shell.output().unwrap())
    };
    let ran = run();
    assert_eq!((ran.status, ran.stdout.as_str()), (Some(0), ""), "{ran}\n{command}");
    assert_eq!(sandbox.run(["snapshots"]).stdout.lines().count(), 2);
    // While somebody holds the lock, nothing is done and nothing said.
    let lock = fs::File::open(sandbox.path("home/.tfstate-backup.lock")).unwrap();
    lock.lock().unwrap();
    assert_eq!(run().to_string(), "[exit 1]\n");
}

#[test]
fn the_other_units_name_the_same_backup() {
    let sandbox = Sandbox::new();
    for runner in ["--cron", "--systemd", "--kubernetes", "--github"] {
        let states = ["s3://acme-tf/a.tfstate", "gs://acme-tf/b.tfstate"];
        let mut words =
            vec!["schedule", runner, "--repo", "s3://acme-backup/tf", "--every", "daily"];
        if runner == "--github" {
            words.extend(["--signing-key", "signing.key"]);
        }
        let ran = sandbox.run(words.iter().chain(&states));
        assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""), "{ran}");
        for text in states.iter().chain(&["s3://acme-backup/tf"]) {
            assert!(ran.stdout.contains(text), "{runner}: {ran}");
        }
    }
}

#[test]
fn the_times_of_one_runner_are_not_those_of_another() {
    let sandbox = Sandbox::new();
    let ran = sandbox.run(["schedule", "s3://b/a", "--systemd", "--calendar", "0 3 * * *"]);
    assert_eq!(ran.status, Some(1), "{ran}");
    assert!(ran.stderr.contains("these are fields of cron"), "{ran}");
}

#[test]
fn what_the_snapshots_are_tagged_with_and_where_metrics_go_is_handed_on() {
    let sandbox = Sandbox::new();
    let unit = |words: &[&str]| sandbox.run(["schedule", "s3://b/a"].iter().chain(words));
    let tags = ["--tag", "nightly", "--tag", "eu"];
    for runner in ["--cron", "--systemd"] {
        let ran = unit(&[&tags[..], &[runner, "--metrics-file", "tfstate.prom"]].concat());
        assert!(ran.stdout.contains(" --tag nightly --tag eu s3://b/a"), "{ran}");
        assert!(ran.stdout.contains("$DIR/tfstate.prom"), "{ran}");
    }
    let pod = unit(&[&tags[..], &["--kubernetes"]].concat());
    assert!(pod.stdout.contains("nightly"), "{pod}");
    assert_eq!(unit(&["--kubernetes", "--metrics-file", "a.prom"]).status, Some(1));
    assert_eq!(unit(&["--cron", "--tag", "a b"]).status, Some(1));
}

#[test]
fn a_state_without_a_name_gets_into_nothing() {
    let ran = Sandbox::new().run(["schedule", "--cron", ""]);
    assert_eq!(ran.status, Some(1), "{ran}");
    assert!(
        ran.stderr.contains("error: cannot read the reference \"\": it names nothing"),
        "{ran}"
    );
}

#[test]
fn what_can_be_no_user_gets_into_no_unit() {
    let sandbox = Sandbox::new();
    for user in ["", "a b", "a:b", "-a", "a/b", "007", "99999999999", "65535", "4294967295"] {
        let user = format!("--user={user}");
        let ran = sandbox.run(["schedule", "s3://b/a", "--systemd", &user]);
        assert_eq!(ran.status, Some(1), "{ran}");
        assert!(ran.stderr.contains("cannot be the name of a user"), "{ran}");
    }
}

#[test]
fn a_service_of_whoever_runs_this_finds_their_key_where_it_is() {
    let mut sandbox = Sandbox::new();
    sandbox.set("XDG_STATE_HOME", "/srv/ann/state").set("USER", "ann");
    let unit = |user: &str| sandbox.run(["schedule", "s3://b/a", "--systemd", "--user", user]);
    let variable = "\nEnvironment=XDG_STATE_HOME=/srv/ann/state\n";
    assert!(unit("ann").stdout.contains(variable), "{}", unit("ann"));
    assert!(!unit("bob").stdout.contains("XDG_STATE_HOME"), "{}", unit("bob"));
    sandbox.set("XDG_STATE_HOME", "state");
    let unit = sandbox.run(["schedule", "s3://b/a", "--systemd", "--user", "ann"]);
    let variable = "\nEnvironment=XDG_STATE_HOME=$DIR/state\n";
    assert!(unit.stdout.contains(variable), "it runs elsewhere\n{unit}");
}

#[test]
fn a_service_is_one_of_the_user_who_has_the_repository() {
    let mut sandbox = Sandbox::shop();
    sandbox.set("USER", "ann");
    let unit = |words: &[&str]| {
        let ran = sandbox.run(["schedule", "--systemd", "shop.tfstate"].iter().chain(words));
        assert_eq!(ran.status, Some(0), "{ran}");
        ran.stdout
    };
    assert!(unit(&[]).contains("DynamicUser=yes"));
    assert!(unit(&["--repo", "kept"]).contains("User=ann\n"));
    assert!(unit(&["--repo", "kept", "--user", "bob"]).contains("User=bob\n"));
}

#[cfg(target_os = "linux")]
#[test]
fn whose_service_it_is_is_known_without_a_variable_that_says_it() {
    let sandbox = Sandbox::shop();
    let id = std::process::Command::new("id").arg("-un").output().unwrap();
    let own = String::from_utf8(id.stdout).unwrap();
    let ran = sandbox.run(["schedule", "--systemd", "shop.tfstate", "--repo", "kept"]);
    assert!(ran.stdout.contains(&format!("\nUser={own}")), "{ran}");
    assert!(!ran.stdout.contains("DynamicUser"), "{ran}");
}

#[test]
fn the_key_that_signs_is_named_and_never_read() {
    let mut sandbox = Sandbox::shop();
    sandbox.write("signing.key", "S3CR3T");
    sandbox.set("TFSTATE_SIGNING_KEY_FILE", "signing.key");
    for runner in ["--cron", "--systemd", "--kubernetes", "--github"] {
        let words = ["schedule", runner, "s3://b/k", "--repo", "s3://b/r"];
        let ran = sandbox.run(words);
        assert_eq!(ran.status, Some(0), "{ran}");
        assert!(ran.stdout.contains("SIGNING_KEY"), "{ran}");
        assert!(!ran.stdout.contains("S3CR3T"), "{ran}");
    }
}

#[test]
fn credentials_are_refused_wherever_they_come_from() {
    let mut sandbox = Sandbox::new();
    let ran = sandbox.run(["schedule", "--systemd", "postgres://tf:S3CR3T@db/tf"]);
    assert_snapshot!(ran, @r#"
    [stderr]
    error: cannot write postgres://db/tf into a unit: the password in it would be for everybody to read
    hint: put it into the environment of the backup (PGPASSWORD, TF_HTTP_PASSWORD, or what the cloud's own tools read): `--env-file FILE`
    [exit 1]
    "#);
    sandbox.write("tfstate.toml", "state = 'https://u:S3CR3T@host/state'\n");
    assert_snapshot!(sandbox.run(["schedule", "--cron"]), @r#"
    [stderr]
    error: cannot write https://host/state into a unit: the password in it would be for everybody to read
    hint: put it into the environment of the backup (PGPASSWORD, TF_HTTP_PASSWORD, or what the cloud's own tools read): `--env-file FILE`
    [exit 1]
    "#);
    sandbox.write("tfstate.toml", "[backup]\nrecipients = ['AGE-SECRET-KEY-S3CR3T']\n");
    let ran = sandbox.run(["schedule", "--cron", "s3://b/k"]);
    assert_eq!(ran.status, Some(1), "{ran}");
    assert!(!ran.to_string().contains("S3CR3T"), "{ran}");
    sandbox.write("tfstate.toml", "");
    sandbox.set("TFSTATE_REPO", "s3://AKIA:S3CR3T@bucket/x");
    let ran = sandbox.run(["schedule", "--cron", "s3://b/k"]);
    assert_eq!(ran.status, Some(1), "{ran}");
    assert!(!ran.to_string().contains("S3CR3T"), "{ran}");
    let ran = sandbox.run(["schedule", "--cron", "--backend-config", "conn_str=S3CR3T"]);
    assert_eq!(ran.status, Some(1), "{ran}");
    assert!(!ran.to_string().contains("S3CR3T"), "{ran}");
}

#[test]
fn what_cannot_be_scheduled_is_refused_with_what_can() {
    let sandbox = Sandbox::shop();
    let refused: Vec<String> = [
        &["--cron", "-"][..],
        &["--cron", "git:HEAD:shop.tfstate"],
        &["--cron", "shop.tfstate@-1"],
        &["--cron", "--every", "7m"],
        &["--cron", "--calendar", "daily"],
        &["--kubernetes", "shop.tfstate"],
        &["--github", "shop.tfstate"],
        &["--cron", "--name", "A b"],
        &["--cron", "a\nb.tfstate"],
        &["--github", "s3://b/${{ secrets.A }}", "--repo", "s3://b/r"],
        &["--cron", "ftp://host/state"],
        &["--github", "/srv/a.tfstate", "--repo", "s3://b/r"],
        &["--github", "s3://b/k", "--repo", "s3://b/r"],
    ]
    .iter()
    .map(|words| sandbox.run(["schedule"].iter().chain(*words)).to_string())
    .collect();
    assert_snapshot!(refused.concat(), @r#"
    [stderr]
    error: cannot schedule a backup of standard input: what is piped in does not change
    hint: name the file, the directory or the URL where the state lives
    [exit 1]
    [stderr]
    error: cannot schedule a backup of git:HEAD:shop.tfstate: a revision of git does not change
    hint: name the file, the directory or the URL where the state lives
    [exit 1]
    [stderr]
    error: cannot schedule a backup of shop.tfstate@-1: an earlier version does not change
    hint: name the file, the directory or the URL where the state lives
    [exit 1]
    [stderr]
    error: cannot run a backup every 7m
    hint: give hourly, daily, weekly or a length that divides an hour or a day, from 5m on: `--every 15m`; else: `--calendar EXPR`
    [exit 1]
    [stderr]
    error: cannot run a backup at `daily`: cron has five fields with one space between them
    hint: systemd: try it with `systemd-analyze calendar EXPR`; all others: `--calendar '17 3 * * *'`
    [exit 1]
    [stderr]
    error: a Kubernetes pod cannot reach $DIR/shop.tfstate
    hint: name the state by its URL; for GitHub, a file by its path from the top of the repository
    [exit 1]
    [stderr]
    error: a GitHub workflow keeps no folder from one run to the next
    hint: name a place that lasts: `--repo s3://BUCKET/PREFIX`
    [exit 1]
    [stderr]
    error: `A b` cannot be the name of a unit
    hint: use lower-case letters, digits and `-`, 52 at most: `--name tfstate-prod`
    [exit 1]
    [stderr]
    error: cannot write `$DIR/a\nb.tfstate` into a unit: it holds characters that are not shown
    hint: name it by a glob, or rename it
    [exit 1]
    [stderr]
    error: cannot write `s3://b/${{ secrets.A }}` into a unit: it holds `${{`, which GitHub replaces
    hint: name it by a glob, or rename it
    [exit 1]
    [stderr]
    error: cannot use ftp://host/state: this version does not know this kind of place
    hint: states are at s3://, gs://, az://, https:// and postgres://, or in files; repositories at the first three, or in folders
    [exit 1]
    [stderr]
    error: a GitHub workflow cannot reach /srv/a.tfstate
    hint: name the state by its URL; for GitHub, a file by its path from the top of the repository
    [exit 1]
    [stderr]
    error: a GitHub workflow runs on a new computer each time, whose own signing key nobody knows
    hint: name one that the repository knows, or will: `--signing-key FILE`; any backup makes one in a FILE that is not there
    [exit 1]
    "#);
}

#[test]
fn one_runner_has_to_be_named() {
    let sandbox = Sandbox::new();
    for words in [&["schedule"][..], &["schedule", "--cron", "--github"]] {
        assert_eq!(sandbox.run(words).status, Some(1));
    }
    for option in ["--image", "--user"] {
        let ran = sandbox.run(["schedule", "--cron", option, "x"]);
        assert_eq!(ran.status, Some(1), "it would do nothing: {ran}");
    }
}
