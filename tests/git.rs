//! The program inside of real git repositories, with the git that is installed.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::print_stderr, reason = "a test that is skipped says so")]

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

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
        hidden.iter().for_each(|name| {
            command.env_remove(name);
        });
        let output = command
            .args(args)
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
}
