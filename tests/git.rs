//! The program inside of real git repositories, with the git that is installed.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::print_stderr, reason = "a test that is skipped says so")]

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;
use tfstate::base::env::Env;

/// What every secret in `testdata/` holds, and nothing else does.
const MARKER: &str = "S3CR3T";

/// A repository with a home of its own, so that no setting of the machine shows.
struct Place(TempDir);

/// What a run printed, and how it ended.
struct Ran {
    stdout: String,
    stderr: String,
    status: Option<i32>,
}

impl Place {
    /// Makes an empty repository; `None`, and a word about it, where there is no git.
    fn new() -> Option<Self> {
        if Command::new("git").arg("--version").output().is_err() {
            eprintln!("skipped: needs git");
            return None;
        }
        let place = Self(tempfile::tempdir().unwrap());
        std::fs::create_dir_all(place.path("home")).unwrap();
        std::fs::create_dir_all(place.path("repo/envs/prod")).unwrap();
        place.git(["init", "-q", "-b", "main"]);
        Some(place)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        tfstate::base::fs::replace(&self.path(name), bytes.as_ref()).unwrap();
    }

    /// Puts a sample state into a file of the repository.
    fn state(&self, name: &str, sample: &str) {
        let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/states");
        self.write(&format!("repo/{name}"), std::fs::read(samples.join(sample)).unwrap());
    }

    /// Commits everything.
    fn commit(&self, message: &str) {
        self.git(["add", "-A"]);
        self.git(["commit", "-q", "-m", message]);
    }

    /// Runs git, which must do what it is told, and returns what it prints.
    fn git<I: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = I>) -> String {
        let ran = self.run("repo", OsStr::new("git"), args);
        assert_eq!(ran.status, Some(0), "{}{}", ran.stdout, ran.stderr);
        ran.stdout
    }

    fn tfstate<I: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = I>) -> Ran {
        self.tfstate_in("repo", args)
    }

    fn tfstate_in<I: AsRef<OsStr>>(&self, folder: &str, args: impl IntoIterator<Item = I>) -> Ran {
        self.run(folder, OsStr::new(env!("CARGO_BIN_EXE_tfstate")), args)
    }

    fn run<I: AsRef<OsStr>>(
        &self,
        folder: &str,
        program: &OsStr,
        args: impl IntoIterator<Item = I>,
    ) -> Ran {
        let mut command = Command::new(program);
        for name in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{name}_NAME"), "A").env(format!("GIT_{name}_EMAIL"), "a@b");
        }
        let hidden = ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "XDG_CONFIG_HOME"];
        for name in hidden {
            command.env_remove(name);
        }
        // Git runs the program by its name, as it does where it was installed.
        let bin = Path::new(env!("CARGO_BIN_EXE_tfstate")).parent().unwrap().to_owned();
        let path = Env::process().path("PATH").unwrap_or_default();
        let path = std::iter::once(bin).chain(std::env::split_paths(&path));
        let output = command
            .args(args)
            .env("PATH", std::env::join_paths(path).unwrap())
            .env("HOME", self.path("home"))
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CEILING_DIRECTORIES", self.0.path())
            .current_dir(self.path(folder))
            .stdin(Stdio::null())
            .output();
        Ran::of(output.unwrap())
    }
}

impl Ran {
    fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self {
            stdout: text(output.stdout),
            stderr: text(output.stderr),
            status: output.status.code(),
        }
    }
}

#[test]
fn a_state_is_read_from_a_revision_the_index_and_a_folder_below() {
    let Some(place) = Place::new() else { return };
    place.state("envs/prod/a.tfstate", "shop-before.tfstate");
    place.commit("one");
    place.state("envs/prod/a.tfstate", "shop-after.tfstate");
    place.git(["add", "-A"]);
    let serial = |folder: &str, reference: &str| {
        let ran = place.tfstate_in(folder, ["query", reference, ".serial"]);
        assert_eq!(ran.status, Some(0), "{reference}: {}", ran.stderr);
        ran.stdout.trim().to_owned()
    };
    assert_eq!(serial("repo", "git:main:envs/prod/a.tfstate"), "57");
    assert_eq!(serial("repo", "git::envs/prod/a.tfstate"), "58");
    assert_eq!(serial("repo/envs/prod", "git:HEAD:a.tfstate"), "57");
    assert_eq!(serial("repo/envs", "git:main^{commit}:../envs/prod/a.tfstate"), "57");
    let ran = place.tfstate(["diff", "git:main:envs/prod/a.tfstate", "envs/prod/a.tfstate"]);
    assert!(ran.stdout.contains("serial 57 → 58"), "{}{}", ran.stdout, ran.stderr);
    place.git(["clone", "-q", "--bare", ".", "../bare.git"]);
    assert_eq!(serial("bare.git", "git:main:envs/prod/a.tfstate"), "57");
}

#[test]
fn what_git_does_not_have_is_told_apart_with_a_way_on() {
    let Some(place) = Place::new() else { return };
    place.state("a.tfstate", "shop-before.tfstate");
    place.commit("one");
    let error = |folder: &str, reference: &str| {
        let ran = place.tfstate_in(folder, ["list", reference]);
        assert_eq!((ran.status, ran.stdout.as_str()), (Some(1), ""), "{reference}");
        assert!(ran.stderr.contains("\nhint: "), "{}", ran.stderr);
        ran.stderr.lines().next().unwrap().to_owned()
    };
    let unknown = "error: cannot read git:no:a.tfstate: there is no revision `no`";
    assert_eq!(error("repo", "git:no:a.tfstate"), unknown);
    let option = "error: cannot read git:--help:a: there is no revision `--help`";
    assert_eq!(error("repo", "git:--help:a"), option);
    assert_eq!(error("repo", "git:main:b"), "error: there is no file b in revision `main`");
    assert_eq!(error("repo", "git::b"), "error: there is no file b in the index");
    let form = "error: cannot read `git:main`: a file in git is named git:REV:PATH";
    assert_eq!(error("repo", "git:main"), form);
    assert_eq!(error("home", "git:main:a"), "error: cannot read git:main:a");
    // A name can end like this, and git has a way of its own to count back.
    let earlier = place.tfstate(["list", "git:main:a.tfstate@-1"]);
    assert!(earlier.stderr.contains("no file a.tfstate@-1"), "{}", earlier.stderr);
    assert!(earlier.stderr.contains("git:HEAD~1:PATH"), "{}", earlier.stderr);
}

/// Makes two commits of the shop, the second one compact, in a repository that knows of states.
fn two_commits(place: &Place) {
    let ran = place.tfstate(["git", "install"]);
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    place.state("prod.tfstate", "shop-before.tfstate");
    place.commit("one");
    place.state("prod.tfstate", "shop-after.tfstate");
    let pretty = std::fs::read(place.path("repo/prod.tfstate")).unwrap();
    let value: serde_json::Value = serde_json::from_slice(&pretty).unwrap();
    place.write("repo/prod.tfstate", value.to_string());
}

#[test]
fn diff_log_and_show_print_states_readably_and_masked() {
    let Some(place) = Place::new() else { return };
    two_commits(&place);
    let diff = place.git(["diff"]);
    place.commit("two");
    for text in [&diff, &place.git(["show"]), &place.git(["log", "-p"])] {
        assert!(text.contains("\n-    idle_timeout       = 60\n+    idle_timeout       = 120\n"));
        assert!(text.contains("@@ # aws_lb.main\n"), "{text}");
        assert!(text.contains("\n-# serial 57\n+# serial 58\n"), "{text}");
        assert!(!text.contains(MARKER));
    }
    // The driver is what keeps them: git alone shows the file as it is.
    assert!(place.git(["diff", "--no-textconv", "HEAD~"]).contains(MARKER));
}

#[test]
fn a_secret_shows_whether_it_changed_and_without_a_key_only_that_it_is_there() {
    let Some(place) = Place::new() else { return };
    two_commits(&place);
    let diff = place.git(["diff", "-U99999"]);
    let lines =
        |mark: &str| -> Vec<&str> { diff.lines().filter(|line| line.starts_with(mark)).collect() };
    let (old, new) = (lines("-# secret result: #"), lines("+# secret result: #"));
    assert_eq!((old.len(), new.len()), (1, 1), "{diff}");
    assert_ne!(old[0][1..], new[0][1..]);
    place.git(["config", "--unset", "tfstate.key"]);
    let diff = place.git(["diff", "-U99999"]);
    assert!(diff.contains("(sensitive value)") && !diff.contains("# secret"), "{diff}");
}

#[test]
fn the_same_secret_has_the_same_fingerprint_in_both_revisions() {
    let Some(place) = Place::new() else { return };
    two_commits(&place);
    let text = std::fs::read_to_string(place.path("repo/prod.tfstate")).unwrap();
    place.commit("two");
    place.write("repo/prod.tfstate", text.replacen("\"serial\":58", "\"serial\":59", 1));
    let diff = place.git(["diff", "-U99999"]);
    assert!(diff.contains("\n # secret result: #"), "{diff}");
    assert!(!diff.contains("\n+# secret") && !diff.contains("\n-# secret"), "{diff}");
}

#[test]
fn what_is_no_state_does_not_stop_git_and_is_not_shown() {
    let Some(place) = Place::new() else { return };
    two_commits(&place);
    place.write("repo/prod.tfstate", format!("{{\"version\": 4, \"x\": \"{MARKER}\""));
    place.commit("broken");
    place.write("repo/prod.tfstate", "");
    place.commit("empty");
    let log = place.git(["log", "-p", "--format=%s"]);
    assert_eq!(log.matches("# not shown, because it can't be read as a state: ").count(), 3);
    assert!(!log.contains(MARKER), "{log}");
    assert!(log.contains("# aws_lb.main"), "the log goes on to the first commit");
}

#[test]
fn difftool_compares_by_resource() {
    let Some(place) = Place::new() else { return };
    two_commits(&place);
    let text = place.git(["difftool", "-y", "-t", "tfstate"]);
    assert!(text.contains("~ aws_lb.main  1 change\n    ~ idle_timeout  60 → 120\n"), "{text}");
    assert!(!text.contains(MARKER));
}

#[test]
fn installing_again_changes_nothing_and_uninstalling_leaves_what_was_there() {
    let Some(place) = Place::new() else { return };
    place.write("repo/.gitattributes", "*.png binary");
    place.git(["config", "diff.png.textconv", "exif"]);
    let config = || std::fs::read_to_string(place.path("repo/.git/config")).unwrap();
    let attributes = || std::fs::read_to_string(place.path("repo/.gitattributes")).unwrap();
    let before = config();
    let would = place.tfstate(["git", "install", "--dry-run"]);
    assert_eq!((config(), attributes().as_str()), (before.clone(), "*.png binary"));
    let done = place.tfstate_in("repo/envs", ["git", "install"]);
    assert_eq!((would.stdout, would.status), (done.stdout, done.status));
    let lines = "*.png binary\n*.tfstate diff=tfstate merge=tfstate\n\
                 *.tfstate.backup diff=tfstate merge=tfstate\n";
    assert_eq!(attributes(), lines);
    let installed = config();
    assert_eq!(place.tfstate(["git", "install"]).stdout, "");
    assert_eq!((config(), attributes().as_str()), (installed, lines));
    assert_eq!(place.tfstate(["git", "uninstall"]).status, Some(0));
    assert_eq!((config(), attributes().as_str()), (before, "*.png binary\n"));
}

#[test]
fn a_global_installation_is_for_every_repository() {
    let Some(place) = Place::new() else { return };
    let ran = place.tfstate_in("home", ["git", "install", "--global"]);
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    place.state("prod.tfstate", "shop-before.tfstate");
    place.commit("one");
    let shown = place.git(["show"]);
    assert!(shown.contains("\n+# aws_lb.main\n") && !shown.contains(MARKER), "{shown}");
    assert!(!place.path("repo/.gitattributes").exists());
    assert_eq!(place.tfstate(["git", "uninstall"]).stdout, "");
    assert_eq!(place.tfstate(["git", "uninstall", "--global"]).status, Some(0));
    assert!(place.git(["show"]).contains(MARKER));
}

#[test]
fn installing_outside_a_repository_is_refused() {
    let Some(place) = Place::new() else { return };
    let ran = place.tfstate_in("home", ["git", "install"]);
    assert_eq!((ran.status, ran.stdout.as_str()), (Some(1), ""));
    assert!(ran.stderr.contains("because: this directory is in no git repository"));
}

#[test]
fn the_text_of_no_sample_shows_a_secret_even_where_showing_is_asked_for() {
    let Some(place) = Place::new() else { return };
    place.git(["config", "tfstate.key", &"ab".repeat(32)]);
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/states");
    let mut masked = 0;
    for entry in std::fs::read_dir(samples).unwrap() {
        let path = entry.unwrap().path();
        let text = place.tfstate(["git", "textconv", "--reveal", path.to_str().unwrap()]);
        assert_eq!(text.status, Some(0), "{}: {}", path.display(), text.stderr);
        assert!(!text.stdout.contains(MARKER) && !text.stderr.contains(MARKER));
        masked += text.stdout.matches("# secret ").count();
    }
    assert!(masked > 10, "{masked} secrets were found");
}

/// Writes the shop as two sides made it: one changes the load balancer and a secret, the other the
/// role and the same secret in another way.
fn three_sides(place: &Place) {
    place.state("base.tfstate", "shop-before.tfstate");
    let base = std::fs::read_to_string(place.path("repo/base.tfstate")).unwrap();
    let lines: Vec<&str> = base.lines().collect();
    let secret = lines.iter().position(|line| line.contains("\"result\": \"")).unwrap();
    let with = |edits: &[(&str, &str)], result: &str| {
        let mut lines = lines.clone();
        let result = format!("\"result\": \"{MARKER}-{result}\",");
        lines[secret] = &result;
        let text = lines.join("\n");
        edits.iter().fold(text, |text, (old, new)| {
            assert!(text.contains(old), "{old}");
            text.replacen(old, new, 1)
        })
    };
    place.write("repo/a.tfstate", with(&[("\"idle_timeout\": 60", "\"idle_timeout\": 90")], "a"));
    place.write("repo/b.tfstate", with(&[("\"serial\": 57", "\"serial\": 58")], "b"));
}

#[test]
fn three_states_show_which_side_did_what_and_where_they_are_in_conflict() {
    let Some(place) = Place::new() else { return };
    three_sides(&place);
    let ran = place.tfstate(["diff", "base.tfstate", "a.tfstate", "b.tfstate"]);
    let expected = "\
A aws_lb.main  only A, 1 change
    ~ idle_timeout  60 → 90
! random_password.db  conflict: result
  A 1 change
    ~ result  (sensitive value, changed)
  B 1 change
    ~ result  (sensitive value, changed)
1 only A · 1 conflict · serial 57 → 57 (A), 58 (B) · same lineage
";
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str(), ran.status), (expected, "", Some(0)));
    let same = ["diff", "base.tfstate", "base.tfstate", "base.tfstate", "--detailed-exitcode"];
    assert_eq!(place.tfstate(same).status, Some(0));
}

#[test]
fn three_states_can_be_compared_by_a_script() {
    let Some(place) = Place::new() else { return };
    three_sides(&place);
    let words =
        ["diff", "base.tfstate", "a.tfstate", "b.tfstate", "--detailed-exitcode", "-o", "json"];
    let ran = place.tfstate(words);
    assert_eq!((ran.status, ran.stdout.contains(MARKER)), (Some(2), false));
    assert!(ran.stdout.starts_with("{\n  \"schema\": \"tfstate.diff3/1\""));
    let json: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(json["summary"]["conflict"], 1);
    assert_eq!(json["resources"][0]["address"], "aws_lb.main");
    assert_eq!(json["resources"][0]["verdict"], "a");
    assert_eq!(json["resources"][0]["a"]["changes"][0]["after"], 90);
    assert_eq!(json["resources"][1]["conflicts"][0], "result");
    assert_eq!(json["b"]["serial"], 58);
}

/// Makes a commit of the shop on `main` and one on top of it on each of two branches, which edit
/// its text.
fn two_branches(place: &Place, a: &[(&str, &str)], b: &[(&str, &str)]) {
    assert_eq!(place.tfstate(["git", "install"]).status, Some(0));
    place.state("prod.tfstate", "shop-before.tfstate");
    place.commit("base");
    for (branch, edits) in [("a", a), ("b", b)] {
        place.git(["checkout", "-q", "-b", branch, "main"]);
        edit(place, edits);
        place.git(["commit", "-q", "--allow-empty", "-am", branch]);
    }
    place.git(["checkout", "-q", "a"]);
}

fn edit(place: &Place, edits: &[(&str, &str)]) {
    place.write("repo/prod.tfstate", edited(&read(place), edits));
}

fn edited(text: &str, edits: &[(&str, &str)]) -> String {
    edits.iter().fold(text.to_owned(), |text, (old, new)| {
        assert!(text.contains(old), "{old}");
        text.replacen(old, new, 1)
    })
}

fn read(place: &Place) -> String {
    std::fs::read_to_string(place.path("repo/prod.tfstate")).unwrap()
}

type Edit = (&'static str, &'static str);

const TIMEOUT: Edit = (r#""idle_timeout": 60"#, r#""idle_timeout": 120"#);
const OTHER_TIMEOUT: Edit = (r#""idle_timeout": 60"#, r#""idle_timeout": 300"#);
const THIRD_TIMEOUT: Edit = (r#""idle_timeout": 120"#, r#""idle_timeout": 10"#);
const ENGINE: Edit = (r#""engine_version": "16.4""#, r#""engine_version": "17.1""#);
const TTL: Edit = (r#""ttl": 300"#, r#""ttl": 60"#);
const SERIAL: Edit = (r#""serial": 57"#, r#""serial": 58"#);

#[test]
fn what_branches_did_to_different_resources_is_merged_without_another_byte() {
    let Some(place) = Place::new() else { return };
    two_branches(&place, &[TIMEOUT, SERIAL], &[ENGINE, SERIAL]);
    let both = edited(&read(&place), &[ENGINE, (r#""serial": 58"#, r#""serial": 59"#)]);
    for command in [&["merge", "b", "-m", "m"][..], &["cherry-pick", "b"], &["rebase", "-q", "b"]] {
        place.git(["checkout", "-q", "-B", "work", "a"]);
        place.git(command);
        assert_eq!(read(&place), both, "{command:?}");
    }
    edit(&place, &[TTL]);
    place.git(["stash", "-q"]);
    edit(&place, &[THIRD_TIMEOUT]);
    place.commit("shorter");
    place.git(["stash", "pop", "-q"]);
    let all = edited(&both, &[TTL, THIRD_TIMEOUT, (r#""serial": 59"#, r#""serial": 60"#)]);
    assert_eq!(read(&place), all);
}

#[test]
fn a_state_on_one_line_stays_on_one_line() {
    let Some(place) = Place::new() else { return };
    two_branches(&place, &[], &[ENGINE, SERIAL]);
    let value: serde_json::Value = serde_json::from_str(&read(&place)).unwrap();
    let compact = [(r#""idle_timeout":60"#, r#""idle_timeout":120"#)];
    place.write("repo/prod.tfstate", edited(&value.to_string(), &compact));
    place.commit("compact");
    let ours = read(&place);
    place.git(["merge", "b", "-m", "m"]);
    let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    let engine = (r#""engine_version":"16.4""#, r#""engine_version":"17.1""#);
    let expected = edited(&ours, &[engine, (r#""serial":57"#, r#""serial":59"#)]);
    assert_eq!(json(&read(&place)), json(&expected));
    assert_eq!((read(&place).lines().count(), read(&place).len()), (1, expected.len()));
}

#[test]
fn a_conflict_is_told_and_leaves_ours_as_it_was() {
    let Some(place) = Place::new() else { return };
    two_branches(&place, &[TIMEOUT, SERIAL], &[OTHER_TIMEOUT, ENGINE, SERIAL]);
    let ours = read(&place);
    let ran = place.run("repo", OsStr::new("git"), ["merge", "b"]);
    assert_eq!(ran.status, Some(1), "{}{}", ran.stdout, ran.stderr);
    let told = "\
error: cannot merge prod.tfstate
  because: aws_lb.main: changed by `HEAD` and by `b`: idle_timeout
hint: the file is as `HEAD` has it: nothing of `b` is in it
hint: compare the three: `tfstate diff git::1:prod.tfstate git::2:prod.tfstate git::3:prod.tfstate`
hint: take one side: `git checkout --ours -- prod.tfstate` or `git checkout --theirs -- prod.tfstate`, then `git add prod.tfstate`
hint: let Terraform do again what the other side did: apply, import or `state mv`
";
    assert_eq!(ran.stderr, told);
    assert_eq!(read(&place), ours);
    assert_eq!(place.git(["status", "-s"]), "UU prod.tfstate\n");
    let words = ["diff", "git::1:prod.tfstate", "git::2:prod.tfstate", "git::3:prod.tfstate"];
    let compared = place.tfstate(words).stdout;
    assert!(compared.starts_with("! aws_lb.main  conflict: idle_timeout\n"), "{compared}");
    place.git(["merge", "--abort"]);
    for command in ["rebase", "cherry-pick"] {
        let ran = place.run("repo", OsStr::new("git"), [command, "b"]);
        assert_eq!(ran.status, Some(1), "{}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains("because: aws_lb.main: changed by `HEAD` and by "));
        place.git([command, "--abort"]);
    }
}

#[test]
fn a_secret_that_both_sides_changed_is_named_and_not_shown() {
    let Some(place) = Place::new() else { return };
    let secret = format!("\"result\": \"{MARKER}");
    let (one, other) = (format!("{secret}-one"), format!("{secret}-other"));
    two_branches(&place, &[(&secret, &one)], &[(&secret, &other)]);
    let ran = place.run("repo", OsStr::new("git"), ["merge", "b"]);
    assert!(ran.stderr.contains("random_password.db: changed by `HEAD` and by `b`: result"));
    assert!(!ran.stderr.contains(MARKER) && !ran.stdout.contains(MARKER), "{}", ran.stderr);
}

#[test]
fn merges_across_each_other_have_no_conflict_that_nobody_made() {
    let Some(place) = Place::new() else { return };
    two_branches(&place, &[TIMEOUT, SERIAL], &[ENGINE, SERIAL]);
    place.git(["branch", "old"]);
    place.git(["merge", "-q", "b", "-m", "one"]);
    place.git(["checkout", "-q", "b"]);
    place.git(["merge", "-q", "old", "-m", "other"]);
    edit(&place, &[TTL]);
    place.commit("ttl");
    place.git(["checkout", "-q", "a"]);
    edit(&place, &[THIRD_TIMEOUT]);
    place.commit("shorter");
    let ran = place.run("repo", OsStr::new("git"), ["merge", "-q", "b", "-m", "both"]);
    assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""), "{}", ran.stdout);
    for text in [TTL.1, THIRD_TIMEOUT.1, ENGINE.1] {
        assert!(read(&place).contains(text), "{text}");
    }
}

#[test]
fn a_state_that_both_sides_added_is_merged_as_if_both_came_from_nothing() {
    let Some(place) = Place::new() else { return };
    assert_eq!(place.tfstate(["git", "install"]).status, Some(0));
    place.commit("base");
    place.git(["checkout", "-q", "-b", "b"]);
    place.state("prod.tfstate", "shop-before.tfstate");
    let text = read(&place);
    place.commit("b");
    place.git(["checkout", "-q", "main"]);
    let ours = edited(&text, &[(r#""serial": 57"#, r#""serial": 60"#)]);
    place.write("repo/prod.tfstate", &ours);
    place.commit("a");
    place.git(["merge", "-q", "b", "-m", "m"]);
    assert_eq!(read(&place), ours);
}

#[test]
fn a_file_that_is_no_state_is_not_merged() {
    let Some(place) = Place::new() else { return };
    two_branches(&place, &[TIMEOUT, SERIAL], &[("{", "{{")]);
    let ours = read(&place);
    let ran = place.run("repo", OsStr::new("git"), ["merge", "b"]);
    assert_eq!((ran.status, read(&place)), (Some(1), ours));
    assert!(ran.stderr.contains("because: cannot read their side as a state\n"), "{}", ran.stderr);
}
